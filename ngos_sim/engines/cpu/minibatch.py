"""The gradient of each lane's own minibatch: the CPU's phase before an optimizer's step on data.

pull = l2 theta + sum_b (weight phi'(x_b . theta, y_b)) x_b over the samples that the step's words say, in their order.
`engines.cpu.data` calls `minibatch`.
"""

import numpy as np

from ngos_sim.engines import rng
from ngos_sim.engines.compiling.address import pointer
from ngos_sim.engines.compiling.bind import call
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import JIT, KERNEL, keep_apart, prefer_wide
from ngos_sim.engines.cpu.gather import (
    WIDTH,
    combine_four,
    combine_one,
    margins_of_lanes,
    margins_of_samples,
    transpose,
)
from ngos_sim.engines.cpu.lanes import Slopes, enter_slopes
from ngos_sim.engines.cpu.reshuffle import reshuffle
from ngos_sim.engines.program import BLOCK

HELD = 16  # samples of a lane that are drawn at once
PAIRS = 64  # lanes times samples that are worked at between two calls of phi': their rows stay in the nearest cache
_L, _W, _ONE = np.uint64(BLOCK), np.uint64(WIDTH), np.uint64(1)
_HELD, _FOUR = np.uint64(HELD), np.uint64(4 * WIDTH)
_ALL = np.uint64(2**32)  # words themselves are the numbers below it
_second_word = njit(**JIT)(rng.second_word)


def tile(batch):
    """Return how many lanes and how many samples of each are worked at together."""
    samples = min(batch, PAIRS // WIDTH)
    lanes = WIDTH
    while 2 * lanes * samples <= PAIRS:
        lanes *= 2
    return lanes, samples


@njit(**KERNEL)
def _draw(source, samples, begin, n, key, trajectory, span):
    """Write the samples of a span, a row of lanes each: (word n) / 2^32, rounded down."""
    keep_apart()
    prefer_wide()
    k0, k1 = key & np.uint64(0xFFFFFFFF), key >> np.uint64(32)
    for b in range(HELD // 4):
        c0 = span * np.uint64(HELD // 4) + np.uint64(b)
        c1 = _second_word(c0, np.uint64(rng.SAMPLES))
        at = begin + np.uint64(4 * b) * _L
        for lane in range(_L):
            index = trajectory + lane
            four = call(source.words, c0, c1, index & np.uint64(0xFFFFFFFF), index >> np.uint64(32), k0, k1)
            samples[at + lane] = (four[0] * n) >> np.uint64(32)
            samples[at + _L + lane] = (four[1] * n) >> np.uint64(32)
            samples[at + np.uint64(2) * _L + lane] = (four[2] * n) >> np.uint64(32)
            samples[at + np.uint64(3) * _L + lane] = (four[3] * n) >> np.uint64(32)


@njit(**KERNEL, inline="always")
def _span(library, data, loop, weight, lane, lanes, first, count, fresh):
    """Add the gradients of `count` samples of `lanes` lanes, row `first` of what is drawn the first.

    fresh : whether they are the step's first, so that l2 theta is what they are added to.
    """
    width, slopes, labels = data.width, data.slopes, data.labels
    begin = first * _L + lane
    if count == _W:  # a lane's samples are side by side: theta is read once for all
        of_sample, of_lane = _ONE, _W
        for at in range(lanes):
            own = (lane + at) * width
            margins_of_samples(
                data.margins, at * _W, data.features, width, data.samples, begin + at, _L, data.theta, own
            )
    else:
        of_sample, of_lane = lanes, _ONE
        for i in range(count):
            for at in range(np.uint64(0), lanes, _W):
                row, own = begin + i * _L + at, (lane + at) * width
                margins_of_lanes(
                    data.margins, i * lanes + at, data.features, width, data.samples, row, _ONE, data.theta, own
                )
    for i in range(count):
        for at in range(lanes):
            labels[i * of_sample + at * of_lane] = data.targets[data.samples[begin + i * _L + at]]
    size, begin = count * lanes, np.uint64(0)
    given = Slopes(pointer(slopes, begin), pointer(data.margins, begin), pointer(labels, begin), size)
    enter_slopes(loop, given)
    for i in range(size):
        slopes[i] *= weight
    start, factor = (data.theta, data.l2) if fresh else (data.gradient, data.one)
    for at in range(lanes):
        to, row, column = (lane + at) * width, first * _L + lane + at, np.uint64(0)
        of_samples = data.samples, row, _L, slopes, at * of_lane, of_sample, count
        while column + _FOUR <= width:
            begin = to + column
            combine_four(data.gradient, begin, start, begin, factor, data.features, width, column, *of_samples)
            column += _FOUR
        while column < width:
            begin = to + column
            combine_one(data.gradient, begin, start, begin, factor, data.features, width, column, *of_samples)
            column += _W


@njit(**KERNEL)
def minibatch(source, data, mine, which, state, begin, gap, pull, now, d):
    """Write the gradient of the minibatches of one step of one process.

    begin, gap : of the state's rows of theta.
    """
    keep_apart()
    prefer_wide()
    width, batch, lanes, samples = data.width, np.uint64(mine.batch), np.uint64(mine.lanes), np.uint64(mine.samples)
    for lane in range(np.uint64(0), _L, _W):
        for j in range(np.uint64(0), d, _W):
            transpose(data.theta, lane * width + j, width, state, begin + j * gap + lane, gap, d - j)
    first = np.uint64(now.step) * np.uint64(mine.minibatches) * batch
    held = np.uint64(which) * _HELD  # its rows of what is drawn
    for m in range(np.uint64(mine.minibatches)):
        at, end = first + m * batch, first + (m + _ONE) * batch
        weight = data.weights[np.uint64(mine.weights) + m]
        while at < end:
            span = at // _HELD
            if data.spans[which] != span or data.trajectories[which] != now.trajectory:
                among = data.n if mine.order < 0 else _ALL
                _draw(source, data.samples, held * _L, among, now.key, now.trajectory, span)
                if mine.order >= 0:
                    place, number = np.uint64(mine.order), span * _HELD
                    reshuffle(source, data.samples, held * _L, _HELD, number, data.n, data.orders, place)
                data.spans[which], data.trajectories[which] = span, now.trajectory
            stop = min(end, (span + _ONE) * _HELD)
            for lane in range(np.uint64(0), _L, lanes):
                for row in range(at, stop, samples):
                    count = min(samples, stop - row)
                    drawn = held + (row - span * _HELD)
                    _span(source, data, mine.slope_loop, weight, lane, lanes, drawn, count, row == first)
            at = stop
    for lane in range(np.uint64(0), _L, _W):
        for j in range(np.uint64(0), width, _W):
            transpose(pull, j * _L + lane, _L, data.gradient, lane * width + j, width, _W)
