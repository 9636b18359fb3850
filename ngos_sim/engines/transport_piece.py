"""The Gauss rule of the normal on a piece of the line, compiled: one for each state of each step.

`engines.transport_split` puts one on each piece between the places where a step jumps.
"""

import math
from typing import NamedTuple

import numpy as np

from ngos_sim.engines.compiling.bind import call
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL, keep_apart

_LEGENDRE = 24  # nodes on a piece, of which its rule is made: the normal's mass on +-6.8 to 2e-9
_SWEEPS, _SMALL = 12, 1e-30  # of Jacobi's rotations, and the mass of a piece that counts for nothing


class Piece(NamedTuple):
    """Room for the rule of a piece.

    legendre : shape (2, 24), nodes and weights on [-1, 1]
    x, mass, now, before, image : shape (24,), of Lanczos's recurrence
    square : shape (2, n, n), its Jacobi matrix, and the first components of its eigenvectors in the first row
    values, weights : shape (n,), the rule
    """

    legendre: np.ndarray
    x: np.ndarray
    mass: np.ndarray
    now: np.ndarray
    before: np.ndarray
    image: np.ndarray
    square: np.ndarray
    values: np.ndarray
    weights: np.ndarray


def room(nodes):
    """Return the Piece of a rule of so many nodes."""
    legendre = np.stack(np.polynomial.legendre.leggauss(_LEGENDRE))
    return Piece(legendre, *np.zeros((5, _LEGENDRE)), np.zeros((2, nodes, nodes)), *np.zeros((2, nodes)))


@njit(**KERNEL)
def _rotate(square):
    """Make the first of two matrices diagonal by Jacobi's rotations; the first row of the second has the vectors'."""
    matrix, vectors = square[0], square[1]
    n = len(matrix)
    for _ in range(_SWEEPS):
        off = 0.0
        for p in range(n):
            for q in range(p + 1, n):
                off = max(off, abs(matrix[p, q]))
        if off < 1e-15:
            return
        for p in range(n):
            for q in range(p + 1, n):
                if abs(matrix[p, q]) < 1e-18:
                    continue
                half = 0.5 * (matrix[q, q] - matrix[p, p]) / matrix[p, q]
                t = 1.0 / (abs(half) + math.sqrt(half * half + 1.0))
                t = t if half >= 0.0 else -t
                c = 1.0 / math.sqrt(t * t + 1.0)
                s = t * c
                for k in range(n):
                    a, b = matrix[k, p], matrix[k, q]
                    matrix[k, p], matrix[k, q] = c * a - s * b, s * a + c * b
                for k in range(n):
                    a, b = matrix[p, k], matrix[q, k]
                    matrix[p, k], matrix[q, k] = c * a - s * b, s * a + c * b
                a, b = vectors[0, p], vectors[0, q]
                vectors[0, p], vectors[0, q] = c * a - s * b, s * a + c * b


@njit(**KERNEL)
def gauss(tags, low, high, piece):
    """Write the Gauss rule of the normal between two xi, its mass that of the piece (Golub and Welsch 1969).

    Lanczos's recurrence is that of `known.quadrature.gauss_rule`, on Gauss-Legendre's nodes.
    """
    keep_apart()
    legendre, x, mass, now, before, image, square, values, weights = piece
    nodes, total, half = len(values), 0.0, 0.5 * (high - low)
    for k in range(len(x)):
        x[k] = low + half * (legendre[0, k] + 1.0)
        mass[k] = legendre[1, k] * half * call(tags.exp, -0.5 * x[k] * x[k]) / math.sqrt(2.0 * math.pi)
        total += mass[k]
    values[:] = 0.5 * (low + high)
    weights[:] = 0.0
    if not total > _SMALL:
        return
    square[:] = 0.0
    off = 0.0
    for k in range(len(x)):
        before[k], now[k] = 0.0, 1.0 / math.sqrt(total)
    for i in range(nodes):
        mean, length = 0.0, 0.0
        for k in range(len(x)):
            mean += mass[k] * x[k] * now[k] * now[k]
        for k in range(len(x)):
            image[k] = (x[k] - mean) * now[k] - off * before[k]
            length += mass[k] * image[k] * image[k]
        off = math.sqrt(length)
        square[0, i, i], square[1, i, i] = mean, 1.0
        if i + 1 < nodes:
            square[0, i, i + 1], square[0, i + 1, i] = off, off
        for k in range(len(x)):
            before[k], now[k] = now[k], image[k] / off
    _rotate(square)
    for i in range(nodes):
        values[i], weights[i] = square[0, i, i], total * square[1, 0, i] * square[1, 0, i]
