"""The local estimator's flow and quadrature where coordinates are coupled, by the Hessian or by the covariance.

The basis is a b: a one of (linear slots of every coordinate, 1), all theta first, b one of (1, y_1 .. y_d), y_j the
autonomous slot of coordinate j less its path; b is 1 alone where an SDE has no autonomous slot. With the generator A_t
of a (its constant b_t as a last column), its derivative A_j in the autonomous slot of coordinate j, which fills rows
of j alone, and f_j that of this slot's drift, to first order in y,

    d/dt <a> = A <a> + sum_j A_j <a y_j>,    d/dt <a y_j> = (A + f_j) <a y_j>.

Every number is read off the SDE (`joint_equation`). E[a' y'_j | x] is a sum over the correlations of Gaussian z
(Mehler 1866): for functions f of z_i and g of z_j, E f g = sum_n rho_ij^n f_n g_n with the coefficients f_n of f in
normalised Hermite polynomials. `studies.joint_pivot` makes the engine's numbers of what is returned.
"""

import math
from dataclasses import dataclass

import numpy as np

from ngos_sim.known import linear_flow
from ngos_sim.known.probing import NoMoments
from ngos_sim.known.step_flow import constants_column, smooth, step_clock
from ngos_sim.oracles.noises import gauss_hermite

_SLICE = 256  # steps whose flows are held at once: memory


@dataclass(frozen=True)
class Quadrature:
    """Gauss and Hermite's rule for Mehler's sum.

    nodes : (d, nodes), weights : (orders, nodes), powers : (orders, d, d): see `mehler`
    """

    nodes: np.ndarray
    weights: np.ndarray
    powers: np.ndarray


@dataclass(frozen=True)
class Carried:
    """What carries errors over steps, and the SDE's means.

    flow : (steps, width), of each step M's rows for all errors into those of b = 1, then those for the errors of any
        other b into themselves
    centre : (steps + 1, d), the path of the autonomous slot; of no columns where there is none
    means : (steps + 1, n), E of the linear slots, all theta first
    """

    flow: np.ndarray
    centre: np.ndarray
    means: np.ndarray


def require_one(equation):
    """Raise NoMoments where an SDE has more autonomous slots than one."""
    if len(equation.autonomous) > 1:
        names = " and ".join(equation.sde.slots[a] for a in equation.autonomous)
        raise NoMoments(
            f"sde {equation.sde.name!r} has the autonomous slots {names}: one is served where a matrix couples "
            "coordinates"
        )


def _generator(drift):
    """Return A_t with b_t as its last column, and a row of 0 for 1: shape (.., n + 1, n + 1)."""
    return np.pad(drift, [*[(0, 0)] * (drift.ndim - 2), (0, 1), (0, 0)])


def _first(equation):
    """Return a where an SDE starts: the linear slots and 1."""
    return np.append(equation.problem.start[list(equation.linear)].ravel(), 1.0)


def _flow(equation, h, numbers):
    """Return the flow of (a, a y_1, .., a y_d) into a over steps, shape (steps, n + 1, (d + 1) (n + 1)).

    numbers : ndarray of int, which steps
    """
    t, passed, speed_of_s = step_clock(equation.problem, h, numbers)
    s = equation.clock(t)
    rates = speed_of_s[..., None, None] * _generator(equation.at(s)[0])
    units = linear_flow.scales(rates, _first(equation))
    of_a = linear_flow.flows(rates, units=units)
    if not equation.autonomous:
        return of_a[:, -1]
    slopes, own = equation.in_autonomous(s)  # (.., d, linear, n + 1) and (.., d)
    share = speed_of_s[..., None] * np.exp(own * passed[..., None])  # e^(f ..): of y since the step began
    d, size = equation.problem.dimension, rates.shape[-1]
    at = np.arange(d)
    forces = np.zeros((*t.shape, size - 1, d, size))
    grouped = forces.reshape(*t.shape, -1, d, d, size)
    grouped[:, :, :, at, at] = np.moveaxis(share[..., None, None] * (slopes @ of_a[:, :, None]), 2, 3)
    forces = np.pad(forces, [*[(0, 0)] * t.ndim, (0, 1), (0, 0), (0, 0)]).reshape(*t.shape, size, -1)
    of_ay = linear_flow.flows(rates, forces, units)
    return np.concatenate([of_a[:, -1], of_ay[:, -1]], axis=-1)


def means(equation, since):
    """Return E of the linear slots at ascending times since t0, shape (times, n).

    Raises
    ------
    NoMoments
        The flow does not converge.
    """

    def rates(s):
        return _generator(equation.rates(s)[0])

    known = linear_flow.solved(rates, _first(equation))
    if known is None:
        problem = equation.problem
        raise NoMoments(
            f"the moment flow of sde {equation.sde.name!r} does not converge from t={problem.t0:g} to {problem.end:g}: "
            "rates too fast, or moments too large"
        )
    return known.at(equation.clock(equation.problem.t0 + since))[:, :-1]


def hermite(nodes, orders):
    """Return the normalised Hermite polynomials he_n / sqrt(n!), n < orders, at nodes: shape (orders, nodes)."""
    rows = [np.ones_like(nodes), nodes]
    for n in range(1, orders):
        rows.append((nodes * rows[-1] - math.sqrt(n) * rows[-2]) / math.sqrt(n + 1.0))
    return np.array(rows[:orders])


def mehler(covariance, nodes, orders, scale):
    """Return the Quadrature of E[a' b' | x] under correlated Gaussian noise.

    Parameters
    ----------
    covariance : ndarray, shape (d, d)
    nodes, orders : int
        Of Gauss and Hermite's rule, and terms of Mehler's sum: as many as nodes make the sum with rho = 1 the rule's
        own; one more than its degree are all where a slot of the step is a polynomial in the noise.
    scale : ndarray, shape (d,)
        What makes of a standard normal what the engine's step gets for it.
    """
    values, weights = gauss_hermite(nodes)
    deviation = np.sqrt(np.diag(covariance))
    deviation = np.where(deviation > 0.0, deviation, 1.0)  # without noise every coefficient but the first is 0
    correlation = covariance / np.outer(deviation, deviation)
    return Quadrature(
        nodes=np.outer(scale, values),
        weights=weights * hermite(values, orders),
        powers=correlation ** np.arange(orders)[:, None, None],
    )


def width_of(equation):
    """Return how many numbers the flow of a step takes."""
    d = equation.problem.dimension
    n, blocks = d * len(equation.linear), d * len(equation.autonomous)
    return (n * (blocks + 1) + n + 1) * (n + 1)


def carried(equation, h, steps):
    """Return what is Carried over `steps` steps of size h from t0."""
    require_one(equation)
    n, blocks = len(_first(equation)) - 1, len(equation.autonomous)
    count, since = n + 1, h * np.arange(steps + 1)
    flow = np.empty((steps, width_of(equation)))
    with np.errstate(over="ignore", invalid="ignore"):  # an exploding problem is reported by its trajectories
        expected = means(equation, since)
        flow_of = smooth(lambda numbers: _flow(equation, h, numbers)[:, :n], steps)
        clock = equation.clock(equation.problem.t0 + since)
        centre = equation.path(clock)[:, 0] if blocks else np.zeros((steps + 1, 0))
        decay = np.exp(h * equation.in_autonomous(clock[1:])[1].mean(axis=-1)) if blocks else np.zeros(steps)
        for first in range(0, steps, _SLICE):
            last = min(first + _SLICE, steps)
            found = flow_of(first, last).copy()
            found[:, :, n] = constants_column(found[:, :, :n], expected[first : last + 1])
            products = np.broadcast_to(np.eye(count), (last - first, count, count)).copy()
            products[:, :n] = found[:, :, :count]
            products *= decay[first:last, None, None]
            flow[first:last] = np.concatenate([each.reshape(last - first, -1) for each in (found, products)], axis=1)
    return Carried(flow, centre, expected)
