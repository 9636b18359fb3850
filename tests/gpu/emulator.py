"""A block emulator: runs a kernel's plain Python body, one lane at a time to its next barrier, and finds races.

Between two barriers every access to shared memory and to written global arrays is logged: what one lane wrote
and another touched is a race, whatever the order. It finds divergent barriers, accesses out of bounds and
negative indices as well; shared and local memory begin as NaN. Needs greenlet.
"""

import random
from types import SimpleNamespace

import numpy as np
from numba.np.numpy_support import as_dtype

ORDERS = ("forward", "reverse", "shuffle")


class Race(Exception):
    """Two lanes touched an element between two barriers, and one of them wrote it."""


class Divergence(Exception):
    """Some lanes wait at a barrier that others never reach."""


class Checked:
    """An array that the lanes of a block only read: its indices are checked, fast, as most of the emulator's time is.

    An index of fewer axes than it has is a Row, whose elements are checked and logged in their turn.
    """

    def __init__(self, array, name, block):
        self.array, self.name, self.block = array, name, block
        self.shape, self.axes = array.shape, array.ndim

    def place(self, index):
        place = tuple(map(int, index)) if isinstance(index, tuple) else (int(index),)
        for i, n in zip(place, self.shape, strict=False):
            if not 0 <= i < n:
                raise IndexError(f"{self.name}{list(place)} is out of bounds {self.shape}, lane {self.block.lane}")
        return place

    def __getitem__(self, index):
        place = self.place(index)
        return self.array[place] if len(place) == self.axes else Row(self, place)


class Watched(Checked):
    """An array that they write as well, with a log of who touched what."""

    def __init__(self, array, name, block):
        super().__init__(array, name, block)
        self.written, self.read = {}, {}

    def __getitem__(self, index):
        place = self.place(index)
        if len(place) < self.axes:
            return Row(self, place)
        lane = self.block.lane
        if self.written.get(place, lane) != lane:
            raise Race(f"{self.name}{list(place)}: lane {lane} reads what lane {self.written[place]} wrote")
        self.read.setdefault(place, set()).add(lane)
        return self.array[place]

    def __setitem__(self, index, value):
        place, lane = self.place(index), self.block.lane
        touched = {self.written.get(place, lane), *self.read.get(place, ())} - {lane}
        if touched:
            raise Race(f"{self.name}{list(place)}: lane {lane} writes what lane {touched.pop()} touched")
        self.written[place] = lane
        self.array[place] = value

    def barrier(self):
        self.written.clear()
        self.read.clear()


class Row:
    """The rest of an array behind its first indices."""

    def __init__(self, parent, first):
        self.parent, self.first, self.shape = parent, first, parent.shape[len(first) :]

    def __getitem__(self, index):
        return self.parent[(*self.first, *(index if isinstance(index, tuple) else (index,)))]

    def __setitem__(self, index, value):
        self.parent[(*self.first, *(index if isinstance(index, tuple) else (index,)))] = value


def _empty(shape, kind):
    return np.full(shape, np.nan, dtype=as_dtype(kind))


class Block:
    """One block of threads; it stands for the module `cuda` inside the kernel."""

    def __init__(self, number, threads):
        self.threads, self.blockIdx = threads, SimpleNamespace(x=number)
        self.lane, self._shared, self._asked = 0, [], {}
        self.local = SimpleNamespace(array=_empty)
        self.const = SimpleNamespace(array_like=np.asarray)
        self.shared = SimpleNamespace(array=self._shared_array)
        self.watched = []

    @property
    def threadIdx(self):
        return SimpleNamespace(x=self.lane)

    def syncthreads(self):
        from greenlet import greenlet

        greenlet.getcurrent().parent.switch("barrier")

    def _shared_array(self, shape, kind):
        index = self._asked[self.lane] = self._asked.get(self.lane, -1) + 1
        if index == len(self._shared):
            self._shared.append(Watched(_empty(shape, kind), f"shared{index}", self))
            self.watched.append(self._shared[-1])
        return self._shared[index]

    def run(self, kernel, arguments, order, seed):
        """Run every lane to its next barrier, again and again, until all have returned."""
        from greenlet import greenlet

        lanes = {lane: greenlet(kernel) for lane in range(self.threads)}
        generator, first = random.Random(seed), True
        while lanes:
            turns = list(lanes)
            if order == "reverse":
                turns.reverse()
            elif order == "shuffle":
                generator.shuffle(turns)
            for self.lane in turns:
                lanes[self.lane].switch(*(arguments if first else ()))
            first = False
            left = {lane: one for lane, one in lanes.items() if not one.dead}
            if left and len(left) < len(lanes):
                raise Divergence(f"{len(lanes) - len(left)} lanes left where {len(left)} wait at a barrier")
            lanes = left
            for each in self.watched:
                each.barrier()


def launch(module, kernel, blocks, threads, inputs, outputs, order="forward", seed=0):
    """Run a kernel made in `module`, whose name `cuda` is replaced meanwhile; outputs are written in place."""
    original = module.cuda
    try:
        for number in range(blocks):
            module.cuda = block = Block(number, threads)
            read = [Checked(a, f"input{i}", block) if isinstance(a, np.ndarray) else a for i, a in enumerate(inputs)]
            written = [Watched(a, f"output{i}", block) for i, a in enumerate(outputs)]
            block.watched += written
            block.run(kernel, (*read, *written), order, seed)
    finally:
        module.cuda = original
