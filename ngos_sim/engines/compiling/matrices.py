"""Matrices that are tuples, in compiled code: what stands for `arithmetic.matvec` and `arithmetic.row_squares`."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _leaves(kind):
    """Return the types of what is in a tuple, and in tuples in it; of anything else its own."""
    return [leaf for each in kind for leaf in _leaves(each)] if isinstance(kind, types.BaseTuple) else [kind]


def widest(*arguments):
    """Return float32 where every argument, tuples' elements included, is one, else float64."""
    kinds = {kind for each in arguments for kind in _leaves(each)}
    return types.float32 if kinds == {types.float32} else types.float64


def _entry(context, builder, kind, value, real):
    """Return at(i), entry i of a matrix: a tuple, a tuple of rows, or what a pointer leads to."""
    if isinstance(kind, types.BaseTuple):
        columns = len(kind[0]) if isinstance(kind[0], types.BaseTuple) else 0
        place = (lambda i: divmod(i, columns)) if columns else (lambda i: i)
        leaves = _leaves(kind)
        return lambda i: context.cast(builder, builder.extract_value(value, place(i)), leaves[i], real)

    def at(i):
        loaded = builder.load(builder.gep(value, [ir.Constant(ir.IntType(64), i)]))
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))  # no store of a lane changes it
        return context.cast(builder, loaded, kind.dtype, real)

    return at


@intrinsic
def matvec(typing_context, matrix, vector, start):
    real = widest(matrix if isinstance(matrix, types.BaseTuple) else matrix.dtype, vector, start)
    result = types.UniTuple(real, len(start))

    def codegen(context, builder, signature, arguments):
        entry = _entry(context, builder, signature.args[0], arguments[0], real)
        by, totals = (
            [context.cast(builder, builder.extract_value(value, i), kind[i], real) for i in range(len(kind))]
            for value, kind in zip(arguments[1:], signature.args[1:], strict=True)
        )
        for i in range(len(totals)):
            for j in range(len(by)):
                totals[i] = builder.fma(entry(i * len(by) + j), by[j], totals[i])
        return context.make_tuple(builder, signature.return_type, totals)

    return result(matrix, vector, start), codegen


@intrinsic
def row_squares(typing_context, rows):
    real = widest(rows)
    result = types.UniTuple(real, len(rows))

    def codegen(context, builder, signature, arguments):
        entry, totals = _entry(context, builder, signature.args[0], arguments[0], real), []
        for i in range(len(rows)):
            total = ir.Constant(context.get_value_type(real), 0.0)
            for j in range(len(rows[0])):
                value = entry(i * len(rows[0]) + j)
                total = builder.fma(value, value, total)
            totals.append(total)
        return context.make_tuple(builder, signature.return_type, totals)

    return result(rows), codegen
