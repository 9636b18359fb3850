"""The product of a matrix with rows of 128 lanes, at the rate of a BLAS.

A tile of the result stays in vector registers while the loop runs over the matrix's columns. LLVM makes no such
tiles of loops over lanes, so that this one is written in vectors.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ngos_sim.engines.compiling.numba_internals import data_pointer, declared, njit
from ngos_sim.engines.compiling.primitives import KERNEL, keep_apart, prefer_wide
from ngos_sim.engines.program import BLOCK

_L = np.uint64(BLOCK)
_VECTOR = 64  # bytes of a vector; a machine with narrower ones takes two for each
_VECTORS = 2  # a tile is so wide: 128 bytes of lanes
_WIDTH = _VECTORS * _VECTOR
_WORD = ir.IntType(64)


def _tile(rows, onto=False):
    """Return tile(out, to, matrix, first, gap, columns, x, at, stride): `rows` rows of a product, two vectors of lanes.

    out[to + r 128 + lane] = sum_j matrix[first + r gap + j] x[at + j stride + lane], j ascending, each term by fma;
    onto : whether these are added to what is there.
    """

    @intrinsic
    def tile(typing_context, out, to, matrix, first, gap, columns, x, at, stride):
        lanes = _VECTOR // (out.dtype.bitwidth // 8)

        def codegen(context, builder, signature, arguments):
            real = context.get_value_type(out.dtype)
            vector = ir.VectorType(real, lanes)
            out_data, matrix_data, x_data = (
                data_pointer(context, builder, signature.args[i], arguments[i]) for i in (0, 2, 6)
            )
            _, to, _, first, gap, columns, _, at, stride = arguments
            kind = ir.FunctionType(vector, [vector] * 3)
            fma = declared(builder, kind, f"llvm.fma.v{lanes}f{out.dtype.bitwidth}")

            def pointer(data, index):
                return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())

            starts = [ir.Constant(vector, None)] * (rows * _VECTORS)
            if onto:
                places = (builder.add(to, _WORD(r * BLOCK + v * lanes)) for r in range(rows) for v in range(_VECTORS))
                size = out.dtype.bitwidth // 8
                starts = [builder.load(pointer(out_data, place), align=size) for place in places]
            before, loop = builder.block, builder.append_basic_block("columns")
            after = builder.append_basic_block("store")
            builder.branch(loop)
            builder.position_at_end(loop)
            j = builder.phi(_WORD)
            totals = [[builder.phi(vector) for _ in range(_VECTORS)] for _ in range(rows)]
            row = builder.add(at, builder.mul(j, stride))
            entries = [
                builder.load(pointer(x_data, builder.add(row, _WORD(v * lanes))), align=out.dtype.bitwidth // 8)
                for v in range(_VECTORS)
            ]
            new = []
            for r, total in enumerate(totals):
                place = builder.add(builder.add(first, j), builder.mul(gap, _WORD(r)))
                factor = _splat(builder, builder.load(builder.gep(matrix_data, [place])), vector)
                new.append([builder.call(fma, [factor, e, t]) for e, t in zip(entries, total, strict=True)])
            following = builder.add(j, _WORD(1))
            for phi, start, value in [(j, _WORD(0), following), *_pairs(totals, starts, new)]:
                phi.add_incoming(start, before)
                phi.add_incoming(value, loop)
            builder.cbranch(builder.icmp_unsigned("<", following, columns), loop, after)
            builder.position_at_end(after)
            for r, total in enumerate(new):
                for v, value in enumerate(total):
                    place = builder.add(to, _WORD(r * BLOCK + v * lanes))
                    builder.store(value, pointer(out_data, place), align=out.dtype.bitwidth // 8)
            return context.get_dummy_value()

        word = types.uint64
        return types.none(out, word, matrix, word, word, word, x, word, word), codegen

    return tile


def _splat(builder, value, vector):
    """Return a vector that holds one value in every lane."""
    nothing = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.IntType(32)(0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None))


def _pairs(totals, starts, new):
    """Return (phi, its start, its next value) of every total."""
    flat = ([each for row in rows for each in row] for rows in (totals, new))
    return [(phi, start, value) for (phi, value), start in zip(zip(*flat, strict=True), starts, strict=True)]


_eight, _four, _one = _tile(8), _tile(4), _tile(1)
_eight_onto, _four_onto, _one_onto = (_tile(rows, onto=True) for rows in (8, 4, 1))


@njit(**KERNEL)
def rectangle(library, out, to, matrix, first, gap, rows, columns, x, at, stride):
    """Write `rows` rows of matrix @ x to out from `to`; row r of the matrix begins at first + r gap."""
    keep_apart()
    prefer_wide()
    for lane in range(np.uint64(0), _L, np.uint64(_WIDTH // out.itemsize)):
        i = np.uint64(0)
        while i + np.uint64(8) <= rows:
            _eight(out, to + i * _L + lane, matrix, first + i * gap, gap, columns, x, at + lane, stride)
            i += np.uint64(8)
        if i + np.uint64(4) <= rows:
            _four(out, to + i * _L + lane, matrix, first + i * gap, gap, columns, x, at + lane, stride)
            i += np.uint64(4)
        while i < rows:
            _one(out, to + i * _L + lane, matrix, first + i * gap, gap, columns, x, at + lane, stride)
            i += np.uint64(1)


@njit(**KERNEL)
def add_rectangle(library, out, to, matrix, first, gap, rows, columns, x, at, stride):
    """Add what `rectangle` writes to what is there: each sum goes on, term by term."""
    keep_apart()
    prefer_wide()
    for lane in range(np.uint64(0), _L, np.uint64(_WIDTH // out.itemsize)):
        i = np.uint64(0)
        while i + np.uint64(8) <= rows:
            _eight_onto(out, to + i * _L + lane, matrix, first + i * gap, gap, columns, x, at + lane, stride)
            i += np.uint64(8)
        if i + np.uint64(4) <= rows:
            _four_onto(out, to + i * _L + lane, matrix, first + i * gap, gap, columns, x, at + lane, stride)
            i += np.uint64(4)
        while i < rows:
            _one_onto(out, to + i * _L + lane, matrix, first + i * gap, gap, columns, x, at + lane, stride)
            i += np.uint64(1)


@njit(**KERNEL)
def product(library, out, matrix, x, at, stride, d):
    """Write the d rows of matrix @ x to out; row j of x begins at `at` + j stride."""
    rectangle(library, out, np.uint64(0), matrix, np.uint64(0), d, d, d, x, at, stride)
