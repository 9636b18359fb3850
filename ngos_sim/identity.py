"""What an object is: losses, laws, processes and studies are equal, hash and travel by what they compute.

A built-in travels, and is written in study.json, as its constructor and the arguments that it was given (its Recipe);
what a user makes as its fields, functions by module and name. Constructors of built-ins are decorated with `built_in`;
the classes of what they make derive from Value.
"""

import copyreg
import functools
import inspect
import pickle
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import CodeType, FunctionType, ModuleType
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ngos_sim.errors import StudyWarning
from ngos_sim.validation import described, keep, known_keywords

_P = ParamSpec("_P")
_T = TypeVar("_T")
_MADE: dict = {}  # by constructor and arguments, what recipes have made;
_MOST = 256  # of them
_BY_VALUE = ("cloudpickle", "dill")  # packages whose picklers write a function itself where it has no name


@dataclass(frozen=True)
class Recipe:
    """A built-in's constructor and the arguments that it was given, by name; those of its defaults are left out."""

    constructor: Callable
    arguments: Mapping[str, Any]

    def made(self):
        """Return what the constructor makes of the arguments, once: tasks bring the same recipe again and again."""
        key = self.constructor, repr(self.arguments)
        if key not in _MADE:
            if len(_MADE) >= _MOST:
                _MADE.clear()
            _MADE[key] = self.constructor(**self.arguments)
        return _MADE[key]


def built_in(constructor: Callable[_P, _T]) -> Callable[_P, _T]:
    """Decorate a built-in's constructor: what it makes keeps its Recipe."""
    signature = inspect.signature(constructor)
    checked = constructor if hasattr(constructor, "__wrapped__") else known_keywords()(constructor)  # it has its hints
    others = next((name for name, each in signature.parameters.items() if each.kind is each.VAR_KEYWORD), "")

    @functools.wraps(constructor)
    def remembering(*args, **named):
        made = checked(*args, **named)
        given = signature.bind(*args, **named).arguments
        given |= given.pop(others, {})
        keep(made, recipe=Recipe(remembering, {name: _kept(value) for name, value in given.items()}))
        return made

    return remembering


def _kept(value):
    """Return a value that nobody changes afterwards: a list, which its owner may write to, as a tuple."""
    if isinstance(value, np.ndarray):
        return _kept(value.tolist())
    return tuple(map(_kept, value)) if isinstance(value, (list, tuple)) else value


class Value:
    """Something that never changes: a frozen dataclass that is equal, hashes and is pickled by what it computes.

    Fields with compare=False do not count. Functions are equal where their code and all that it reads are.

    Attributes
    ----------
    recipe : Recipe or None
        How a built-in was made.
    """

    recipe = None

    def __eq__(self, other):
        if self is other:
            return True
        return meaning(self) == meaning(other) if type(self) is type(other) else NotImplemented

    def __hash__(self):
        return hash(meaning(self))

    def __copy__(self):
        """Return a copy to be changed: it is no longer what the recipe makes."""
        other = object.__new__(type(self))
        vars(other).update(_state(self), recipe=None)
        return other

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        if self.recipe is not None:
            check_travels(described(self), self.recipe.arguments)
            return Recipe.made, (self.recipe,)
        state = _state(self)
        check_travels(described(self), state)
        return copyreg.__newobj__, (type(self),), state


class Remade(Value):
    """A Value that is pickled as the arguments of its constructor, out of which it makes all the rest again."""

    def __reduce__(self):
        check_travels(described(self), self.given())
        return remade, (type(self), self.given())

    def given(self):
        """Return the arguments of the constructor, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.init}


def remade(kind, given):
    """Return what a constructor makes of these arguments, of which it has warned before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StudyWarning)
        return kind(**given)


def _state(instance):
    """Return what an instance holds, without what it computes again when it is asked."""
    kind = type(instance)
    cached = functools.cached_property
    return {name: each for name, each in vars(instance).items() if not isinstance(getattr(kind, name, None), cached)}


def check_travels(owner, parts):
    """Raise PicklingError for a function that cannot be found again by its module and name.

    Picklers that write such a function itself, as cloudpickle does, take it.

    Parameters
    ----------
    owner : str
        What messages call the thing that is pickled.
    parts : mapping of str to object
        What it holds, by name.
    """
    for role, value in parts.items():
        for function in _functions(value):
            if _found(function) is not function and not _is_written_by_value():
                kind = "a lambda" if function.__name__ == "<lambda>" else f"{function.__qualname__}, a function"
                raise pickle.PicklingError(
                    f"{owner} cannot be pickled: {role} is {kind} in {function.__module__} that no import finds by "
                    "name; write it with def at the top of a module, or pickle with cloudpickle, as dask does"
                )


def _functions(value):
    """Yield the plain functions in a value and in what it holds; a Value within it speaks for itself."""
    if isinstance(value, FunctionType):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _functions(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _functions(each)


def _found(function):
    """Return what stands where a function says that it stands, or None."""
    found = sys.modules.get(function.__module__ or "")
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found


def _is_written_by_value():
    """Return whether the pickler at work is one that writes functions themselves: it is called by its package."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in _BY_VALUE:
            return True
        frame = frame.f_back
    return False


def meaning(value, within=()):
    """Return something hashable that is equal for two values that compute the same.

    Lists, tuples and arrays of equal numbers are equal, and functions whose code, constants, defaults and all that
    they read are; `within` are the functions that led here.
    """
    if isinstance(value, FunctionType):
        return _of_function(value, within)
    if isinstance(value, functools.partial):
        return "partial", *(meaning(each, within) for each in (value.func, value.args, value.keywords))
    if isinstance(value, Value):
        held = ((each.name, meaning(getattr(value, each.name), within)) for each in fields(value) if each.compare)
        return type(value), *held
    if isinstance(value, np.ndarray):
        return meaning(value.tolist(), within)
    if isinstance(value, (list, tuple)):
        return tuple(meaning(each, within) for each in value)
    if isinstance(value, Mapping):
        return frozenset((name, meaning(each, within)) for name, each in value.items())
    if isinstance(value, ModuleType):
        return value.__name__
    return value if getattr(value, "__hash__", None) else (type(value), repr(value))


def _of_function(function, within):
    if function in within:
        return function.__qualname__
    held = (function.__defaults__, function.__kwdefaults__ or {}, _read(function))
    return _of_code(function.__code__), *(meaning(each, (*within, function)) for each in held)


def _read(function):
    """Return what a function and those within it read from outside, by name."""
    codes = [function.__code__]
    for code in codes:  # which grows
        codes += [each for each in code.co_consts if isinstance(each, CodeType)]
    names = {name for code in codes for name in code.co_names if name in function.__globals__}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: function.__globals__[name] for name in names} | {name: _content(cell) for name, cell in cells}


def _content(cell):
    """Return what a closure's cell holds; None where it is empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _of_code(code):
    """Return what a piece of code does, wherever it stands in a file."""
    constants = tuple(_of_code(each) if isinstance(each, CodeType) else (type(each), each) for each in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants
