"""Where the CPU's kernels find what belongs to a process: one row of `layout` a process.

Where its state begins, its slots, its stride, where its numbers begin (loss, variance, noise, parameters: in
constants; table: in table), and its table's columns and rows a step: one for all coordinates, or one a coordinate.
Then the addresses of the loops of `engines.cpu.lanes` for it: its step, its noise law, its step at nodes, its gradient
where H grad f is needed; 0 for one that is not called.
"""

import numpy as np

AT, SLOTS, STRIDE, LOSS, VARIANCE, NOISE, PARAMETERS, TABLE, COLUMNS, ROWS, ROW, LAW, NODES, SLOPE = range(14)
_LINE = 64  # bytes of a cache line


def aligned(length, kind):
    """Return an array of zeros that begins at a cache line: vectors across two lines take twice as long."""
    size = length * np.dtype(kind).itemsize
    room = np.zeros(size + _LINE, np.uint8)
    begin = -room.ctypes.data % _LINE
    return room[begin : begin + size].view(kind)
