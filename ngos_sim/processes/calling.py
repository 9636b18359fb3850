"""Calls of a user's functions, in plain Python: what cannot be called or gives no numbers is named in one line.

`studies.first_step` calls every function once when a study is made; `estimators.assembly` makes the rows of schedules.
"""

import inspect
import linecache
import numbers
import traceback
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ngos_sim.processes.integrators import table
from ngos_sim.processes.rule import default_schedule
from ngos_sim.validation import described

_PACKAGE = Path(__file__).resolve().parents[1]
_SHOWN = ("k", "h", "t", "x")  # arguments that a message shows


class BadFunctionError(ValueError):
    """A function of a process cannot be called, or does not return what it should."""


def cause(error):
    """Return an error's kind and words, with the line that raised it; and whether that is this package's own."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    line = linecache.getline(last.filename, last.lineno or 0).strip()
    words = str(error).strip().partition("\n")[0]  # Numba's go on for pages
    place = f"{Path(last.filename).name}, line {last.lineno}" + f": {line}" * bool(line)
    said = f"{type(error).__name__}: {words} ({place})"
    return said, Path(last.filename).resolve().is_relative_to(_PACKAGE)


def called(owner, role, function, **given):
    """Return function(*given), `role` of the process `owner`.

    Raises
    ------
    BadFunctionError
        It takes other arguments, reads what is not there or fails; what the package itself says goes through.
    """
    who, where = f"{owner!r}: {role}", ", ".join(f"{name}={given[name]!r}" for name in _SHOWN if name in given)
    try:
        inspect.signature(function).bind(*given.values())
    except TypeError:
        taken, passed = inspect.signature(function), ", ".join(given)
        raise BadFunctionError(f"{who} takes {taken}; it is called with ({passed})") from None
    try:
        return function(*given.values())
    except AttributeError as error:
        raise BadFunctionError(f"{who} {_missing(function, error, given)}") from error
    except Exception as error:
        said, own = cause(error)
        if own and not isinstance(error, ArithmeticError):  # what it says itself, not what it did not see coming
            raise
        raise BadFunctionError(f"{who} fails at {where}: {said}") from error


def _missing(function, error, given):
    """Return what to say of an attribute that is not there."""
    for name, value in given.items():
        if error.obj is value and name in ("o", "p"):
            held = getattr(value, "_fields", None) or vars(value)
            hint = " (the default schedule's: give sigma0= or schedule=)" if function is default_schedule else ""
            return f"reads {name}.{error.name}, which is not there{hint}; {name} has {', '.join(held)}"
    return f"fails: {error}"


def _is_row(value, slots):
    """Return whether a value is a tuple of numbers, one for each of the slots where these are known."""
    numeric = isinstance(value, tuple) and all(isinstance(each, numbers.Real) for each in value)
    return numeric and (slots is None or len(value) == len(slots))


def checked(owner, role, value, slots=None, channels=1):
    """Return the numbers that a function returned; of rows, one a channel, those of one after the other.

    Raises
    ------
    BadFunctionError
        It is no tuple of numbers, one for each of the slots, or no tuple of such rows, one for each of the channels.
    """
    rows = (value,) if channels == 1 else value
    if isinstance(rows, tuple) and len(rows) == channels and all(_is_row(row, slots) for row in rows):
        return tuple(each for row in rows for each in row)
    shown, hint = described(value), " (is there a return?)" if value is None else ""
    if channels == 1 and role == "diffusion" and isinstance(value, tuple) and all(_is_row(row, slots) for row in value):
        hint = " (a row for each of two Brownian motions? then channels=2)"
    row = "numbers" if slots is None else f"{len(slots)} numbers, one for each of {slots},"
    needed = (
        f"a tuple of {row}" if channels == 1 else f"a tuple of {channels} rows, one a channel, each a tuple of {row}"
    )
    raise BadFunctionError(f"{owner!r}: {role} returns {shown}{hint}; {needed} is needed")


def rows(rule, first, steps, h, held):
    """Return schedule(k, h, p) of `steps` steps from step `first`, an array of a row a step.

    held : what p holds, as `processes.rule.parameters` returns it

    Raises
    ------
    BadFunctionError
        The schedule fails at a step, or returns no tuple of numbers there, or NaN.
    ValueError
        It returns another count than before.
    """
    p = SimpleNamespace(**held)

    def row(k):
        return checked(rule.name, "schedule", called(rule.name, "schedule", rule.schedule, k=k, h=h, p=p))

    row(first)
    try:
        found = table(rule, first, steps, h, held)
    except Exception:
        for k in range(first, first + steps):
            row(k)
        raise
    bad = np.flatnonzero(np.isnan(found).any(axis=1))
    if len(bad):
        raise BadFunctionError(f"{rule.name!r}: schedule returns NaN at k={first + bad[0]}, h={h!r}")
    return found
