"""Where a function is not smooth: second differences at two spacings say whether it has a kink or a jump."""

from typing import NamedTuple

import numpy as np

from ngos_sim.engines import transport_pilot

_WIDE = 512  # intervals
_FINER = 16.0
_GROWTH = 4.0  # of second differences over the square of the spacing: 1 of a smooth function, 16 of a kink
_JUMP = 0.3  # of second differences themselves: 1/256 of a smooth function, 1/16 of a kink, 1 of a jump
_ROUNDING = 1e-12


KINDS = ("constant", "smooth", "kink", "jump")


class Kinks(NamedTuple):
    """What a function is in theta, and at worst in the other slots, as `smoothness` says."""

    theta: str
    others: str


def smoothness(function, low, high):
    """Return what a function of an array is between two numbers, one of KINDS; where it is not finite, a jump.

    Its second differences over the square of the spacing stay as they are where it is smooth, and grow as the spacing
    shrinks where it has a kink, and more where it jumps.
    """
    found = []
    for count in (_WIDE, int(_WIDE * _FINER)):
        x = np.linspace(low, high, count + 1)
        with np.errstate(all="ignore"):
            y = np.asarray(function(x), dtype=np.float64)
        if not np.all(np.isfinite(y)):
            return "jump"
        if np.all(y == y[0]) and count > _WIDE:
            return "constant"
        rounding = _ROUNDING * float(np.max(np.abs(y)))
        found.append((float(np.max(np.abs(np.diff(y, 2)))), rounding, (high - low) / count))
    (wide, _, spacing), (fine, rounding, finer) = found
    allowed = _GROWTH * wide * (finer / spacing) ** 2 + rounding
    if fine <= allowed:
        return "smooth"
    return "kink" if fine < _JUMP * wide else "jump"


def kinks(function, scales, logs):
    """Return the Kinks of a function of states, shape (slots, nodes), over the Scales of a pilot.

    One slot moves at a time, the others in the middle of what the pilot has seen.
    """
    middle = 0.5 * (scales.low + scales.high)
    widths = 3.0 * scales.deviation + transport_pilot.least(scales, logs)
    found = []
    for slot in range(len(middle)):

        def along(x, slot=slot):
            states = np.repeat(middle[:, None], len(x), axis=1)
            states[slot] = x
            states = np.stack([np.exp(row) if log else row for row, log in zip(states, logs, strict=True)])
            return function(states)

        found.append(smoothness(along, scales.low[slot] - widths[slot], scales.high[slot] + widths[slot]))
    return Kinks(found[0], max(found[1:], key=KINDS.index, default="constant"))
