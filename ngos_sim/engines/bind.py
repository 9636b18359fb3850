"""A plain scalar function -> what the kernels of a target can call, inlined, at a precision.

A lane loop takes the function as a Tag: an empty value whose Numba type carries a hash of the function's
code, constants, helpers, globals and closure (recursively) and of the package's own files. So Numba's
disk cache hits when nothing changed and misses when anything did. A GPU kernel is made around its
functions (`bound`): numba-cuda compiles the same copies for the GPU, primitives included. The Python engine
calls plain copies (`plain`). In every copy exp, log, tanh, sin and cos are `engines.elementary`'s, not math's.
"""

import builtins
import dis
import functools
import hashlib
import math
import types as python_types
from pathlib import Path
from typing import Any

import numpy as np
from numba import types
from numba.extending import NativeValue, models, overload, register_model, unbox

from ngos_sim import arithmetic
from ngos_sim.engines import elementary
from ngos_sim.engines.numba_internals import njit
from ngos_sim.engines.primitives import CUDA_PRIMITIVES, JIT, PRIMITIVES, preconditioner_mix
from ngos_sim.engines.refusals import ALLOWED

TARGETS: dict[str, tuple[dict, dict]] = {  # options of njit for the outermost, and what stands for the primitives
    "cpu": (JIT, PRIMITIVES),
    "cuda": (JIT, CUDA_PRIMITIVES),
    "python": ({"error_model": "numpy"}, PRIMITIVES),  # the CPU's, called from plain Python: simulated kernels
}
_ARITHMETIC = {f: f for f in vars(arithmetic).values() if isinstance(f, python_types.FunctionType)}
_ELEMENTARY = {  # what stands for math's
    precision: {getattr(math, name): getattr(elementary, name + ending) for name in elementary.NAMES}
    for precision, ending in (("mix", ""), ("f64", ""), ("f32", "32"))
}
_PLAIN = (int, float, bool, str, bytes, type(None), np.generic)


def _cells(function):
    return dict(zip(function.__code__.co_freevars, (c.cell_contents for c in function.__closure__ or ()), strict=True))


@functools.cache
def _names(code):
    """Return the global names that a code object or a function inside it uses."""
    own = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    inner = (constant for constant in code.co_consts if isinstance(constant, python_types.CodeType))
    return own.union(*(_names(code) for code in inner))


def _globals(function):
    """Return what a function reads from outside, by name: globals, not attributes of modules."""
    names = _names(function.__code__)
    return {name: function.__globals__[name] for name in sorted(names) if name in function.__globals__}


def _code_bytes(code):
    constants = (_code_bytes(c) if isinstance(c, python_types.CodeType) else repr(c).encode() for c in code.co_consts)
    return b"|".join([code.co_code, repr(code.co_names + code.co_varnames).encode(), *constants])


def _describe(owner, name, value, seen):
    """Return bytes that change when the value does; raise TypeError for what cannot be compiled."""
    if isinstance(value, python_types.FunctionType):
        return _fingerprint(value, seen)
    if isinstance(value, python_types.ModuleType):
        if value.__name__.partition(".")[0] == __name__.partition(".")[0]:
            raise TypeError(
                f"{owner} uses {name}, the module {value.__name__}; import the function itself: "
                f"from {value.__name__} import fma, preconditioner"
            )
        return value.__name__.encode()
    if isinstance(value, (tuple, *_PLAIN)):
        return repr(value).encode()
    if isinstance(value, type) and issubclass(value, tuple):
        return repr((value.__name__, value._fields)).encode()
    if getattr(builtins, getattr(value, "__name__", ""), None) is value or isinstance(value, (type, np.ufunc)):
        return repr(value).encode()
    if isinstance(value, python_types.BuiltinFunctionType):
        return repr((value.__module__, value.__name__)).encode()
    raise TypeError(f"{owner} uses {name}={value!r}; {ALLOWED}")


def _fingerprint(function, seen=()):
    if function in seen:
        raise TypeError(f"{function.__qualname__} calls itself; scalar functions must not")
    parts = [_code_bytes(function.__code__), repr(function.__defaults__).encode()]
    for name, value in {**_globals(function), **_cells(function)}.items():
        parts += [name.encode(), _describe(function.__qualname__, name, value, (*seen, function))]
    return hashlib.sha256(b"\0".join(parts)).digest()


@functools.cache
def _library():
    """Return a hash of every file that kernels are made of."""
    root = Path(__file__).parents[1]
    files = [root / "arithmetic.py"]
    for room in ("oracles", "processes", "engines"):
        files += sorted((root / room).glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).digest()


def _at_precision(value, precision):
    """Return a constant as scalar functions see it: under f32 floats are float32, in tuples too."""
    if precision != "f32":
        return value
    if isinstance(value, float):  # np.float64 is one
        return np.float32(value)
    if type(value) is tuple:
        return tuple(_at_precision(each, precision) for each in value)
    return value


def _twin(function, precision, memo, primitives, options=JIT):
    """Return the njit twin of a plain function, or without options a plain one: helpers bound, primitives put in."""
    if function in primitives:
        return primitives[function]
    if function is arithmetic.preconditioner and precision == "mix":
        return memo.setdefault(function, njit(**options)(preconditioner_mix))
    if function in memo:
        return memo[function]

    def bound(value):
        if value is math:
            return memo[math] if math in memo else _math(memo, bound)
        if isinstance(value, python_types.BuiltinFunctionType):
            value = _ELEMENTARY[precision].get(value, value)
        if isinstance(value, python_types.FunctionType):
            return _twin(value, precision, memo, primitives, options and JIT)
        return _at_precision(value, precision)

    code, cells = function.__code__, [python_types.CellType() for _ in function.__code__.co_freevars]
    if precision == "f32":
        code = code.replace(co_consts=_at_precision(code.co_consts, precision))
    outside = {"__builtins__": builtins} if options else dict(function.__globals__)  # all of them: for a debugger
    defaults = _at_precision(function.__defaults__, precision)
    copy = python_types.FunctionType(code, outside, function.__name__, defaults, tuple(cells))
    copy.__module__ = __name__  # a cached kernel imports it: a module of the user's might not be there
    copy.__kwdefaults__ = function.__kwdefaults__
    memo[function] = njit(**options)(copy) if options else copy  # before its helpers: a plain one may call itself
    outside.update({name: bound(value) for name, value in _globals(function).items()})
    for cell, value in zip(cells, _cells(function).values(), strict=True):
        cell.cell_contents = bound(value)
    return memo[function]


def _math(memo, bound):
    """Return the module math, its functions and constants bound; Numba resolves the attributes of any module."""
    memo[math] = python_types.ModuleType("math")
    vars(memo[math]).update({name: bound(value) for name, value in vars(math).items()})
    return memo[math]


def plain(function):
    """Return a plain function as the Python engine calls it: what `bound` compiles, in float64, uncompiled."""
    return _twin(function, "f64", {}, _ARITHMETIC, None)


class TagType(types.Type):
    """Numba type of a Tag: one type a function, precision and sizes."""

    def __init__(self, digest, sizes):
        self.digest, self.sizes = digest, dict(sizes)
        super().__init__(name=f"ngos_sim_{digest}_{'_'.join(str(n) for _, n in sizes)}")

    @property
    def key(self):
        return self.digest, tuple(self.sizes.items())


class Tag:
    """A bound function as a kernel argument; see `bind`."""

    def __init__(self, digest, sizes):
        self._numba_type_ = TagType(digest, sizes)


register_model(TagType)(models.OpaqueModel)


@unbox(TagType)
def _unbox_tag(tag_type, value, context):
    return NativeValue(context.context.get_dummy_value())


_BOUND: dict[tuple[str, str], Any] = {}


def digest(function, precision):
    """Return a hash of what a function computes at a precision; raise TypeError for what may not be in one."""
    return hashlib.sha256(_library() + precision.encode() + _fingerprint(function)).hexdigest()[:24]


def bound(function, precision, target):
    """Return the compiled twin of a plain scalar function.

    Parameters
    ----------
    function : plain scalar function
    precision : "mix", "f64" or "f32"
    target : "cpu", "cuda" or "python"
        Who calls it: compiled code, where it is inlined, or plain Python.

    Raises
    ------
    TypeError
        The function uses something that a scalar function may not.
    """
    key = digest(function, precision), target
    if key not in _BOUND:
        options, primitives = TARGETS[target]
        _BOUND[key] = _twin(function, precision, {}, primitives, options)
    return _BOUND[key]


def bind(function, precision, **sizes):
    """Return the Tag by which a lane loop calls a plain scalar function at a precision.

    Parameters
    ----------
    function : plain scalar function
    precision : "mix", "f64" or "f32"
    **sizes : int
        Lengths of the tuples that kernels build for it, by name: compiled in.

    Raises
    ------
    TypeError
        The function uses something that a scalar function may not.
    """
    bound(function, precision, "cpu")
    return Tag(digest(function, precision), tuple(sizes.items()))


def call(tag, *arguments):
    """Call the function behind a tag; inside kernels only."""
    raise NotImplementedError


@overload(call, strict=False, jit_options=JIT)  # type: ignore[arg-type]
def _call(tag, *arguments):
    if not isinstance(tag, TagType):
        return None
    function = _BOUND[tag.digest, "cpu"]
    return lambda tag, *arguments: function(*arguments)
