"""Rules with few nodes for a noise law, from its atoms or from a rule with many (docs/theory.md, "Nodes")."""

import math

import numpy as np

_MANY = 32
_NEGLIGIBLE = 1e-13


def gauss_rule(values, weights, nodes):
    """Return the Gauss rule of a discrete law: exact for polynomials of degree up to 2 nodes - 1.

    Lanczos's recurrence with full reorthogonalisation gives the law's Jacobi matrix (Golub and Welsch
    1969; Gautschi 1982). It stops early where the law has no more atoms.

    Parameters
    ----------
    values, weights : ndarray, shape (n,)
    nodes : int

    Returns
    -------
    values, weights : ndarray, shape (at most nodes,)
    """
    vectors, diagonal, off = [np.sqrt(weights / weights.sum())], [], []
    for _ in range(nodes):
        image = values * vectors[-1]
        diagonal.append(vectors[-1] @ image)
        for _ in range(2):
            for vector in vectors:
                image = image - (vector @ image) * vector
        length = np.linalg.norm(image)
        if length < _NEGLIGIBLE:
            break
        off.append(length)
        vectors.append(image / length)
    size = len(diagonal)
    jacobi = np.diag(diagonal) + np.diag(off[: size - 1], 1) + np.diag(off[: size - 1], -1)
    found, eigenvectors = np.linalg.eigh(jacobi)
    weights = eigenvectors[0] ** 2
    # To the last bit of their sum: what it is off by, every step of the local estimator would add to its errors.
    largest = int(np.argmax(weights))
    weights[largest] = 1.0 - math.fsum(np.delete(weights, largest))
    return found, weights


def law_rule(noise, sigma, nodes, size=0):
    """Return the Gauss rule of a noise law with at most `nodes` nodes, filled up to `size` with weight 0."""
    values, weights = gauss_rule(*noise.rule(sigma, _MANY), nodes)
    padding = np.zeros(max(0, size - len(values)))
    return np.concatenate([values, padding]), np.concatenate([weights, padding])
