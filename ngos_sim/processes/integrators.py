"""Rules out of an SDE's drift and diffusion."""

import math
from types import SimpleNamespace

import numpy as np

from ngos_sim.arithmetic import slotwise
from ngos_sim.processes.rule import Rule


def constants_of(sde, constants):
    """Return what an SDE's p holds beside the step: the optimizer's constants and its own.

    Raises
    ------
    ValueError
        A name is both a constant of the optimizer and a parameter of the SDE.
    """
    clash = sorted({*constants, "eta2"} & {*sde.parameters})
    if clash:
        raise ValueError(f"sde {sde.name!r}: parameter {clash[0]!r} is a constant of the optimizer already")
    return {**constants, **sde.parameters}


def euler_maruyama(sde, constants):
    """Return the Euler-Maruyama rule of an SDE, weak order 1 in its own step.

    x' = x + drift(x, t) h + diffusion(x, t) sqrt(h) z. Kloeden and Platen (1992), section 10.2.

    Parameters
    ----------
    sde : SDE
    constants : mapping of str to float
        The optimizer's constants; the SDE's own are added.

    Raises
    ------
    ValueError
        A name is both a constant of the optimizer and a parameter of the SDE.
    """
    drift, diffusion, coefficients = sde.drift, sde.diffusion, sde.schedule
    known = constants_of(sde, constants)

    def step(x, o, z, c, p):
        drifted = slotwise(drift(x, o, c[2:], p), c[0], x)
        return slotwise(diffusion(x, o, c[2:], p), c[1] * z, drifted)

    def schedule(k, h, p):
        return h, math.sqrt(h), *coefficients(k * h, p)

    return Rule(sde.name, step, sde.slots, schedule, **known)


def table(rule, first, steps, h, parameters):
    """Return schedule(k, h, p) of `steps` steps from step `first`, shape (steps, columns).

    Raises
    ------
    ValueError
        It returns more or fewer numbers at one step than at the first.
    """
    p = SimpleNamespace(**parameters)
    columns = len(rule.schedule(first, h, p))

    def entries():
        for k in range(first, first + steps):
            row = rule.schedule(k, h, p)
            if len(row) != columns:
                raise ValueError(f"{rule.name!r}: schedule returns {len(row)} numbers at k={k}, {columns} before")
            yield from map(float, row)

    return np.fromiter(entries(), np.float64, steps * columns).reshape(steps, columns)
