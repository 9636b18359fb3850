"""Does the stream pass a battery of tests, in each of the orders in which a study reads it?

    nice python benchmarks/battery.py [--battery small|crush|big] [--orders lanes streams ..] [--seed 1]

TestU01 (L'Ecuyer and Simard, ACM TOMS 33(4), 2007) reads the 32-bit words of Philox by ctypes. An order nests
axes, the fastest first: lanes is what a kernel reads. Two broken streams must fail. One line an order; p-values
outside [1e-4, 1 - 1e-4] are printed as they come, and that test is run again with another seed: it fails if that is
outside too, or the first outside 1e-10. An order takes 9 s of SmallCrush, half an hour of Crush (3.4e10 words).
"""

import argparse
import ctypes
import ctypes.util
import os
import sys
import time
from dataclasses import dataclass

import numpy as np
from numba import carray, cfunc, njit, types

from ngos_sim.engines import python, rng
from ngos_sim.engines.compiling.bind import bound
from ngos_sim.engines.compiling.primitives import prefer_wide

INSTALL = "TestU01 is missing: apt-get install libtestu01-0 (Debian, section non-free)"
TESTS = {"small": ("SmallCrush", 10), "crush": ("Crush", 96), "big": ("BigCrush", 106)}
SUSPECT, CLEAR = 1e-4, 1e-10
PHILOX, REVERSED, COUNTER = range(3)  # modes: the words; their low bits first; the counter, without rounds
# An axis: log2 of its size, and what a step on it adds to draw, stream, trajectory and point.
LANES, BLOCKS, REST = (7, 0, 0, 1, 0), (63, 0, 0, 128, 0), (63, 0, 0, 1, 0)
DRAWS = (13, 1, 0, 0, 0)  # 8 coordinates, 1024 steps
ORDERS = {
    "lanes": (PHILOX, LANES, DRAWS, BLOCKS),
    "lanes, low bits first": (REVERSED, LANES, DRAWS, BLOCKS),
    "one trajectory after another": (PHILOX, (20, 1, 0, 0, 0), REST),
    "one coordinate of 8 after another": (PHILOX, (17, 8, 0, 0, 0), (3, 1, 0, 0, 0), REST),
    "first draw of every trajectory": (PHILOX, (32, 0, 0, 1, 0), (63, 1, 0, 0, 0)),
    "both streams": (PHILOX, (1, 0, 1, 0, 0), LANES, DRAWS, BLOCKS),
    "256 points": (PHILOX, (8, 0, 0, 0, 1), LANES, DRAWS, BLOCKS),
    "control: lanes in pairs": (PHILOX, (1, 0, 0, 0, 0), (6, 0, 0, 1, 0), DRAWS, (63, 0, 0, 64, 0)),
    "control: no rounds": (COUNTER, LANES, DRAWS, BLOCKS),
}
WORDS, POINTS, AXES = 8192, 256, 4  # words a refill, keys, axes at most
STATE = 3 + 6 * AXES + POINTS
_PHILOX = bound(rng.philox4x32, "f64", "cpu")
_LOW, _HALF, _ONE = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(1)


class Generator(ctypes.Structure):
    """TestU01's unif01_Gen."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("state", "param", "name", "uniform", "bits", "write"))


@njit(error_model="numpy")
def _reversed(word):
    """Return 32 bits in reverse."""
    for shift, mask in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF), (16, 0x0000FFFF)):
        by, every = np.uint64(shift), np.uint64(mask)
        word = ((word >> by) & every) | ((word & every) << by)
    return word


@njit(error_model="numpy")
def _along(state, what, index):
    """Return what word number `index` adds up along the axes: what = 2 draw, 3 stream, 4 trajectory, 5 point."""
    total = np.uint64(0)
    for axis in range(AXES):
        at = 3 + 6 * axis
        total += ((index >> state[at]) & state[at + 1]) * state[at + what]
    return total


@njit(error_model="numpy")
def refill(buffer, state):
    """Write the next words of an order; state: position, next word's index, mode, axes, keys."""
    prefer_wide()
    places = np.empty((4, WORDS), dtype=np.uint64)
    for what in range(4):
        for i in range(np.uint64(WORDS)):
            places[what, i] = _along(state, what + 2, state[1] + i)
    for i in range(np.uint64(WORDS)):
        places[3, i] = state[np.uint64(3 + 6 * AXES) + places[3, i]]
    draws, streams, trajectories, keys = places
    for i in range(np.uint64(WORDS)):
        draw, trajectory, key = draws[i], trajectories[i], keys[i]
        low, high = trajectory & _LOW, trajectory >> _HALF
        block = _PHILOX(draw >> np.uint64(2), streams[i], low, high, key & _LOW, key >> _HALF)
        one = block[1] if draw & _ONE else block[0]
        other = block[3] if draw & _ONE else block[2]
        keys[i] = other if draw & np.uint64(2) else one
    for i in range(np.uint64(WORDS)):
        word = keys[i]
        if state[2] == COUNTER:
            word = (draws[i] * np.uint64(128) + trajectories[i]) & _LOW
        buffer[i] = _reversed(word) if state[2] == REVERSED else word
    state[0], state[1] = np.uint64(0), state[1] + np.uint64(WORDS)


@cfunc(types.uint64(types.voidptr, types.voidptr))
def _bits(param, state):
    numbers = carray(state, (STATE,), np.uint64)
    buffer = carray(param, (WORDS,), np.uint32)
    if numbers[0] == np.uint64(WORDS):
        refill(buffer, numbers)
    word = buffer[numbers[0]]
    numbers[0] += _ONE
    return np.uint64(word)


@cfunc(types.float64(types.voidptr, types.voidptr))
def _uniform(param, state):
    return float(_bits(param, state)) * 2.0**-32


@dataclass
class Stream:
    """The words of one order at one seed, as TestU01 reads them."""

    order: str
    seed: int

    def __post_init__(self):
        mode, *axes = ORDERS[self.order]
        keys = [rng.point_key(self.seed + i % 16, 2.0 ** -(1 + i // 16), 1.0, 2) for i in range(POINTS)]
        table, shift = np.zeros((AXES, 6), dtype=np.uint64), 0
        for axis, (size, *steps) in enumerate(axes):
            table[axis] = (shift, 2**size - 1, *steps)
            shift += size
        self.buffer = np.empty(WORDS, dtype=np.uint32)
        self.state = np.array([WORDS, 0, mode, *table.ravel().tolist(), *keys], dtype=np.uint64)
        self.name = ctypes.create_string_buffer(self.order.encode())
        self.write = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda state: None)
        self.generator = Generator(
            self.state.ctypes.data,
            self.buffer.ctypes.data,
            ctypes.addressof(self.name),
            _uniform.address,
            _bits.address,
            ctypes.cast(self.write, ctypes.c_void_p).value,
        )

    def read(self):
        """Return how many words have been read."""
        return int(self.state[1]) - (WORDS - int(self.state[0]))


def check():
    """Raise where the words are not those behind the normals of a study."""
    stream = Stream("lanes", 1)
    refill(stream.buffer, stream.state)
    words = stream.buffer.astype(np.uint64).reshape(-1, 128)
    for lane, n in ((0, 0), (5, 2), (127, 62)):
        made = rng.box_muller(words[n, lane], words[n + 1, lane])
        key = int(stream.state[-POINTS])
        assert made == tuple(python.draw(key, lane, rng.BROWNIAN, n + i) for i in (0, 1))


class Battery:
    """TestU01's batteries, a test at a time, silent."""

    def __init__(self, which):
        path = ctypes.util.find_library("testu01")
        if path is None:
            sys.exit(INSTALL)
        self.library = ctypes.CDLL(path)
        name, self.tests = TESTS[which]
        self.run = getattr(self.library, f"bbattery_Repeat{name}")
        ctypes.c_int.in_dll(self.library, "swrite_Basic").value = 0

    def test(self, stream, number):
        """Return (name, p) of each statistic of test `number`."""
        chosen = (ctypes.c_int * (1 + self.tests))()
        chosen[number] = 1
        self.run(ctypes.byref(stream.generator), chosen)
        count = ctypes.c_int.in_dll(self.library, "bbattery_NTests").value
        p = (ctypes.c_double * count).in_dll(self.library, "bbattery_pVal")
        names = (ctypes.c_char_p * count).in_dll(self.library, "bbattery_TestNames")
        return [(names[i].decode(), p[i]) for i in range(count) if p[i] >= 0.0]


def suspects(found):
    """Return what lies outside [1e-4, 1 - 1e-4]."""
    return [(name, p) for name, p in found if not SUSPECT <= p <= 1.0 - SUSPECT]


def judge(battery, order, seed, out):
    """Run a battery on an order and print one line, and one for each suspect."""
    begin, stream, found, failed = time.perf_counter(), Stream(order, seed), [], []
    for number in range(1, 1 + battery.tests):
        each = battery.test(stream, number)
        found += each
        for name, p in suspects(each):
            again = dict(battery.test(Stream(order, seed + 1000), number))
            failed += [name] if min(p, 1.0 - p) < CLEAR or suspects([(name, again[name])]) else []
            if not order.startswith("control"):
                print(f"  {order}: test {number}, {name}: p = {p:.3g}, again {again[name]:.3g}", file=out)
    words, least = stream.read(), min(min(p, 1.0 - p) for _, p in found)
    verdict = f"{len(failed)} FAILED" if failed else "passed"
    print(
        f"{order:34} {len(found):4} p-values, {len(suspects(found)):3} suspect, min(p, 1 - p) = {least:.2g};"
        f" {words / 1e9:.3g}e9 words, {words / 2**28:.3g} GiB, {time.perf_counter() - begin:.0f} s: {verdict}",
        file=out,
        flush=True,
    )


def main():
    """Print the verdict of a battery on each order."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--battery", choices=list(TESTS), default="small")
    parser.add_argument("--orders", nargs="+", choices=list(ORDERS), default=list(ORDERS))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    check()
    battery = Battery(arguments.battery)
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # TestU01 prints
    print(f"TestU01 {TESTS[arguments.battery][0]}, seed {arguments.seed}", file=out)
    for order in arguments.orders:
        judge(battery, order, arguments.seed, out)


if __name__ == "__main__":
    main()
