"""SignSGD and Signum, each with its SDE, in the clock t = k eta.

A step is -eta times a sign, so what an SDE needs is E sign and the covariance of signs (docs/theory.md, "Signs").
"""

import functools
import math
from types import SimpleNamespace

import numpy as np
from scipy.special import ndtr, stdtrit

from ngos_sim.arithmetic import fma, sign
from ngos_sim.identity import built_in
from ngos_sim.oracles.heavy_laws import student_t
from ngos_sim.oracles.noises import gaussian
from ngos_sim.processes import student_t as student
from ngos_sim.processes.conventions import OF_SDES, OF_SGD
from ngos_sim.processes.domain import Domain, within
from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.processes.sde import SDE
from ngos_sim.validation import described, integer, known_keywords, number

_ROOT_HALF, _ROOT_2_PI = math.sqrt(0.5), math.sqrt(2.0 / math.pi)
_NODES, _LEGENDRE = 4, 12  # of the rule for Signum's variance, and those that it is made of in each lag
_LAST_LAG = 1e-12  # a correlation
_LARGEST_BETA = 0.9999


def _signsgd_step(x, o, z, c, p):
    return (fma(-p.eta, sign(fma(p.sigma, z, o.gradient)), x[0]),)


@built_in
@known_keywords(**OF_SGD)
def signsgd(sigma: float) -> Optimizer:
    """SignSGD (arXiv 1802.04434, Algorithm 1).

        theta' = theta - eta sign(f' + sigma z)

    Slots (theta,), clock "eta". sign(0) = 0. On one coordinate theta stays on the lattice theta_0 + eta Z.

    Parameters
    ----------
    sigma : float
        The oracle's noise scale, positive.

    Raises
    ------
    ValueError
        sigma is not a positive number.

    Examples
    --------
    >>> signsgd(sigma=0.8).clock
    'eta'
    """
    return Optimizer(
        "signsgd", _signsgd_step, ("theta",), clock="eta", sigma=number("sigma", sigma, "positive", above=0.0)
    )


def _signal(o, p):
    """Return f' / (sigma Sigma^(1/2)), the gradient over the standard deviation of its noise."""
    return o.gradient / (p.sigma * math.sqrt(o.variance))


def _gaussian_balance(r, p):
    return math.erf(_ROOT_HALF * r)


def _gaussian_slope(r, p):
    return _ROOT_2_PI * math.exp(-0.5 * r * r)


def _student_balance(r, p):
    return student.balance(p.scale * r, p)


def _student_slope(r, p):
    return p.scale * student.slope(p.scale * r, p)


def _coefficients(balance, slope):
    """Return the drifts of order 1 and 2 and the diffusion, of balance(r) = E sign(r + zeta) and its derivative."""

    def first(x, o, c, p):
        return (-balance(_signal(o, p), p),)

    def second(x, o, c, p):
        r = _signal(o, p)
        rate = slope(r, p) * o.curvature / (p.sigma * math.sqrt(o.variance))
        return (-balance(r, p) * fma(0.5 * p.h, rate, 1.0),)

    def diffusion(x, o, c, p):
        b = balance(_signal(o, p), p)
        return (-math.sqrt(p.h * (1.0 - b) * (1.0 + b) / o.variance),)

    return {1: first, 2: second}, diffusion


_GAUSSIAN, _STUDENT = _coefficients(_gaussian_balance, _gaussian_slope), _coefficients(_student_balance, _student_slope)


def _scale(noise, nu):
    """Return T / zeta of what ns.student_t draws: sqrt(nu / (nu - 2)), but for far tails that no generator reaches."""
    return float(stdtrit(nu, ndtr(1.0))) / noise.sample(1.0, SimpleNamespace(**noise.numbers(1.0)))


@built_in
@known_keywords(**OF_SDES)
def signsgd_sde(order: int = 1, nu: float | None = None) -> SDE:
    """The SDE of SignSGD (arXiv 2411.15958, Theorem 3.2, Corollary 3.3; order 2 derived in docs/theory.md, "Signs").

        order 1: d theta = -B dt + sqrt(eta) (1 - B^2)^(1/2) dW
        order 2: d theta = -(B + (eta / 2) B B') dt + sqrt(eta) (1 - B^2)^(1/2) dW
        B = E sign(r + zeta)
        r = f' / (sigma Sigma^(1/2))

    B is erf(r / sqrt 2) for Gaussian noise and 2 F_nu(r sqrt(nu / (nu - 2))) - 1 for Student's t; B' is its derivative
    in theta. Clock "eta". Order 1 is the gradient flow of the sign, d theta = -B dt, and noise of the size of its
    error. Order 2 reads f'', so it needs a separable loss, and holds for a diagonal Sigma that does not depend on the
    state.

    Parameters
    ----------
    order : 1 or 2
        Of the weak error in eta.
    nu : float, optional
        The degrees of freedom of ns.student_t(nu) where the noise is that; Gaussian if None.

    Raises
    ------
    ValueError
        order is neither 1 nor 2, or nu is not one that ns.student_t takes.

    Examples
    --------
    >>> signsgd_sde(order=2, nu=5.0).name
    'signsgd order 2, nu=5'
    """
    order = integer("order", order)
    if order not in (1, 2):
        raise ValueError(f"order={described(order)}; allowed: 1, 2")
    if nu is None:
        (drifts, diffusion), law, of_law, parameters = _GAUSSIAN, gaussian(), "", {}
    else:
        (drifts, diffusion), law, of_law = _STUDENT, student_t(nu), f", nu={nu:g}"
        parameters = {**student.parameters(float(nu)), "scale": _scale(law, nu)}
    named = f"signsgd order {order}{of_law}"
    sde = SDE(named, drifts[order], diffusion, ("theta",), refinement=order, **parameters)
    return within(Domain(law, independent=order == 2, constant=order == 2), sde)


def _signum_step(x, o, z, c, p):
    theta, m = x
    m = fma(1.0 - p.beta, fma(p.sigma, z, o.gradient) - m, m)
    return fma(-p.eta, sign(m), theta), m


@built_in
@known_keywords(**OF_SGD)
def signum(sigma: float, beta: float) -> Optimizer:
    """Signum with fixed beta (arXiv 1802.04434, section 3).

        theta' = theta - eta sign(m')
        m' = beta m + (1 - beta) g
        g = f' + sigma z

    Slots (theta, m), clock "eta". beta does not move with eta: m is the mean of the last 1 / (1 - beta) gradients,
    however short a step.

    Parameters
    ----------
    sigma : float
        The oracle's noise scale, positive.
    beta : float
        From 0, where it is SignSGD, to 0.9999.

    Raises
    ------
    ValueError
        A constant is out of range.

    Examples
    --------
    >>> signum(sigma=0.8, beta=0.9).slots
    ('theta', 'm')
    """
    sigma = number("sigma", sigma, "positive", above=0.0)
    beta = number("beta", beta, f"from 0 to {_LARGEST_BETA}", least=0.0)
    if beta > _LARGEST_BETA:
        raise ValueError(f"beta={described(beta)} must be from 0 to {_LARGEST_BETA}")
    return Optimizer("signum", _signum_step, ("theta", "m"), clock="eta", sigma=sigma, beta=beta)


@functools.cache
def _sign_memory(beta):
    """Return weights and nodes (a tuple each) of sum_i w_i exp(-a_i r^2), what lags add to the variance of signs.

    Of the measure (4 / pi) d phi on 0 < phi < arcsin(beta^j), j = 1, 2, .., at a = 1 / (1 + sin phi) in [1/2, 1], the
    Gauss rule, by Stieltjes' procedure and Golub and Welsch (1969).
    """
    if beta == 0.0:
        return (0.0,) * _NODES, (1.0,) * _NODES
    lags = np.arange(1, math.ceil(math.log(_LAST_LAG) / math.log(beta)) + 1)
    widest = np.arcsin(beta**lags)
    nodes, weights = np.polynomial.legendre.leggauss(_LEGENDRE)
    values = 1.0 / (1.0 + np.sin(np.outer(widest, 0.5 * (nodes + 1.0)))).ravel()
    mass = np.outer(widest, 2.0 / math.pi * weights).ravel()
    before, now, diagonal, off = np.zeros_like(values), np.full_like(values, 1.0 / math.sqrt(mass.sum())), [], []
    for _ in range(_NODES):
        diagonal.append(float(np.sum(mass * values * now * now)))
        after = (values - diagonal[-1]) * now - (off[-1] if off else 0.0) * before
        off.append(math.sqrt(float(np.sum(mass * after * after))))
        before, now = now, after / off[-1]
    found, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off[:-1], 1) + np.diag(off[:-1], -1))
    rounded = [[round(value, 12) for value in each.tolist()] for each in (mass.sum() * vectors[0] ** 2, found)]
    return tuple(rounded[0]), tuple(rounded[1])  # the same where LAPACK differs


def _signum_schedule(t, p):
    weights, nodes = _sign_memory(p.beta)
    return (*weights, *nodes)


def _steady_signal(o, p):
    """Return f' over the standard deviation of m where theta stands still."""
    return _signal(o, p) * math.sqrt((1.0 + p.beta) / (1.0 - p.beta))


def _signum_drift(x, o, c, p):
    return -_gaussian_balance(_steady_signal(o, p), p), 0.0


def _signum_diffusion(x, o, c, p):
    r = _steady_signal(o, p)
    b, s = _gaussian_balance(r, p), -r * r
    memory = fma(c[0], math.exp(c[4] * s), c[1] * math.exp(c[5] * s))
    memory += fma(c[2], math.exp(c[6] * s), c[3] * math.exp(c[7] * s))
    return -math.sqrt(p.h * fma(1.0 - b, 1.0 + b, memory) / o.variance), 0.0


@built_in
@known_keywords(**OF_SDES)
def signum_sde() -> SDE:
    """The SDE of Signum's theta at fixed beta (derived in docs/theory.md, "Signs").

        d theta = -erf(r / sqrt(2)) dt + sqrt(eta D) dW
        D = 1 - erf(r / sqrt(2))^2 + (4 / pi) sum_j int_0^(arcsin(beta^j)) exp(-r^2 / (1 + sin(phi))) d phi
        r = f' / (sigma Sigma^(1/2)) sqrt((1 + beta) / (1 - beta))

    r is the signal of m where theta stands still; the sum is over j = 1, 2, ..; D = 13.28 at beta = .9 and f' = 0:
    signs of m have a long memory. Clock "eta", order 1, Gaussian noise. beta is the optimizer's; at beta = 0 it is
    SignSGD's SDE of order 1. m is fast, of the time eta, and has no SDE: its slot stands still, and a study takes test
    functions of theta only.

    Examples
    --------
    >>> signum_sde().slots
    ('theta', 'm')
    """
    sde = SDE("signum", _signum_drift, _signum_diffusion, ("theta", "m"), _signum_schedule)
    return within(Domain(gaussian(), slots=("theta",)), sde)
