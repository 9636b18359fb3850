"""A plain scalar function -> what the kernels of a target can call, inlined, at a precision.

A lane loop takes the function as a Tag: an empty value whose Numba type carries a hash of all that the function
computes with (`compiling.fingerprint`) and of the package's own files. So Numba's disk cache hits when nothing changed
and misses when anything did. A GPU kernel is made around its
functions (`bound`): numba-cuda compiles the same copies for the GPU, primitives included. The Python engine
calls plain copies (`plain`). In every copy exp, log, tanh, erf, sin and cos are `compiling.elementary`'s, not math's.
"""

import builtins
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
from ngos_sim.engines.compiling import elementary
from ngos_sim.engines.compiling.fingerprint import fingerprint, reads
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import CUDA_PRIMITIVES, JIT, PRIMITIVES, preconditioner_mix

TARGETS: dict[str, tuple[dict, dict]] = {  # options of njit for the outermost, and what stands for the primitives
    "cpu": (JIT, PRIMITIVES),
    "cuda": (JIT, CUDA_PRIMITIVES),
    # the CPU's, called from plain Python: simulated kernels
    "python": ({"error_model": "numpy", "no_cfunc_wrapper": True}, PRIMITIVES),
}
_ARITHMETIC = {f: f for f in vars(arithmetic).values() if isinstance(f, python_types.FunctionType)}
_ELEMENTARY = {  # what stands for math's and NumPy's
    precision: {
        getattr(of, name): getattr(elementary, name + ending)
        for of in (math, np)
        for name in elementary.NAMES
        if hasattr(of, name)  # NumPy has no erf
    }
    for precision, ending in (("mix", ""), ("f64", ""), ("f32", "32"))
}
_RAISING = ("sqrt", "cosh", "sinh", "tan", "exp2", "expm1", "log1p", "log2", "log10", "hypot", "fmod")
_RENAMED = {"acos": "arccos", "asin": "arcsin", "acosh": "arccosh", "atanh": "arctanh", "pow": "power"}  # by NumPy


def _of_double(function):
    """Return the function whose value is an np.float64, which divides by 0."""
    return lambda *given: np.float64(function(*given))


_ELEMENTARY["unraising"] = {what: _of_double(function) for what, function in _ELEMENTARY["f64"].items()} | {
    getattr(math, name): getattr(np, other)
    for name, other in {**{name: name for name in _RAISING}, **_RENAMED}.items()
    if hasattr(math, name)  # exp2 from Python 3.11 on
}


@functools.cache
def library():
    """Return a hash of every file that kernels are made of."""
    root = Path(__file__).parents[2]
    files = [root / "arithmetic.py"]
    for room in ("oracles", "processes", "engines"):
        files += sorted((root / room).rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).digest()


def _at_precision(value, precision):
    """Return a constant as scalar functions see it: under f32 floats are float32, in tuples too."""
    if precision != "f32":
        return value
    if isinstance(value, float):  # np.float64 is one
        return np.float32(value)
    if type(value) is tuple:
        return tuple(_at_precision(each, precision) for each in value)
    if isinstance(value, python_types.CodeType):  # a function inside a function
        return value.replace(co_consts=_at_precision(value.co_consts, precision))
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
        if isinstance(value, (python_types.BuiltinFunctionType, np.ufunc)):
            value = _ELEMENTARY[precision].get(value, value)
        if isinstance(value, python_types.FunctionType):
            return _twin(value, precision, memo, primitives, options and JIT)
        return _at_precision(value, precision)

    code, cells = function.__code__, [python_types.CellType() for _ in function.__code__.co_freevars]
    if precision == "f32":
        code = _at_precision(code, precision)
    outside = {"__builtins__": builtins} if options else dict(function.__globals__)  # all of them: for a debugger
    defaults, named = function.__defaults__, function.__kwdefaults__
    copy = python_types.FunctionType(
        code, outside, function.__name__, defaults and tuple(map(bound, defaults)), tuple(cells)
    )
    copy.__module__ = __name__  # a cached kernel imports it: a module of the user's might not be there
    copy.__kwdefaults__ = named and {name: bound(value) for name, value in named.items()}
    memo[function] = njit(**options)(copy) if options else copy  # before its helpers: a plain one may call itself
    found, held = _rebuilt(reads(function), bound)
    outside.update(found)
    for cell, name in zip(cells, code.co_freevars, strict=True):
        if name in held:
            cell.cell_contents = held[name]
    return memo[function]


def _rebuilt(read, bound):
    """Return the globals and the cells of a copy, by name: what `reads` found, bound; of a module a stand-in's."""
    spaces: tuple[dict, dict] = ({}, {})
    stand_ins: dict = {}
    for (is_cell, *modules, name), value in read.items():
        space = spaces[is_cell]
        for at, module in enumerate(modules):
            path = (is_cell, *modules[: at + 1])
            if path not in stand_ins:
                stand_ins[path] = space[module] = python_types.ModuleType(module)
                vars(space[module]).update(vars(read[path]) if path in read else {})  # Python's own engine takes any
            space = vars(stand_ins[path])
        space[name] = bound(value)
    return spaces


def plain(function):
    """Return a plain function as the Python engine calls it: what `bound` compiles, in float64, uncompiled."""
    return _twin(function, "f64", {}, _ARITHMETIC, None)


def unraising(function):
    """Return the copy of `plain` that of np.float64 makes NaN or infinity where Python raises: sqrt(-1), 1 / 0."""
    primitives = {each: each for each in _ARITHMETIC if each is not arithmetic.preconditioner}
    return _twin(function, "unraising", {}, primitives | {arithmetic.fma: _of_double(arithmetic.fma)}, None)


def _rounded_twice(a, b, c):
    return a * b + c


def quick(function):
    """Return a plain function without its exact fma, which takes Python longest: for what needs no last bit."""
    primitives = {arithmetic.fma: _rounded_twice, arithmetic.preconditioner: arithmetic.preconditioner}
    return _twin(function, "f64", {}, primitives, None)


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
_ELEMENTARY_TWINS: dict[tuple[str, str], dict] = {}  # of precision and target: one serves every function that calls it


def digest(function, precision):
    """Return a hash of what a function computes at a precision; raise TypeError for what may not be in one."""
    return hashlib.sha256(library() + precision.encode() + fingerprint(function)).hexdigest()[:24]


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
        (options, primitives), shared = TARGETS[target], _ELEMENTARY_TWINS.setdefault((precision, target), {})
        memo = dict(shared)  # a copy at once: other threads bind too
        memo.pop(function, None)  # it may have other options
        _BOUND[key] = _twin(function, precision, memo, primitives, options)
        shared |= {each: memo[each] for each in memo if each.__module__ == elementary.__name__ and each is not function}
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
