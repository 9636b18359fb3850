"""Variations of an optimizer that a study takes: the SVAG operator and the scaling rule."""

from dataclasses import dataclass

import numpy as np

from ngos_sim.arguments import not_a
from ngos_sim.oracles.losses import is_number
from ngos_sim.processes.optimizer import Optimizer


@dataclass(frozen=True)
class SVAG:
    """An optimizer under the SVAG operator at one or more ell: see `svag`."""

    optimizer: Optimizer
    ell: tuple[float, ...]


@dataclass(frozen=True)
class ScalingRule:
    """The optimizer at kappa times the batch size as reference: see `scaling_rule`."""

    kappa: tuple[int, ...]


def _sequence(name, values):
    """Return values, one or several, as a tuple without repetition; raise ValueError otherwise."""
    values = tuple(values) if isinstance(values, (list, tuple, np.ndarray)) else (values,)
    if not values or any(one in values[:at] for at, one in enumerate(values)):
        raise ValueError(f"{name}={list(values)!r} must be different numbers, at least one")
    return values


def svag(optimizer, ell):
    """The SVAG operator on an optimizer, at one or more ell (Theorem 6.3 of arXiv 2205.10287).

    eta / ell, 1 - (1 - beta) / ell^2, eps ell and the noise law (r1 zeta1 + r2 zeta2) / ell
    (Definition 6.2): in scaled variables the step is eta^2 / ell^2 and nothing else changes.

    Raises
    ------
    ValueError
        Some ell is below 1.
    """
    if not isinstance(optimizer, Optimizer):
        raise not_a("optimizer", optimizer, "an optimizer", "ns.rmsprop(sigma0=.., eps0=.., c2=..)")
    values = []
    for one in _sequence("ell", ell):
        if not is_number(one) or one < 1.0:
            raise ValueError(f"ell={one!r} must be a number of at least 1")
        values.append(float(one))
    return SVAG(optimizer, tuple(values))


def scaling_rule(kappa):
    """The optimizer at kappa times the batch size, as a study's reference (Theorem 5.3).

    In scaled variables it is the same optimizer at step kappa eta^2.

    Raises
    ------
    ValueError
        Some kappa is not an integer of at least 2.
    """
    values = _sequence("kappa", kappa)
    for one in values:
        if not is_number(one) or one != int(one) or one < 2:
            raise ValueError(f"kappa={one!r} must be an integer of at least 2")
    return ScalingRule(tuple(int(one) for one in values))
