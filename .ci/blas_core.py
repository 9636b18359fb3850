"""Print the processor whose kernels NumPy's OpenBLAS has chosen, as OPENBLAS_CORETYPE names it; nothing if unknown."""

import ctypes
from pathlib import Path

import numpy as np

for library in (Path(np.__file__).parents[1] / "numpy.libs").glob("*openblas*"):
    name = getattr(ctypes.CDLL(str(library)), "scipy_openblas_get_corename64_", None)
    if name is not None:
        name.restype = ctypes.c_char_p
        print(name().decode())
