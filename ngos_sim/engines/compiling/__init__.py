"""From a plain function to compiled code: binding, primitives, and Numba's private parts."""
