"""What a job computes, as two hashes: a chunk of two jobs of the same hashes has the same bits.

`studies.kept` has one of every job beside its sums, and so tells whether chunks belong to what would be run.
"""

import dataclasses
import hashlib
from types import FunctionType
from typing import NamedTuple

import numpy as np

from ngos_sim.engines.compiling.bind import digest

_PLAIN = (bool, int, float, str, type(None), np.generic)


class Identity(NamedTuple):
    """Hashes of a job's functions at a precision, the package's own code among them, and of all its numbers."""

    functions: str
    numbers: str


def identity(job, precision):
    """Return the Identity of a job.

    Raises
    ------
    TypeError
        A function of a user's reads what may change in silence (`engines.compiling.fingerprint`).
    """
    return Identity(_hash(job.program, precision), _hash(job.inputs, precision))


def together(identities):
    """Return one hash of the Identities of several jobs; "" where one of them has none."""
    if None in identities:
        return ""
    return hashlib.sha256("".join(text for each in identities for text in each).encode()).hexdigest()


def _hash(value, precision):
    found = hashlib.sha256(precision.encode())
    _feed(found, value, precision)
    return found.hexdigest()


def _feed(found, value, precision):
    """Put a value into a hash, with its kind and size before it, so that no two values are the same bytes."""
    if isinstance(value, FunctionType):
        found.update(f"function {digest(value, precision)};".encode())
    elif isinstance(value, np.ndarray):
        found.update(f"array {value.dtype.str} {value.shape};".encode())
        found.update(np.ascontiguousarray(value))
    elif isinstance(value, _PLAIN):
        found.update(f"{type(value).__name__} {value!r};".encode())
    elif isinstance(value, (tuple, list)):
        found.update(f"{type(value).__name__} {len(value)};".encode())
        for each in value:
            _feed(found, each, precision)
    elif dataclasses.is_dataclass(value):
        found.update(f"{type(value).__name__};".encode())
        for field in dataclasses.fields(value):
            found.update(f"{field.name}:".encode())
            _feed(found, getattr(value, field.name), precision)
    else:
        raise TypeError(f"{type(value).__name__} {value!r} has no hash of what it computes")
