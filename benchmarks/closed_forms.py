"""Problems whose errors are known: exact chains by recursion against exact SDEs, with no formula of the package.

SGD and heavy ball on a quadratic loss in the clock t = k h, noise of variance sigma^2 h a step, and RMSprop's linear
loss with u deterministic. All are Gaussian; Gaussian SGD is its SDE's Euler-Maruyama chain.
"""

import math

import numpy as np
from scipy.linalg import expm

import ngos_sim as ns

SIGMA, RATE, FRICTION, SLOPE, C2, U0 = 0.8, 2.0, 1.5, 0.7, 1.3, 1.8
COSINE = ns.TestFunction("cos theta", lambda x: math.cos(x[0]))
FUNCTIONS = ["theta[0]", "theta[0]^2", COSINE]
NAMES = ("SGD", "heavy ball", "RMSprop, u given")


def sgd_step(x, o, z, c, p):
    return (x[0] - c[0] * o.gradient + c[1] * z,)


def sgd_drift(x, o, c, p):
    return (-o.gradient,)


def sgd_diffusion(x, o, c, p):
    return (p.sigma0,)


def ball_step(x, o, z, c, p):
    theta, m = x
    m = m - c[0] * (p.friction * m + o.gradient) + c[1] * z
    return theta + c[0] * m, m


def ball_drift(x, o, c, p):
    return x[1], -p.friction * x[1] - o.gradient


def ball_diffusion(x, o, c, p):
    return 0.0, p.sigma0


def still_step(x, o, z, c, p):
    theta, u = x
    speed = 1.0 / (p.sigma0 * math.sqrt(u))
    return theta - speed * (c[0] * o.gradient + c[1] * z), u + p.c2 * c[0] * (o.variance - u)


def study(name, **changes):
    """Return the coupled study of a problem: "SGD", "heavy ball" or "RMSprop, u given"."""
    quadratic = ns.quadratic(RATE)
    rule, sde, loss, start = {
        "SGD": (
            ns.Optimizer("sgd", sgd_step, ("theta",), sigma0=SIGMA),
            ns.SDE("sgd", sgd_drift, sgd_diffusion, ("theta",)),
            quadratic,
            dict(theta=1.2),
        ),
        "heavy ball": (
            ns.Optimizer("heavy ball", ball_step, ("theta", "m"), sigma0=SIGMA, friction=FRICTION),
            ns.SDE("heavy ball", ball_drift, ball_diffusion, ("theta", "m")),
            quadratic,
            dict(theta=1.2, m=-0.4),
        ),
        "RMSprop, u given": (
            ns.Optimizer("still", still_step, ("theta", "u"), sigma0=SIGMA, eps0=0.0, c2=C2),
            ns.rmsprop_sde(),
            ns.linear(SLOPE),
            dict(theta=1.2, u=U0),
        ),
    }[name]
    settings = dict(sde=sde, initial=start, horizon=1.0, test_functions=FUNCTIONS, estimator="coupled")
    return ns.ConvergenceStudy(ns.NGOS(loss), rule, **(settings | changes))


def errors(made):
    """Return E g(chain) - E g(SDE) of a study made here, in the order of its table's rows."""
    name = {"sgd": "SGD", "heavy ball": "heavy ball", "still": "RMSprop, u given"}[made.rule.name]
    names = [function if isinstance(function, str) else function.name for function in made.test_functions]
    return np.array(
        [
            error(name, point.eta2, time, function)
            for point, times in zip(made.points, made.record_times, strict=True)
            for time in times
            for function in names
        ]
    )


def error(name, h, t, function):
    """Return E g(chain) - E g(SDE) after t."""
    chain, limit = {
        "SGD": (_sgd_chain, _sgd_limit),
        "heavy ball": (_ball_chain, _ball_limit),
        "RMSprop, u given": (_still_chain, _still_limit),
    }[name]
    g = {
        "theta[0]": lambda mean, variance: mean,
        "theta[0]^2": lambda mean, variance: mean**2 + variance,
        "cos theta": lambda mean, variance: math.exp(-variance / 2.0) * math.cos(mean),
    }[function]
    return g(*chain(h, round(t / h))) - g(*limit(t))


def _sgd_chain(h, steps):
    factor = 1.0 - h * RATE
    return 1.2 * factor**steps, SIGMA**2 * h * sum(factor ** (2 * k) for k in range(steps))


def _sgd_limit(t):
    return 1.2 * math.exp(-RATE * t), SIGMA**2 * -math.expm1(-2.0 * RATE * t) / (2.0 * RATE)


def _ball_chain(h, steps):
    m = np.array([-h * RATE, 1.0 - h * FRICTION])
    matrix, kick = np.array([[1.0, 0.0] + h * m, m]), SIGMA * math.sqrt(h) * np.array([h, 1.0])
    mean, covariance = np.array([1.2, -0.4]), np.zeros((2, 2))
    for _ in range(steps):
        mean, covariance = matrix @ mean, matrix @ covariance @ matrix.T + np.outer(kick, kick)
    return mean[0], covariance[0, 0]


def _ball_limit(t):
    """By the exponential of [[A, Q], [0, -A']] (Van Loan 1978)."""
    a, power = np.array([[0.0, 1.0], [-RATE, -FRICTION]]), np.diag([0.0, SIGMA**2])
    both = expm(t * np.block([[a, power], [np.zeros((2, 2)), -a.T]]))
    flow = both[:2, :2]
    return (flow @ [1.2, -0.4])[0], (both[:2, 2:] @ flow.T)[0, 0]


def _still_chain(h, steps):
    mean, variance, u = 1.2, 0.0, U0
    for _ in range(steps):
        mean, variance = mean - h * SLOPE / (SIGMA * math.sqrt(u)), variance + h / u
        u += C2 * h * (1.0 - u)
    return mean, variance


def _still_limit(t):
    """With r = sqrt(U_t): d/dt ln((r + 1) / (r - 1)) = C2 / r, and d/dt (C2 t + ln U_t) = C2 / U_t."""
    u = 1.0 + (U0 - 1.0) * math.exp(-C2 * t)
    before, after = (math.log((math.sqrt(v) + 1.0) / (math.sqrt(v) - 1.0)) for v in (U0, u))
    return 1.2 - SLOPE / SIGMA * (after - before) / C2, t + math.log(u / U0) / C2
