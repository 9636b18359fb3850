"""Where the CPU's kernels find a process's numbers: one row of `layout` a process.

Where its state begins, its slots, its stride, where its numbers begin (loss, variance, noise, parameters: in
constants; table: in table), and its table's columns and rows a step: one for all coordinates, or one a coordinate.
"""

AT, SLOTS, STRIDE, LOSS, VARIANCE, NOISE, PARAMETERS, TABLE, COLUMNS, ROWS = range(10)
