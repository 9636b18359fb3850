"""Numba's private parts, all that the engines use: its disk cache, its calling convention, its arrays, its target.

A new Numba may move any of them: pyproject.toml has an upper bound, and tests/engines/compiling/test_numba_internals.py
names what moved. Elsewhere only `numba`, `numba.extending`, `numba.types` and `llvmlite.ir` are imported.
"""

import contextlib
import functools
import gc
import hashlib
import pickle
import re
import warnings

import numba
from llvmlite import binding
from numba import config, types
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.cgutils import get_or_insert_function, if_unlikely
from numba.core.registry import cpu_target
from numba.np.arrayobj import make_array

_FMA = """
    declare double @llvm.fma.f64(double, double, double)
    define double @probe(double %a, double %b, double %c) {
        %d = call double @llvm.fma.f64(double %a, double %b, double %c)
        ret double %d
    }
"""


@functools.cache
def _say(message):
    """Warn once a process: a filter can silence it, and the command line makes one line of it."""
    warnings.warn(message, UserWarning, stacklevel=3)


class _Entries(IndexDataCacheFile):
    """Numba's cache of one function; an entry holds its key and a checksum, and is nothing if either is wrong.

    Processes that write an index at once can give two keys one file: another function's code, or another processor's.
    """

    def save(self, key, data):
        entry = self._dump((key, data))
        super().save(key, (hashlib.sha256(entry).digest(), entry))

    def load(self, key):
        found = super().load(key)
        if found is None:
            return None
        checksum, entry = found
        if checksum != hashlib.sha256(entry).digest():
            raise ValueError("a damaged entry")
        owner, data = pickle.loads(entry)
        if owner != key:
            raise ValueError("another key's entry")
        return data


class _Cache(FunctionCache):
    """Numba's cache, for which no state of the disk is an error: what cannot be read is compiled."""

    def __init__(self, function):
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file = _Entries(self.cache_path, self._impl.filename_base, stamp)

    def load_overload(self, sig, target_context):
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # pickle raises anything on what is damaged
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except Exception as error:  # an OSError; or pickle's, of an index that could not be flushed
            _say(f"compiled kernels cannot be kept in {self.cache_path}: {getattr(error, 'strerror', None) or error}")


def njit(*, cache=False, **options):
    """Return Numba's njit(**options) with a disk cache that may fail: without one every process compiles anew."""

    def compiled(function):
        dispatcher = numba.njit(**options)(function)
        if cache and not config.DISABLE_JIT:
            try:
                dispatcher._cache = _Cache(function)
            except (RuntimeError, OSError):  # Numba has found no directory for it
                _say(
                    "compiled kernels cannot be kept: neither the package's directory nor the user's cache can be "
                    "written to, so that every process compiles for seconds; NUMBA_CACHE_DIR may name another"
                )
        return dispatcher

    return compiled


@contextlib.contextmanager
def without_collection():
    """Keep Python's collector of cyclic garbage from running meanwhile: a tenth of compilation's time goes to it."""
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()


def address(kernel, signature):
    """Return the address of what a dispatcher compiles for a tuple of types, to be called by `call_address`."""
    kernel.compile(signature)
    compiled = kernel.overloads[signature]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)


def call_address(context, builder, address, kinds, values):
    """Emit a call of what `address` returned, which returns nothing; an error in it is passed on."""
    convention = context.call_conv
    callee = builder.inttoptr(address, convention.get_function_type(types.none, kinds).as_pointer())
    status, _ = convention.call_function(builder, callee, types.none, kinds, values)
    with if_unlikely(builder, status.is_error):
        convention.return_status_propagate(builder, status)


def data_pointer(context, builder, array, value):
    """Return the pointer to the first element of a value of Numba's type `array`."""
    return make_array(array)(context, builder, value).data


def declared(builder, kind, name):
    """Return the function of an LLVM type and name, declared in the module where it is not."""
    return get_or_insert_function(builder.module, kind, name)


def ask_for_wide_vectors(builder):
    """Ask for 512-bit vectors in the function: llvmlite knows no attributes of LLVM's that are strings."""
    with contextlib.suppress(TypeError):  # a speed hint: without it the kernel is right, and narrower
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')


def without_fma(name, features, triple):
    """Return whether code for a processor calls a function for a fused multiply-add."""
    machine = binding.Target.from_triple(triple).create_target_machine(cpu=name, features=features)
    return bool(re.search(r"\bfma\b", machine.emit_assembly(binding.parse_assembly(_FMA))))


@functools.cache
def warn_without_fma():
    """Warn, once, where the processor that Numba compiles for has no fused multiply-add."""
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    if without_fma(name, features, triple):
        _say(
            f"Numba compiles for {name}, which has no fused multiply-add: the kernels call a function for each, "
            "and may take thousands of times as long (NUMBA_CPU_NAME and NUMBA_CPU_FEATURES choose the processor)"
        )
