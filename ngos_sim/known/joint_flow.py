"""The local estimator's flow and quadrature where coordinates are coupled, by the Hessian or by the covariance.

The basis is a b: a one of (linear slots of every coordinate, 1), all theta first, b one of (1, y_1 .. y_d),
y = u - U_t. The SDE's second moments have no noise, so that with the linear slots' generator A_t (their constant b_t
as a last column) and y linearised as in `moment_flow`, D' = dD/dU,

    d/dt <a>     = A <a> + sum_j e_j (D'_j / D_j) (A <a y_j>)_j,    e_j the unit vector of theta_j,
    d/dt <a y_j> = (A - c2) <a y_j>.

E[a' y'_j | x] is a sum over the correlations of Gaussian z (Mehler 1866): for functions f of z_i and g of z_j,
E f g = sum_n rho_ij^n f_n g_n with the coefficients f_n of f in normalised Hermite polynomials.
"""

import math

import numpy as np

from ngos_sim.engines.program import Errors
from ngos_sim.known import linear_flow
from ngos_sim.known.gaussian_law import drift
from ngos_sim.known.moment_flow import speed
from ngos_sim.known.step_flow import constants_column, smooth, solution, step_clock

_SLICE = 256  # steps whose flows are held at once: memory


def _flow(problem, h, numbers):
    """Return the flow of (a, a y_1, .., a y_d) into a over steps, shape (steps, n + 1, (d + 1) (n + 1)).

    numbers : ndarray of int, which steps
    """
    d, n = len(problem.slope), len(problem.slope) * (len(problem.start) - 1)
    t, passed, speed_of_s = step_clock(problem, h, numbers)
    D, slope = speed(problem, t[..., None], momentum=len(problem.start) == 3)
    rates = speed_of_s[..., None, None] * _generator(problem, t)
    units = linear_flow.scales(rates, np.append(np.concatenate(problem.start[:-1]), 1.0))
    of_a = linear_flow.flows(rates, units=units)
    share = slope / D * np.exp(-problem.constants["c2"] * passed)[..., None]  # e^(-c2 ..): of y since the step began
    forces, at = np.zeros((*t.shape, n + 1, d, n + 1)), np.arange(d)
    forces[:, :, at, at] = share[..., None] * (rates @ of_a)[:, :, :d]
    of_ay = linear_flow.flows(rates, forces.reshape(*t.shape, n + 1, -1), units)
    return np.concatenate([of_a[:, -1], of_ay[:, -1]], axis=-1)


def _generator(problem, t):
    """Return A_t with b_t as its last column, and a row of 0 for 1: shape (.., n + 1, n + 1)."""
    A, b = drift(problem, t)
    return np.pad(np.concatenate([A, b[..., None]], axis=-1), [*[(0, 0)] * np.ndim(t), (0, 1), (0, 0)])


def moments(problem, duration):
    """Return a function (times since t0) -> E of the linear slots, shape (times, n), for times up to a duration.

    Raises ValueError where the flow does not converge.
    """
    start = np.append(np.concatenate(problem.start[:-1]), 1.0)
    known = solution(lambda t: _generator(problem, t), problem, duration, start)
    return lambda times: known.at(np.sqrt(np.clip(times / duration, 0.0, 1.0)))[:, :-1]


def hermite(nodes, orders):
    """Return the normalised Hermite polynomials he_n / sqrt(n!), n < orders, at nodes: shape (orders, nodes)."""
    rows = [np.ones_like(nodes), nodes]
    for n in range(1, orders):
        rows.append((nodes * rows[-1] - math.sqrt(n) * rows[-2]) / math.sqrt(n + 1.0))
    return np.array(rows[:orders])


def _mehler(covariance, nodes, orders, scale):
    """Return nodes, weights and powers of the engine's Errors: Gauss and Hermite's rule for Mehler's sum."""
    values, weights = np.polynomial.hermite_e.hermegauss(nodes)
    deviation = np.sqrt(np.diag(covariance))
    deviation = np.where(deviation > 0.0, deviation, 1.0)  # without noise every coefficient but the first is 0
    correlation = covariance / np.outer(deviation, deviation)
    return {
        "nodes": np.outer(scale, values),
        "weights": weights / weights.sum() * hermite(values, orders),
        "powers": correlation ** np.arange(orders)[:, None, None],
    }


def width_of(d, slots):
    """Return how many numbers the flow of a step takes in the engine's Errors."""
    n = d * (slots - 1)
    return (n * (d + 1) + n + 1) * (n + 1)


def errors(problem, h, steps, nodes, orders, scale):
    """Return the engine's Errors of `steps` steps of size h from t0, and the SDE's means.

    Parameters
    ----------
    problem : JointProblem
    nodes, orders : int
        Of Gauss and Hermite's rule, and terms of Mehler's sum: as many as nodes make the sum with rho = 1 the rule's
        own; three are all where u' is a polynomial of degree 2 in the noise.
    scale : ndarray, shape (d,)
        What makes of a standard normal what `move` gets for it.

    Returns
    -------
    errors : Errors
    means : ndarray, shape (steps + 1, n)
        E of the linear slots, all theta first.
    """
    n = len(problem.slope) * (len(problem.start) - 1)
    count = n + 1
    since = h * np.arange(steps + 1)
    flow = np.empty((steps, width_of(len(problem.slope), len(problem.start))))
    with np.errstate(over="ignore", invalid="ignore"):  # an exploding problem is reported by its trajectories
        means = moments(problem, since[-1])(since)
        flow_of = smooth(lambda numbers: _flow(problem, h, numbers)[:, :n], steps)
        centre = problem.second_moment(problem.t0 + since[:, None])
        for first in range(0, steps, _SLICE):
            last = min(first + _SLICE, steps)
            found = flow_of(first, last).copy()
            found[:, :, n] = constants_column(found[:, :, :n], means[first : last + 1])
            products = np.broadcast_to(np.eye(count), (last - first, count, count)).copy()
            products[:, :n] = found[:, :, :count]
            products *= math.exp(-problem.constants["c2"] * h)
            flow[first:last] = np.concatenate([each.reshape(last - first, -1) for each in (found, products)], axis=1)
    return Errors(flow=flow, centre=centre, **_mehler(problem.covariance, nodes, orders, scale)), means
