"""numba-cuda hands NVVM a device function once for every way that leads to it: once this is imported, once.

Of three or four copies NVVM keeps one, but parses, verifies and links them all: a tenth of a compilation.
"""

from numba.cuda import codegen


def _modules(library):
    """Return the modules of a function and of all that it calls, each once."""
    found = [library._module, *(module for each in library._linking_libraries for module in each.modules)]
    return list(dict.fromkeys(found))


codegen.CUDACodeLibrary.modules = property(_modules)
