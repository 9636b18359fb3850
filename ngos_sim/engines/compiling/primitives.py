"""What takes the place of the primitives of `ngos_sim.arithmetic` in compiled code, on the CPU and on the GPU."""

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from ngos_sim import arithmetic
from ngos_sim.engines.compiling.matrices import matvec, row_squares, widest
from ngos_sim.engines.compiling.numba_internals import ask_for_wide_vectors

JIT: dict[str, Any] = {
    "error_model": "numpy",
    "forceinline": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}

# Without _nrt=False every array passed between kernels costs two atomic operations: .6 ns of a step at d = 1.
KERNEL: dict[str, Any] = {
    "_nrt": False,
    "error_model": "numpy",
    "cache": True,
    "nogil": True,
    "no_cfunc_wrapper": True,
}


@intrinsic
def _fma(typing_context, a, b, c):
    def codegen(context, builder, signature, arguments):
        cast = [
            context.cast(builder, value, was, signature.return_type)
            for value, was in zip(arguments, signature.args, strict=True)
        ]
        return builder.fma(*cast)

    return widest(a, b, c)(a, b, c), codegen


def _bitcast(argument, result, llvm_type):
    @intrinsic
    def cast(typing_context, value):
        if value != argument:
            return None

        def codegen(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], llvm_type)

        return result(argument), codegen

    return cast


_bits64 = _bitcast(types.float64, types.uint64, ir.IntType(64))
_bits32 = _bitcast(types.float32, types.uint32, ir.IntType(32))
_float64 = _bitcast(types.uint64, types.float64, ir.DoubleType())
_float32 = _bitcast(types.uint32, types.float32, ir.FloatType())


def _by_type(stub, choices):
    """Compile calls of `stub` into the choice for the argument's type."""

    @overload(stub, jit_options=JIT)
    def choose(value):
        cast = choices.get(value)
        if cast is not None:
            return lambda value: cast(value)
        return None

    return stub


def _bits(value):
    raise NotImplementedError  # compiled only


def _from_bits(value):
    raise NotImplementedError  # compiled only


_by_type(_bits, {types.float64: _bits64, types.float32: _bits32})
_by_type(_from_bits, {types.uint64: _float64, types.uint32: _float32})


@intrinsic
def _polynomial(typing_context, x, coefficients):
    real = widest(x, coefficients)

    def codegen(context, builder, signature, arguments):
        by = context.cast(builder, arguments[0], signature.args[0], real)
        values = [
            context.cast(builder, builder.extract_value(arguments[1], i), kind, real)
            for i, kind in enumerate(signature.args[1])
        ]
        total = values.pop()
        for value in reversed(values):
            total = builder.fma(total, by, value)
        return total

    return real(x, coefficients), codegen


@intrinsic
def _slotwise(typing_context, slopes, factor, x):
    real = widest(slopes, factor, x)
    result = types.UniTuple(real, len(x))

    def codegen(context, builder, signature, arguments):
        slopes_type, factor_type, x_type = signature.args
        by = context.cast(builder, arguments[1], factor_type, real)
        values = []
        for i in range(len(x_type)):
            slope, slot = (
                context.cast(builder, builder.extract_value(arguments[at], i), kind[i], real)
                for at, kind in ((0, slopes_type), (2, x_type))
            )
            values.append(builder.fma(slope, by, slot))
        return context.make_tuple(builder, signature.return_type, values)

    return result(slopes, factor, x), codegen


@intrinsic
def _monomials(typing_context, x, path, centred, powers):
    real = widest(x, path)
    result = types.UniTuple(real, len(powers))

    def codegen(context, builder, signature, arguments):
        x_type, path_type, centred_type, powers_type = signature.args
        y, centres = (
            [context.cast(builder, builder.extract_value(value, i), kind[i], real) for i in range(len(kind))]
            for value, kind in zip(arguments[:2], (x_type, path_type), strict=True)
        )
        y = [
            builder.fsub(slot, centres[len(each) - 1]) if len(each) else slot
            for slot, each in zip(y, centred_type, strict=True)
        ]
        found = {}  # a product by its factors: each is a shorter one times a slot

        def product(factors):
            if factors not in found:
                *shorter, last = factors
                found[factors] = builder.fmul(product(tuple(shorter)), y[last]) if shorter else y[last]
            return found[factors]

        factors = [tuple(i for i, power in enumerate(each) for _ in range(len(power))) for each in powers_type]
        return context.make_tuple(builder, signature.return_type, [product(each) for each in factors])

    return result(x, path, centred, powers), codegen


def _expectation(start, nodes, weights, function, *arguments):
    raise NotImplementedError  # compiled only


@overload(_expectation, jit_options=JIT)  # type: ignore[arg-type]
def _expectation_compiled(start, nodes, weights, function, *arguments):
    """One node after the other, without a loop: a loop would keep the lanes from vectorising."""
    if len(nodes) == 0:
        return lambda start, nodes, weights, function, *arguments: start

    def rule(start, nodes, weights, function, *arguments):
        total = _slotwise(function(nodes[0], *arguments), weights[0], start)
        return _expectation(total, nodes[1:], weights[1:], function, *arguments)

    return rule


def preconditioner_mix(u, sigma0, eps0):
    """The preconditioner inside float32; 1e-36 keeps u from being a denormal, and slow, and a negative u NaN."""
    root = math.sqrt(np.float32(u + 1e-36))
    return np.float64(np.float32(1.0) / (np.float32(sigma0) * root + np.float32(eps0)))


@intrinsic
def _product32(typing_context, a, b):
    def codegen(context, builder, signature, arguments):
        return builder.mul(*(builder.and_(each, each.type(0xFFFFFFFF)) for each in arguments))

    return types.uint64(types.uint64, types.uint64), codegen


@intrinsic
def _product32_cuda(typing_context, a, b):
    """One instruction, by name: out of masks and a 64-bit product the GPU's compiler makes two."""

    def codegen(context, builder, signature, arguments):
        word, double = ir.IntType(32), ir.IntType(64)
        words = [builder.trunc(each, word) for each in arguments]
        asm = ir.InlineAsm(ir.FunctionType(double, [word, word]), "mul.wide.u32 $0, $1, $2;", "=l,r,r")
        return builder.call(asm, words, attrs=("readnone", "nounwind"))

    return types.uint64(types.uint64, types.uint64), codegen


PRIMITIVES = {
    arithmetic.fma: _fma,
    arithmetic.bits: _bits,
    arithmetic.from_bits: _from_bits,
    arithmetic.slotwise: _slotwise,
    arithmetic.matvec: matvec,
    arithmetic.row_squares: row_squares,
    arithmetic.monomials: _monomials,
    arithmetic.expectation: _expectation,
    arithmetic.polynomial: _polynomial,
    arithmetic.product32: _product32,
}
CUDA_PRIMITIVES = {**PRIMITIVES, arithmetic.product32: _product32_cuda}


@intrinsic
def prefer_wide(typing_context):
    """Ask LLVM for 512-bit vectors in the calling function: call it wherever there is a lane loop.

    And for a stack that is aligned for them: local Adam took half as long again where its spills crossed cache lines.
    """

    def codegen(context, builder, signature, arguments):
        builder.function.attributes.alignstack = 64
        ask_for_wide_vectors(builder)
        return context.get_dummy_value()

    return types.none(), codegen


@intrinsic
def no_overlap(typing_context):
    """Tell LLVM that what the calling function's pointers lead to does not overlap: loops come without checks."""

    def codegen(context, builder, signature, arguments):
        for argument in builder.function.args:
            if argument.type.is_pointer:
                argument.add_attribute("noalias")
        return context.get_dummy_value()

    return types.none(), codegen


@intrinsic
def keep_apart(typing_context):
    """Ask LLVM not to inline the calling function: its code is then compiled once, and not again in every caller."""

    def codegen(context, builder, signature, arguments):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.none(), codegen
