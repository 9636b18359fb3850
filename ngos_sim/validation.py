"""Whether what a user gives is of its kind: numbers, vectors, matrices, names, functions, keywords; if not, one line.

Every constructor calls these functions on what it is given. Each returns the value in the one form that the library
works with, or raises ValueError or TypeError with the name, the value and what is allowed.
"""

import functools
import inspect
import math
import numbers
import operator
import os
import re
import reprlib
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import TypeVar

import numpy as np

_T = TypeVar("_T")


def is_number(value):
    """Return whether a value is a finite int or float, and no bool."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an int too large to convert
        return False


def number(name, value, kind, above=-math.inf, least=-math.inf):
    """Return a number as a float; raise ValueError for what is none, below `least` or not greater than `above`.

    kind : what it must be, in words
    """
    if not is_number(value) or not (value > above and value >= least):
        raise ValueError(f"{name}={described(value)} must be {kind}")
    return float(value)


def named_numbers(owner, parameters):
    """Return parameters as a dict of finite floats; raise ValueError naming owner and key."""
    return {name: number(f"{owner}: {name}", value, "a finite number") for name, value in parameters.items()}


def integer(name, value, least=None, most=math.inf):
    """Return an integer as an int; raise ValueError by `name` for what is none, below `least` or above `most`.

    NumPy's integers are integers, and so is a float that is one, such as 1e6.
    """
    try:
        found = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        found = int(value) if is_number(value) and value == int(value) else None
    if found is None or (least is not None and found < least):
        kind = {None: "an integer", 1: "a positive integer"}.get(least, f"an integer of at least {least}")
        raise ValueError(f"{name}={described(value)} must be {kind}")
    if found > most:
        raise ValueError(f"{name}={described(value)}: at most {most} is allowed")
    return found


def choice(name, value, allowed):
    """Return a word; raise ValueError unless it is one of those that are allowed."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name}={described(value)}; allowed: {', '.join(allowed)}")
    return value


def switch(name, value):
    """Return a bool; raise ValueError for what is none."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name}={described(value)}; allowed: True, False")
    return bool(value)


def order_among(value, allowed, owner=""):
    """Return the order of an equation as an int; raise ValueError unless it is one of those that are allowed."""
    if isinstance(value, bool) or value not in allowed:
        raise ValueError(f"{owner}order={described(value)}; allowed: {', '.join(map(str, allowed))}")
    return int(value)


def coordinate_parameters(owner, parameters, **others):
    """Return parameters by name, each a float or a tuple of one float a coordinate; raise ValueError by owner and name.

    others : further lengths by name, which those of vectors must equal
    """
    held = {key: broadcastable(key, value) for key, value in parameters.items()}
    lengths = {key: len(value) for key, value in held.items() if isinstance(value, tuple)} | others
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{owner}: parameters differ in length: {lengths}")
    return held


def dimension_of(parameters):
    """Return the number of coordinates that `coordinate_parameters` fix; None if all are scalars."""
    return next((len(value) for value in parameters.values() if isinstance(value, tuple)), None)


def coordinate_values(name, value):
    """Return a number or a vector as a tuple of finite floats; raise ValueError by `name`."""
    array = _array(value)
    if array.dtype.kind not in "iuf" and array.size:
        raise TypeError(f"{name}={described(value)} is not a number or a vector of numbers")
    if array.ndim > 1:
        raise ValueError(f"{name}={described(value)} is a {_shape(array)} array; a number or a vector is allowed")
    return tuple(float(v) for v in np.atleast_1d(_finite(name, value, array)))


def broadcastable(name, value):
    """Return a number as a float, which holds for every coordinate, a vector as a tuple of floats; raise by `name`.

    A vector of one number is that of one coordinate.
    """
    values = coordinate_values(name, value)
    return values if np.ndim(value) else values[0]


def greater(name, value, bound):
    """Return what `broadcastable` does; raise ValueError by `name` unless every number is greater than a bound."""
    values = broadcastable(name, value)
    if not np.min(values) > bound:
        raise ValueError(f"{name}={described(value)} must be greater than {bound:g}")
    return values


def symmetric_matrix(name, value):
    """Return a symmetric matrix as an array, or None for what is no matrix; raise ValueError by `name`."""
    array = _array(value)
    if array.ndim > 2:
        allowed = "a number, a vector or a square matrix is allowed"
        raise ValueError(f"{name}={described(value)} is a {_shape(array)} array; {allowed}")
    if array.ndim != 2 or array.dtype.kind not in "iuf":
        return None
    array = _finite(name, value, array)
    if array.shape[0] != array.shape[1]:
        raise ValueError(f"{name} is a {_shape(array)} matrix; a square one is needed")
    difference = np.abs(array - array.T)
    if difference.max() > 1e-12 * np.abs(array).max():
        i, j = np.unravel_index(difference.argmax(), array.shape)
        raise ValueError(f"{name} is not symmetric: [{i}, {j}] is {array[i, j]!s}, [{j}, {i}] is {array[j, i]!s}")
    return 0.5 * (array + array.T)


def _array(value):
    """Return a value as an array; of rows of different lengths, or masked values, one that holds no number."""
    if np.ma.is_masked(value):  # np.asarray has what stands behind a mask
        return np.array(None)
    try:
        return np.asarray(value)
    except ValueError:
        return np.array(None)


def _shape(array):
    return "x".join(str(n) for n in array.shape)


def _finite(name, value, array):
    """Return an array of float64; raise ValueError where it is empty or not finite."""
    array = array.astype(np.float64)
    if array.size == 0 or not np.all(np.isfinite(array)):
        first = np.argmin(np.isfinite(array)) if array.size else 0
        where = f": number {first} is {array.flat[first]}" if array.size > _SHORT.maxlist else ""
        raise ValueError(f"{name}={described(value)} must hold finite numbers{where}")
    return array


def checked_function(owner, role, value):
    """Return a function; raise TypeError for what cannot be called."""
    if not callable(value):
        raise TypeError(f"{owner}: {role}={described(value)} is not a function")
    return value


def checked_name(kind, name):
    """Return a name, of which tables and messages speak; raise TypeError for what is no string.

    kind : what is called so
    """
    if not isinstance(name, str):
        raise TypeError(f"{kind}: name={described(name)} must be a string, what tables call it; it comes first")
    return name


def checked_slots(owner, slots):
    """Return slots as a tuple of distinct names that begins with theta; raise ValueError."""
    listed = tuple(slots) if isinstance(slots, (tuple, list)) else ()
    named = all(isinstance(slot, str) and slot.replace(".", "_").isidentifier() and slot != "t0" for slot in listed)
    if not named or not listed or listed[0] != "theta" or len(set(listed)) < len(listed):
        allowed = 'a tuple of distinct names, the first "theta", such as ("theta", "u")'
        raise ValueError(f"{owner}: slots={described(slots)} must be {allowed}")
    return listed


def checked_path(name, value):
    """Return a path as it was given; raise TypeError for what is none."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name}={described(value)} must be a path, a str or a Path")
    return value


def known_keywords(**hints: str) -> Callable[[_T], _T]:
    """Decorate a function, a method or a class so that arguments that it does not take are a TypeError of one line.

    hints : what to say of a keyword that someone might well try; of any other the allowed ones are named
    """

    def decorate(made):
        call = made.__init__ if inspect.isclass(made) else made
        signature, name = inspect.signature(call), made.__name__
        allowed = [each for each in signature.parameters if each != "self"]
        takes_any = any(each.kind is each.VAR_KEYWORD for each in signature.parameters.values())
        takes = ", ".join(allowed) or "no arguments"

        @functools.wraps(call)
        def checked(*args, **given):
            for key, value in given.items():
                if key not in allowed and (key in hints or not takes_any):
                    hint = hints.get(key) or f"allowed: {takes}"
                    raise TypeError(f"{name}: {key}={described(value)} is unknown; {hint}")
            try:
                signature.bind(*args, **given)
            except TypeError as error:
                raise TypeError(f"{name}: {error}; it takes {takes}") from None
            return call(*args, **given)

        if not inspect.isclass(made):
            return checked
        made.__init__ = checked
        return made

    return decorate


class _Short(reprlib.Repr):
    """Values as messages show them: short, on one line, without an address in memory."""

    def __init__(self):
        super().__init__()
        self.maxlist = self.maxtuple = self.maxarray = 8
        self.maxstring = self.maxother = 60

    def repr1(self, x, level):
        """Return how a value, or one within it, is shown."""
        if is_dataclass(x) and not inspect.isclass(x):
            return f"{type(x).__name__} {x.name!r}" if hasattr(x, "name") else type(x).__name__
        name = getattr(x, "__name__", None)
        return name if isinstance(name, str) else super().repr1(x, level)

    def repr_instance(self, x, level):
        """Return how a value that is no container, number or string is shown."""
        words = " ".join(re.sub(r" at 0x[0-9a-fA-F]+", "", repr(x)).split())
        return words if len(words) <= self.maxother else f"{words[: self.maxother - 2]}.."


_SHORT = _Short()


def described(value):
    """Return a value as a message shows it: short, and without an address in memory.

    Examples
    --------
    >>> described((math.sqrt, [0.1] * 20))
    '(sqrt, [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, ...])'
    """
    return _SHORT.repr(value)


def of_kind(name, value, kinds, kind, made_by):
    """Return a value of one of some classes; raise TypeError for any other: what it is, and what makes one.

    Examples
    --------
    >>> of_kind("optimizer", "rmsprop", dict, "an optimizer", "ns.rmsprop(sigma0=.., eps0=.., c2=..)")
    Traceback (most recent call last):
    ...
    TypeError: optimizer='rmsprop' is not an optimizer; ns.rmsprop(sigma0=.., eps0=.., c2=..) makes one
    """
    if isinstance(value, kinds):
        return value
    text = f"{name}={described(value)} is not {kind}"
    if inspect.isclass(value) or (inspect.isfunction(value) and value.__name__ != "<lambda>"):
        what = "class" if inspect.isclass(value) else "function"
        empty = not any(each.default is each.empty for each in inspect.signature(value).parameters.values())
        raise TypeError(f"{text} but a {what}: call it, {value.__name__}({'' if empty else '..'})")
    raise TypeError(f"{text}; {made_by} makes one")


def keep(instance, **fields):
    """Set the fields of a frozen instance that is being made, once they are checked."""
    for field, content in fields.items():
        object.__setattr__(instance, field, content)
