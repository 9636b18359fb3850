"""Exact laws of linear SDEs and recursions by matrix exponentials and powers: no code of the package."""

import numpy as np
import scipy.linalg


def law(A, b, power, mean, t):
    """Return mean and covariance after a time t of ds = (A s + b) dt + B dW from a point, power = B B^T.

    Van Loan 1978: expm [[-A, power], [0, A^T]] t holds the covariance; the constant b is one more slot.
    """
    n = len(mean)
    joint = scipy.linalg.expm(t * np.block([[A, b[:, None]], [np.zeros((1, n + 1))]]))
    block = scipy.linalg.expm(t * np.block([[-A, power], [np.zeros((n, n)), A.T]]))
    return joint[:n, :n] @ mean + joint[:n, n], block[n:, n:].T @ block[:n, n:]


def recursion(M, o, power, mean, steps):
    """Return mean and covariance of s' = M s + o + K z after so many steps, power = K Sigma K^T."""
    covariance = np.zeros_like(power)
    for _ in range(steps):
        mean, covariance = M @ mean + o, M @ covariance @ M.T + power
    return mean, covariance


def random_matrices(d, seed=0):
    """Return a symmetric Hessian and a correlated covariance of d coordinates in random bases."""
    generator = np.random.default_rng(seed)
    made = []
    for values in (np.linspace(0.4, 2.0, d), np.linspace(0.5, 1.5, d)):
        q = np.linalg.qr(generator.standard_normal((d, d)))[0]
        made.append(q @ np.diag(values) @ q.T)
    return tuple(0.5 * (each + each.T) for each in made)
