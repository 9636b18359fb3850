"""Moments of Box and Muller's transforms over all their words: what an infinite number of draws would give.

A normal is radius(a) angle(b), each a function of one word, so E z^n is the mean over all a times the mean over
all b, plus what the product's rounding adds: nothing in float64; in float32 it is sampled on random pairs.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from ngos_sim.engines import rng
from ngos_sim.engines.compiling.bind import bound
from ngos_sim.engines.compiling.primitives import prefer_wide

POWERS, NORMAL = (1, 2, 4, 6), (0.0, 1.0, 3.0, 15.0)
LANES, PIECE = np.uint64(128), 2**22
KINDS = {"f64": (rng.box_muller, np.uint64, 32, 2**30), "f32": (rng.box_muller32, np.uint32, 31, 0)}


@njit(error_model="numpy")
def _add(sums, component, lane, z):
    square = z * z
    sums[component, 0, lane] += z
    sums[component, 1, lane] += square
    sums[component, 2, lane] += square * square
    sums[component, 3, lane] += square * square * square


def _enumerator(transform, word, of_radius):
    """Return a function that adds the powers of a transform's pair at words start, start + step, .. to sums."""

    @njit(error_model="numpy")
    def add(other, start, step, rows, sums):
        prefer_wide()
        for row in range(rows):
            for lane in range(LANES):
                at = word(start + (row * LANES + lane) * step)
                pair = transform(at, other) if of_radius else transform(other, at)
                _add(sums, 0, lane, np.float64(pair[0]))
                _add(sums, 1, lane, np.float64(pair[1]))

    return add


def _rounding(transform, word):
    """Return a function that sums z^n - (radius angle)^n, and its square, over given pairs of words."""

    @njit(error_model="numpy")
    def sample(a, b, one, zero, unit, sums):
        for i in range(len(a)):
            found, angle = transform(word(a[i]), word(b[i])), transform(one, word(b[i]))
            radius = np.float64(transform(word(a[i]), zero)[0])
            for component in range(2):
                exact, z = radius * np.float64(angle[component]) / unit, np.float64(found[component])
                for n, power in enumerate(POWERS):
                    difference = z**power - exact**power
                    sums[0, component, n] += difference
                    sums[1, component, n] += difference * difference

    return sample


@dataclass(frozen=True)
class Moments:
    """E z^n of both components (cosine, sine) at n = 1, 2, 4, 6, and the standard error of the sampled part."""

    values: np.ndarray
    std_errors: np.ndarray


def _unit(transform, word, zero):
    """Return a word whose radius is 1, so that the transform gives the cosine and the sine themselves."""
    first = int(np.exp(-0.5) * 2**32) & ~1
    near = (word(first + 2 * i) for i in range(-2000, 2000))
    return min(near, key=lambda a: abs(float(transform(a, zero)[0]) - 1.0))


def _mean(add, other, size, shift, stride):
    """Return the mean over a lattice of 2^size words: all of the first 2^(size - 8), then the middle of each `stride`.

    There are 255 2^(size - 8) others: 17 divides that, has a middle, and meets every last digit.
    """
    head, total = 2 ** (size - 8), np.zeros((2, len(POWERS)))
    for first, end, step in ((0, head, 1), (head + stride // 2, 2**size, stride)):
        count, part = -(-(end - first) // step), np.zeros_like(total)
        for piece in range(0, count, PIECE):
            sums, rows = np.zeros((2, len(POWERS), int(LANES))), np.uint64(min(PIECE, count - piece) // int(LANES))
            start = np.uint64((first + piece * step) << shift)
            add(other, start, np.uint64(step << shift), rows, sums)
            part += sums.sum(axis=2)
        total += part * step
    return total / 2**size


def moments(kind, stride=1, pairs=2**24, seed=0):
    """Return Moments of a transform, "f64" or "f32".

    stride : 1 (every word) or 17 (the middle of so many, above 2^-8). The midpoint rule's error for even powers is
        at most (17 / 2^31)^2 / 24 times the change of the first derivative in u, 2e5 for E z^6: below 1e-12; what
        the rounding of float32 adds is below 1e-10. For E z it is below 2e-8: float32's angle jumps inside a cell.
    pairs : how many random pairs the product's rounding is sampled on.
    """
    plain, word, size, zero = KINDS[kind]
    transform, callable_ = (bound(plain, "mix", target) for target in ("cpu", "python"))
    zero = word(zero)
    one = _unit(callable_, word, zero)
    radius = _mean(_enumerator(transform, word, True), zero, size, 32 - size, stride)[0]
    angle = _mean(_enumerator(transform, word, False), one, 31, 0, stride)
    angle[0, 0] = 0.0  # bit 31 is the cosine's sign
    unit = float(callable_(one, zero)[0])
    a, b = np.random.default_rng(seed).integers(0, 2**32, (2, pairs), dtype=np.uint64)
    sums = np.zeros((2, 2, len(POWERS)))
    _rounding(transform, word)(a, b, one, zero, unit, sums)
    rounding, squares = sums / pairs
    return Moments(radius * angle / unit ** np.array(POWERS) + rounding, np.sqrt(squares / pairs))
