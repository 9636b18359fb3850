"""Products of samples that each lane has drawn for itself: what LLVM makes no vectors of, written in these.

theta and the gradient lie here lane by lane, the coordinates of one beside each other as those of a sample are, in
vectors of eight, padded with zeros: so a sample is read in whole vectors, and nothing is gathered number by number.
`transpose` turns rows of lanes into this and back. `engines.cpu.minibatch` calls all three.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ngos_sim.engines.compiling.numba_internals import data_pointer, declared

WIDTH = 8  # numbers of a vector, whatever their type: so sums have one order
_WORD = ir.IntType(64)
_CROSSINGS = (  # of two vectors: what the lower and the upper of two new ones take from them, of 16 numbers
    ((0, 8, 2, 10, 4, 12, 6, 14), (1, 9, 3, 11, 5, 13, 7, 15)),
    ((0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)),
    ((0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)),
)


class _Emitter:
    """Vectors of eight of an array's type, in the function that is being built."""

    def __init__(self, context, builder, array):
        self.builder = builder
        self.type = ir.VectorType(context.get_value_type(array.dtype), WIDTH)
        self.zero = ir.Constant(self.type, None)
        self._align = array.dtype.bitwidth // 8
        kind = ir.FunctionType(self.type, [self.type] * 3)
        self._fma = declared(builder, kind, f"llvm.fma.v{WIDTH}f{array.dtype.bitwidth}")

    def _at(self, data, *index):
        return self.builder.bitcast(self.builder.gep(data, [self.sum(*index)]), self.type.as_pointer())

    def sum(self, first, *others):
        """Return the sum of words; an int is one."""
        total = first
        for each in others:
            total = self.builder.add(total, _WORD(each) if isinstance(each, int) else each)
        return total

    def load(self, data, *index):
        return self.builder.load(self._at(data, *index), align=self._align)

    def store(self, value, data, *index):
        self.builder.store(value, self._at(data, *index), align=self._align)

    def number(self, data, index):
        """Return data[index], as a word where it is an integer."""
        value = self.builder.load(self.builder.gep(data, [index]))
        return self.builder.zext(value, _WORD) if isinstance(value.type, ir.IntType) else value

    def fma(self, *values):
        return self.builder.call(self._fma, values)

    def splat(self, value):
        """Return a vector that holds one value eight times."""
        nothing = ir.Constant(self.type, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.IntType(32)(0))
        return self.builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), None))

    def cross(self, a, b, level):
        """Return two vectors of the numbers of two."""
        masks = (ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), list(mask)) for mask in _CROSSINGS[level])
        return [self.builder.shuffle_vector(a, b, mask) for mask in masks]

    def loop(self, step, end, starts, body):
        """Emit a loop over i = 0, step, .. below end, at least once; body(i, values) -> the next values."""
        builder = self.builder
        before, inside = builder.block, builder.append_basic_block("inside")
        after = builder.append_basic_block("after")
        builder.branch(inside)
        builder.position_at_end(inside)
        i, values = builder.phi(_WORD), [builder.phi(each.type) for each in starts]
        new, following = body(i, values), builder.add(i, _WORD(step))
        for phi, first, value in zip([i, *values], [_WORD(0), *starts], [following, *new], strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(value, inside)
        builder.cbranch(builder.icmp_unsigned("<", following, end), inside, after)
        builder.position_at_end(after)
        return new


def _data(context, builder, signature, arguments):
    """Return the arguments, a pointer in the place of every array."""
    return [
        data_pointer(context, builder, kind, value) if isinstance(kind, types.Array) else value
        for kind, value in zip(signature.args, arguments, strict=True)
    ]


_word = types.uint64


@intrinsic
def transpose(typing_context, out, to, out_gap, source, at, gap, rows):
    """Write out[to + i out_gap + r] = source[at + r gap + i], i and r below 8; 0 for r from `rows` on."""

    def codegen(context, builder, signature, arguments):
        emit = _Emitter(context, builder, out)
        out_data, to, out_gap, source_data, at, gap, rows = _data(context, builder, signature, arguments)
        values = []
        for r in range(WIDTH):
            there = builder.icmp_unsigned("<", _WORD(r), rows)
            place = builder.mul(gap, builder.select(there, _WORD(r), _WORD(0)))
            values.append(builder.select(there, emit.load(source_data, at, place), emit.zero))
        for level in range(3):
            gap_of = 1 << level
            for i in (i for i in range(WIDTH) if not i & gap_of):
                values[i], values[i | gap_of] = emit.cross(values[i], values[i | gap_of], level)
        for i, value in enumerate(values):
            emit.store(value, out_data, to, builder.mul(out_gap, _WORD(i)))
        return context.get_dummy_value()

    return types.none(out, _word, _word, source, _word, _word, _word), codegen


def _margins(of_lanes):
    """Return margins(out, to, ..): x . theta of eight samples, one of each of eight lanes, or all of one lane.

    Written to out[to + i], x the row samples[first + i gap] of features and theta the `width` numbers at + i width ..,
    of one lane all at `at`. Sum number k of eight is that over j = k mod 8, j ascending, each term by fma; these are
    added in pairs, then the sums of pairs, then of these.
    """

    @intrinsic
    def margins(typing_context, out, to, features, width, samples, first, gap, theta, at):
        def codegen(context, builder, signature, arguments):
            emit = _Emitter(context, builder, out)
            out_data, to, x_data, width, drawn, first, gap, theta_data, at = _data(
                context, builder, signature, arguments
            )
            places = [emit.sum(first, builder.mul(gap, _WORD(i))) for i in range(WIDTH)]
            rows = [builder.mul(emit.number(drawn, place), width) for place in places]
            own = [builder.mul(width, _WORD(i)) for i in range(WIDTH if of_lanes else 1)]

            def body(j, totals):
                thetas = [emit.load(theta_data, at, each, j) for each in own] * (1 if of_lanes else WIDTH)
                terms = zip(rows, thetas, totals, strict=True)
                return [emit.fma(emit.load(x_data, row, j), theta, total) for row, theta, total in terms]

            sums = emit.loop(WIDTH, width, [emit.zero] * WIDTH, body)
            for level in range(3):
                sums = [builder.fadd(*emit.cross(a, b, level)) for a, b in zip(sums[::2], sums[1::2], strict=True)]
            emit.store(sums[0], out_data, to)
            return context.get_dummy_value()

        return types.none(out, _word, features, _word, samples, _word, _word, theta, _word), codegen

    return margins


margins_of_lanes, margins_of_samples = _margins(True), _margins(False)


def _combination(vectors):
    """Return combination(out, to, start, at, ..): a combination of samples, of columns that fill so many vectors.

    Of one lane: out[to + j] = factor start[at + j] + sum_i slopes[slope + i slope_gap] x_i[j], i ascending below count,
    each term by fma; x_i the columns from `column` on of row samples[first + i gap] of features.
    """

    @intrinsic
    def combination(
        typing_context,
        out,
        to,
        start,
        at,
        factor,
        features,
        width,
        column,
        samples,
        first,
        gap,
        slopes,
        slope,
        slope_gap,
        count,
    ):
        def codegen(context, builder, signature, arguments):
            emit = _Emitter(context, builder, out)
            out_data, to, start_data, at, factor, x_data, width, column, *others = _data(
                context, builder, signature, arguments
            )
            drawn, first, gap, slopes_data, slope, slope_gap, count = others
            by = emit.splat(factor)
            starts = [builder.fmul(by, emit.load(start_data, at, WIDTH * v)) for v in range(vectors)]

            def body(i, totals):
                row = builder.mul(emit.number(drawn, emit.sum(first, builder.mul(i, gap))), width)
                weight = emit.splat(emit.number(slopes_data, emit.sum(slope, builder.mul(i, slope_gap))))
                entries = (emit.load(x_data, row, column, WIDTH * v) for v in range(vectors))
                return [emit.fma(weight, entry, total) for entry, total in zip(entries, totals, strict=True)]

            for v, total in enumerate(emit.loop(1, count, starts, body)):
                emit.store(total, out_data, to, WIDTH * v)
            return context.get_dummy_value()

        given = (out, _word, start, _word, out.dtype, features, _word, _word)
        return types.none(*given, samples, _word, _word, slopes, _word, _word, _word), codegen

    return combination


combine_four, combine_one = _combination(4), _combination(1)
