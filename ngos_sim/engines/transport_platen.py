"""One step of an SDE of weak order 2, for laws that are carried forward, and nodes in place of its normals.

`estimators.transport_law` takes both: three nodes of a Gauss-Hermite rule are enough for weak order 2.
"""

import itertools
import math

import numpy as np

from ngos_sim.arithmetic import slotwise
from ngos_sim.engines import transport
from ngos_sim.engines.observation import check_known, named, observed
from ngos_sim.oracles.noises import gauss_hermite
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.processes.rule import parameters


def platen(sde, optimizer, oracle, columns):
    """Return an SDE's step of weak order 2 without derivatives as a scalar function, of `program.move`'s arguments.

    With b the diffusion times Sigma^(1/2), z a standard normal and X* = X + a h,

        X' = X + h/2 (a + a(X* + b sqrt(h) z)) + sqrt(h)/4 (z (b+ + b- + 2 b) + (z^2 - 1) (b+ - b-)),
        b+- = b(X* +- b sqrt(h)),

    the stages at t + h. Platen's scheme of one Brownian motion a coordinate: Kloeden and Platen (1992), (15.1.1). Of
    two, (15.1.3), with b_j for b, its second normal z_2 and v = +-1, each half the time (r is the other of j; v_1 = -v,
    v_2 = v):

        X' = X + h/2 (a + a(X* + sum_j b_j sqrt(h) z_j))
             + sqrt(h)/4 sum_j (z_j (b_j+ + b_j- + 2 b_j) + (z_j^2 - 1) (b_j+ - b_j-)
                                + z_j (c_j+ + c_j- - 2 b_j) + (z_j z_r + v_j) (c_j+ - c_j-)),
        b_j+- = b_j(X* +- b_j sqrt(h)),
        c_j+- = b_j(X +- b_r sqrt(h)).

    Its rows c are those of `table`; columns : how many numbers the SDE's schedule returns.
    """
    rule = euler_maruyama(sde, optimizer)  # its name, its constants: what it reads of the oracle is checked by them
    check_known(rule, oracle)
    drift, diffusion, variance = sde.drift, sde.diffusion, oracle.variance
    told = observed(rule, oracle)
    loss_numbers = named("Loss", oracle.loss.parameters)
    variance_numbers = named("Covariance", oracle.variance_parameters)
    rule_numbers = named("Parameters", parameters(optimizer, 0.0, sde))
    second = 2 + columns

    def kick(channel):
        """Return what adds a multiple of a channel's noise at a stage y to a state."""

        def kicked(x, y, factor, c, pull, bend, f, v, held):
            sigma = variance(y[0], v)
            noise = diffusion(y, told(y[0], pull, bend, f, sigma), c, held)[channel]
            return slotwise(noise, factor * math.sqrt(sigma), x)

        return kicked

    kick_first, kick_other = kick(0), kick(1)

    def step_of_two(x, xi, chi, extra, pull, bend, spread, a, s, n, c, p):
        f, v, held = loss_numbers(*a), variance_numbers(*s), rule_numbers(*p)
        h, root, now, late = c[0], c[1], c[2:second], c[second:]
        sigma = variance(x[0], v)
        o = told(x[0], pull, bend, f, sigma)
        slope, size, share = drift(x, o, now, held), math.sqrt(sigma) * root, 0.25 * root
        first, other = diffusion(x, o, now, held)
        ahead = slotwise(slope, h, x)
        y = slotwise(other, size * chi, slotwise(first, size * xi, ahead))
        again = drift(y, told(y[0], pull, bend, f, variance(y[0], v)), late, held)
        moved = slotwise(again, 0.5 * h, slotwise(slope, 0.5 * h, x))
        bent, mixed = xi * xi - 1.0, xi * chi - extra
        moved = kick_first(moved, slotwise(first, size, ahead), share * (xi + bent), late, pull, bend, f, v, held)
        moved = kick_first(moved, slotwise(first, -size, ahead), share * (xi - bent), late, pull, bend, f, v, held)
        moved = kick_first(moved, slotwise(other, size, x), share * (xi + mixed), now, pull, bend, f, v, held)
        moved = kick_first(moved, slotwise(other, -size, x), share * (xi - mixed), now, pull, bend, f, v, held)
        bent, mixed = chi * chi - 1.0, xi * chi + extra
        moved = kick_other(moved, slotwise(other, size, ahead), share * (chi + bent), late, pull, bend, f, v, held)
        moved = kick_other(moved, slotwise(other, -size, ahead), share * (chi - bent), late, pull, bend, f, v, held)
        moved = kick_other(moved, slotwise(first, size, x), share * (chi + mixed), now, pull, bend, f, v, held)
        return kick_other(moved, slotwise(first, -size, x), share * (chi - mixed), now, pull, bend, f, v, held)

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

    return step if sde.channels == 1 else step_of_two


def nodes(channels, count=3):
    """Return the Draw of a step of `platen`, `count` nodes a normal: of two channels all triples of z_1, z_2 and v."""
    values, weights = gauss_hermite(count)
    if channels == 1:
        return transport.draw(values, weights)
    pairs = list(zip(values.tolist(), weights.tolist(), strict=True))
    triples = [(x, y, v, a * b / 2.0) for (x, a), (y, b) in itertools.product(pairs, pairs) for v in (-1.0, 1.0)]
    first, second, third, mass = np.array(triples).T.copy()
    return transport.Draw(first[None], mass[None], second, third)


def table(sde, held, t0, h, steps):
    """Return the rows of `platen`'s steps of size h from t0: h, sqrt(h), then schedule(t) and schedule(t + h).

    held : what p holds, a namespace
    """
    times = t0 + h * np.arange(steps + 1)
    rows = np.array([sde.schedule(t, held) for t in times.tolist()], dtype=np.float64).reshape(steps + 1, -1)
    sizes = np.broadcast_to([h, math.sqrt(h)], (steps, 2))
    return np.concatenate([sizes, rows[:-1], rows[1:]], axis=1)
