"""Whole numbers that a user gives: any kind of integer, no bool."""

import operator

import numpy as np


def integer(name, value, least=None):
    """Return an integer as an int; raise ValueError by `name` for what is none or below `least`.

    NumPy's integers are integers, and so is a float that is one, such as 1e6.
    """
    try:
        found = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        found = int(value) if isinstance(value, float) and value.is_integer() else None
    if found is None or (least is not None and found < least):
        kind = {None: "an integer", 1: "a positive integer"}.get(least, f"an integer of at least {least}")
        raise ValueError(f"{name}={value!r} must be {kind}")
    return found
