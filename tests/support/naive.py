"""Definitions 2.1, 2.2 and 6.1 of arXiv 2205.10287 to the letter, in NumPy; imports nothing of the package.

Also the SDEs' exact means on linear and quadratic losses by quadrature (Definitions 4.1 and 4.4).
"""

import itertools

import numpy as np
from scipy.integrate import solve_ivp


def rmsprop(theta, v, gradients, eta, beta, eps, updated=False, weight_decay=0.0):
    """Return theta and v after each stochastic gradient function of `gradients`; decay is decoupled, as AdamW's."""
    path = []
    for k, gradient in enumerate(gradients):
        g = gradient(k, theta)
        v_next = beta * v + (1 - beta) * g * g
        theta = theta * (1 - eta * weight_decay) - eta * g / (np.sqrt(v_next if updated else v) + eps)
        v = v_next
        path.append((theta, v))
    return [np.array(each) for each in zip(*path, strict=True)]


def adam(theta, m, v, gradients, eta, beta1, beta2, eps, updated=False, weight_decay=0.0):
    """Return theta, m and v after each stochastic gradient; with v_k the step k = 0 leaves theta but for its decay."""
    path = []
    for k, gradient in enumerate(gradients):
        g = gradient(k, theta)
        m = beta1 * m + (1 - beta1) * g
        v_next = beta2 * v + (1 - beta2) * g * g
        m_hat = m / (1 - beta1 ** (k + 1))
        theta = theta * (1 - eta * weight_decay)
        if updated:
            theta = theta - eta * m_hat / (np.sqrt(v_next / (1 - beta2 ** (k + 1))) + eps)
        elif k > 0:
            theta = theta - eta * m_hat / (np.sqrt(v / (1 - beta2**k)) + eps)
        v = v_next
        path.append((theta, m, v))
    return [np.array(each) for each in zip(*path, strict=True)]


def svag_gradient(first, second, ell):
    """Return the SVAG gradient of two stochastic gradients: Definition 6.1."""
    root = np.sqrt(2 * ell**2 - 1)
    return (1 - root) / 2 * first + (1 + root) / 2 * second


def two_point_paths(n, p):
    """Return all 2^n paths of two-point noise, shape (2^n, n), and their probabilities."""
    values = (np.sqrt((1 - p) / p), -np.sqrt(p / (1 - p)))
    noise = np.array(list(itertools.product(values, repeat=n)))
    weights = np.array(list(itertools.product((p, 1 - p), repeat=n))).prod(axis=1)
    return noise, weights


def rmsprop_sde_moments(t, theta0, u0, sigma0, eps0, c2, slope=0.0, hessian=0.0, variance=1.0):
    """Return E theta_t and E theta_t^2 of the RMSprop SDE on slope * theta + hessian theta^2 / 2."""

    def field(s, y):
        mean, second = y
        u = variance + (u0 - variance) * np.exp(-c2 * s)
        speed = 1 / (sigma0 * np.sqrt(u) + eps0)
        return [
            -speed * (slope + hessian * mean),
            -2 * speed * (slope * mean + hessian * second) + sigma0**2 * variance * speed**2,
        ]

    return solve_ivp(field, (0, t), [theta0, theta0**2], rtol=1e-12, atol=1e-13).y[:, -1]


def adam_sde_moments(t0, t, theta0, m0, u0, sigma0, eps0, c1, c2, hessian, variance=1.0):
    """Return E theta_t and E theta_t^2 of the Adam SDE on hessian theta^2 / 2 from time t0."""

    def field(s, y):
        theta, m, tt, tm, mm = y
        u = variance + (u0 - variance) * np.exp(-c2 * (s - t0))
        g1, g2 = -np.expm1(-c1 * s), -np.expm1(-c2 * s)
        speed = np.sqrt(g2) / g1 / (sigma0 * np.sqrt(u) + eps0 * np.sqrt(g2))
        return [
            -speed * m,
            c1 * (hessian * theta - m),
            -2 * speed * tm,
            -speed * mm + c1 * (hessian * tt - tm),
            2 * c1 * (hessian * tm - mm) + (c1 * sigma0) ** 2 * variance,
        ]

    start = [theta0, m0, theta0**2, theta0 * m0, m0**2]
    return solve_ivp(field, (t0, t), start, rtol=1e-12, atol=1e-13).y[[0, 2], -1]


def signsgd(theta, gradients, eta):
    """Return theta after each stochastic gradient: arXiv 1802.04434, Algorithm 1; sign(0) = 0."""
    path = []
    for k, gradient in enumerate(gradients):
        theta = theta - eta * np.sign(gradient(k, theta))
        path.append(theta)
    return np.array(path)


def signum(theta, m, gradients, eta, beta):
    """Return theta and m after each stochastic gradient: arXiv 1802.04434, section 3."""
    path = []
    for k, gradient in enumerate(gradients):
        m = beta * m + (1 - beta) * gradient(k, theta)
        theta = theta - eta * np.sign(m)
        path.append((theta, m))
    return [np.array(each) for each in zip(*path, strict=True)]


def lion(theta, m, gradients, eta, beta1, beta2, decay):
    """Return theta and m after each stochastic gradient: arXiv 2302.06675, Algorithm 2; optax.lion is this."""
    path = []
    for k, gradient in enumerate(gradients):
        g = gradient(k, theta)
        update = beta1 * m + (1 - beta1) * g
        theta, m = theta - eta * (np.sign(update) + decay * theta), beta2 * m + (1 - beta2) * g
        path.append((theta, m))
    return [np.array(each) for each in zip(*path, strict=True)]
