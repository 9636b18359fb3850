"""The one place that imports the CUDA package: numba-cuda where it is installed, else Numba's own target.

numba-cuda puts itself in the place of `numba.cuda`, so that one import serves both. The import needs no
driver and no toolkit; a launch does.
"""

from typing import Any

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
    if simulated() or cuda.is_available():
        return ""
    if cuda.cuda_error():
        return f"no NVIDIA driver was found: install one, then {_INSTALL}"
    return f"the CUDA toolkit's compiler was not found: {_INSTALL}"


def require():
    """Raise EngineUnavailable unless kernels can be launched."""
    clause = missing()
    if clause:
        raise EngineUnavailable(f"device='cuda': {clause}; device='cpu' needs nothing")
