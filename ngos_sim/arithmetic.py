"""The primitives that every target supplies itself; scalar functions call them by these names.

In plain Python they are the functions below. `engines.compiling.bind` puts machine instructions in their place, but for
`preconditioner` and `sign`, which it compiles as they are.
"""

import functools
import math
import operator

import numpy as np


def fma(a: float, b: float, c: float) -> float:
    """Return a*b + c, rounded once (IEEE 754 fusedMultiplyAdd); of float32, in plain Python, once more to float32.

    Parameters
    ----------
    a, b, c : float
        Floats, or numbers of NumPy's.

    Examples
    --------
    >>> fma(1.0 + 2.0**-52, 1.0 - 2.0**-52, -1.0)  # what rounding the product first would lose
    -4.930380657631324e-32
    """
    try:
        (up, down), (times, under), (plus, over) = (float(each).as_integer_ratio() for each in (a, b, c))
        exact = up * times * over + plus * down * under  # over the denominators: Python rounds their quotient once
        rounded = exact / (down * under * over) if exact else a * b + c
    except (OverflowError, ValueError):  # an operand or the result is not finite
        rounded = a * b + c
    return np.float32(rounded) if isinstance(a, np.float32) else rounded


def preconditioner(u: float, sigma0: float, eps0: float) -> float:
    """Return 1 / (sigma0 sqrt(u) + eps0), the diagonal of P^-1 in scaled variables.

    P = sigma0 diag(u)^(1/2) + eps0 I: Definition 4.1 of arXiv 2205.10287 (eps outside the root).
    Under precision "mix" the inside is float32, on the CPU and on the GPU.

    Parameters
    ----------
    u : float
        v / sigma^2, at least 0.
    sigma0, eps0 : float
        sigma eta and eps eta.

    Raises
    ------
    ValueError, ZeroDivisionError
        In plain Python: u is below 0, or all of it is 0. Compiled it is NaN or infinity, and the trajectory is lost.

    Examples
    --------
    >>> preconditioner(4.0, 0.5, 1.0)
    0.5
    """
    return 1.0 / (sigma0 * math.sqrt(u) + eps0)


def sign(x: float) -> float:
    """Return 1 above 0, -1 below, and x where it is 0 or NaN; without a branch in compiled code.

    As torch.sign and numpy.sign; of math.copysign(1.0, x), which compiles as well, 0 has a sign.

    Parameters
    ----------
    x : float

    Examples
    --------
    >>> sign(-2.5), sign(0.0)
    (-1.0, 0.0)
    """
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x


def slotwise(slopes, factor, x):
    """Return x + factor * slopes, slot by slot, each rounded once."""
    return tuple(fma(slope, factor, slot) for slope, slot in zip(slopes, x, strict=True))


def matvec(matrix, vector, start):
    """Return start + matrix @ vector, tuples; matrix holds its rows one after the other, or each as a tuple.

    A matrix at the end of a table's rows (`engines.program.Process.matrix`) is no tuple in compiled code: it is read
    from memory, entry by entry.
    """
    totals = list(start)
    if isinstance(matrix, tuple) and isinstance(matrix[0], tuple):
        matrix = [value for row in matrix for value in row]
    for i in range(len(start)):
        for j, value in enumerate(vector):
            totals[i] = fma(matrix[i * len(vector) + j], value, totals[i])
    return tuple(totals)


def row_squares(rows):
    """Return the sum of the squares of each row's numbers, from left to right, each sum rounded once."""
    totals = []
    for row in rows:
        total = 0.0
        for value in row:
            total = fma(value, value, total)
        totals.append(total)
    return tuple(totals)


def expectation(start, nodes, weights, function, *arguments):
    """Return start + sum_i weights_i function(nodes_i, *arguments), slot by slot: a quadrature rule."""
    total = start
    for node, weight in zip(nodes, weights, strict=True):
        total = slotwise(function(node, *arguments), weight, total)
    return total


def monomials(x, path, centred, powers):
    """Return products of powers of a state's slots, the factors multiplied in the slots' order.

    Compiled code knows the lengths of tuples, and not what is in them: numbers that it must know are lengths here.

    Parameters
    ----------
    x : tuple of float
        A state.
    path : tuple of float
        What is subtracted from the slots that are centred.
    centred : tuple of tuple
        One a slot: as long as the place in `path`, from 1 on, of what is subtracted from it; else empty.
    powers : tuple of tuple of tuple
        One a monomial; of each slot a tuple as long as its power.
    """
    y = [slot - path[len(each) - 1] if each else slot for slot, each in zip(x, centred, strict=True)]
    factors = ([slot for slot, power in zip(y, each, strict=True) for _ in power] for each in powers)
    return tuple(functools.reduce(operator.mul, each) for each in factors)


def polynomial(x, coefficients):
    """Return sum_i coefficients_i x^i by Horner's rule, each step rounded once; of one type all."""
    total = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = fma(total, x, coefficient)
    return total


def bits(value):
    """Return the IEEE bit pattern of a float as an unsigned integer of the same width."""
    if isinstance(value, np.float32):
        return value.view(np.uint32)
    return np.float64(value).view(np.uint64)


def from_bits(pattern):
    """Return the float whose IEEE bit pattern is the unsigned integer `pattern`."""
    if isinstance(pattern, np.uint32):
        return pattern.view(np.float32)
    return float(np.uint64(pattern).view(np.float64))


def product32(a, b):
    """Return the product of the low 32 bits of two words, all of it: 64 bits."""
    return (np.uint64(a) & np.uint64(0xFFFFFFFF)) * (np.uint64(b) & np.uint64(0xFFFFFFFF))
