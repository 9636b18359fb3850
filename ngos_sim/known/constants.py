"""The leading constants of the weak error, predicted by Talay and Tubaro's expansion (1990).

With h = eta^2, t = k h and X the SDE of the optimizer,

    E psi(x_k) = E psi(X_t) + sqrt(h) R_t[psi] + h C_t[psi] + ...,   R = C = 0 at t0,
    R' = R[G psi] + third E (S psi)(X),
    C' = C[G psi] + E (E2 psi)(X) + third R[S psi] + third_rate E (S psi)(X),

G the SDE's generator, E2 = A2 - (G^2 + d_t G) / 2 what one step and the flow over h differ by at order h^2,
S the step's term of order h^(3/2), which skewed noise has (docs/theory.md, "Predicted constants"). For an affine
gradient and constant Sigma these are linear ODEs on the monomials theta^i m^j y^n, y = u - U_t with U_t the SDE's
deterministic u: there y' = -c2 y, so G lowers no power of y, and E2 and S lower it by 2 at most; on the SDE y = 0. So
n <= 2 is exact.
"""

import math
from dataclasses import dataclass
from math import comb, perm, prod

import numpy as np
import scipy

from ngos_sim.known import step_expansion
from ngos_sim.known.coordinate import Coordinate
from ngos_sim.processes.rule import has_bias_correction
from ngos_sim.validation import choice

_RTOL, _ATOL = 1e-11, 1e-13
_LEAST = 3e-14  # below it the solver warns


@dataclass(frozen=True)
class Expansion:
    """E psi(x_k) = mean + sqrt(h) root + h first + ... at each time; all of shape (times,) or (times, problems).

    mean, rate : of the SDE, exact, and its time derivative
    root : 0 unless E zeta^3 stays away from 0 as h -> 0
    first : the constant C of the weak error C eta^2
    """

    mean: np.ndarray
    rate: np.ndarray
    root: np.ndarray
    first: np.ndarray

    def of(self, problem):
        """Return the Expansion of one of several problems."""
        return Expansion(*(each[:, problem] for each in (self.mean, self.rate, self.root, self.first)))

    def product(self, other):
        """Return the Expansion of the product with a function of another, independent coordinate."""
        return Expansion(
            self.mean * other.mean,
            self.rate * other.mean + self.mean * other.rate,
            self.root * other.mean + self.mean * other.root,
            self.first * other.mean + self.mean * other.first + self.root * other.root,
        )

    def against_batch(self, kappa, lag=0.0):
        """Return root and first of E psi(x_k) minus the same at kappa times the batch size, step floor(k / kappa).

        (1 - sqrt kappa) root and (1 - kappa) first + lag rate, lag = k - kappa floor(k / kappa), against eta^2 of
        the small batch: Theorem 5.3 of arXiv 2205.10287, which bounds the latter by C (1 + kappa) (docs/theory.md,
        "The scaling rule").
        """
        return (1.0 - kappa**0.5) * self.root, (1.0 - kappa) * self.first + lag * self.rate


def svag_limit(third, fourth, eta2):
    """Return third_rate and fourth, for `leading`, of SVAG at fixed eta2 against h = eta2 / ell^2, ell -> infinity.

    Of a base law with moments third and fourth at this eta2 the SVAG law has E zeta^3 = third (3 ell^2 - 1) / (2 ell^3)
    and, in the limit, half the excess kurtosis (Definition 6.1 of arXiv 2205.10287; docs/theory.md, "SVAG").
    """
    return {"third_rate": 1.5 * third / eta2**0.5, "fourth": 3.0 + 0.5 * (fourth - 3.0)}


def leading(
    problem: Coordinate,
    *,
    momentum,
    times,
    fourth,
    third=0.0,
    third_rate=0.0,
    second_moment="previous",
    degree=4,
    sde="malladi",
):
    """Predict how moments of RMSprop and Adam differ from their SDE's, in one coordinate.

    Parameters
    ----------
    problem : Coordinate
        Affine gradient, constant variance, deterministic start (theta, u) or (theta, m, u) at t0, a multiple of h.
        Its constants say whether there is bias correction. Or several at once: arrays of shape (problems,) for its
        hessian, slope, variance and start.
    momentum : bool
        Adam (Definition 2.2 of arXiv 2205.10287), else RMSprop (Definition 2.1).
    times : sequence of float
        Increasing, none below t0, the last one above it.
    fourth, third, third_rate : float
        E zeta^4 and E zeta^3 = third + third_rate sqrt(h), as h -> 0, of the noise law of variance 1. Where
        E zeta^3 = K / sigma, third_rate is K / sigma0. For SVAG see `svag_limit`.
    second_moment : "previous" or "updated"
        theta is divided by the root of v_k, or of v_{k+1}.
    degree : int
        The greatest i + j, and the greatest n, of theta^i m^j u^n.
    sde : "malladi" or "compagnoni"
        Whose SDE: that of arXiv 2205.10287, or of arXiv 2411.15958, which has terms of order h of its own.

    Returns
    -------
    dict of tuple to Expansion
        By the powers (i, n) of theta^i u^n, or (i, j, n) of theta^i m^j u^n.

    Raises
    ------
    ValueError
        Bias correction from t0 = 0, where the SDE is singular and no expansion is known; u starts at 0; an unknown
        convention; times that do not increase from t0.

    Examples
    --------
    >>> from ngos_sim.known.coordinate import Coordinate
    >>> problem = Coordinate(0.9, 0.0, 1.0, (1.2, 1.0), 0.0, 1.0, dict(sigma0=0.8, eps0=0.0, c2=1.3), 0.0)
    >>> leading(problem, momentum=False, times=[1.0], fourth=3.0)[2, 0].first.round(4).tolist()
    [0.0721]
    """
    times = np.atleast_1d(np.asarray(times, dtype=np.float64))
    corrected = has_bias_correction(problem.constants)
    _check(problem, momentum, second_moment, corrected, times)
    updated = second_moment == "updated"
    choice("sde", sde, ("malladi", "compagnoni"))
    generator, remainder, skew = (step_expansion.adam if momentum else step_expansion.rmsprop)(problem, updated, fourth)
    if sde == "compagnoni":
        remainder += step_expansion.compagnoni(problem, momentum)
    pairs = [(i, total - i) for total in range(degree + 3) for i in range(total + 1) if momentum or i == total]
    jets = [(i, j, n) for n in range(3) for i, j in pairs if i + j <= degree]  # E2 raises i + j by 2, G and S do not
    like = np.broadcast_arrays(problem.hessian, problem.slope, problem.variance, *problem.start)[0]
    system = _system((generator, remainder, skew), [(i, j, 0) for i, j in pairs], jets, third, third_rate, like.shape)
    start = np.zeros((len(pairs) + 2 * len(jets), *like.shape))
    start[: len(pairs)] = [problem.start[0] ** i * (problem.start[1] ** j if momentum else 1.0) for i, j in pairs]

    def speed(t):
        return step_expansion.speed(problem, t, momentum, updated, corrected)

    mean, rate, later = _solved(system, speed, start, problem.t0, times, len(pairs))
    U = step_expansion.second_moment(problem, times.reshape(-1, *[1] * like.ndim))
    solved = mean, rate, *np.split(later, 2)
    expansions = _in_slots(solved, U, problem.constants["c2"] * (problem.variance - U), pairs, jets, degree)
    return expansions if momentum else {(i, n): expansions[i, 0, n] for i, _, n in expansions}


def _check(problem, momentum, second_moment, corrected, times):
    """Raise ValueError for what `leading` does not cover."""
    slots = ("theta", "m", "u") if momentum else ("theta", "u")
    if len(problem.start) != len(slots):
        raise ValueError(f"start={problem.start!r} must be {slots} with momentum={momentum!r}")
    if not np.all(np.asarray(problem.start[-1]) > 0.0):
        raise ValueError(f"u={problem.start[-1]!r} at the start must be positive")
    choice("second_moment", second_moment, ("previous", "updated"))
    if corrected and not problem.t0 > 0.0:
        raise ValueError(f"t0={problem.t0:g}; with bias correction it must be positive")
    if not times.size or times[0] < problem.t0 or np.any(np.diff(times) <= 0.0) or times[-1] == problem.t0:
        raise ValueError(f"times={times.tolist()!r} must increase from t0={problem.t0:g}")


def _images(polynomial, derivatives, rows, columns):
    """Yield (row, column, power, factor) of polynomial times derivatives on monomials, for images in the columns.

    power : of the polynomial, whose own factor for it is to be taken as well
    """
    places = {powers: at for at, powers in enumerate(columns)}
    for row, monomial in enumerate(rows):
        falling = prod(map(perm, monomial, derivatives))  # 0 where a derivative exceeds its power
        for powers in polynomial if falling else ():
            image = tuple(n - k + q for n, k, q in zip(monomial, derivatives, powers, strict=True))
            if image in places:
                yield row, places[image], powers, falling


@dataclass(frozen=True)
class _System:
    """The derivative of x = (E psi(X), R, C): rows @ (factors * coefficients[which] * x[columns]).

    coefficients : functions of the Speed; which, columns : (entries,) int; factors : (entries, ..), the dots those of
    the problems; rows : (size, entries), sparse
    """

    coefficients: list
    which: np.ndarray
    columns: np.ndarray
    factors: np.ndarray
    rows: "scipy.sparse.csr_array"

    def derivative(self, s, x):
        """Return it at a Speed; x of shape (size, ..)."""
        values = np.empty((len(self.coefficients), *x.shape[1:]))
        for at, coefficient in enumerate(self.coefficients):
            values[at] = coefficient(s)
        each = self.factors * values[self.which] * x[self.columns]
        return (self.rows @ each.reshape(len(each), -1)).reshape(x.shape)


def _system(terms, states, jets, third, third_rate, shape):
    """Return the _System of problems of a shape: () of a single one."""
    n, m = len(states), len(jets)
    blocks = {
        "generator": [(0, 0, 1.0), (n, n, 1.0), (n + m, n + m, 1.0)],
        "remainder": [(n + m, 0, 1.0)],
        "skew": [(n, 0, third), (n + m, 0, third_rate), (n + m, n, third)],
    }
    coefficients, entries = [], []
    for kind, group in zip(blocks, terms, strict=True):
        for coefficient, polynomial, derivatives in group:
            coefficients.append(coefficient)
            for below, beside, weight in blocks[kind]:
                rows, columns = (jets if below else states), (jets if beside else states)
                for row, column, powers, falling in _images(polynomial, derivatives, rows, columns):
                    factor = np.broadcast_to(weight * falling * polynomial[powers], shape)
                    if np.any(factor):
                        entries.append((below + row, beside + column, len(coefficients) - 1, factor))
    rows, columns, which, factors = (np.array(each) for each in zip(*entries, strict=True))
    sums = scipy.sparse.csr_array((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(n + 2 * m, len(rows)))
    return _System(coefficients, which, columns, factors, sums)


def _solved(system, speed, start, t0, times, n):
    """Return E psi(X_t) and its time derivative, shape (n, times, ..), and R and C on the jets, (2 jets, times, ..)."""

    def field(t, x):
        return system.derivative(speed(t), x.reshape(start.shape)).ravel()

    # The solver's norm is a mean over all problems: each alone must be as accurate.
    share = math.sqrt(start[0].size)
    how = {"method": "DOP853", "rtol": max(_RTOL / share, _LEAST), "atol": _ATOL / share}
    solution = scipy.integrate.solve_ivp(field, (t0, times[-1]), start.ravel(), t_eval=times, **how)
    if not solution.success:
        raise ValueError(f"the moments of the SDE cannot be integrated to {times[-1]:g}: {solution.message}")
    path = solution.y.T.reshape(len(times), *start.shape)
    rate = np.stack([field(t, x.ravel()).reshape(start.shape)[:n] for t, x in zip(times, path, strict=True)], axis=1)
    path = np.moveaxis(path, 0, 1)
    return path[:n], rate, path[n:]


def _in_slots(solved, U, U_rate, pairs, jets, degree):
    """Return the Expansions of theta^i m^j u^n by (i, j, n): u^n = sum_r comb(n, r) U^(n - r) y^r."""
    mean, rate, root, first = solved
    expansions = {}
    for at, (i, j) in enumerate(pairs):
        for n in range(degree + 1) if i + j <= degree else ():
            parts = [(jets.index((i, j, r)), comb(n, r) * U ** (n - r)) for r in range(min(n, 2) + 1)]
            expansions[i, j, n] = Expansion(
                mean[at] * U**n,
                rate[at] * U**n + mean[at] * n * U ** max(n - 1, 0) * U_rate,
                sum(factor * root[place] for place, factor in parts),
                sum(factor * first[place] for place, factor in parts),
            )
    return expansions
