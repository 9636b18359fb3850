"""The start of a study: one value a slot, and the time t0."""

import numpy as np

from ngos_sim.validation import broadcastable, coordinate_values, described


def time(initial):
    """Return t0 (0 if it is not given); raise ValueError unless it is one number."""
    (t0, *more) = coordinate_values("initial.t0", initial.get("t0", 0.0))
    if more:
        raise ValueError(f"initial.t0={described(initial['t0'])} must be one number")
    return t0


def dimension(initial, rule, oracle, size):
    """Return the number of coordinates of a study.

    Raises
    ------
    ValueError
        A slot is unknown or missing, has a length that disagrees with the oracle's, or u is not positive.
    """
    allowed = (*rule.slots, "t0")
    unknown = [key for key in initial if key not in allowed]
    if unknown:
        raise ValueError(f"initial.{unknown[0]} is unknown; allowed: {', '.join(allowed)}")
    missing = [slot for slot in rule.slots if slot not in initial]
    if missing:
        raise ValueError(f"initial.{missing[0]} is missing; needed: {', '.join(rule.slots)}")
    starts = {slot: _values(initial, slot, size) for slot in rule.slots}
    lengths = {slot: len(values) for slot, values in starts.items() if isinstance(values, tuple)}
    longest = max(lengths, key=lambda slot: lengths[slot], default="")
    found = oracle.dimension or lengths.get(longest, 1)
    matrix = () if oracle.loss.matrix is None else ("hessian",)
    loss = ("loss",) if oracle.loss.joint and not oracle.data else (*matrix, *oracle.loss.parameters)
    keys = " or ".join([*loss, "features" if oracle.data else "covariance"])
    reason = f"the oracle's {keys} has" if oracle.dimension else f"initial.{longest} has"
    for slot, length in lengths.items():
        if length != found:
            allowed = f"a number or a length of {found} is allowed, as {reason} {found}"
            raise ValueError(f"initial.{slot} has length {length}; {allowed}")
    least = np.min(starts.get("u", 1.0))
    if least < 0.0 or (least == 0.0 and not rule.parameters.get("eps0")):
        raise ValueError(f"initial.u={described(initial['u'])} must be positive (0 is allowed where eps0 > 0)")
    return found


def state(initial, slots, dimension, size):
    """Return the start at a point's size (eta2 or eta, by the clock), shape (dimension, slots)."""
    columns = (np.broadcast_to(_values(initial, slot, size), (dimension,)) for slot in slots)
    return np.stack(list(columns), axis=1)


def _values(initial, slot, size):
    """Return a slot's start, given as a number, a vector or a function of the size: a float or a tuple."""
    value = initial[slot]
    if callable(value):
        try:
            value = value(size)
        except Exception as error:
            said = f"fails at the step size {size!r}: {type(error).__name__}: {error}"
            raise ValueError(
                f"initial.{slot}={described(value)} {said}; a function of one number is allowed"
            ) from error
    return broadcastable(f"initial.{slot}", value)
