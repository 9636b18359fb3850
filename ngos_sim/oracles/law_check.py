"""Whether the sampler and the quadrature of a noise law are one law, of mean 0 and variance 1."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import scipy

_RANGE, _TAIL = 6.8, 6.0  # of xi: the generator's; beyond the latter begins what few runs ever see
_MEAN = 1e-8  # of a rule's mean and variance
_SAME = 1e-6  # of E |zeta|^n: how far moments of sampler and quadrature may differ,
_KINK = 0.05  # E |zeta|, which a Gauss rule does not see exactly,
_ROUGH = 0.02  # and moments of a law of two Gaussians that jumps
_HEAVY = 0.1  # of E zeta^4 beyond _TAIL: the law is taken to have no fourth moment
_POWERS = (1, 2, 3, 4)
_PANEL, _EXACT = 0.4, 1e-9  # the width of panels of a fixed rule, and what it may err by
_CELLS, _NARROW = 256, 1e-13  # in which a jump is looked for, and the width to which it is found


def check(noise, sigma):
    """Raise ValueError unless a law at noise scale sigma is what its sampler and its quadrature both say.

    Compared are E zeta^n, n = 1 to 4, as far as 2 n moments are finite (of n = 1, 2 always), to 1e-6 of E |zeta|^n,
    to what the generator's range |xi| < 6.8 leaves out and to the error of integration; E |zeta| to 0.05. A law of
    two Gaussians whose sampler jumps is compared to 0.02 of E |zeta|^n.

    Not seen: a spike or a dent of the sampler between the points of integration, which refines only where it sees
    something: one 0.1 wide is seen, one 0.01 wide may pass; laws that differ in moments above the fourth alone; a
    sampler that is wrong at other sigma than those of the study's points.

    Parameters
    ----------
    noise : Noise
    sigma : float

    Raises
    ------
    ValueError
        The mean is not 0 or the variance not 1 by the quadrature; the two differ; the sampler raises or gives no
        number; or over 10 % of E zeta^4 lies beyond |xi| = 6 in a law that does not say which moments are finite.
    """
    mean, variance, *_ = noise.cumulants(sigma)
    if not max(abs(mean), abs(variance - 1.0)) <= _MEAN:
        raise ValueError(f"noise {noise.name!r} has mean {mean:.3g} and variance {variance:.3g}; 0 and 1 are needed")
    sample = _checked(noise, SimpleNamespace(**noise.numbers(sigma)))
    signed, sizes, tail, error = (_one if noise.gaussians == 1 else _two)(sample)
    if math.isinf(noise.moments) and tail[4] > _HEAVY * sizes[4]:
        raise ValueError(
            f"noise {noise.name!r}: {100.0 * tail[4] / sizes[4]:.0f} % of E zeta^4 lies beyond |xi| = {_TAIL:g}, as if "
            "it were not finite; say how many moments are, such as moments=3"
        )
    values, weights = noise.rule(sigma)
    for n in _POWERS:
        if n > 2 and 2 * n > noise.moments:
            continue
        exact = math.fsum((_power(values, n) * weights).tolist())
        allowed = (_SAME + error) * max(1.0, sizes[n]) + tail[n]
        if not abs(signed[n] - exact) <= allowed:
            raise ValueError(_different(noise, f"zeta^{n}" if n > 1 else "zeta", signed[n], exact))
    exact = math.fsum((np.abs(values) * weights).tolist())
    if not abs(sizes[1] - exact) <= _KINK:
        raise ValueError(_different(noise, "|zeta|", sizes[1], exact))


def _different(noise, what, sampled, exact):
    return (
        f"noise {noise.name!r}: sample and quadrature are different laws: E {what} is {sampled:.6g} by sample, "
        f"{exact:.6g} by quadrature"
    )


def _power(values, n):
    return math.prod([values] * n)


def _checked(noise, p):
    """Return the sampler as a function of xi, and extra; it raises ValueError with the law's name."""

    def sample(*xi):
        at = ", ".join(f"{one:.6g}" for one in xi)
        try:
            zeta = float(noise.sample(*xi, p))
        except AttributeError as error:
            held = ", ".join(vars(p)) or "none"
            raise ValueError(
                f"noise {noise.name!r}: sample reads {error.name!r}; its parameters are: {held}"
            ) from error
        except Exception as error:
            raise ValueError(f"noise {noise.name!r}: sample fails at {at}: {error}") from error
        if not math.isfinite(zeta):
            raise ValueError(f"noise {noise.name!r}: sample gives {zeta} at {at}; a finite number is needed")
        return zeta

    return sample


def _density(xi):
    return math.exp(-0.5 * xi * xi) / math.sqrt(2.0 * math.pi)


def _one(sample):
    """Return E zeta^n, E |zeta|^n and the latter's part beyond _TAIL, by n, and the error of integration.

    Between the sampler's jumps.
    """

    def integrand(xi):
        zeta = sample(xi)
        powers = [_power(zeta, n) for n in _POWERS]
        return _density(xi) * np.array([*powers, *map(abs, powers)])

    ends = sorted({-_RANGE, -_TAIL, 0.0, _TAIL, _RANGE, *_jumps(sample)})
    parts = [_integral(integrand, low, high) for low, high in itertools.pairwise(ends)]
    total = math.fsum  # over the parts
    signed, sizes = ([total(part[0][n] for part in parts) for n in places] for places in (range(4), range(4, 8)))
    tail = sum(part[0][4:] for part, low in zip(parts, ends, strict=False) if not -_TAIL <= low < _TAIL)
    return *(dict(zip(_POWERS, each, strict=True)) for each in (signed, sizes, tail)), total(part[1] for part in parts)


def _integral(integrand, low, high):
    """Return an integral and its error: by Gauss and Legendre's rules on panels where two agree, else adaptively."""
    edges = np.linspace(low, high, math.ceil((high - low) / _PANEL) + 1)
    coarse, fine = (_on_panels(integrand, edges, nodes) for nodes in (8, 12))
    error = float(np.abs(fine - coarse).max())
    if error <= _EXACT * max(1.0, float(np.abs(fine).max())):
        return fine, error
    found = scipy.integrate.quad_vec(integrand, low, high, epsabs=_EXACT, epsrel=_EXACT, norm="max", limit=500)
    return found[:2]


def _on_panels(integrand, edges, nodes):
    places, weights = np.polynomial.legendre.leggauss(nodes)
    half, middle = 0.5 * np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    values = [integrand(xi) for xi in (middle[:, None] + np.outer(half, places)).ravel().tolist()]
    return np.outer(half, weights).ravel() @ np.array(values)


def _jumps(sample):
    """Return where a sampler jumps, by bisection: adaptive rules may agree on a wrong integral over a jump."""
    grid = np.linspace(-_RANGE, _RANGE, _CELLS + 1).tolist()
    values, found = [sample(xi) for xi in grid], []
    for low, high, first, last in zip(grid, grid[1:], values, values[1:], strict=False):
        whole = abs(last - first)
        while high - low > _NARROW and abs(last - first) > 0.5 * whole > 0.0:
            middle = 0.5 * (low + high)
            value = sample(middle)
            if abs(value - first) > abs(last - value):
                high, last = middle, value
            else:
                low, first = middle, value
        if whole > 0.0 and high - low <= _NARROW:
            found.append(high)
    return found


def _two(sample):
    """Return what `_one` does of a law of two Gaussians; where two polar grids do not agree, by a third, finer one."""
    coarse, fine = _polar(sample, 40, 81), _polar(sample, 48, 101)
    if all(abs(coarse[0][n] - fine[0][n]) <= 0.1 * _SAME * max(1.0, fine[1][n]) for n in _POWERS):
        return *fine, 0.0
    return *_polar(sample, 96, 201), _ROUGH


def _polar(sample, radii, angles):
    """Return E zeta^n, E |zeta|^n and the latter's part beyond _TAIL, by n, of a law of two Gaussians.

    Gauss and Legendre's rule in the radius, equal angles: exact for smooth laws, and no jump runs along a row.
    """
    nodes, weights = np.polynomial.legendre.leggauss(radii)
    r = 0.5 * _RANGE * (nodes + 1.0)
    mass = np.repeat(0.5 * _RANGE * weights * r * np.exp(-0.5 * r * r) / angles, angles)
    turns = [2.0 * math.pi * (k + 0.25) / angles for k in range(angles)]
    zeta = np.array([sample(one * math.cos(turn), one * math.sin(turn)) for one in r.tolist() for turn in turns])
    beyond = np.repeat(r > _TAIL, angles)
    terms = {n: mass * _power(zeta, n) for n in _POWERS}
    signed = {n: float(each.sum()) for n, each in terms.items()}
    sizes, tail = (
        {n: float(np.abs(each[which]).sum()) for n, each in terms.items()} for which in (slice(None), beyond)
    )
    return signed, sizes, tail
