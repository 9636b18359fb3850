"""All samples at once: grad f, its noise Sigma^(1/2) dW and the diagonal of Sigma, for an SDE's step and for features.

With r_i = phi'(x_i . theta, y_i) and g = (1/n) sum_i r_i x_i, without l2,

    pull = g + l2 theta
    xi = (sum_i r_i x_i dW_i - g sum_i dW_i) / sqrt(n)
    spread_j = (1/n) sum_i (r_i x_ij)^2 - g_j^2

(equation (1) of arXiv 2205.10287): matrix products over a tile of samples whose rows stay in the cache. spread is 0
where rounding leaves less: its error is 1e-16 (n + g_j^2 / Sigma_jj) of it or so. `engines.cpu.data` calls them.
"""

import numpy as np

from ngos_sim.arithmetic import fma
from ngos_sim.engines.compiling.address import pointer
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL, PRIMITIVES, keep_apart, prefer_wide
from ngos_sim.engines.cpu.lanes import Slopes, enter_slopes
from ngos_sim.engines.cpu.product import add_rectangle, rectangle
from ngos_sim.engines.program import BLOCK

TILE = 32  # samples whose rows are worked at together
_L, _TILE, _ZERO = np.uint64(BLOCK), np.uint64(TILE), np.uint64(0)
_fma = PRIMITIVES[fma]


@njit(**KERNEL)
def _of_margins(library, data, loop, state, begin, gap, first, count, d):
    """Write a function (margin, y) of samples first .. first + count - 1 to data.slopes, a row of lanes each."""
    keep_apart()
    prefer_wide()
    width, labels = data.width, data.labels
    rectangle(library, data.margins, _ZERO, data.features, first * width, width, count, d, state, begin, gap)
    for i in range(count):
        for lane in range(_L):
            labels[i * _L + lane] = data.targets[first + i]
    given = Slopes(pointer(data.slopes, _ZERO), pointer(data.margins, _ZERO), pointer(labels, _ZERO), count * _L)
    enter_slopes(loop, given)


@njit(**KERNEL)
def _with_noise(library, data, xi, at, count):
    """Write r dW of a tile to data.products, and add dW to its sum."""
    keep_apart()
    prefer_wide()
    slopes, products, total = data.slopes, data.products, data.total
    for i in range(count):
        row = i * _L
        for lane in range(_L):
            products[row + lane] = slopes[row + lane] * xi[at + row + lane]
            total[lane] += xi[at + row + lane]


@njit(**KERNEL)
def _squared(library, data, count):
    """Write r^2 of a tile to data.products."""
    keep_apart()
    prefer_wide()
    slopes, products = data.slopes, data.products
    for lane in range(count * _L):
        products[lane] = slopes[lane] * slopes[lane]


@njit(**KERNEL)
def _finish(library, data, state, begin, gap, pulls, mixed, spread, noisy, d):
    """Write pull, and spread and xi where they are wanted, from sums over all samples."""
    keep_apart()
    prefer_wide()
    sums, noise, squares, pull, total = data.sums, data.noise, data.squares_sums, pulls.pull, data.total
    inverse, inverse_root, l2 = data.inverse, data.inverse_root, data.l2
    for j in range(d):
        row, theta = j * _L, begin + j * gap
        for lane in range(_L):
            sums[row + lane] *= inverse
            pull[row + lane] = _fma(l2, state[theta + lane], sums[row + lane])
        if noisy:
            for lane in range(_L):
                mixed[row + lane] = _fma(-sums[row + lane], total[lane], noise[row + lane]) * inverse_root
        if spread:
            for lane in range(_L):
                found = _fma(-sums[row + lane], sums[row + lane], squares[row + lane] * inverse)
                pulls.spread[row + lane] = 0.0 if found < 0.0 else found


@njit(**KERNEL)
def full_batch(library, data, mine, state, begin, gap, pulls, xi, at, mixed, noisy, spread, d):
    """Write pull of one process, its diagonal of Sigma where `spread` says so, and where `noisy` does its noise.

    begin, gap : of the state's rows of theta; xi, at : the rows of dW, one a sample; mixed : the rows of the noise.
    """
    keep_apart()
    prefer_wide()
    n = data.n
    for lane in range(d * _L):
        data.sums[lane] = data.noise[lane] = data.squares_sums[lane] = 0.0
    for lane in range(_L):
        data.total[lane] = 0.0
    for first in range(_ZERO, n, _TILE):
        count = min(_TILE, n - first)
        _of_margins(library, data, mine.slope_loop, state, begin, gap, first, count, d)
        add_rectangle(library, data.sums, _ZERO, data.columns, first, n, d, count, data.slopes, _ZERO, _L)
        if noisy:
            _with_noise(library, data, xi, at + first * _L, count)
            add_rectangle(library, data.noise, _ZERO, data.columns, first, n, d, count, data.products, _ZERO, _L)
        if spread:
            _squared(library, data, count)
            add_rectangle(library, data.squares_sums, _ZERO, data.squares, first, n, d, count, data.products, _ZERO, _L)
    _finish(library, data, state, begin, gap, pulls, mixed, spread, noisy, d)


@njit(**KERNEL)
def mean(library, data, loop, state, begin, gap, out, d):
    """Add to the state's row from `out` the mean over all samples of a function (margin, y)."""
    keep_apart()
    prefer_wide()
    n, values, total = data.n, data.slopes, data.total
    for lane in range(_L):
        total[lane] = 0.0
    for first in range(_ZERO, n, _TILE):
        count = min(_TILE, n - first)
        _of_margins(library, data, loop, state, begin, gap, first, count, d)
        for i in range(count):
            for lane in range(_L):
                total[lane] += values[i * _L + lane]
    for lane in range(_L):
        state[out + lane] = _fma(data.inverse, total[lane], state[out + lane])
