"""Orthonormal Hermite polynomials and their Gauss rule, for laws held by their moments about a Gaussian."""

import functools
from typing import NamedTuple

import numpy as np

from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import JIT
from ngos_sim.oracles.noises import gauss_hermite


class Hermite(NamedTuple):
    """A Gauss-Hermite rule of n nodes.

    nodes, weights : shape (n,)
    to_nodes : (n, n), psi_a(x_j) w_j: the weights of the nodes are moments @ to_nodes
    roots : (n + 1,), of 0 .. n
    far : where a point beyond is held: a tenth beyond the outermost node, 6 at least unless n = 1
    """

    nodes: np.ndarray
    weights: np.ndarray
    to_nodes: np.ndarray
    roots: np.ndarray
    far: float


def values(x, n):
    """Return psi_a(x), a < n, orthonormal under N(0, 1), shape (n, len(x)).

    Examples
    --------
    >>> values([0.0, 1.0], 2).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    x = np.asarray(x, dtype=np.float64)
    found = np.ones((n, len(x)))
    for a in range(1, n):
        before = found[a - 2] if a > 1 else 0.0
        found[a] = (x * found[a - 1] - np.sqrt(a - 1.0) * before) / np.sqrt(a)
    return found


@functools.cache
def hermite(n, reach=6.0):
    """Return the Hermite of n nodes, points beyond `reach` or the outermost node held there."""
    nodes, weights = gauss_hermite(n)
    far = max(1.1 * float(nodes[-1]), reach)
    return Hermite(nodes, weights, values(nodes, n) * weights, np.sqrt(np.arange(n + 1.0)), far)


@njit(**JIT)
def fill(out, at, x, rule):
    """Write psi_a(x), x held at `far`, to out[at], out[at + 1], .., one a polynomial."""
    x = min(max(x, -rule.far), rule.far)
    out[at] = 1.0
    if len(rule.nodes) > 1:
        out[at + 1] = x
    for a in range(2, len(rule.nodes)):
        out[at + a] = (x * out[at + a - 1] - rule.roots[a - 1] * out[at + a - 2]) / rule.roots[a]
