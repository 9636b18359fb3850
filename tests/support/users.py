"""Optimizers and SDEs as a user writes them, plain functions, and their exact errors by recursions and exponentials."""

import math

import numpy as np
from scipy.linalg import expm

import ngos_sim as ns


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
