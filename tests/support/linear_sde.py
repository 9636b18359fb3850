"""Exact first and second moments of linear SDEs, by the matrix exponential."""

import numpy as np
from scipy.linalg import expm


def means(drift, noises, start, t):
    """Return E x and E x x^T at t of dx = A x dt + sum_j (B_j x + b_j) dW_j, by the matrix exponential."""
    n = len(start)
    one = np.eye(n)
    generator = np.zeros((1 + n + n * n,) * 2)
    generator[1 : 1 + n, 1 : 1 + n] = drift
    second = np.kron(drift, one) + np.kron(one, drift)
    for matrix, vector in noises:
        second += np.kron(matrix, matrix)
        column = vector[:, None]
        generator[1 + n :, 1 : 1 + n] += np.kron(matrix, column) + np.kron(column, matrix)
        generator[1 + n :, 0] += np.kron(vector, vector)
    generator[1 + n :, 1 + n :] = second
    x = np.array(start)
    found = expm(generator * t) @ np.concatenate([[1.0], x, np.kron(x, x)])
    return found[1 : 1 + n], found[1 + n :].reshape(n, n)
