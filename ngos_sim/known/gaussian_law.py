"""The laws of the built-in SDEs and of their linear companions where the gradient is affine: Gaussian, u apart.

With gradient H theta + slope and constant Sigma, dense or not, u is deterministic and the other slots s obey
ds = (A_t s + b_t) dt + B_t dW, or the recursion s' = M_k s + o_k + K_k z. Slots are stacked: all theta, then all m.
"""

import itertools
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from scipy.integrate import solve_ivp

from ngos_sim.known import linear_flow
from ngos_sim.known.moment_flow import Problem, speed
from ngos_sim.processes.integrators import table
from ngos_sim.processes.rule import oracle_of

_Known = oracle_of("gradient", "variance")  # all that a built-in SDE's companion reads
ACCURACY = 1e-12  # of a mean's movement
_SOLVER = {"method": "DOP853", "rtol": ACCURACY, "atol": 1e-14}
_MOST = 20_000  # evaluations: seconds
_TINY = 1e-9  # where the clock begins, as the rates may be 0/0 at 0


@dataclass(frozen=True)
class JointProblem(Problem):
    """A Problem of d coordinates at once.

    hessian, covariance : ndarray, shape (d, d); slope, variance : (d,), variance the covariance's diagonal;
    start : (slots, d)
    """

    covariance: np.ndarray


@dataclass(frozen=True)
class Law:
    """Gaussian slots and a given u at some times.

    mean : (times, n d); covariance : (times, n d, n d); u : (times, d)
    """

    mean: np.ndarray
    covariance: np.ndarray
    u: np.ndarray

    def of_coordinate(self, j):
        """Return mean, covariance and u of one coordinate's slots, shapes (times, n), (times, n, n), (times,)."""
        places = np.arange(j, self.mean.shape[1], self.u.shape[1])
        return self.mean[:, places], self.covariance[:, places[:, None], places], self.u[:, j]


def drift(problem, t):
    """Return A_t and b_t of the RMSprop SDE, or of Adam's where there are three slots: (.., n d, n d) and (.., n d).

    Definitions 4.1 and 4.4 of arXiv 2205.10287 with u = U_t; t of any shape.
    """
    momentum, d = len(problem.start) == 3, len(problem.slope)
    D, _ = speed(problem, np.asarray(t)[..., None], momentum)
    if not momentum:
        return -D[..., None] * problem.hessian, -D * problem.slope
    c1, unit = problem.constants["c1"], np.eye(d)
    A, b = np.zeros((*D.shape[:-1], 2 * d, 2 * d)), np.zeros((*D.shape[:-1], 2 * d))
    A[..., :d, d:] = -D[..., None] * unit
    A[..., d:, :d], A[..., d:, d:] = c1 * problem.hessian, -c1 * unit
    b[..., d:] = c1 * problem.slope
    return A, b


def _power(problem, t):
    """Return B Sigma B^T of the SDE whose `drift` is above."""
    p, zero = problem.constants, np.zeros_like(problem.hessian)
    if len(problem.start) == 3:
        return np.block([[zero, zero], [zero, (p["c1"] * p["sigma0"]) ** 2 * problem.covariance]])
    root = p["sigma0"] * speed(problem, t, momentum=False)[0]
    return root[:, None] * problem.covariance * root


def sde_law(problem, times):
    """Return the Law of a built-in SDE at ascending times, by an ODE solver.

    m' = A m + b, C' = A C + C A^T + B Sigma B^T, in the clock t - t0 = duration s^2, in which a root of u near 0 is
    smooth, and in units of the numbers' own size.

    Raises
    ------
    ValueError
        The solver does not get to the last time.
    """
    first, duration = np.concatenate(problem.start[:-1]), times[-1] - problem.t0
    n, calls = len(first), itertools.count()
    with np.errstate(divide="ignore", invalid="ignore"):  # a root's slope at u = 0, which no law holds
        units = _units(problem, first, duration)

    def field(s, y):
        if next(calls) > _MOST:
            raise ArithmeticError
        s = max(s, _TINY)
        mean, covariance = y[:n], y[n:].reshape(n, n)
        A, b = drift(problem, problem.t0 + duration * s * s)
        A, power = A * (units / units[:, None]), _power(problem, problem.t0 + duration * s * s) / np.outer(units, units)
        product = A @ covariance
        slopes = np.concatenate([A @ mean + b / units, (product + product.T + power).ravel()])
        return 2.0 * duration * s * slopes

    start, s = np.concatenate([first / units, np.zeros(n * n)]), np.sqrt((times - problem.t0) / duration)
    with np.errstate(all="ignore"):  # what is not finite is refused
        try:
            solved = solve_ivp(field, (0.0, s[-1]), start, t_eval=s, **_SOLVER)
        except ArithmeticError:
            solved = None
    if solved is None or not solved.success or not np.all(np.isfinite(solved.y)):
        until = f"from t={problem.t0:g} to {times[-1]:g}"
        raise ValueError(f"the SDE's law is not found {until}: rates too fast, or moments too large")
    mean, covariance = solved.y[:n].T * units, solved.y[n:].T.reshape(-1, n, n) * np.outer(units, units)
    return Law(mean, covariance, problem.second_moment(times[:, None]))


def _units(problem, first, duration):
    """Return the size of each Gaussian slot, shape (n,): its start's, or what drift and noise make of it."""
    times = problem.t0 + duration * (np.arange(1, 9) / 8.0) ** 2
    A, b = drift(problem, times)
    power = np.max([np.diag(_power(problem, t)) for t in times], axis=0)
    rates = np.pad(np.concatenate([A, b[..., None]], axis=-1), [(0, 0), (0, 1), (0, 0)])
    size = np.maximum(np.abs(first), np.sqrt(duration * power))
    return linear_flow.scales(duration * rates, np.append(size, 1.0))[:-1]


def companion_law(rule, problem, h, records, parameters):
    """Return the Law of an affine rule after `records` steps of size h.

    Parameters
    ----------
    rule : Rule
        Affine in all slots but u, the last, and in gradient and noise; its u is deterministic.
    problem : JointProblem
    records : ndarray of int64
        Ascending.
    parameters : dict of str to float
        What the rule's p holds.
    """
    mean, u = np.concatenate(problem.start[:-1]), problem.start[-1]
    covariance, path = np.zeros((len(mean), len(mean))), []
    rows = table(rule, round(problem.t0 / h), int(records[-1]), h, parameters)
    for k, c in enumerate(map(tuple, rows.tolist()), 1):
        matrix, offset, kick, u = _affine_step(rule, problem, u, c, SimpleNamespace(**parameters))
        mean = matrix @ mean + offset
        covariance = matrix @ covariance @ matrix.T + kick @ problem.covariance @ kick.T
        if k in records:
            path.append((mean, covariance, u))
    return Law(*map(np.array, zip(*path, strict=True)))


def _affine_step(rule, problem, u, c, p):
    """Return M, o, K and the next u of one step: s' = M s + o + K z, read off the rule's own step."""
    d, n = len(u), len(problem.start) - 1
    own, pull, kick = np.zeros((n, n, d)), np.zeros((n, d)), np.zeros((n, d))
    offset, following = np.zeros((n, d)), np.zeros(d)
    for j in range(d):

        def moved(x, gradient, z, j=j):
            o = _Known(gradient, float(problem.variance[j]))
            return np.array(rule.step((*map(float, x), float(u[j])), o, z, c, p))

        *offset[:, j], following[j] = at_zero = moved(np.zeros(n), 0.0, 0.0)
        own[:, :, j] = np.array([moved(unit, 0.0, 0.0) - at_zero for unit in np.eye(n)]).T[:-1]
        pull[:, j] = (moved(np.zeros(n), 1.0, 0.0) - at_zero)[:-1]
        kick[:, j] = (moved(np.zeros(n), 0.0, 1.0) - at_zero)[:-1]
    matrix = np.block([[np.diag(each) for each in row] for row in own])
    matrix[:, :d] += pull.reshape(-1, 1) * np.tile(problem.hessian, (n, 1))
    offset += pull * problem.slope
    return matrix, offset.ravel(), np.concatenate([np.diag(each) for each in kick]), following
