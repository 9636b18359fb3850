"""Where a function is not smooth: second differences at two spacings say whether it has kinks or jumps."""

import math
from typing import NamedTuple

import numpy as np

_WIDE = 512  # intervals
_FINER = 16.0
_GROWTH = 4.0  # of second differences over the square of the spacing: 1 of a smooth function, 16 of a kink
_STAYS = 0.25  # of the second differences themselves: 1 of a jump, 1 / 16 of a kink
_ROUNDING = 1e-12


class Kinks(NamedTuple):
    """Whether a function is not smooth in theta, and in any other slot; and whether it jumps in theta."""

    theta: bool
    others: bool
    jumps: bool


def is_kinked(function, low, high):
    """Return whether a function of an array is not smooth between two numbers.

    Its second differences over the square of the spacing stay as they are where it is smooth, and grow as the spacing
    shrinks where it has a kink, and more where it jumps.
    """
    (wide, _, spacing), (fine, rounding, finer) = _second_differences(function, low, high)
    allowed = _GROWTH * wide * (finer / spacing) ** 2 + rounding
    return not fine <= allowed


def jumps(function, low, high):
    """Return whether a function that is kinked between two numbers jumps there: its differences do not shrink."""
    (wide, *_), (fine, *_) = _second_differences(function, low, high)
    return not fine <= _STAYS * wide


def _second_differences(function, low, high):
    """Return the greatest second difference, what rounding leaves in it, and the spacing, of two spacings."""
    found = []
    for count in (_WIDE, int(_WIDE * _FINER)):
        x = np.linspace(low, high, count + 1)
        with np.errstate(all="ignore"):
            y = np.asarray(function(x), dtype=np.float64)
        if not np.all(np.isfinite(y)):
            y = np.full(count + 1, np.nan)
        rounding = _ROUNDING * float(np.max(np.abs(y)))
        found.append((float(np.max(np.abs(np.diff(y, 2)))), rounding, (high - low) / count))
    return found


def kinks(function, scales, logs):
    """Return the Kinks of a function of states, shape (slots, nodes), over the Scales of a pilot.

    One slot moves at a time, the others in the middle of what the pilot has seen.
    """
    middle = 0.5 * (scales.low + scales.high)
    found = []
    for slot in range(len(middle)):

        def along(x, slot=slot):
            states = np.repeat(middle[:, None], len(x), axis=1)
            states[slot] = x
            states = np.stack([np.exp(row) if log else row for row, log in zip(states, logs, strict=True)])
            return function(states)

        width = 3.0 * scales.deviation[slot] + 1e-6 * max(1.0, math.fabs(middle[slot]))
        ends = scales.low[slot] - width, scales.high[slot] + width
        found.append(is_kinked(along, *ends))
        if slot == 0:
            jumping = found[0] and jumps(along, *ends)
    return Kinks(found[0], any(found[1:]), jumping)
