"""The first call of a user's functions, in plain Python at construction: what gives no numbers is named in a line."""

import inspect
import linecache
import math
import numbers
import traceback
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ngos_sim.engines.program import move
from ngos_sim.processes.integrators import table
from ngos_sim.processes.rule import Rule, default_schedule

_PACKAGE = Path(__file__).resolve().parents[1]
_SHOWN = ("k", "h", "t", "x")  # arguments that a message shows
_COORDINATES = 64  # at most so many of them are tried


class BadFunctionError(ValueError):
    """A function of a process cannot be called, or does not return what it should."""


def _cause(error):
    """Return an error's kind and words, with the line that raised it; and whether that is this package's own."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    line = linecache.getline(last.filename, last.lineno or 0).strip()
    said = f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno}: {line})"
    return said, Path(last.filename).resolve().is_relative_to(_PACKAGE)


def called(owner, role, function, **given):
    """Return function(*given), `role` of the process `owner`.

    Raises
    ------
    BadFunctionError
        It takes other arguments, reads what is not there or fails; what the package itself raises goes through.
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
        said, own = _cause(error)
        if own:
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


def checked(owner, role, value, slots=None):
    """Return what a function returned.

    Raises
    ------
    BadFunctionError
        It is no tuple of numbers, one for each of the slots.
    """
    numeric = isinstance(value, tuple) and all(isinstance(each, numbers.Real) for each in value)
    if not numeric or (slots is not None and len(value) != len(slots)):
        shown, forgotten = " ".join(repr(value).split()), " (is there a return?)" if value is None else ""
        needed = "numbers" if slots is None else f"{len(slots)} numbers, one for each of {slots},"
        raise BadFunctionError(f"{owner!r}: {role} returns {shown}{forgotten}; a tuple of {needed} is needed")
    return value


def rows(rule, first, steps, h, parameters):
    """Return schedule(k, h, p) of `steps` steps from step `first`, an array of a row a step.

    Raises
    ------
    BadFunctionError
        The schedule fails at a step, or returns no tuple of numbers there, or NaN.
    ValueError
        It returns another count than before.
    """
    p = SimpleNamespace(**parameters)

    def row(k):
        return checked(rule.name, "schedule", called(rule.name, "schedule", rule.schedule, k=k, h=h, p=p))

    row(first)
    try:
        found = table(rule, first, steps, h, parameters)
    except Exception:
        for k in range(first, first + steps):
            row(k)
        raise
    bad = np.flatnonzero(np.isnan(found).any(axis=1))
    if len(bad):
        raise BadFunctionError(f"{rule.name!r}: schedule returns NaN at k={first + bad[0]}, h={h!r}")
    return found


def _called_at(owner, slots, functions, told, c, starts):
    """Call each of a process's functions, {role: (function, whether it gets z)}, at some coordinates' starts."""
    for j in range(0, len(starts), -(-len(starts) // _COORDINATES)):
        x = tuple(starts[j].tolist())
        o, z, p = told(x, j)
        for role, (function, takes_noise) in functions.items():
            given = dict(x=x, o=o, z=z, c=c, p=p) if takes_noise else dict(x=x, o=o, c=c, p=p)
            value = checked(owner, role, called(owner, role, function, **given), slots)
            if not all(map(math.isfinite, value)):
                raise BadFunctionError(f"{owner!r}: {role} returns {value} at x={x!r}; finite numbers are needed")


def _teller(study, part, given, owner, parameters, first, second):
    """Return told(x, j): o, z and p at coordinate j, as engines make them for a process of these two functions."""

    def see(x, o, z, c, p):
        return o, z, p, first, second  # what a step reads of the oracle is looked up in what it holds

    probe, noise = Rule(owner, see, part.rule.slots, part.rule.schedule, **parameters), part.noise
    moved = move(probe, study.oracle, noise)
    values = (*parameters.values(), part.eta2)

    def told(x, j):
        a, s = (tuple(float(column[j]) for column in kind) for kind in (given.loss, given.variance))
        try:
            return moved(x, 0.5, -0.5, 0.5, 0.5, a, s, given.noise, (), values)[:3]
        except Exception as error:
            who = f"loss {study.oracle.loss.name!r}, its covariance or noise {noise.name!r}"
            raise BadFunctionError(f"{who} fails at theta={x[0]!r}: {_cause(error)[0]}") from error

    return told


def try_functions(study, jobs):
    """Call the functions of a study's optimizer and SDEs once at the start of every point.

    Parameters
    ----------
    study : ConvergenceStudy
    jobs : list of Job
        The optimizer's alone, a point each.

    Raises
    ------
    BadFunctionError
        One cannot be called, or does not return finite numbers, one for each slot.
    """
    for job in jobs:
        (part,), (given,) = job.parts, job.inputs.processes
        rule = part.rule
        told = _teller(study, part, given, rule.name, rule.parameters, rule.step, rule.step)
        c, functions = tuple(given.table[0, 0].tolist()), {"step": (rule.step, True)}
        _called_at(rule.name, rule.slots, functions, told, c, given.start)
        for sde in study.sdes:
            parameters = {**rule.parameters, **sde.parameters}
            told = _teller(study, part, given, sde.name, parameters, sde.drift, sde.diffusion)
            p = SimpleNamespace(**parameters, eta2=part.eta2)
            try:
                c = checked(sde.name, "schedule", called(sde.name, "schedule", sde.schedule, t=study.t0, p=p))
            except BadFunctionError:
                raise
            except ValueError:  # a built-in's own refusal of a time: who serves it then says so
                continue
            functions = {"drift": (sde.drift, False), "diffusion": (sde.diffusion, False)}
            _called_at(sde.name, sde.slots, functions, told, c, given.start)
