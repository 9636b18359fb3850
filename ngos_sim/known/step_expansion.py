"""What one step of RMSprop and of Adam does to moments, beside what their SDEs do.

Over one step of size h, E psi(x') = psi + h G psi + h^(3/2) S psi + h^2 A2 psi + ..., with G the generator of the SDE,
and over a time h the SDE's is psi + h G psi + h^2 (G^2 + d_t G) psi / 2 + ...: the step's local error is
h^(3/2) S + h^2 E2, E2 = A2 - (G^2 + d_t G) / 2. For an affine gradient and constant Sigma
(docs/theory.md, "Step expansion" and, with w0, "Weight decay").
"""

from typing import NamedTuple

import numpy as np

_ONE, _THETA, _M = {(0, 0, 0): 1.0}, {(1, 0, 0): 1.0}, {(0, 1, 0): 1.0}  # polynomials: {powers of theta, m, y: factor}
_Y, _YY = {(0, 0, 1): 1.0}, {(0, 0, 2): 1.0}  # y = u - U_t


class Speed(NamedTuple):
    """The factor q(t, u) of d theta = -q (f' dt + ..), or -q m dt, at U_t; its derivatives; and what the step adds."""

    U: float
    q: float
    q_u: float
    q_uu: float
    along: float  # d/dt of q(t, U_t)
    step: float  # (the step's q - the SDE's q) / h


def second_moment(problem, t):
    """Return U_t, where u' = c2 (Sigma - u) takes the start."""
    kept = np.exp(-problem.constants["c2"] * (t - problem.t0))
    return kept * problem.start[-1] + (1.0 - kept) * problem.variance


def speed(problem, t, momentum, updated, corrected):
    """Return the Speed at t: q = root / G1 / (sigma0 sqrt(u) + eps0 root), root^2 = G2.

    G_i = 1 - exp(-c_i t) in the SDE; in the step it is 1 - (1 - c_i h)^n, larger by h (c_i^2 t / 2 + c_i (n - k))
    exp(-c_i t): n = k + 1 in G1, and k or k + 1 in G2.
    """
    p, U = problem.constants, second_moment(problem, t)
    G1 = G2 = 1.0
    rate1 = rate2 = step1 = step2 = 0.0
    if corrected:
        decay = np.exp(-p["c2"] * t)
        G2, rate2, step2 = 1.0 - decay, p["c2"] * decay, (0.5 * p["c2"] ** 2 * t + p["c2"] * updated) * decay
    if corrected and momentum:
        decay = np.exp(-p["c1"] * t)
        G1, rate1, step1 = 1.0 - decay, p["c1"] * decay, (0.5 * p["c1"] ** 2 * t + p["c1"]) * decay
    root, deviation = np.sqrt(G2), p["sigma0"] * np.sqrt(U)
    P, P_u, P_uu = deviation + p["eps0"] * root, 0.5 * deviation / U, -0.25 * deviation / U**2
    q = root / G1 / P
    q_u, q_uu = -q * P_u / P, q * (2.0 * P_u**2 / P**2 - P_uu / P)
    q_G1, q_G2 = -q / G1, 0.5 * deviation / (G1 * root * P**2)
    along = q_G1 * rate1 + q_G2 * rate2 + q_u * p["c2"] * (problem.variance - U)
    return Speed(U, q, q_u, q_uu, along, q_G1 * step1 + q_G2 * step2)


def _times(left, right):
    """Return the product of two polynomials."""
    product = {}
    for one, a in left.items():
        for two, b in right.items():
            powers = tuple(map(sum, zip(one, two, strict=True)))
            product[powers] = product.get(powers, 0.0) + a * b
    return product


def rmsprop(problem, updated, fourth):
    """Return the terms of G, of E2 at y = 0 and of S / third for RMSprop (docs/theory.md, "Step expansion").

    A term is (coefficient as a function of the Speed s, polynomial, derivatives in theta, m, u): of G to y^2 and of
    S to y, which is as far as they act. Bias correction adds s.step to the step's q and d_t q to s.along.
    """
    a, p, S, w0 = problem.hessian, problem.constants, problem.variance, problem.constants.get("w0", 0.0)
    s0, c, f = p["sigma0"], p["c2"], {(1, 0, 0): a, (0, 0, 0): problem.slope}
    N, spread, k3 = s0**2 * S, (fourth - 1.0) * S**2, s0 * S**1.5
    generator = [
        (lambda s: -s.q, f, (1, 0, 0)),
        (lambda s: -s.q_u, _times(f, _Y), (1, 0, 0)),
        (lambda s: -0.5 * s.q_uu, _times(f, _YY), (1, 0, 0)),
        (lambda s: -w0, _THETA, (1, 0, 0)),
        (lambda s: 0.5 * N * s.q**2, _ONE, (2, 0, 0)),
        (lambda s: N * s.q * s.q_u, _Y, (2, 0, 0)),
        (lambda s: 0.5 * N * (s.q_u**2 + s.q * s.q_uu), _YY, (2, 0, 0)),
        (lambda s: -c, _Y, (0, 0, 1)),
    ]
    remainder = [
        (lambda s: -0.5 * (a * s.q + w0) * s.q + 0.5 * s.along - s.step, f, (1, 0, 0)),
        (lambda s: -0.5 * (a * s.q + w0) * w0, _THETA, (1, 0, 0)),
        (lambda s: N * s.q * (0.5 * (a * s.q + w0) * s.q - 0.5 * s.along + s.step), _ONE, (2, 0, 0)),
        (lambda s: -2.0 * c * S * s.q, f, (1, 0, 1)),
        (lambda s: 0.5 * c * s0**2 * spread * s.q**2, _ONE, (2, 0, 1)),
        (lambda s: (fourth - 3.0) / 24.0 * (N * s.q**2) ** 2, _ONE, (4, 0, 0)),
        *_second_moment_terms(c, s0, S, spread, f),
    ]
    skew = [
        (lambda s: -k3 * s0**2 / 6.0 * s.q**3, _ONE, (3, 0, 0)),
        (lambda s: -k3 * s0**2 / 2.0 * s.q**2 * s.q_u, _Y, (3, 0, 0)),
        (lambda s: -k3 * c * s.q, _ONE, (1, 0, 1)),
        (lambda s: -k3 * c * s.q_u, _Y, (1, 0, 1)),
    ]
    if updated:
        extra_remainder, extra_skew = _rmsprop_updated(s0, c, S, fourth, k3, f)
        return generator, remainder + extra_remainder, skew + extra_skew
    return generator, remainder, skew


def _rmsprop_updated(s0, c, S, fourth, k3, f):
    """Return the terms that v_{k+1} adds to E2 and S: q at u' = u + c h (z^2 - u) + .."""
    remainder = [
        (lambda s: -c * s.q_u * (3.0 * S - s.U), f, (1, 0, 0)),
        (lambda s: c * s0**2 * s.q * s.q_u * (fourth * S**2 - s.U * S), _ONE, (2, 0, 0)),
    ]
    skew = [(lambda s: -k3 * c * s.q_u, _ONE, (1, 0, 0)), (lambda s: -k3 * c * s.q_uu, _Y, (1, 0, 0))]
    return remainder, skew


def _second_moment_terms(c2, s0, S, spread, f):
    """Return the terms of E2 in u alone, the same for both optimizers."""
    return [
        (lambda s: c2 / s0**2, _times(f, f), (0, 0, 1)),
        (lambda s: 0.5 * c2**2 * (S - s.U), _ONE, (0, 0, 1)),
        (lambda s: 0.5 * c2**2 * spread, _ONE, (0, 0, 2)),
    ]


def adam(problem, updated, fourth):
    """Return what `rmsprop` does, for Adam; the v_{k+1} term is that of h q(u') m' to order h^2."""
    a, p, S, w0 = problem.hessian, problem.constants, problem.variance, problem.constants.get("w0", 0.0)
    s0, c1, c2, f = p["sigma0"], p["c1"], p["c2"], {(1, 0, 0): a, (0, 0, 0): problem.slope}
    N, spread, k3 = (c1 * s0) ** 2 * S, (fourth - 1.0) * S**2, s0 * S**1.5
    pull = {**f, (0, 1, 0): -1.0}  # f' - m
    generator = [
        (lambda s: -s.q, _M, (1, 0, 0)),
        (lambda s: -s.q_u, _times(_M, _Y), (1, 0, 0)),
        (lambda s: -0.5 * s.q_uu, _times(_M, _YY), (1, 0, 0)),
        (lambda s: -w0, _THETA, (1, 0, 0)),
        (lambda s: c1, pull, (0, 1, 0)),
        (lambda s: 0.5 * N, _ONE, (0, 2, 0)),
        (lambda s: -c2, _Y, (0, 0, 1)),
    ]
    late = c2 * updated
    remainder = [
        (lambda s: 0.5 * s.along - 0.5 * w0 * s.q - s.step - late * (S - s.U) * s.q_u, _M, (1, 0, 0)),
        (lambda s: -0.5 * w0**2, _THETA, (1, 0, 0)),
        (lambda s: -0.5 * c1 * s.q, pull, (1, 0, 0)),
        (lambda s: 0.5 * c1 * a * s.q, _M, (0, 1, 0)),
        (lambda s: 0.5 * c1 * a * w0, _THETA, (0, 1, 0)),
        (lambda s: 0.5 * c1**2, pull, (0, 1, 0)),
        (lambda s: -0.5 * N * s.q, _ONE, (1, 1, 0)),
        (lambda s: 0.5 * c1 * N, _ONE, (0, 2, 0)),
        (lambda s: 2.0 * c1 * c2 * S, f, (0, 1, 1)),
        (lambda s: 0.5 * (c1 * s0) ** 2 * c2 * spread, _ONE, (0, 2, 1)),
        (lambda s: (fourth - 3.0) / 24.0 * N**2, _ONE, (0, 4, 0)),
        *_second_moment_terms(c2, s0, S, spread, f),
    ]
    skew = [(lambda s: k3 * c1**3 * s0**2 / 6.0, _ONE, (0, 3, 0)), (lambda s: k3 * c1 * c2, _ONE, (0, 1, 1))]
    return generator, remainder, skew


def compagnoni(problem, momentum):
    """Return the terms that E2 has beside Malladi's where the SDE is that of arXiv 2411.15958: less its own of order h.

    Its generator is G + h L, L = c2 f'^2 / sigma0^2 d_u, for Adam less q c1 (f' - m) d_theta (docs/theory.md,
    "Compagnoni's SDEs").
    """
    p, f = problem.constants, {(1, 0, 0): problem.hessian, (0, 0, 0): problem.slope}
    terms = [(lambda s: -p["c2"] / p["sigma0"] ** 2, _times(f, f), (0, 0, 1))]
    if momentum:
        terms.append((lambda s: p["c1"] * s.q, {**f, (0, 1, 0): -1.0}, (1, 0, 0)))
    return terms
