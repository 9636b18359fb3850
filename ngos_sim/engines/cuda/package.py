"""The one place that imports the CUDA package: numba-cuda where it is installed, else Numba's own target.

numba-cuda puts itself in the place of `numba.cuda`, so that one import serves both. The import needs no
driver and no toolkit; a launch does.
"""

import importlib
from typing import Any

import numpy as np
from numba import config

from ngos_sim.errors import EngineUnavailable


def _imported() -> Any:
    try:
        from numba import cuda
    except ImportError:  # a Numba that has given up its own target
        return None
    return cuda


cuda = _imported()
_INSTALL = "pip install 'ngos-sim[cuda]' (CUDA 13) or 'ngos-sim[cuda12]'"


def simulated():
    """Return whether Numba's simulator stands in the place of a GPU (NUMBA_ENABLE_CUDASIM=1)."""
    return bool(config.ENABLE_CUDASIM)


def missing():
    """Return what a launch lacks here, one clause; an empty string where nothing."""
    if cuda is None:
        return f"this Numba has no CUDA target: {_INSTALL}"
    if simulated():
        return ""
    if not cuda.is_available():
        if cuda.cuda_error():
            return f"no NVIDIA driver was found: install one, then {_INSTALL}"
        return f"the CUDA toolkit's compiler was not found: {_INSTALL}"
    try:
        importlib.import_module("numba.cuda.np.arrayobj")  # what compilation imports; only numba-cuda has it
    except ModuleNotFoundError:
        return ""
    except AttributeError as error:  # of NumPy's, gone since: numba-cuda 0.30 with NumPy 2.5
        return f"numba-cuda does not work with NumPy {np.__version__} ({error}): pip install 'numpy<2.5'"
    return ""


def require():
    """Raise EngineUnavailable unless kernels can be launched."""
    clause = missing()
    if clause:
        raise EngineUnavailable(f"device='cuda': {clause}; device='cpu' needs nothing")
