"""SDEs as a user would write them."""

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
