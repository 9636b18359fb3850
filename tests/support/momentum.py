"""SGD, heavy ball and Nesterov on a quadratic loss in the clock t = k eta: a user's functions, and exact errors.

The exact errors come from recursions of means and covariances in NumPy and from a matrix exponential; they share no
code with the package. The equations are those of theory.md section 3 (Li, Tai and E 2017, arXiv 1511.06251).
"""

import math

import numpy as np
from scipy.linalg import expm

import ngos_sim as ns

HESSIAN, VARIANCE, SIGMA, MU, THETA0, V0, HORIZON = 1.3, 0.7, 0.9, 0.9, 1.5, 0.3, 2.0
KINDS = ("sgd", "heavy ball", "nesterov")


def sgd(x, o, z, c, p):
    return (x[0] - p.h * (o.gradient + p.sigma * z),)


def heavy_ball(x, o, z, c, p):
    theta, v = x
    v = v - p.eta * (p.mu * v + o.gradient + p.sigma * z)
    return theta + p.eta * v, v


def nesterov(x, o, z, c, p):
    theta, v = x
    ahead = o.gradient + o.curvature * p.eta * (1.0 - p.eta * p.mu) * v
    v = v - p.h * (p.mu * v + ahead + p.sigma * z)
    return theta + p.h * v, v


def sgd_drift(x, o, c, p):
    return (-(o.gradient + p.second * 0.5 * p.h * o.hessian_gradient),)


def sgd_diffusion(x, o, c, p):
    return (-p.sigma * math.sqrt(p.h),)


def momentum_drift(x, o, c, p):
    theta, v = x
    pull, half = p.mu * v + o.gradient, p.second * 0.5 * p.h
    return v - half * pull, -pull - half * (p.mu * pull - p.ahead * o.curvature * v)


def momentum_diffusion(x, o, c, p):
    return 0.0, -p.sigma * math.sqrt(p.h)


def study(kind, order, **changes):
    """Return the coupled study of an optimizer against its SDE of order 1 or 2."""
    second = float(order == 2)
    if kind == "sgd":
        slots, constants, step = ("theta",), dict(sigma=SIGMA), sgd
        sde = ns.SDE("sde", sgd_drift, sgd_diffusion, slots, second=second)
    else:
        slots, constants = ("theta", "v"), dict(sigma=SIGMA, mu=MU)
        step, ahead = (heavy_ball, 1.0) if kind == "heavy ball" else (nesterov, -1.0)
        sde = ns.SDE("sde", momentum_drift, momentum_diffusion, slots, second=second, ahead=ahead)
    settings = dict(
        sde=sde,
        initial=dict(zip(slots, (THETA0, V0), strict=False)),
        horizon=HORIZON,
        times=[HORIZON],
        test_functions=["theta[0]", "theta[0]^2", *["v[0]", "theta[0]*v[0]", "v[0]^2"] * (kind != "sgd")],
        estimator="coupled",
    )
    optimizer = ns.Optimizer(kind, step, slots, clock="eta", **constants)
    oracle = ns.NGOS(ns.quadratic(HESSIAN), covariance=VARIANCE)
    return ns.ConvergenceStudy(oracle, optimizer, **(settings | changes))


def exact_errors(kind, order, eta):
    """Return {test function: E g(chain) - E g(SDE)} at the horizon."""
    matrix, kick, drift = _sgd(order, eta) if kind == "sgd" else _momentum(kind, order, eta)
    start = np.array([THETA0, V0])[: len(kick)]
    mean, spread = start, np.zeros((len(kick), len(kick)))
    for _ in range(round(HORIZON / eta)):
        mean, spread = matrix @ mean, matrix @ spread @ matrix.T + SIGMA**2 * VARIANCE * np.outer(kick, kick)
    power = np.zeros_like(drift)
    power[-1, -1] = eta * SIGMA**2 * VARIANCE  # of the last slot, which the noise drives
    both = expm(HORIZON * np.block([[drift, power], [np.zeros_like(drift), -drift.T]]))  # Van Loan (1978)
    flow, n = both[: len(kick), : len(kick)], len(kick)
    chain, law = _moments(mean, spread), _moments(flow @ start, both[:n, n:] @ flow.T)
    return {name: chain[name] - law[name] for name in chain}


def _sgd(order, eta):
    rate = HESSIAN * (1.0 + (0.5 * eta * HESSIAN if order == 2 else 0.0))
    return np.array([[1.0 - eta * HESSIAN]]), np.array([-eta]), np.array([[-rate]])


def _momentum(kind, order, eta):
    """Return matrix and kick of one step of (theta, v), and the matrix of the SDE's drift."""
    keep, sign = 1.0 - eta * MU, 1.0 if kind == "heavy ball" else -1.0
    where = eta * keep if kind == "nesterov" else 0.0  # how far ahead along v the gradient is taken
    v = np.array([-eta * HESSIAN, keep - eta * HESSIAN * where])
    drift = np.array([[0.0, 1.0], [-HESSIAN, -MU]])
    if order == 2:
        more = [[-HESSIAN, -MU], [-MU * HESSIAN, sign * HESSIAN - MU**2]]
        drift = drift + 0.5 * eta * np.array(more)
    return np.array([[1.0, 0.0] + eta * v, v]), np.array([-eta * eta, -eta]), drift


def _moments(mean, spread):
    found = {"theta[0]": mean[0], "theta[0]^2": mean[0] ** 2 + spread[0, 0]}
    if len(mean) == 2:
        found |= {
            "v[0]": mean[1],
            "theta[0]*v[0]": mean[0] * mean[1] + spread[0, 1],
            "v[0]^2": mean[1] ** 2 + spread[1, 1],
        }
    return found
