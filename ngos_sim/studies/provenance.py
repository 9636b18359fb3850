"""What a result was made with: versions, the commit of a checkout, the processor and what BLAS takes it for."""

import ctypes
import functools
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

import ngos_sim

_PACKAGES = ("numpy", "scipy", "numba", "llvmlite")
_ROOT = Path(__file__).parents[2]
_CORES = ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename", "openblas_get_corename")


@functools.cache
def machine():
    """Return versions, commit and processor as a dict that json can write; null for what cannot be told."""
    return {
        "versions": {"ngos-sim": ngos_sim.__version__, **{name: _version(name) for name in _PACKAGES}},
        "commit": _commit(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "processor": {"model": _model(), "numpy_features": _features(), "blas": _blas(), "blas_core": _blas_core()},
    }


def _version(name):
    """Return a package's version; None where its metadata are not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit():
    """Return the commit of the checkout that the package lies in, with "-dirty" where files differ; or None."""
    if not (_ROOT / ".git").exists():
        return None
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10.0, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _model():
    """Return the processor's name as Linux has it."""
    for line in _lines("/proc/cpuinfo"):
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or None


def _features():
    """Return the instruction sets that NumPy found beyond its baseline; it chooses its loops by them."""
    return np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found")


def _blas():
    """Return name and version of NumPy's BLAS."""
    built = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    return f"{built.get('name')} {built.get('version')}" if built else None


def _blas_core():
    """Return the processor that NumPy's OpenBLAS has chosen its kernels for; None with another BLAS."""
    paths = {line.split()[-1] for line in _lines("/proc/self/maps") if "openblas" in line}
    for path in sorted(paths, key=lambda path: "numpy" not in path):  # SciPy has one of its own
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        for name in _CORES:
            if hasattr(library, name):
                core = getattr(library, name)
                core.restype = ctypes.c_char_p
                return core().decode()
    return None


def _lines(path):
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
