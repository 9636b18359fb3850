"""Rules out of an SDE's drift and diffusion."""

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from ngos_sim.arithmetic import slotwise
from ngos_sim.processes.rule import Rule


@dataclass(frozen=True, init=False)
class Integrated(Rule):
    """A step that integrates an SDE, as the Rule of it: its z has the SDE's channels."""

    def __init__(self, sde, step, schedule, constants):
        super().__init__(sde.name, step, sde.slots, schedule, **constants, **sde.parameters)
        object.__setattr__(self, "channels", sde.channels)


def euler_maruyama(sde, constants):
    """Return the Euler-Maruyama rule of an SDE, weak order 1 in its own step.

    x' = x + drift(x, t) h + diffusion(x, t) sqrt(h) z, of two channels + diffusion_1 sqrt(h) z_1 + diffusion_2
    sqrt(h) z_2. Kloeden and Platen (1992), section 10.2.

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
    clash = sorted({*constants, "eta2"} & {*sde.parameters})
    if clash:
        raise ValueError(f"sde {sde.name!r}: parameter {clash[0]!r} is a constant of the optimizer already")

    def step(x, o, z, c, p):
        drifted = slotwise(drift(x, o, c[2:], p), c[0], x)
        return slotwise(diffusion(x, o, c[2:], p), c[1] * z, drifted)

    def step_of_two(x, o, z, c, p):
        drifted = slotwise(drift(x, o, c[2:], p), c[0], x)
        of_first, of_second = diffusion(x, o, c[2:], p)
        return slotwise(of_second, c[1] * z[1], slotwise(of_first, c[1] * z[0], drifted))

    def schedule(k, h, p):
        return h, math.sqrt(h), *coefficients(k * h, p)

    return Integrated(sde, step if sde.channels == 1 else step_of_two, schedule, constants)


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
