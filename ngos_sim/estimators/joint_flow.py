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
from ngos_sim.estimators.gaussian_law import drift
from ngos_sim.estimators.moment_flow import clock, converged, runge_kutta, speed

_SLICE = 256  # steps whose flows are found at once: memory


def _flow(problem, h, numbers, substeps):
    """Return the flow of (a, a y_1, .., a y_d) into a, shape (steps, n + 1, (d + 1) (n + 1))."""
    d, n, steps = len(problem.slope), len(problem.slope) * (len(problem.start) - 1), len(numbers)
    when, at, c2 = clock(problem, h, numbers), np.arange(d), problem.constants["c2"]

    def rate(s):
        t, speed_of_s = when(s)
        D, slope = speed(problem, t[:, None], momentum=len(problem.start) == 3)
        matrix = np.zeros((steps, n + 1, n + 1))
        matrix[:, :n, :n], matrix[:, :n, n] = drift(problem, t)
        left = np.exp(-c2 * (t - problem.t0 - h * numbers))[:, None]  # of y since the step began
        return speed_of_s[:, None, None] * matrix, slope / D * left

    def applied(rate, x):
        matrix, share = rate
        found = matrix @ x
        found.reshape(steps, n + 1, d + 1, n + 1)[:, at, at + 1] += share[:, :, None] * found[:, :d, : n + 1]
        return found

    start = np.zeros((steps, n + 1, (d + 1) * (n + 1)))
    start[:, :, : n + 1] = np.eye(n + 1)
    return runge_kutta(rate, applied, start, substeps)


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
    n, slices = len(problem.slope) * (len(problem.start) - 1), range(0, steps, _SLICE)
    numbers = [np.arange(first, min(first + _SLICE, steps)) for first in slices]
    with np.errstate(over="ignore", invalid="ignore"):  # an exploding problem is reported by its trajectories
        flows, means = converged(
            lambda substeps: np.concatenate([_flow(problem, h, each, substeps)[:, :n] for each in numbers]),
            np.concatenate(problem.start[:-1]),
        )
        times = problem.t0 + h * np.arange(steps + 1)
        centre = problem.second_moment(times[:, None])
    products = np.broadcast_to(np.eye(n + 1), (steps, n + 1, n + 1)).copy()
    products[:, :n] = flows[:, :, : n + 1]
    products *= math.exp(-problem.constants["c2"] * h)
    flow = np.concatenate([flows.reshape(steps, -1), products.reshape(steps, -1)], axis=1)
    return Errors(flow=flow, centre=centre, **_mehler(problem.covariance, nodes, orders, scale)), means
