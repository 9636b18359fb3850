"""One step of an SDE of weak order 2, for laws that are carried forward.

`estimators.transport_law` takes it with the three nodes of a Gauss-Hermite rule in place of the normal.
"""

import math

import numpy as np

from ngos_sim.arithmetic import slotwise
from ngos_sim.engines.observation import check_known, named, observed
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.processes.rule import parameters


def platen(sde, optimizer, oracle, columns):
    """Return an SDE's step of weak order 2 without derivatives as a scalar function, of `program.move`'s arguments.

    With b the diffusion times Sigma^(1/2), z a standard normal and X* = X + a h,

        X' = X + h/2 (a + a(X* + b sqrt(h) z)) + sqrt(h)/4 (z (b+ + b- + 2 b) + (z^2 - 1) (b+ - b-)),
        b+- = b(X* +- b sqrt(h)),

    the stages at t + h. Platen's scheme of one Brownian motion a coordinate: Kloeden and Platen (1992), (15.1.1). Its
    rows c are those of `table`; columns : how many numbers the SDE's schedule returns.
    """
    rule = euler_maruyama(sde, optimizer)  # its name, its constants: what it reads of the oracle is checked by them
    check_known(rule, oracle)
    drift, diffusion, variance = sde.drift, sde.diffusion, oracle.variance
    told = observed(rule, oracle)
    loss_numbers = named("Loss", oracle.loss.parameters)
    variance_numbers = named("Covariance", oracle.variance_parameters)
    rule_numbers = named("Parameters", parameters(optimizer, 0.0, sde))
    second = 2 + columns

    def step(x, xi, chi, extra, pull, bend, spread, a, s, n, c, p):
        f, v, held = loss_numbers(*a), variance_numbers(*s), rule_numbers(*p)
        h, root, now, late = c[0], c[1], c[2:second], c[second:]
        sigma = variance(x[0], v)
        o = told(x[0], pull, bend, f, sigma)
        slope, noise, size = drift(x, o, now, held), diffusion(x, o, now, held), math.sqrt(sigma) * root
        ahead = slotwise(slope, h, x)
        y = slotwise(noise, size * xi, ahead)
        again = drift(y, told(y[0], pull, bend, f, variance(y[0], v)), late, held)
        up, down = slotwise(noise, size, ahead), slotwise(noise, -size, ahead)
        above, below = variance(up[0], v), variance(down[0], v)
        noise_up = diffusion(up, told(up[0], pull, bend, f, above), late, held)
        noise_down = diffusion(down, told(down[0], pull, bend, f, below), late, held)
        z, bent = 0.25 * root * xi, 0.25 * root * (xi * xi - 1.0)
        moved = slotwise(again, 0.5 * h, slotwise(slope, 0.5 * h, x))
        moved = slotwise(noise, 0.5 * size * xi, moved)
        moved = slotwise(noise_up, math.sqrt(above) * (z + bent), moved)
        return slotwise(noise_down, math.sqrt(below) * (z - bent), moved)

    return step


def table(sde, held, t0, h, steps):
    """Return the rows of `platen`'s steps of size h from t0: h, sqrt(h), then schedule(t) and schedule(t + h).

    held : what p holds, a namespace
    """
    times = t0 + h * np.arange(steps + 1)
    rows = np.array([sde.schedule(t, held) for t in times.tolist()], dtype=np.float64).reshape(steps + 1, -1)
    sizes = np.broadcast_to([h, math.sqrt(h)], (steps, 2))
    return np.concatenate([sizes, rows[:-1], rows[1:]], axis=1)
