"""The laws of an SDE and of its linear companion where the gradient is affine: Gaussian, autonomous slots apart.

With gradient H theta + slope and constant Sigma, dense or not, the autonomous slots are deterministic and the linear
ones obey ds = (A_t s + b_t) dt + B_t dW, which `joint_equation` reads off the SDE, or the recursion
s' = M_k s + o_k + K_k z, which is read off the companion's step. The control-variate estimator takes its means here.
"""

import itertools
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import scipy

from ngos_sim.known.joint_equation import CERTIFIED
from ngos_sim.known.joint_problem import embedding
from ngos_sim.known.probing import NoMoments
from ngos_sim.processes.integrators import table
from ngos_sim.processes.rule import parameters

ACCURACY = 1e-12  # of a mean's movement
_TOLERANCE = {"rtol": ACCURACY, "atol": 1e-14}
_MOST = 20_000  # evaluations: seconds


@dataclass(frozen=True)
class Law:
    """Gaussian linear slots and given autonomous ones of d coordinates at some times.

    linear, autonomous : the slots by their place in a state
    mean : (times, n d), n linear slots, all coordinates of one after the other; covariance : (times, n d, n d)
    path : (times, autonomous, d)
    """

    linear: tuple[int, ...]
    autonomous: tuple[int, ...]
    mean: np.ndarray
    covariance: np.ndarray
    path: np.ndarray

    @property
    def dimension(self):
        """The number of coordinates."""
        return self.path.shape[2]

    def of_coordinate(self, j):
        """Return the Law of one coordinate."""
        places = np.arange(j, self.mean.shape[1], self.dimension)
        own = self.mean[:, places], self.covariance[:, places[:, None], places], self.path[:, :, [j]]
        return Law(self.linear, self.autonomous, *own)


def sde_law(equation, times):
    """Return the Law of a JointEquation's SDE at ascending times, by an ODE solver.

    m' = A m + b, C' = A C + C A^T + B Sigma B^T, in the clock t - t0 = duration s^2, in which a root of u near 0 is
    smooth, and in units of the numbers' own size.

    Raises
    ------
    NoMoments
        The solver does not get to the end, or the SDE is not affine as far out as its law.
    """
    problem = equation.problem
    first = problem.start[list(equation.linear)].ravel()
    n, calls = len(first), itertools.count()
    units = _units(equation, first)
    grow, spread = units / units[:, None], np.outer(units, units)

    def field(s, y):
        if next(calls) > _MOST:
            raise ArithmeticError
        mean, covariance = y[:n], y[n:].reshape(n, n)
        drift, power = equation.rates(s)
        A, b = drift[:, :-1] * grow, drift[:, -1] / units
        product = A @ covariance
        return np.concatenate([A @ mean + b, (product + product.T + power / spread).ravel()])

    wanted = equation.clock(times)
    s = np.unique(np.concatenate([wanted, CERTIFIED]))
    start = np.concatenate([first / units, np.zeros(n * n)])
    with np.errstate(all="ignore"):  # what is not finite is refused
        found = _ends(field, start, s)
    if found is None:
        until = f"from t={problem.t0:g} to {problem.end:g}"
        raise NoMoments(
            f"the law of sde {equation.sde.name!r} is not found {until}: rates too fast, or moments too large"
        )
    mean, covariance = found[:, :n] * units, found[:, n:].reshape(-1, n, n) * spread
    some, asked = np.searchsorted(s, CERTIFIED), np.searchsorted(s, wanted)
    equation.certify(mean[some], covariance[some])
    return Law(equation.linear, equation.autonomous, mean[asked], covariance[asked], equation.path(wanted))


def _ends(field, y, times):
    """Return y' = field(s, y) from y at 0 at ascending times, each the end of a step, or None where it is not found.

    Between steps the solver's interpolation is of order 7: 1e-8 where its steps are good to 1e-12.
    """
    found, s, length = [], 0.0, None
    for end in times.tolist():
        if end > s:
            try:
                first = length and min(length, end - s)
                solver = scipy.integrate.DOP853(field, s, y, end, first_step=first, **_TOLERANCE)
                while solver.status == "running":
                    solver.step()
                    length = max(solver.step_size, length or 0.0) if solver.status == "finished" else solver.step_size
            except ArithmeticError:
                return None
            if solver.status == "failed":
                return None
            s, y = end, solver.y
        if not np.all(np.isfinite(y)):
            return None
        found.append(y)
    return np.array(found)


def _units(equation, first):
    """Return a power of 2 for each linear slot, shape (n,): of its start's size, or what noise or drift make of it.

    Not the largest size that drift could bring about: a tolerance of it is none for what the slots are.
    """
    duration = equation.problem.end - equation.problem.t0
    drift, power = equation.at(np.arange(1, 9) / 8.0)
    size = np.append(
        np.maximum(np.abs(first), np.sqrt(duration * np.diagonal(power, axis1=1, axis2=2).max(axis=0))), 1.0
    )
    driven = duration * np.abs(drift).max(axis=0)
    for _ in equation.linear:
        size[:-1] = np.where(size[:-1] > 0.0, size[:-1], (driven * size).max(axis=1))
    usable = np.isfinite(size) & (size > 0.0)
    return np.exp2(np.round(np.log2(np.where(usable, size, 1.0))))[:-1]


def companion_law(rule, problem, linear, h, records):
    """Return the Law of an affine rule after `records` steps of size h.

    Parameters
    ----------
    rule : Rule
        Given its autonomous slots, which go their way without noise, affine in the linear ones and in the gradient
        and the noise: Euler-Maruyama of such an SDE.
    problem : JointProblem
    linear : tuple of int
        The linear slots.
    h : float
    records : ndarray of int64
        Ascending.
    """
    autonomous = tuple(i for i in range(len(problem.start)) if i not in linear)
    held = parameters(rule, h)
    mean, path = problem.start[list(linear)].ravel(), problem.start[list(autonomous)]
    covariance, found = np.zeros((len(mean), len(mean))), []
    step, p = _AffineStep(rule, problem, linear, autonomous), SimpleNamespace(**held)
    rows = table(rule, round(problem.t0 / h), int(records[-1]), h, held)
    for k, c in enumerate(map(tuple, rows.tolist()), 1):
        moved, power, path = step.at(path, c, p)
        matrix, offset = moved[:, :-1], moved[:, -1]
        mean, covariance = matrix @ mean + offset, matrix @ covariance @ matrix.T + power
        if k in records:
            found.append((mean, covariance, path))
    return Law(linear, autonomous, *map(np.array, zip(*found, strict=True)))


class _AffineStep:
    """What one step of a rule makes of the linear slots of all coordinates, read off the step itself."""

    def __init__(self, rule, problem, linear, autonomous):
        self._rule, self._problem = rule, problem
        self._linear, self._autonomous = list(linear), list(autonomous)
        self._embedding = embedding(problem, linear)
        self._covariance = np.tile(problem.covariance, (len(linear), len(linear)))

    def at(self, path, c, p):
        """Return (M, o) as one matrix, K Sigma K^T, and where the autonomous slots go.

        path : ndarray, shape (autonomous, d)
        """
        d, numbers, size = self._embedding.shape
        moves, kick = np.empty((len(self._linear), d, size)), np.empty((len(self._linear), d))
        following = np.empty_like(path)
        for j in range(d):
            inputs = np.concatenate([np.zeros((1, numbers + 1)), np.eye(numbers + 1)]).tolist()
            zero, *others = (self._moved(j, path[:, j].tolist(), each, c, p) for each in inputs)
            following[:, j] = zero[self._autonomous]
            slopes = (np.array(others) - zero)[:, self._linear].T
            moves[:, j], kick[:, j] = slopes[:, :-1] @ self._embedding[j], slopes[:, -1]
            moves[:, j, -1] += zero[self._linear]
        power = np.outer(kick, kick) * self._covariance
        return moves.reshape(-1, size), power, following

    def _moved(self, j, path, inputs, c, p):
        """Return coordinate j after a step from these linear slots (and gradient and (H grad f)_i) and this noise."""
        problem, x = self._problem, [0.0] * len(self._problem.start)
        *numbers, z = inputs
        for slot, value in zip([*self._linear, *self._autonomous], [*numbers[: len(self._linear)], *path], strict=True):
            x[slot] = value
        o = problem.oracle(j, x[0], *numbers[len(self._linear) :])
        return np.array(self._rule.step(tuple(x), o, z, c, p))
