"""Optimizers and SDEs as a user would write them."""

import ngos_sim as ns
from ngos_sim import preconditioner


def squared_gradient_sde(pivot):
    """Malladi's SDE with (grad f)^2 in the second moment's drift: arXiv 2411.15958 in scaled variables."""

    def drift(x, o, c, p):
        expected = o.variance + p.eta2 * o.gradient**2 / p.sigma0**2
        return -o.gradient * preconditioner(x[1], p.sigma0, p.eps0), p.c2 * (expected - x[1])

    def diffusion(x, o, c, p):
        return -p.sigma0 * preconditioner(x[1], p.sigma0, p.eps0), 0.0

    return ns.SDE("squared gradient", drift, diffusion, ("theta", "u"), pivot=pivot)


def turned_adam():
    """Return Adam and its SDE with u before m."""
    rule, sde = ns.adam(sigma0=0.8, eps0=0.1, c1=2.0, c2=1.3), ns.adam_sde()
    slots, move = ("theta", "u", "m"), rule.step

    def turned(function):
        def own(x, o, c, p):
            theta, m, u = function((x[0], x[2], x[1]), o, c, p)
            return theta, u, m

        return own

    def step(x, o, z, c, p):
        theta, m, u = move((x[0], x[2], x[1]), o, z, c, p)
        return theta, u, m

    own = ns.SDE("turned", turned(sde.drift), turned(sde.diffusion), slots, sde.schedule)
    return ns.Optimizer("turned", step, slots, rule.schedule, **rule.parameters), own


def heavy_ball(sigma0=0.8, mu=0.9):
    """Return the heavy ball and its SDE, in which no slot is autonomous; the position moves by the new velocity."""

    def step(x, o, z, c, p):
        theta, v = x
        v = v - c[0] * (o.gradient + p.mu * v) - c[1] * z
        return theta + c[0] * v, v

    def drift(x, o, c, p):
        theta, v = x
        return v, -o.gradient - p.mu * v

    sde = ns.SDE("ball", drift, lambda x, o, c, p: (0.0, -p.sigma0), ("theta", "v"))
    return ns.Optimizer("ball", step, ("theta", "v"), sigma0=sigma0, mu=mu), sde
