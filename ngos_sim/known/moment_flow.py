"""Exact moments of the RMSprop and Adam SDEs, and the flow M_k of the local estimator's basis.

For an affine gradient hessian theta + slope and constant diagonal Sigma the SDE's second moment is the
deterministic U_t = Sigma + (u0 - Sigma) exp(-c2 (t - t0)). With y = u - U_t and the speed
D = 1 / (sigma0 sqrt(U + y) + eps0) = D + D' y to first order, the generator maps the span of the basis
to itself; what is dropped holds y^2 and vanishes on the SDE, where y = 0. (theory.md 7.2, estimators.md.)

The means of the carried errors hang on m_k = E psi(X_t) alone, which drops nothing and is solved for (`linear_flow`);
M_k shows in their variance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import comb, prod

import numpy as np

from ngos_sim.known import linear_flow
from ngos_sim.known.step_flow import constants_column, smooth, solution, step_clock
from ngos_sim.processes import local_error
from ngos_sim.processes.rmsprop_adam import adam_sde, rmsprop_sde
from ngos_sim.processes.rule import has_bias_correction
from ngos_sim.processes.sde import SDE

_SLICE = 4096  # steps whose M_k are held at once: memory


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
        passed = -self.constants["c2"] * (t - self.t0)
        return self.start[-1] * np.exp(passed) - self.variance * np.expm1(passed)


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

    sde: SDE
    bases: tuple[local_error.Basis, ...]
    generator: Callable
    constants: tuple[str, ...]


_FLOWS = {
    _key(flow.sde): flow
    for flow in (
        _Flow(
            rmsprop_sde(),
            (local_error.RMSPROP, local_error.RMSPROP_4),
            _rmsprop_generator,
            ("sigma0", "eps0", "c2"),
        ),
        _Flow(adam_sde(), (local_error.ADAM,), _adam_generator, ("sigma0", "eps0", "c1", "c2")),
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


def flow(sde, basis, problem, h, numbers):
    """Return M_k of steps k of size h from t0, shape (steps, n, n + 1): the last column is the constant.

    numbers : ndarray of int, which steps
    """
    t, _, speed = step_clock(problem, h, numbers)
    rates = speed[..., None, None] * _FLOWS[_key(sde)].generator(problem, basis.exponents)(t)
    units = linear_flow.scales(rates, np.append(basis.values(problem.start, 0.0), 1.0))  # y of the size of u
    return linear_flow.flows(rates, units=units)[:, -1, :-1]


def moments(sde, basis, problem, duration):
    """Return a function (times since t0) -> E psi(X_t), shape (times, n), for times up to a duration.

    Those with a power of y are 0. Raises ValueError where the flow does not converge.
    """
    size = len(basis.exponents)
    own = [i for i, powers in enumerate(basis.exponents) if not powers[-1]]
    generator, places = _FLOWS[_key(sde)].generator(problem, basis.exponents), np.ix_([*own, size], [*own, size])
    start = np.append(np.array(basis.values(problem.start, problem.start[-1]))[own], 1.0)
    known = solution(lambda t: generator(t)[(..., *places)], problem, duration, start)

    def at(times):
        found = np.zeros((len(times), size))
        found[:, own] = known.at(np.sqrt(np.clip(times / duration, 0.0, 1.0)))[:, :-1]
        return found

    return at


def columns(out, sde, basis, problem, h, nodes, weights):
    """Write what follows a rule's own row in the local rule's c, and return the SDE's moments.

    Parameters
    ----------
    out : ndarray, shape (steps, columns)
        Gets U_k, U_{k+1}, the rows of (constant, M_k) as far as `Basis.widths` says, nodes, weights.

    Returns
    -------
    ndarray, shape (steps + 1, n)
        m_k = E psi(X_t) at every step; the constant is m_{k+1} - M_k m_k.
    """
    steps, size = len(out), len(basis.exponents)
    times = h * np.arange(steps + 1)
    with np.errstate(over="ignore", invalid="ignore"):  # an exploding problem is reported by its trajectories
        means = moments(sde, basis, problem, times[-1])(times)
        matrices = smooth(lambda numbers: flow(sde, basis, problem, h, numbers)[:, :, :size], steps)
        U = problem.second_moment(problem.t0 + times)
        out[:, 0], out[:, 1] = U[:-1], U[1:]
        for first in range(0, steps, _SLICE):
            last = min(first + _SLICE, steps)
            found = matrices(first, last)
            constants, at = constants_column(found, means[first : last + 1]), 2
            for i, width in enumerate(basis.widths):
                out[first:last, at] = constants[:, i]
                out[first:last, at + 1 : at + width] = found[:, i, : width - 1]
                at += width
    out[:, at:] = np.concatenate([nodes, weights])
    return means


def width_of(basis, nodes):
    """Return how many columns `columns` writes for a rule of so many nodes."""
    return 2 + sum(basis.widths) + 2 * nodes


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
