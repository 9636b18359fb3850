"""How many moments of a noise law its tails show to be finite, where the law itself does not say.

`Noise.moments_seen` keeps it for `estimators.choose`, which asks before a standard error rests on E |zeta|^n. A law is
the image of Gaussians, so its tail is seen at any probability: no sample is drawn.
"""

import math
from types import SimpleNamespace

import numpy as np
from scipy.special import log_ndtr

_RANGE, _TAIL = 6.8, 6.0  # of the Gaussian's radius: the generator's; beyond the latter begins what few runs ever see
_SPANS = ((5.0, 5.7), (6.0, 6.7))  # radii between which the tail's exponent is measured
_STEADY = 1.25  # a power keeps its exponent; from one span to the other a Gaussian's or Laplace's grows by 1.4
_SHARE = 0.1  # of E |zeta|^n beyond _TAIL
_ORDERS = range(2, 34, 2)  # n of the moments that are looked at; a polynomial's standard error needs an even one
_NODES, _ANGLES = 48, 32


def moments_seen(noise, sigma):
    """Return the highest even order n up to which moments of a law at noise scale sigma look finite, else infinity.

    They do not look so where two things come together: over 10 % of E |zeta|^n lies beyond |xi| = 6, and from there to
    the generator's end P(|zeta| > z) falls like a power of z. The exponent, the change of -log P(|xi| > r) over that of
    the log of the largest |zeta| at radius r, then differs by less than 1.25 between r = 5 .. 5.7 and 6 .. 6.7. It
    grows like r^2, by 1.4, for xi itself, for a polynomial in xi and for Laplace's law, and is infinite where |zeta|
    is bounded: of such laws all moments count as finite. So they do where the law says how many are (`Noise.moments`).

    Parameters
    ----------
    noise : Noise
    sigma : float
    """
    if noise.is_gaussian or math.isfinite(noise.moments):
        return math.inf
    sample, p = noise.sample, SimpleNamespace(**noise.numbers(sigma))
    near, far = (_exponent(noise.gaussians, lambda *xi: sample(*xi, p), *span) for span in _SPANS)
    if not far < math.inf or not near / _STEADY < far < near * _STEADY:
        return math.inf
    shares = _shares(noise.gaussians, lambda *xi: sample(*xi, p))
    heavy = [order for order in _ORDERS if shares[order] > _SHARE]
    return heavy[0] - 2 if heavy else math.inf


def _directions(gaussians):
    """Return unit vectors: both signs of one Gaussian, directions of two."""
    if gaussians == 1:
        return np.array([[1.0], [-1.0]])
    angles = 2.0 * math.pi * (np.arange(_ANGLES) + 0.25) / _ANGLES
    return np.column_stack([np.cos(angles), np.sin(angles)])


def _sizes(gaussians, sample, radii):
    """Return |zeta| at radii in every direction, shape (radii, directions)."""
    points = np.asarray(radii)[:, None, None] * _directions(gaussians)
    return np.array([[abs(float(sample(*xi))) for xi in row] for row in points.tolist()])


def _exponent(gaussians, sample, low, high):
    """Return the exponent of the tail between two radii; infinity where the largest |zeta| does not grow."""
    first, last = _sizes(gaussians, sample, (low, high)).max(axis=1)
    rise = math.log(last / first) if first > 0.0 else 0.0
    fall = log_ndtr(-low) - log_ndtr(-high) if gaussians == 1 else 0.5 * (high * high - low * low)
    return float(fall) / rise if rise > 0.0 else math.inf


def _shares(gaussians, sample):
    """Return {n: the part of E |zeta|^n, up to the generator's end, that lies beyond _TAIL}."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    largest = _sizes(gaussians, sample, (_RANGE,)).max()  # in its units no power overflows
    parts = []
    for low, high in ((0.0, _TAIL), (_TAIL, _RANGE)):
        radii = low + 0.5 * (high - low) * (nodes + 1.0)
        mass = 0.5 * (high - low) * weights * np.exp(-0.5 * radii * radii) * (1.0 if gaussians == 1 else radii)
        sizes = _sizes(gaussians, sample, radii) / largest
        parts.append({order: float(mass @ (sizes**order).sum(axis=1)) for order in _ORDERS})
    inner, outer = parts
    return {order: outer[order] / (inner[order] + outer[order]) if outer[order] else 0.0 for order in _ORDERS}
