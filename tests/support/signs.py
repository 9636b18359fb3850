"""Exact laws of sign steps and exact means of their SDEs; shares no formula with the package.

SignSGD on one coordinate stays on a lattice, where its law is a recursion (O(steps^2)). Lion and Signum on a linear
loss have a Gaussian m, and signs of jointly Gaussian numbers have known means. An SDE's means come from Kolmogorov's
backward equation, by Chebyshev collocation, of whatever drift and diffusion are given.
"""

import math
from types import SimpleNamespace

import numpy as np
from numpy.polynomial import chebyshev
from scipy.linalg import expm
from scipy.special import ndtr

from ngos_sim.engines.compiling.bind import quick


def lattice(balance, theta0, eta, steps):
    """Return the places and probabilities of SignSGD after so many steps; balance(theta) = E sign(g), an array's."""
    places = theta0 + eta * np.arange(-steps, steps + 1)
    down = 0.5 * (1.0 + balance(places))
    law = np.zeros(2 * steps + 1)
    law[steps] = 1.0
    for _ in range(steps):
        moved = np.zeros_like(law)
        moved[:-1] += (law * down)[1:]
        moved[1:] += (law * (1.0 - down))[:-1]
        law = moved
    return places, law


def stationary_variance(balance, eta, reach=6.0):
    """Return the variance of SignSGD's stationary law on eta Z: a reversible birth-death chain."""
    count = int(reach / eta)
    places = eta * np.arange(-count, count + 1)
    up = 0.5 * (1.0 - balance(places))
    logs = np.concatenate([[0.0], np.cumsum(np.log(up[:-1]) - np.log(1.0 - up[1:]))])
    law = np.exp(logs - logs.max())
    return float(law @ places**2 / law.sum())


def backward(drift, diffusion, functions, start, horizon, reach, count=100):
    """Return E g(X_T) of dX = drift dt + diffusion dW for each g, drift and diffusion functions of an array."""
    x = np.cos(np.pi * np.arange(count + 1) / count)
    ends = np.where((np.arange(count + 1) % count) == 0, 2.0, 1.0) * (-1.0) ** np.arange(count + 1)
    difference = np.outer(ends, 1.0 / ends) / (x[:, None] - x + np.eye(count + 1))
    difference -= np.diag(difference.sum(axis=1))
    difference, places = difference / reach, reach * x
    generator = drift(places)[:, None] * difference
    generator += 0.5 * diffusion(places)[:, None] ** 2 * (difference @ difference)
    values = expm(horizon * generator) @ np.stack([g(places) for g in functions], axis=1)
    return chebyshev.chebval(start / reach, np.linalg.solve(chebyshev.chebvander(x, count), values))


def coefficients(sde, eta, sigma, hessian, variance, **constants):
    """Return drift and diffusion of theta as functions of an array: the SDE's own scalar functions, on a quadratic."""
    p = SimpleNamespace(h=eta, eta=eta, sigma=sigma, **constants, **sde.parameters)
    functions, c = [quick(each) for each in (sde.drift, sde.diffusion)], sde.schedule(0.0, p)

    def of(function, scale):
        def values(thetas):
            oracle = [SimpleNamespace(gradient=hessian * t, variance=variance, curvature=hessian) for t in thetas]
            rest = (0.0,) * (len(sde.slots) - 1)
            rows = [function((t, *rest), o, c, p)[0] for t, o in zip(thetas.tolist(), oracle, strict=True)]
            return scale * np.array(rows)

        return values

    return of(functions[0], 1.0), of(functions[1], math.sqrt(variance))


def sign_mean(mean, variance):
    """Return E sign(A) of a Gaussian A."""
    return 2.0 * ndtr(mean / np.sqrt(variance)) - 1.0


def sign_product(x, y, correlation, nodes=40):
    """Return E sign(A) sign(B) of unit variances and means x and y (arrays), by Price's theorem."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    total = sign_mean(x, 1.0) * sign_mean(y, 1.0)
    angle = np.arcsin(correlation)
    for point, weight in zip(points, weights, strict=True):
        t = np.sin(0.5 * angle * (point + 1.0))
        total = total + angle / math.pi * weight * np.exp(-(x * x - 2.0 * t * x * y + y * y) / (2.0 * (1.0 - t * t)))
    return total


def lion_linear(constants, slope, start, h, steps):
    """Return E theta, E theta^2, E m, E m^2, E theta m of Lion's Algorithm 2 on slope * theta; Sigma = 1, Gaussian.

    Of the raw definition: g = slope + sigma zeta, c = beta1 m + (1 - beta1) g,
    theta' = theta - eta (sign(c) + eta w0 theta), m' = beta2 m + (1 - beta2) g.
    """
    eta = math.sqrt(h)
    sigma, beta1, beta2 = constants["sigma0"] / eta, constants["beta1"], 1.0 - constants["c2"] * h
    keep = 1.0 - eta * eta * constants["w0"]
    k = np.arange(steps)
    m = slope + (start[1] - slope) * beta2 ** np.arange(steps + 1)  # E m_k

    def shared(j, n):  # Cov(m_j, m_n), j <= n
        return ((1.0 - beta2) * sigma) ** 2 * beta2 ** (n - j) * (1.0 - beta2 ** (2 * j)) / (1.0 - beta2**2)

    mean = beta1 * m[:-1] + (1.0 - beta1) * slope
    variance = beta1**2 * shared(k, k) + ((1.0 - beta1) * sigma) ** 2
    first, last = np.triu_indices(steps, 1)
    # c_last sees zeta_first through m: beta1 times its weight in m_last
    common = beta1**2 * shared(first, last)
    common += beta1 * (1.0 - beta2) * beta2 ** (last - first - 1) * (1.0 - beta1) * sigma**2
    deviation = np.sqrt(variance)
    r = mean / deviation
    weight = -eta * keep ** (steps - 1 - k)  # of sign(c_k) in theta_n
    begin = keep**steps * start[0]
    theta = begin + weight @ sign_mean(mean, variance)
    pairs = sign_product(r[first], r[last], common / (deviation[first] * deviation[last]))
    squares = np.sum(weight**2) + 2.0 * np.sum(weight[first] * weight[last] * pairs)
    theta2 = begin**2 + 2.0 * begin * (theta - begin) + squares
    with_m = beta1 * shared(k, steps) + (1.0 - beta1) * (1.0 - beta2) * beta2 ** (steps - 1 - k) * sigma**2
    peak = math.sqrt(2.0 / math.pi) * np.exp(-0.5 * r * r) / deviation
    return np.array([theta, theta2, m[-1], m[-1] ** 2 + shared(steps, steps), theta * m[-1] + weight @ (peak * with_m)])


def signum_linear(sigma, beta, slope, m0, eta, steps):
    """Return E theta and Var theta of Signum from theta = 0 on slope * theta; Sigma = 1, Gaussian."""
    k = np.arange(1, steps + 1)
    variance = ((1.0 - beta) * sigma) ** 2 * (1.0 - beta ** (2 * k)) / (1.0 - beta**2)  # of m_k
    means = sign_mean(slope + (m0 - slope) * beta**k, variance)
    first, last = np.triu_indices(steps, 1)
    r = (slope + (m0 - slope) * beta**k) / np.sqrt(variance)
    correlation = beta ** (last - first) * np.sqrt(variance[first] / variance[last])
    pairs = sign_product(r[first], r[last], correlation) - means[first] * means[last]
    return -eta * means.sum(), eta**2 * (np.sum(1.0 - means**2) + 2.0 * pairs.sum())


def linear_moments(matrix, shift, noise, start, horizon):
    """Return E x, E x^2, E y, E y^2, E x y of d(x, y) = (matrix (x, y) + shift) dt + noise dW, by the moments' ODE."""
    spread, eye = noise @ noise.T, np.eye(2)
    whole = np.zeros((7, 7))  # mean, E x x^T flattened, 1
    whole[:2, :2], whole[:2, 6] = matrix, shift
    whole[2:6, 2:6] = np.kron(matrix, eye) + np.kron(eye, matrix)
    whole[2:6, :2] = np.kron(shift[:, None], eye) + np.kron(eye, shift[:, None])
    whole[2:6, 6] = spread.ravel()
    begin = np.concatenate([start, np.outer(start, start).ravel(), [1.0]])
    x, y, xx, xy, _, yy, _ = expm(horizon * whole) @ begin
    return np.array([x, xx, y, yy, xy])
