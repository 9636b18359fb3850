"""Optimizers and SDEs as a user writes them, plain functions, and their exact errors by recursions and exponentials.

The step h of the plain ones, SGD and kin, is p.eta2: theta' = theta - h (f' + z).
"""

import math

import numpy as np
from scipy.linalg import expm

import ngos_sim as ns

LAMBDA, SIGMA, X0, V0, MU, T = 1.3, 0.7, 1.5, 0.3, 0.9, 2.0  # of the plain ones: hessian, covariance, start, friction


def step_alone(k, h, p):
    return (h,)


def sgd(order):
    """Return SGD and the SDE that is near it to this order (Li, Tai and E 2019)."""

    def step(x, o, z, c, p):
        return (x[0] - c[0] * (o.gradient + z),)

    def drift(x, o, c, p):
        return (-o.gradient,)

    def modified(x, o, c, p):
        return (-o.gradient - 0.5 * p.eta2 * o.curvature * o.gradient,)

    def diffusion(x, o, c, p):
        return (-math.sqrt(p.eta2),)

    drifts = {1: drift, 2: modified}
    return ns.Optimizer("sgd", step, ("theta",), step_alone), ns.SDE("sgd", drifts[order], diffusion, ("theta",))


def momentum(order, ahead):
    """Return heavy ball, or where the gradient is taken `ahead` Nesterov's method, and an SDE of this order."""

    def heavy_ball(x, o, z, c, p):
        v = x[1] - c[0] * (p.mu * x[1] + o.gradient + z)
        return x[0] + c[0] * v, v

    def nesterov(x, o, z, c, p):
        gradient = o.gradient + o.curvature * (c[0] * (1.0 - c[0] * p.mu) * x[1])
        v = x[1] - c[0] * (p.mu * x[1] + gradient + z)
        return x[0] + c[0] * v, v

    def drift(x, o, c, p):
        return x[1], -(p.mu * x[1] + o.gradient)

    def modified(x, o, c, p):
        pull = p.mu * x[1] + o.gradient
        return x[1] - 0.5 * p.eta2 * pull, -pull - 0.5 * p.eta2 * (p.mu * pull - p.sign * o.curvature * x[1])

    def diffusion(x, o, c, p):
        return 0.0, -math.sqrt(p.eta2)

    slots, step = ("theta", "v"), nesterov if ahead else heavy_ball
    extra = {} if order == 1 else {"sign": -1.0 if ahead else 1.0}
    sde = ns.SDE("momentum", drift if order == 1 else modified, diffusion, slots, **extra)
    return ns.Optimizer(step.__name__, step, slots, step_alone, mu=MU), sde


def sgd_errors(order, h):
    """Return the errors of E theta and E theta^2 at T: Gaussian laws, an AR(1) chain and an Ornstein-Uhlenbeck law."""
    n, a = round(T / h), 1.0 - h * LAMBDA
    rate = LAMBDA * (1.0 + (0.5 * h * LAMBDA if order == 2 else 0.0))
    chain, law = X0 * a**n, X0 * math.exp(-rate * T)
    of_chain = h * h * SIGMA * (1.0 - a ** (2 * n)) / (1.0 - a * a)
    of_law = h * SIGMA * -math.expm1(-2.0 * rate * T) / (2.0 * rate)
    return chain - law, chain**2 + of_chain - law**2 - of_law


def momentum_errors(order, ahead, h):
    """Return the errors of E theta, v, theta^2, theta v, v^2 at T: a recursion, and Van Loan's exponential (1978)."""
    one, sign = 1.0 - h * MU, -1.0 if ahead else 1.0
    row = np.array([-h * LAMBDA, one - (h * LAMBDA * h * one if ahead else 0.0)])
    step, kick = np.array([[1.0, 0.0] + h * row, row]), np.array([-h * h, -h])
    mean, spread = np.array([X0, V0]), np.zeros((2, 2))
    for _ in range(round(T / h)):
        mean, spread = step @ mean, step @ spread @ step.T + SIGMA * np.outer(kick, kick)
    A = np.array([[0.0, 1.0], [-LAMBDA, -MU]])
    if order == 2:
        bend = [[-LAMBDA, -MU], [-MU * LAMBDA, -MU * MU + sign * LAMBDA]]
        A = A + 0.5 * h * np.array(bend)
    both = expm(T * np.block([[-A, h * SIGMA * np.diag([0.0, 1.0])], [np.zeros((2, 2)), A.T]]))
    flow = both[2:, 2:].T
    return _second(mean, spread) - _second(flow @ [X0, V0], flow @ both[:2, 2:])


def _second(mean, spread):
    """Return E theta, v, theta^2, theta v, v^2 of a mean and a covariance."""
    products = np.outer(mean, mean) + spread
    return np.array([*mean, products[0, 0], products[0, 1], products[1, 1]])


def multiplicative():
    """Return a chain and an SDE whose noise is affine in theta: theta' = theta - h f' + sqrt(h) (.3 theta + .1) z."""

    def step(x, o, z, c, p):
        return (x[0] - c[0] * o.gradient + c[1] * (0.3 * x[0] + 0.1) * z,)

    def drift(x, o, c, p):
        return (-o.gradient,)

    def diffusion(x, o, c, p):
        return (0.3 * x[0] + 0.1,)

    def schedule(k, h, p):
        return h, math.sqrt(h)

    return ns.Optimizer("multiplicative", step, ("theta",), schedule), ns.SDE("m", drift, diffusion, ("theta",))


def multiplicative_errors(h, hessian, start, time):
    """Return the errors of E theta and E theta^2: recursions of both, and the exponential of their linear equation."""
    mean, square = start, start * start
    for _ in range(round(time / h)):
        own = h * (0.09 * square + 0.06 * mean + 0.01)
        mean, square = mean * (1.0 - hessian * h), square * (1.0 - hessian * h) ** 2 + own
    rates = np.array([[-hessian, 0.0, 0.0], [0.06, 0.09 - 2.0 * hessian, 0.01], [0.0, 0.0, 0.0]])
    exact = expm(time * rates) @ [start, start * start, 1.0]
    return mean - exact[0], square - exact[1]


def with_decay(adam, weight, **constants):
    """Return RMSpropW or AdamW, decoupled weight decay of a rate, and its SDE, all written out."""

    def rmsprop_step(x, o, z, c, p):
        d, w = c[0] * o.gradient + c[1] * z, c[2] * o.gradient + z
        theta = x[0] - d / (p.sigma0 * math.sqrt(x[1]) + p.eps0) - c[0] * p.weight * x[0]
        return theta, x[1] + p.c2 * c[0] * (w * w - x[1])

    def adam_step(x, o, z, c, p):
        m, w = x[1] + p.c1 * (c[0] * (o.gradient - x[1]) + c[1] * z), c[2] * o.gradient + z
        theta = x[0] - c[0] * m / (p.sigma0 * math.sqrt(x[2]) + p.eps0) - c[0] * p.weight * x[0]
        return theta, m, x[2] + p.c2 * c[0] * (w * w - x[2])

    def rmsprop_drift(x, o, c, p):
        theta, u = x
        return -o.gradient / (p.sigma0 * math.sqrt(u) + p.eps0) - p.weight * theta, p.c2 * (o.variance - u)

    def adam_drift(x, o, c, p):
        theta, m, u = x
        speed = -m / (p.sigma0 * math.sqrt(u) + p.eps0) - p.weight * theta
        return speed, p.c1 * (o.gradient - m), p.c2 * (o.variance - u)

    def rmsprop_diffusion(x, o, c, p):
        return -p.sigma0 / (p.sigma0 * math.sqrt(x[1]) + p.eps0), 0.0

    def adam_diffusion(x, o, c, p):
        return 0.0, p.c1 * p.sigma0, 0.0

    made = ("rmspropw", rmsprop_step, ("theta", "u")), (rmsprop_drift, rmsprop_diffusion, ("theta", "u"))
    if adam:
        made = ("adamw", adam_step, ("theta", "m", "u")), (adam_drift, adam_diffusion, ("theta", "m", "u"))
    rule, functions = made
    return ns.Optimizer(*rule, weight=weight, **constants), ns.SDE(rule[0], *functions)
