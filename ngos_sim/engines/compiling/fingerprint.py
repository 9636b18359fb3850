"""What a scalar function reads from outside itself, and a hash of all that it computes with.

Its names are found in its code (`compiling.bytecode`): globals, what its closure holds, and of a module what is read of
it at once, as module.NAME or package.module.f. `compiling.bind` puts a bound value in the place of each, and keys
compiled code by the hash, so that whatever changes a result changes the key. What could change in silence is refused by
name.
"""

import builtins
import functools
import hashlib
import math
import random
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType

import numpy as np

from ngos_sim import arithmetic
from ngos_sim.engines.compiling.bytecode import names, valueless_line
from ngos_sim.engines.compiling.refusals import ALLOWED

_PLAIN = (int, float, bool, str, bytes, type(None))
_RANDOM = (random.Random, np.random.RandomState, np.random.Generator)
_COMPUTING = "abs bool divmod enumerate float getattr hasattr int isinstance len max min pow range round sum tuple zip"
_BUILTINS = [getattr(builtins, name) for name in _COMPUTING.split()]
_SHOWN = 80  # characters of a value in a message
_PACKAGE = Path(__file__).resolve().parents[2]


def _cells(function):
    """Return what the closure of a function holds, by name; what has no value yet is left out."""
    held = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            held[name] = cell.cell_contents
        except ValueError:
            continue
    return held


def reads(function):
    """Return what a function reads from outside: {(whether from a cell, name, attribute of the module, ..): value}.

    A path ends where its value is no module, or has no such attribute. Names without a value are left out.

    Raises
    ------
    TypeError
        The function draws random numbers.
    """
    spaces = {**vars(builtins), **function.__globals__}, _cells(function)
    found = {}
    for is_cell, name, *attributes in sorted(names(function.__code__).paths):
        if name not in spaces[is_cell]:
            continue
        value, path = spaces[is_cell][name], [name]
        for attribute in attributes:
            if not isinstance(value, ModuleType) or not hasattr(value, attribute):
                break
            value = getattr(value, attribute)
            path.append(attribute)
        if isinstance(getattr(value, "__self__", value), _RANDOM):
            raise TypeError(f"{_place(function)} uses {'.'.join(path)}; random numbers come to a scalar function as z")
        found[is_cell, *path] = value
    return found


def _place(function):
    """Return a function's name and where it was written."""
    code = function.__code__
    return f"{function.__qualname__} ({Path(code.co_filename).name}, line {code.co_firstlineno})"


def _code_bytes(code):
    constants = (_code_bytes(c) if isinstance(c, CodeType) else repr(c).encode() for c in code.co_consts)
    return b"|".join([code.co_code, repr(code.co_names + code.co_varnames).encode(), *constants])


def _is_allowed(value):
    """Return whether a value has one meaning by its name: functions of math and NumPy, kinds of numbers, built-ins."""
    if any(value is each for each in _BUILTINS):
        return True
    if isinstance(value, type):
        return issubclass(value, (np.generic, BaseException)) and value.__module__ in ("builtins", "numpy")
    if isinstance(value, (np.ufunc, type(np.where))):
        return getattr(np, value.__name__, None) is value
    return isinstance(value, BuiltinFunctionType) and getattr(math, value.__name__, None) is value


def _describe(owner, name, value, seen):
    """Return bytes that change when the value does; raise TypeError for what cannot be compiled."""
    if isinstance(value, FunctionType):
        return fingerprint(value, seen)
    if isinstance(value, ModuleType):
        raise TypeError(
            f"{_place(owner)} uses {name}, a module, otherwise than as {name}.NAME with a NAME that is there; {ALLOWED}"
        )
    if type(value) in _PLAIN or isinstance(value, np.generic):
        return repr((type(value).__name__, value)).encode()
    if isinstance(value, tuple):
        inner = [_describe(owner, f"{name}[{i}]", each, seen) for i, each in enumerate(value)]
        return hashlib.sha256(b"\0".join([_kind(type(value)), *inner])).digest()
    if isinstance(value, type) and issubclass(value, tuple):
        return _kind(value)
    if _is_allowed(value):
        return repr((value.__class__.__name__, value.__name__)).encode()
    if kind := _kind_of_callable(value):
        raise TypeError(
            f"{_whose(owner)}{name} is {kind}; only a plain function (def or lambda) can be "
            'compiled (device="python" takes any)'
        )
    shown = " ".join(repr(value).split())
    raise TypeError(f"{_place(owner)} uses {name}={shown[:_SHOWN]}{'..' * (len(shown) > _SHOWN)}; {ALLOWED}")


def _whose(owner):
    """Return where a user's function is written that reads something; "" for the library's own around a user's."""
    own = Path(owner.__code__.co_filename).resolve().is_relative_to(_PACKAGE)
    return "" if own else f"{_place(owner)}: "


def _kind_of_callable(value):
    """Return what a user's callable that is no plain function is, in words; "" for anything else."""
    if isinstance(value, functools.partial):
        return f"a functools.partial of {getattr(value.func, '__name__', type(value.func).__name__)}"
    if isinstance(value, MethodType):
        return f"a bound method, {value.__qualname__}"
    if isinstance(getattr(value, "py_func", None), FunctionType):
        return f"compiled by Numba already: give {value.py_func.__name__}.py_func"
    named = isinstance(value, type) or hasattr(value, "__name__")  # a class, or a function that Python or C provides
    return f"an object of class {type(value).__name__}" if callable(value) and not named else ""


def _kind(kind):
    """Return the bytes of a class of tuples."""
    return repr((kind.__name__, getattr(kind, "_fields", ()))).encode()


def fingerprint(function, seen=()):
    """Return a hash of a function's code and of all that it reads, helpers' too.

    Raises
    ------
    TypeError
        It reads what may change in silence, or what a scalar function may not use.
    """
    if function in seen:
        raise TypeError(f"{_place(function)} calls itself; scalar functions must not")
    if line := valueless_line(function.__code__):
        raise TypeError(f"{_place(function)} ends without a value at line {line}; every path must return one")
    if getattr(arithmetic, function.__name__, None) is function:  # each target has its own: `compiling.primitives`
        return function.__name__.encode()
    given = {f"default {i}": value for i, value in enumerate(function.__defaults__ or ())}
    given |= {f"default {name}": value for name, value in (function.__kwdefaults__ or {}).items()}
    found = reads(function)
    for is_cell, name, *attributes in sorted(names(function.__code__).paths):
        if attributes and isinstance(found.get((is_cell, name)), FunctionType):
            raise TypeError(f"{_place(function)} reads {name}.{attributes[0]}, an attribute of a function; {ALLOWED}")
    given |= {".".join(path): value for (_, *path), value in found.items()}
    parts = [_code_bytes(function.__code__)]
    for name, value in given.items():
        parts += [name.encode(), _describe(function, name, value, (*seen, function))]
    return hashlib.sha256(b"\0".join(parts)).digest()
