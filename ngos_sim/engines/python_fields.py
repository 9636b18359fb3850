"""Fields in plain Python: what an oracle that couples coordinates makes of all of theta, or of data.

`engines.python` calls these before a step and at a record.
"""

from dataclasses import replace

from ngos_sim.arithmetic import matvec
from ngos_sim.engines import python_data
from ngos_sim.engines.fields import DataField


def at(columns, j):
    """Return the numbers of coordinate j."""
    return tuple(float(column[j]) for column in columns)


def with_functions(field, made):
    """Return a field of what `made` makes of its functions."""
    names = ("slope",) if isinstance(field, DataField) else ("gradient", "mixed", "variance")
    functions = {name: getattr(field, name) for name in names}
    return replace(field, **{name: function and made(function) for name, function in functions.items()})


def of_data(field, inputs, state, of_w, step, trajectory):
    """Return the rows pull, xi and spread that a field of data makes before step number `step`."""
    theta = [x[0] for x in state]
    if field.batch:
        made = python_data.minibatch(inputs.data, field, theta, step, inputs.key, trajectory)
        return made._replace(xi=[0.0] * len(theta))
    return python_data.full_batch(inputs.data, field.slope, theta, of_w)


def theta_of(state):
    """Return theta of a state of all coordinates, a tuple."""
    return tuple(x[0] for x in state)


def rows(field, numbers, hessian, state):
    """Return the rows pull and spread of a process that is not of data.

    They are grad f and the diagonal of Sigma where a field makes them; else H theta, or zeros, and zeros.
    """
    zero, theta = [0.0] * len(state), theta_of(state)
    if field is not None and field.gradient:
        pull = field.gradient(theta, at(numbers.loss, 0))
    else:
        pull = matvec(hessian, theta, zero) if hessian else zero
    return pull, field.variance(theta, at(numbers.variance, 0)) if field is not None and field.variance else zero


def mixed(field, numbers, root, state, zeta):
    """Return R(theta) zeta of a field, or by a constant root."""
    if field is not None and field.mixed:
        return field.mixed(theta_of(state), tuple(zeta), at(numbers.variance, 0))
    return matvec(root, zeta, [0.0] * len(zeta))
