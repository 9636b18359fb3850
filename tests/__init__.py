"""Tests, and what they run in processes of their own.

Numba makes millions of objects, which all live as long as the process: Python's collector looks at them again and
again, a tenth of the time of a compilation for the CPU and a fifth of one for the GPU.
"""

import gc

gc.set_threshold(100_000, 50, 100)
