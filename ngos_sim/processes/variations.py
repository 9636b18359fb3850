"""Variations of an optimizer that a study takes: the SVAG operator and the scaling rule."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.validation import integer, known_keywords, number, of_kind


def check_scales(owner, optimizer):
    """Raise ValueError for an optimizer of the clock "eta" that does not say which of its parameters is the noise's."""
    if optimizer.clock == "eta" and "sigma" not in optimizer.parameters:
        raise ValueError(
            f"{owner}: optimizer {optimizer.name!r} of the clock 'eta' has no parameter sigma, the noise scale of its "
            "gradient, which this changes with the step"
        )


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


@known_keywords()
def svag(optimizer: Optimizer, ell: float | Sequence[float] | np.ndarray) -> SVAG:
    """The SVAG operator on an optimizer, at one or more ell (Theorem 6.3 of arXiv 2205.10287, arXiv 2102.12470).

    Clock "eta2": eta / ell, 1 - (1 - beta) / ell^2, eps ell and the noise law (r1 zeta1 + r2 zeta2) / ell
    (Definition 6.2). In scaled variables the step is eta^2 / ell^2 and nothing else changes; the error is O(1 / ell^2).

    Clock "eta", SGD and its kin: eta / ell, sigma sqrt(ell), so that the noise sigma^2 eta of the SDE stays, and the
    law (r1 zeta1 + r2 zeta2) / sqrt(ell) with the weights of sqrt(ell), (1 -+ sqrt(2 ell - 1)) / 2 (arXiv 2102.12470;
    docs/theory.md, "SVAG"). The error is O(1 / ell). A step must take its noise as p.sigma z to have that.

    Parameters
    ----------
    optimizer : Optimizer
    ell : float or sequence of float
        Each at least 1; 1 is the optimizer itself.

    Returns
    -------
    SVAG
        What `ConvergenceStudy(optimizer=)` takes.

    Raises
    ------
    ValueError
        Some ell is below 1, or an optimizer of the clock "eta" has no parameter sigma.

    Examples
    --------
    >>> import ngos_sim as ns
    >>> ns.svag(ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3), ell=[1, 2, 4]).ell
    (1.0, 2.0, 4.0)
    """
    of_kind("optimizer", optimizer, Optimizer, "an optimizer", "ns.rmsprop(sigma0=.., eps0=.., c2=..)")
    check_scales("ns.svag", optimizer)
    values = (number("ell", one, "a number of at least 1", least=1.0) for one in _sequence("ell", ell))
    return SVAG(optimizer, tuple(values))


@known_keywords()
def scaling_rule(kappa: int | Sequence[int] | np.ndarray) -> ScalingRule:
    """The optimizer at kappa times the batch size, as a study's reference (Theorem 5.3; arXiv 2102.12470).

    Clock "eta2": the square-root rule; in scaled variables it is the same optimizer at step kappa eta^2. Clock "eta",
    SGD and its kin: the linear rule, kappa eta and sigma / sqrt(kappa), so that sigma^2 eta stays (docs/theory.md,
    "The scaling rule").

    Parameters
    ----------
    kappa : int or sequence of int
        How many times as large the batch is, each at least 2.

    Returns
    -------
    ScalingRule
        What `ConvergenceStudy(reference=)` takes.

    Raises
    ------
    ValueError
        Some kappa is not an integer of at least 2.

    Examples
    --------
    >>> scaling_rule([2, 4]).kappa
    (2, 4)
    """
    return ScalingRule(tuple(integer("kappa", one, 2) for one in _sequence("kappa", kappa)))
