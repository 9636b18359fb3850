"""Programs of plain copies, which `engines.python` calls; they give NaN and infinity where compiled code does."""

import functools
from dataclasses import replace

import numpy as np

from ngos_sim.engines import python_fields
from ngos_sim.engines.compiling.bind import plain, unraising
from ngos_sim.engines.program import no_law


def plain_program(program):
    """Return the program of plain copies that call exp, log, tanh, erf, sin and cos as compiled functions do."""
    processes = tuple(
        replace(
            each,
            move=as_compiled(each.move),
            law=each.law if each.law is no_law else as_compiled(each.law),
            slope=each.slope and as_compiled(each.slope),
            field=each.field and python_fields.with_functions(each.field, as_compiled),
        )
        for each in program.processes
    )
    features = tuple(
        replace(feature, function=as_compiled(feature.function), sample=feature.sample and as_compiled(feature.sample))
        for feature in program.features
    )
    return replace(program, processes=processes, features=features)


def as_compiled(function):
    """Return the plain copy of a function that gives NaN and infinity where Python raises, as compiled code does."""
    quick, safe = plain(function), functools.cache(lambda: unraising(function))

    def call(*arguments):
        try:
            found = quick(*arguments)
            if complex not in map(type, found if isinstance(found, (tuple, list)) else (found,)):
                return found
        except (ArithmeticError, ValueError, TypeError):  # TypeError: of a complex root
            pass
        with np.errstate(all="ignore"):
            return _each(float, safe()(*_each(np.float64, arguments)))

    return call


def _each(kind, value):
    """Return a number, or the numbers of a tuple, as a kind of number."""
    return tuple(_each(kind, one) for one in value) if isinstance(value, (tuple, list)) else kind(value)
