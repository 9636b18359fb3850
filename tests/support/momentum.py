"""SGD, heavy ball and Nesterov on a quadratic loss in the clock t = k eta: studies of them, and exact errors.

The exact errors come from recursions of means and covariances in NumPy and from a matrix exponential; they share no
code with the package. The equations are Li, Tai and E's (2017, arXiv 1511.06251;
docs/theory.md, "SGD and momentum").
"""

import numpy as np
from scipy.linalg import expm

import ngos_sim as ns

HESSIAN, VARIANCE, SIGMA, MU, THETA0, V0, HORIZON = 1.3, 2.8, 0.5, 0.9, 1.5, 0.3, 2.0
KINDS = ("sgd", "heavy-ball", "nesterov")
MADE = {
    "sgd": (ns.sgd(SIGMA), ns.sgd_sde),
    "heavy-ball": (ns.heavy_ball(SIGMA, MU), ns.heavy_ball_sde),
    "nesterov": (ns.nesterov(SIGMA, MU), ns.nesterov_sde),
}
CONSTANTS = {  # of theta and theta^2: error / h^order for h to 0
    ("sgd", 1): (-0.18828, -0.04195),
    ("sgd", 2): (-0.16318, 0.31171),
    ("heavy-ball", 1): (-0.61570,),
    ("heavy-ball", 2): (-0.70546,),
    ("nesterov", 1): (0.17079,),
    ("nesterov", 2): (-0.77090,),
}


def study(kind, *orders, **changes):
    """Return the coupled study of an optimizer against its SDEs of these orders."""
    optimizer, sde = MADE[kind]
    settings = dict(
        sde=[sde(order) for order in orders],
        initial=dict(zip(optimizer.slots, (THETA0, V0), strict=False)),
        horizon=HORIZON,
        times=[HORIZON],
        test_functions=functions(kind),
        estimator="coupled",
    )
    given = dict(oracle=ns.NGOS(ns.quadratic(HESSIAN), covariance=VARIANCE), optimizer=optimizer)
    return ns.ConvergenceStudy(**(given | settings | changes))


def functions(kind):
    """Return the test functions of the exact errors."""
    return ["theta[0]", "theta[0]^2", *["v[0]", "theta[0]*v[0]", "v[0]^2"] * (kind != "sgd")]


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
    keep, sign = 1.0 - eta * MU, 1.0 if kind == "heavy-ball" else -1.0
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
