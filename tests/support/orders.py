"""The order of samples in NumPy: least squares over every order (docs/theory.md, "The order of samples").

Imports nothing of the package. An order is a row of indices of samples; a minibatch is `batch` of them in a row.
"""

import itertools

import numpy as np


def every_order(n):
    """Return all n! orders of n samples, shape (n!, n)."""
    return np.array(list(itertools.permutations(range(n))))


def gradients(features, targets, theta):
    """Return the gradient of every sample of least squares, shape (n, d)."""
    return (features @ theta - targets)[:, None] * features


def end_points(features, targets, theta, eta, orders, batch=1, beta=0.0):
    """Return theta after the samples of each order, (orders, d): m' = beta m + (1 - beta) g, theta' = theta - eta m'.

    SGD is beta = 0; m starts at 0.
    """
    theta = np.tile(np.asarray(theta, dtype=float), (len(orders), 1))
    m = np.zeros_like(theta)
    for first in range(0, orders.shape[1], batch):
        chosen = orders[:, first : first + batch]
        x, y = features[chosen], targets[chosen]
        residual = np.einsum("obd,od->ob", x, theta) - y
        m = beta * m + (1.0 - beta) * np.einsum("ob,obd->od", residual, x) / batch
        theta = theta - eta * m
    return theta


def variance(points):
    """Return the variance of equally likely points, summed over coordinates."""
    return float(points.var(axis=0).sum())


def of_commutators(features, targets, theta):
    """Return K of the variance K eta^4 of SGD after an epoch: sum |c_ij|^2 / 24 + sum_i |sum_j c_ij|^2 / 12."""
    g = gradients(features, targets, theta)
    ahead = np.einsum("jd,je,ie->ijd", features, features, g)  # H_j g_i
    c = ahead - ahead.transpose(1, 0, 2)
    return float((c**2).sum() / 24.0 + (c.sum(axis=1) ** 2).sum() / 12.0)


def of_weights(weights, features, targets, theta):
    """Return the variance of sum_t w_t g_t of one epoch's minibatch gradients: N^2 / (n - 1) Var(w) tr S."""
    g = gradients(features, targets, theta)
    return len(weights) ** 2 / (len(g) - 1.0) * np.var(weights) * variance(g)
