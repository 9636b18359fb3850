"""E theta, E theta^2 of RMSprop and of its SDE on any loss without sampling: all paths, and Kolmogorov's equation."""

import numpy as np
from scipy.linalg import solve_banded

from tests.support import naive


def rmsprop_on_signs(gradient, variance, theta, u, h, steps, sigma0, eps0, c2):
    """Return the mean and the variance of theta and theta^2 over all 2^steps paths of Rademacher noise.

    By Definition 2.1 of arXiv 2205.10287 unscaled: eta^2 = h, sigma = sigma0 / eta, v = sigma^2 u, eps = eps0 / eta.
    """
    eta = np.sqrt(h)
    sigma = sigma0 / eta
    signs, weights = naive.two_point_paths(steps, 0.5)
    noisy = [lambda k, x: gradient(x) + sigma * np.sqrt(variance(x)) * signs[:, k]] * steps
    v = np.full(len(signs), sigma**2 * u)
    path, _ = naive.rmsprop(np.full(len(signs), theta), v, noisy, eta, 1.0 - c2 * h, eps0 / eta)
    last = path[-1]
    means = np.array([weights @ last, weights @ last**2])
    return means, np.array([weights @ last**2, weights @ last**4]) - means**2


def rmsprop_sde(gradient, theta, u, time, sigma0, eps0, c2, reach=9.0, points=1201, steps=500):
    """Return E theta and E theta^2 of the RMSprop SDE with Sigma = 1: psi_s = A psi backward, by Crank and Nicolson.

    u is a path, 1 + (u0 - 1) exp(-c2 t), so that A is in theta alone: -q f' d/dx + (sigma0 q)^2 / 2 d^2/dx^2 with
    q = 1 / (sigma0 sqrt(u) + eps0). Central differences; the ends, which no path comes near, stay. Within
    1e-6 of closed forms.
    """
    x = np.linspace(theta - reach, theta + reach, points)
    dx, dt = x[1] - x[0], time / steps
    psi, slope = np.stack([x, x * x], axis=1), gradient(x)[1:-1]
    for step in range(steps):
        middle = time - (step + 0.5) * dt
        q = 1.0 / (sigma0 * np.sqrt(1.0 + (u - 1.0) * np.exp(-c2 * middle)) + eps0)
        drift, spread = -q * slope / (2.0 * dx), 0.5 * (sigma0 * q / dx) ** 2
        below, above = spread - drift, spread + drift
        inner = psi[1:-1] + 0.5 * dt * (below[:, None] * psi[:-2] - 2.0 * spread * psi[1:-1] + above[:, None] * psi[2:])
        bands = np.zeros((3, points))
        bands[1] = 1.0
        bands[0, 2:], bands[1, 1:-1], bands[2, :-2] = -0.5 * dt * above, 1.0 + dt * spread, -0.5 * dt * below
        psi = solve_banded((1, 1), bands, np.concatenate([psi[:1], inner, psi[-1:]]))
    return psi[points // 2]
