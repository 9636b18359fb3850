"""Gradients of data in plain Python: the reference for `engines.cpu.data` and the GPU's.

A margin in a minibatch is summed in the order of `margin`, one of all samples with the coordinates ascending; sums
over samples ascend. Each term is an fma. `engines.python` calls these before a step and before features.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from ngos_sim.arithmetic import fma, matvec
from ngos_sim.engines import rng

_PARTS = 8  # partial sums of a margin


class Rows(NamedTuple):
    """What a field makes, a number a coordinate: pull, xi (None where it is 0 or not asked for), and spread."""

    pull: list
    xi: list | None
    spread: list


def numbers_of_samples(key, trajectory, first, count, samples):
    """Return which samples words first .. first + count - 1 of a trajectory say: (word n) / 2^32, rounded down."""
    low, high, k0, k1 = (np.uint64(v) for v in (trajectory & 0xFFFFFFFF, trajectory >> 32, key & 0xFFFFFFFF, key >> 32))
    found, blocks = [], {}
    for number in range(first, first + count):
        block = np.uint64(number // 4)
        if block not in blocks:
            blocks[block] = rng.philox4x32(block, rng.second_word(block, np.uint64(rng.SAMPLES)), low, high, k0, k1)
        found.append(int(blocks[block][number % 4]) * samples >> 32)
    return found


def numbers_without_replacement(key, trajectory, first, count, samples):
    """Return which samples are numbers first .. first + count - 1 of a trajectory's epochs: see `cpu.reshuffle`."""
    epochs = range(first // samples, (first + count - 1) // samples + 1)
    found = [sample for epoch in epochs for sample in _order(key, trajectory, epoch, samples)]
    return found[first % samples :][:count]


@functools.lru_cache(maxsize=2)
def _order(key, trajectory, epoch, samples):
    """Return the order in which a trajectory takes its samples in an epoch, by Fisher and Yates."""
    words = numbers_of_samples(key, trajectory, epoch * samples, samples, 2**32)
    order = list(range(samples))
    for i, word in enumerate(words):
        other = i + (word * (samples - i) >> 32)
        order[i], order[other] = order[other], order[i]
    return order


def margin(x, theta):
    """Return x . theta: eight sums, number k over j = k mod 8, which are then added in pairs, thrice."""
    parts = [0.0] * _PARTS
    for j, (entry, value) in enumerate(zip(x, theta, strict=True)):
        parts[j % _PARTS] = fma(entry, value, parts[j % _PARTS])
    while len(parts) > 1:
        parts = [a + b for a, b in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def minibatch(data, field, theta, step, key, trajectory):
    """Return the Rows of step number `step`, counted from 1: the minibatches' gradients, weighted."""
    batch, count = field.batch, len(field.weights)
    numbers = numbers_of_samples if field.replacement else numbers_without_replacement
    drawn = numbers(key, trajectory, (step - 1) * count * batch, count * batch, len(data.targets))
    pull = [data.l2 * value for value in theta]
    for at, sample in enumerate(drawn):
        x, weight = data.features[sample].tolist(), field.weights[at // batch] / batch
        r = field.slope(margin(x, theta), float(data.targets[sample])) * weight
        pull = [fma(r, entry, total) for entry, total in zip(x, pull, strict=True)]
    return Rows(pull, None, [0.0] * len(theta))


def full_batch(data, slope, theta, increments=None):
    """Return the Rows of all samples; increments : dW, one a sample, or None."""
    n, zero = len(data.targets), [0.0] * len(theta)
    columns = data.features.T.ravel().tolist()
    slopes = of_margins(data, slope, theta)
    inverse = 1.0 / n
    mean = [total * inverse for total in matvec(columns, slopes, zero)]
    pull = [fma(data.l2, value, each) for value, each in zip(theta, mean, strict=True)]
    squares = matvec([x * x for x in columns], [r * r for r in slopes], zero)
    found = [fma(-each, each, total * inverse) for each, total in zip(mean, squares, strict=True)]
    spread = [0.0 if value < 0.0 else value for value in found]
    if increments is None:
        return Rows(pull, None, spread)
    total = 0.0
    for each in increments:
        total += each
    noise, scale = (
        matvec(columns, [r * each for r, each in zip(slopes, increments, strict=True)], zero),
        1 / math.sqrt(n),
    )
    return Rows(pull, [fma(-each, total, own) * scale for each, own in zip(mean, noise, strict=True)], spread)


def of_margins(data, function, theta):
    """Return a function (margin, y) of every sample."""
    margins = matvec(data.features.ravel().tolist(), theta, [0.0] * len(data.targets))
    return [function(*each) for each in zip(margins, data.targets.tolist(), strict=True)]


def add_mean(data, function, theta, start):
    """Return start and the mean over all samples of a function (margin, y)."""
    total = 0.0
    for value in of_margins(data, function, theta):
        total += value
    return fma(1.0 / len(data.targets), total, start)
