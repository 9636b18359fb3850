"""Exact moments of the RMSprop and Adam SDEs, and the flow M_k of the local estimator's basis.

For an affine gradient hessian theta + slope and constant diagonal Sigma the SDE's second moment is the
deterministic U_t = Sigma + (u0 - Sigma) exp(-c2 (t - t0)). With y = u - U_t and the speed
D = 1 / (sigma0 sqrt(U + y) + eps0) = D + D' y to first order, the generator maps the span of the basis
to itself; what is dropped holds y^2 and vanishes on the SDE, where y = 0. (theory.md 7.2, estimators.md.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import comb, prod

import numpy as np

from ngos_sim.processes import local_error, sdes
from ngos_sim.processes.rule import has_bias_correction

_SUBSTEPS = (4, 8, 16, 32, 64, 128)  # Runge-Kutta steps of each M_k: doubled until the moments stand still
_STILL = 1e-9
_TINY = 1e-9  # of a step: where the clock of the first step begins, as its rate is 0/0 at 0


@dataclass(frozen=True)
class Problem:
    """One coordinate of a study: gradient hessian theta + slope, variance Sigma, start, constants."""

    hessian: float
    slope: float
    variance: float
    start: tuple[float, ...]
    t0: float
    constants: dict[str, float]

    def second_moment(self, t):
        """Return U_t, the SDE's u at time t."""
        return self.variance + (self.start[-1] - self.variance) * np.exp(-self.constants["c2"] * (t - self.t0))


def speed(problem, t, momentum):
    """Return D and D' = dD/dU at U_t, with bias corrections where the optimizer has them."""
    p, U = problem.constants, problem.second_moment(t)
    root, first = np.ones_like(U), np.ones_like(U)
    if has_bias_correction(p):
        root = np.sqrt(-np.expm1(-p["c2"] * t))
        first = -np.expm1(-p["c1"] * t) if momentum else first
    inverse = 1.0 / (p["sigma0"] * np.sqrt(U) + p["eps0"] * root)
    return root / first * inverse, -0.5 * root / first * inverse**2 * p["sigma0"] / np.sqrt(U)


def _operator(exponents, terms):
    """Return the matrix of a differential operator on the basis and 1, cut at the basis.

    terms : list of (factor, powers, derivatives), each factor x^powers d^derivatives.
    """
    places = {power: i for i, power in enumerate((*exponents, (0,) * len(exponents[0])))}
    matrix = np.zeros((len(places), len(places)))
    for monomial, row in places.items():
        for factor, powers, derivatives in terms:
            falling = prod(prod(range(n - k + 1, n + 1)) for n, k in zip(monomial, derivatives, strict=True))
            image = tuple(n - k + q for n, k, q in zip(monomial, derivatives, powers, strict=True))
            if falling and image in places:
                matrix[row, places[image]] += factor * falling
    return matrix


def _rmsprop_generator(problem, basis):
    """Return t -> G(t) of the RMSprop SDE, shape (..., n + 1, n + 1): d psi / dt = G psi in mean."""
    a, b, p = problem.hessian, problem.slope, problem.constants
    power = p["sigma0"] ** 2 * problem.variance
    first = _operator(basis, [(-a, (1, 0), (1, 0)), (-b, (0, 0), (1, 0))])
    first_y = _operator(basis, [(-a, (1, 1), (1, 0)), (-b, (0, 1), (1, 0))])
    second, second_y = (_operator(basis, [(0.5 * power, (0, n), (2, 0))]) for n in (0, 1))
    decay = _operator(basis, [(-p["c2"], (0, 1), (0, 1))])

    def generator(t):
        D, slope = (each[..., None, None] for each in speed(problem, t, momentum=False))
        return D * first + slope * first_y + D**2 * second + 2.0 * D * slope * second_y + decay

    return generator


def _adam_generator(problem, basis):
    """Return t -> G(t) of the Adam SDE, shape (..., n + 1, n + 1)."""
    a, b, p = problem.hessian, problem.slope, problem.constants
    c1 = p["c1"]
    first, first_y = (_operator(basis, [(-1.0, (0, 1, n), (1, 0, 0))]) for n in (0, 1))
    rest = _operator(
        basis,
        [
            (c1 * a, (1, 0, 0), (0, 1, 0)),
            (c1 * b, (0, 0, 0), (0, 1, 0)),
            (-c1, (0, 1, 0), (0, 1, 0)),
            (0.5 * (c1 * p["sigma0"]) ** 2 * problem.variance, (0, 0, 0), (0, 2, 0)),
            (-p["c2"], (0, 0, 1), (0, 0, 1)),
        ],
    )

    def generator(t):
        D, slope = (each[..., None, None] for each in speed(problem, t, momentum=True))
        return D * first + slope * first_y + rest

    return generator


def _key(sde):
    """Return what makes an SDE the built-in one: its functions, and no parameters of its own."""
    return sde.drift, sde.diffusion, sde.schedule, tuple(sde.parameters)


@dataclass(frozen=True)
class _Flow:
    """What is known of an SDE: its bases, the smallest first, its generator, the constants that it needs."""

    sde: sdes.SDE
    bases: tuple[local_error.Basis, ...]
    generator: Callable
    constants: tuple[str, ...]


_FLOWS = {
    _key(flow.sde): flow
    for flow in (
        _Flow(
            sdes.rmsprop_sde(),
            (local_error.RMSPROP, local_error.RMSPROP_4),
            _rmsprop_generator,
            ("sigma0", "eps0", "c2"),
        ),
        _Flow(sdes.adam_sde(), (local_error.ADAM,), _adam_generator, ("sigma0", "eps0", "c1", "c2")),
    )
}


def is_known(sde):
    """Return whether an SDE's flow is known: the built-in ones' are."""
    return _key(sde) in _FLOWS


def pivot_of(rule):
    """Return the SDE with a known flow that has a rule's slots, or None."""
    return next((flow.sde for flow in _FLOWS.values() if flow.sde.slots == tuple(rule.slots)), None)


def constants_of(sde):
    """Return the names of the constants that an SDE's flow needs."""
    return _FLOWS[_key(sde)].constants


def basis_of(sde, monomials=()):
    """Return the smallest Basis of an SDE whose span holds monomials in one coordinate's slots (u, not y), or None."""
    return next((basis for basis in _FLOWS[_key(sde)].bases if all(_spans(basis, one) for one in monomials)), None)


def _spans(basis, powers):
    exponents = {*basis.exponents, (0,) * len(powers)}
    return all((*powers[:-1], n) in exponents for n in range(powers[-1] + 1))


def clock(problem, h, numbers):
    """Return when(s) -> t, dt/ds of the steps with these numbers, s the part of a step of size h that has passed.

    Bias corrections start from t = 0 like a root of t: there the first step is taken in the clock t = h s^2,
    0 < s <= 1, in which they are smooth.
    """
    first = (numbers == 0) & bool(problem.t0 == 0.0 and has_bias_correction(problem.constants))
    begin = problem.t0 + h * numbers

    def when(s):
        s = np.where(first, max(s, _TINY), s)
        return begin + h * np.where(first, s * s, s), h * np.where(first, 2.0 * s, 1.0)

    return when


def runge_kutta(rate, applied, start, substeps):
    """Return x(1) of dx/ds = applied(rate(s), x) by `substeps` Runge-Kutta steps of order 4 from x(0) = start."""
    x, d = start, 1.0 / substeps
    for i in range(substeps):
        first, middle, last = (rate((i + part) * d) for part in (0.0, 0.5, 1.0))
        k1 = applied(first, x)
        k2 = applied(middle, x + 0.5 * d * k1)
        k3 = applied(middle, x + 0.5 * d * k2)
        k4 = applied(last, x + d * k3)
        x = x + d / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return x


def flow(sde, basis, problem, h, steps, substeps=_SUBSTEPS[0]):
    """Return M_k of every step k of size h from t0, shape (steps, n, n + 1): the last column is the constant."""
    generator, when = _FLOWS[_key(sde)].generator(problem, basis.exponents), clock(problem, h, np.arange(steps))

    def rate(s):
        t, speed = when(s)
        return speed[:, None, None] * generator(t)

    size = len(basis.exponents) + 1
    start = np.broadcast_to(np.eye(size), (steps, size, size))
    return runge_kutta(rate, np.matmul, start, substeps)[:, :-1]


def columns(sde, basis, problem, h, steps, nodes, weights):
    """Return what follows a rule's own row in the local rule's c, and the SDE's moments.

    Returns
    -------
    table : ndarray, shape (steps, columns)
        U_k, U_{k+1}, the rows of (constant, M_k) as far as `Basis.widths` says, nodes, weights.
    moments : ndarray, shape (steps + 1, n)
        E psi(X_t) at every step.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # an exploding problem is reported by its trajectories
        start = basis.values(problem.start, problem.start[-1])
        matrices, moments = converged(lambda substeps: flow(sde, basis, problem, h, steps, substeps), start)
        U = problem.second_moment(problem.t0 + h * np.arange(steps + 1))
    rule = np.broadcast_to(np.concatenate([nodes, weights]), (steps, 2 * len(nodes)))
    constant_first = np.roll(matrices, 1, axis=2)
    rows = [constant_first[:, i, :width] for i, width in enumerate(basis.widths)]
    table = np.concatenate([U[:-1, None], U[1:, None], *rows, rule], axis=1)
    return table, moments


def converged(flow, start):
    """Return flow(substeps) = M_k, shape (steps, n, n + 1 or more), and the moments, with as many as these need.

    start : n numbers, the moments at the start; those after a step are M_k (moments, 1).
    """
    previous = None
    for substeps in _SUBSTEPS:
        matrices = flow(substeps)
        moments = [np.array(start)]
        for matrix in matrices:
            moments.append(matrix[:, : len(start)] @ moments[-1] + matrix[:, len(start)])
        found = np.array(moments)
        if previous is not None and not np.any(np.abs(found - previous) > _STILL * (1.0 + np.abs(found))):
            break
        previous = found
    return matrices, found


def expand(basis, powers, U):
    """Return {index of a basis monomial, -1 for the constant: factor} of a monomial in the slots at U.

    u^n = (U + y)^n = sum_j comb(n, j) U^(n - j) y^j; U may be an array over times.
    """
    exponents = basis.exponents
    factors = {}
    for j in range(powers[-1] + 1):
        monomial = (*powers[:-1], j)
        index = exponents.index(monomial) if monomial in exponents else -1
        factors[index] = comb(powers[-1], j) * U ** (powers[-1] - j)
    return factors
