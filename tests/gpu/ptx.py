"""A PTX interpreter in NumPy: runs the code that numba-cuda generated, libdevice and contracted fmas included.

One block at a time, a NumPy vector over its lanes, lowest program counter first. Every access is checked for its
bounds; shared and local memory begin as NaN. Opcodes are added as they are met: an unknown one raises.
"""

import re
from dataclasses import dataclass, field

import numpy as np
from numba import types, vectorize
from numba.extending import intrinsic

TYPES = {
    **{f"{kind}{bits}": np.dtype(f"u{bits // 8}") for kind in "ub" for bits in (8, 16, 32, 64)},
    **{f"s{bits}": np.dtype(f"i{bits // 8}") for bits in (8, 16, 32, 64)},
    "f32": np.dtype("f4"),
    "f64": np.dtype("f8"),
    "pred": np.dtype(bool),
}
REGISTERS = {"%p": "pred", "%rs": "u16", "%r": "u32", "%rd": "u64", "%f": "f32", "%fd": "f64", "%SP": "u64"}
_SHARED, _LOCAL, _WINDOW = 1 << 60, 1 << 61, 40  # bases of the spaces; global array i begins at (i + 1) << 40
_COMPARE = {
    **dict(eq=np.equal, ne=np.not_equal, lt=np.less, le=np.less_equal, gt=np.greater, ge=np.greater_equal),
    **dict(lo=np.less, ls=np.less_equal, hi=np.greater, hs=np.greater_equal),
}


@intrinsic
def _fused(typing_context, a, b, c):
    return a(a, b, c), lambda context, builder, signature, arguments: builder.fma(*arguments)


@vectorize([types.float32(*[types.float32] * 3), types.float64(*[types.float64] * 3)])
def _fma(a, b, c):
    return _fused(a, b, c)


@dataclass
class Instruction:
    """guard: the register of its predicate or an empty string; op: its words; operands: text."""

    guard: str
    op: list[str]
    operands: list[str]


@dataclass
class Program:
    """The one entry of a module: parameters (type, name), instructions, labels, sizes of shared and local memory."""

    parameters: list[tuple[str, str]]
    code: list[Instruction]
    labels: dict[str, int]
    symbols: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


def parse(text):
    """Return the Program of PTX with one entry."""
    text = re.sub(r"//.*", "", text)
    head, parameters, body = re.search(r"^(.*)\.entry\s+\S+\((.*?)\)[^{]*\{(.*)\}", text, re.S).groups()
    program = Program(re.findall(r"\.param\s+\.(\w+)\s+(\w+)", parameters), [], {})
    for space, base, where in (("shared", _SHARED, head), ("local", _LOCAL, body)):
        size = 0
        for align, name, length in re.findall(rf"\.{space}\s+\.align\s+(\d+)\s+\.b8\s+(\w+)\[(\d+)\]", where):
            size = -(-size // int(align)) * int(align)
            program.symbols[name] = base + size
            size += int(length)
        program.sizes[space] = size
    for statement in re.findall(r"\$\w+:|[^;:]+;", body):
        statement = statement.strip().rstrip(";")
        if statement.endswith(":"):
            program.labels[statement[:-1]] = len(program.code)
        elif not statement.startswith("."):
            guard, words = re.match(r"(?:@(!?%\w+)\s+)?(.*)", statement, re.S).groups()
            op, _, rest = words.partition(" ") if " " in words else words.partition("\t")
            operands = re.findall(r"\{[^}]*\}|\[[^\]]*\]|[^,\s]+", rest)
            program.code.append(Instruction(guard or "", op.strip().split("."), operands))
    return program


def run(program, blocks, threads, arguments):
    """Run a kernel over a grid; arrays among the arguments are read and written in place."""
    with np.errstate(all="ignore"):
        for block in range(blocks):
            _Block(program, block, blocks, threads, arguments).run()


class _Block:
    def __init__(self, program, number, blocks, threads, arguments):
        self.program, self.lanes = program, np.arange(threads)
        one = np.ones(threads, np.uint32)
        self.special = {"%tid.x": self.lanes.astype(np.uint32), "%ntid.x": one * np.uint32(threads)}
        self.special |= {"%ctaid.x": one * np.uint32(number), "%nctaid.x": one * np.uint32(blocks)}
        self.registers = {}
        self.arrays = [a.reshape(-1).view(np.uint8) for a in arguments if isinstance(a, np.ndarray)]
        self.memory = {
            "shared": np.full((1, program.sizes["shared"]), 0xFF, np.uint8),
            "local": np.full((threads, program.sizes["local"]), 0xFF, np.uint8),
        }
        values, arrays = [], 0
        for argument in arguments:
            if isinstance(argument, np.ndarray):  # meminfo, parent, items, item size, data, shape, strides
                arrays += 1
                data = arrays << _WINDOW
                values += [0, 0, argument.size, argument.itemsize, data, *argument.shape, *argument.strides]
            else:
                values.append(int(argument))
        pairs = zip(program.parameters, values, strict=True)
        self.parameters = {name: np.array([v], np.uint64).view(TYPES[kind]) for (kind, name), v in pairs}

    def run(self):
        """Step the lanes with the lowest program counter until all have returned."""
        counters, alive = np.zeros(len(self.lanes), np.int64), np.ones(len(self.lanes), bool)
        waiting = np.zeros(len(self.lanes), bool)
        while alive.any():
            if waiting.any() and (waiting | ~alive).all():
                assert alive.all(), "some lanes left where others wait at a barrier"
                waiting[:] = False
            ready = alive & ~waiting
            at = counters[ready].min()
            lanes = np.flatnonzero(ready & (counters == at))
            instruction = self.program.code[at]
            counters[lanes] = at + 1
            if instruction.guard:
                lanes = lanes[self.read(instruction.guard.lstrip("!"), "pred", lanes) ^ (instruction.guard[0] == "!")]
            match instruction.op[0]:
                case "bra":
                    counters[lanes] = self.program.labels[instruction.operands[0]]
                case "ret":
                    alive[lanes] = False
                case "bar":
                    waiting[lanes] = True
                case _ if len(lanes):
                    self.execute(instruction, lanes)

    def read(self, operand, kind, lanes):
        """Return the values of an operand as a type, one a lane or one for all."""
        dtype = TYPES[kind]
        if operand in self.special:
            return self.special[operand][lanes].astype(dtype)
        if operand in self.registers:
            held = self.registers[operand][lanes]
            return held.view(dtype) if held.itemsize == dtype.itemsize else held.astype(dtype)
        if operand[:2] in ("0f", "0d"):
            return np.array([int(operand[2:], 16)], f"u{len(operand) // 2 - 1}").view(dtype)
        value = self.program.symbols[operand] if operand in self.program.symbols else int(operand)
        return np.array([value & (2 ** (8 * dtype.itemsize) - 1)], f"u{dtype.itemsize}").view(dtype)

    def write(self, register, values, lanes):
        """Put values into a register, as its own type: bits are kept, widths extended or cut."""
        if register not in self.registers:
            dtype = TYPES[REGISTERS[re.match(r"%[A-Za-z]+?(?=\d|L|$)", register)[0]]]
            self.registers[register] = np.zeros(len(self.lanes), dtype)
        target, values = self.registers[register], np.ascontiguousarray(values)
        target[lanes] = values.view(target.dtype) if values.itemsize == target.itemsize else values

    def execute(self, instruction, lanes):
        op, (first, *rest) = instruction.op, instruction.operands
        if op[0] in ("ld", "st"):
            self.access(op, instruction.operands, lanes)
        elif op[0] == "setp":
            a, b = (self.read(each, op[-1], lanes) for each in rest)
            unordered = op[1] not in _COMPARE
            found = _COMPARE[op[1][:2]](a, b) | (unordered & (np.isnan(a) | np.isnan(b)) if unordered else False)
            self.write(first, np.broadcast_to(found, lanes.shape), lanes)
        elif op[0] == "selp":
            a, b = (self.read(each, op[-1], lanes) for each in rest[:2])
            self.write(first, np.where(self.read(rest[2], "pred", lanes), a, b), lanes)
        elif op[0] in ("shl", "shr"):
            value, by = self.read(rest[0], op[-1], lanes), self.read(rest[1], "u32", lanes)
            bits = 8 * value.itemsize - 1
            shift = np.left_shift if op[0] == "shl" else np.right_shift
            cut = value * 0 if op[0] == "shl" or op[-1][0] != "s" else value >> value.dtype.type(bits)
            self.write(first, np.where(by > bits, cut, shift(value, np.minimum(by, bits).astype(value.dtype))), lanes)
        elif op[0] == "cvt":
            self.write(first, self.converted(op, rest[0], lanes), lanes)
        else:
            self.write(first, _compute(op, [self.read(each, op[-1], lanes) for each in rest]), lanes)

    def converted(self, op, operand, lanes):
        value, to = self.read(operand, op[-1], lanes), TYPES[op[-2]]
        if op[-1][0] == "f" and op[-2][0] != "f":
            value = {"rzi": np.trunc, "rni": np.rint, "rmi": np.floor, "rpi": np.ceil}[op[1]](value)
        return value.astype(to)

    def access(self, op, operands, lanes):
        """Load or store, alone or as a vector, from the space that the instruction names."""
        data, place = operands if op[0] == "ld" else operands[::-1]
        registers = re.findall(r"[^{},\s]+", data)
        name, offset = re.match(r"\[([^+\]]+)(?:\+(-?\w+))?\]", place).groups()
        if op[1] == "param":
            self.write(registers[0], np.broadcast_to(self.parameters[name].view(TYPES[op[-1]]), lanes.shape), lanes)
            return
        dtype = TYPES[op[-1]]
        address = np.broadcast_to(self.read(name, "s64", lanes), lanes.shape) + int(offset or 0)
        for index, register in enumerate(registers):
            memory, row, at = self.located(op[1], address + index * dtype.itemsize, lanes, dtype.itemsize)
            view = memory[:, : memory.shape[1] // dtype.itemsize * dtype.itemsize].view(dtype)
            if op[0] == "ld":
                self.write(register, view[row, at], lanes)
            else:
                view[row, at] = self.read(register, op[-1], lanes)

    def located(self, space, address, lanes, size):
        """Return memory, its rows and the elements of addresses; raise IndexError where they lie outside."""
        if space == "global":
            (number,) = np.unique(address >> _WINDOW)
            memory, row, offset = self.arrays[number - 1][None, :], 0, address - (int(number) << _WINDOW)
        else:
            memory, row = self.memory[space], 0 if space == "shared" else lanes
            offset = address - (_SHARED if space == "shared" else _LOCAL)
        if offset.min() < 0 or offset.max() + size > memory.shape[1] or (offset % size).any():
            raise IndexError(f"{space} access out of bounds: bytes {offset.min()} to {offset.max() + size}")
        return memory, row, offset // size


def _compute(op, values):
    """Return what an arithmetic instruction makes of its operands."""
    match op:
        case ["mov" | "cvta", *_]:
            return values[0]
        case ["fma", *_]:
            return _fma(*values)
        case ["mul", "wide", kind]:
            wide = TYPES[f"{kind[0]}{2 * int(kind[1:])}"]
            return values[0].astype(wide) * values[1].astype(wide)
        case ["mad", "lo", _]:
            return values[0] * values[1] + values[2]
        case ["rcp", "rn", _]:
            return values[0].dtype.type(1.0) / values[0]
        case [name, *modifiers] if not {"approx", "ftz", "hi", "wide", "cc"} & set(modifiers):
            return _OPERATIONS[name](*values)
    raise NotImplementedError(f"PTX {'.'.join(op)}")


_OPERATIONS = {
    **dict(add=np.add, sub=np.subtract, mul=np.multiply, div=np.divide, neg=np.negative, abs=np.abs, sqrt=np.sqrt),
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "not": np.invert,
    **dict(min=np.fmin, max=np.fmax),
}
