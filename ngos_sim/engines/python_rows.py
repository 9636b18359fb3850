"""Rows that scalar functions get, a number a coordinate, in plain Python: H theta, or what a field makes.

`engines.python` asks for them before a step and before features; those of data are `engines.python_data`'s.
"""

from ngos_sim.arithmetic import matvec
from ngos_sim.engines import python_data


def theta(state):
    return tuple(x[0] for x in state)


def pull(field, numbers, hessian, state):
    """Return grad f where a field makes it, else H theta, or zeros where there is no matrix."""
    if field is not None and field.gradient:
        return field.gradient(theta(state), at(numbers.loss, 0))
    zero = [0.0] * len(state)
    return matvec(hessian, theta(state), zero) if hessian else zero


def spread(field, numbers, state):
    """Return the diagonal of Sigma where a field makes it, else zeros."""
    if field is not None and field.variance:
        return field.variance(theta(state), at(numbers.variance, 0))
    return [0.0] * len(state)


def mixed(field, numbers, root, state, zeta):
    """Return R(theta) zeta of a field, or by a constant root."""
    if field is not None and field.mixed:
        return field.mixed(theta(state), tuple(zeta), at(numbers.variance, 0))
    return matvec(root, zeta, [0.0] * len(zeta))


def of_data(field, inputs, state, of_w, step, trajectory):
    """Return the rows pull, xi and spread that a field of data makes before step number `step`."""
    if field.batch:
        made = python_data.minibatch(inputs.data, field, theta(state), step, inputs.key, trajectory)
        return made._replace(xi=[0.0] * len(state))
    return python_data.full_batch(inputs.data, field.slope, theta(state), of_w)


def at(columns, j):
    return tuple(float(column[j]) for column in columns)
