"""The constructor of an SDE, a user's or a built-in one."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ngos_sim.identity import Value
from ngos_sim.processes.domain import EVERYWHERE, Domain
from ngos_sim.processes.rule import Rule, checked_parameters
from ngos_sim.processes.weight_decay import has_weight_decay
from ngos_sim.validation import (
    checked_function,
    checked_name,
    checked_slots,
    described,
    integer,
    keep,
    known_keywords,
    of_kind,
)


def no_schedule(t, p):
    return ()


@known_keywords()
@dataclass(frozen=True, init=False, eq=False)
class SDE(Value):
    """dX = drift dt + diffusion (Sigma^(1/2) dW)_i, coordinate by coordinate.

    With channels=2 the noise is diffusion_1 (Sigma^(1/2) dW)_i + diffusion_2 dB_i: B is a second Brownian motion,
    independent of W and, whatever the covariance, in every coordinate.

    Parameters
    ----------
    name : str
        What tables call it.
    drift, diffusion : function (x, o, c, p) -> tuple of float
        One value a slot, per unit of the optimizer's time (t = k eta^2 or k eta). Plain Python on floats and tuples:
        x, o and p are those of an optimizer's step, as help(ns.Optimizer) says, and c is the row of `schedule`.
        With channels=2 diffusion returns a tuple of two such tuples, for W and for B.
    slots : sequence of str
        The optimizer's slots, in its order.
    schedule : function (t, p) -> tuple of float
        c at time t, if coefficients depend on time.
    pivot : SDE, optional
        An SDE near this one. The local estimator measures by it where it finds neither this one's moments, nor those
        of its limit at step 0.
    channels : 1 or 2
        How many Brownian motions drive a coordinate.
    refinement : int
        How many steps of Euler-Maruyama go to one of the optimizer at the coarsest of the three levels that are
        extrapolated: 2 where the weak error is of order 2 and what the integrator leaves would hide it, at twice the
        steps (docs/theory.md, "Extrapolation").
    **parameters : float
        Its own numbers in p; the optimizer's constants are there too, p.h and p.eta.

    Attributes
    ----------
    family : str
        By it predictions know a built-in one: "rmsprop", "adam", "compagnoni-rmsprop", "compagnoni-adam"; else "".
    decayed : SDE or None
        What a built-in one is beside an optimizer that has weight decay (`beside`).
    domain : Domain
        What one of this package's assumes of an oracle.

    Raises
    ------
    ValueError
        Slots or parameters are malformed, channels is neither 1 nor 2, or refinement is no positive integer.

    Examples
    --------
    >>> import math, ngos_sim as ns
    >>> def drift(x, o, c, p):
    ...     theta, u = x
    ...     return -o.gradient / (p.sigma0 * math.sqrt(u) + p.eps0), p.c2 * (o.variance - u)
    >>> def diffusion(x, o, c, p):
    ...     theta, u = x
    ...     return -p.sigma0 / (p.sigma0 * math.sqrt(u) + p.eps0), 0.0
    >>> ns.SDE("mine", drift, diffusion, slots=("theta", "u")).name
    'mine'
    """

    name: str
    drift: Callable
    diffusion: Callable
    slots: tuple[str, ...]
    schedule: Callable
    pivot: "SDE | None"
    channels: int
    refinement: int
    parameters: Mapping[str, float]
    family: str
    domain: Domain = field(repr=False, compare=False)
    decayed: "SDE | None" = field(default=None, repr=False, compare=False)

    def __init__(
        self,
        name: str,
        drift: Callable,
        diffusion: Callable,
        slots: Sequence[str],
        schedule: Callable = no_schedule,
        pivot: "SDE | None" = None,
        channels: int = 1,
        refinement: int = 1,
        **parameters: float,
    ) -> None:
        checked_name("SDE", name)
        of_kind(f"{name}: pivot", pivot, (SDE, type(None)), "an SDE", "ns.rmsprop_sde()")
        if isinstance(channels, bool) or channels not in (1, 2):
            raise ValueError(f"{name}: channels={described(channels)}; allowed: 1, 2")
        keep(
            self,
            family="",
            domain=EVERYWHERE,
            name=name,
            drift=checked_function(name, "drift", drift),
            diffusion=checked_function(name, "diffusion", diffusion),
            slots=checked_slots(name, slots),
            schedule=checked_function(name, "schedule", schedule),
            pivot=pivot,
            channels=int(channels),
            refinement=integer(f"{name}: refinement", refinement, 1),
            parameters=checked_parameters(name, parameters),
        )

    def beside(self, optimizer: Rule) -> "SDE":
        """Return what this SDE is beside an optimizer: with weight decay, if it is a built-in one, where that has w0.

        A study takes its SDEs so, and their pivots. What a user's own SDE says of decay, it says itself.

        optimizer : Optimizer, which has weight decay where it has a parameter w0
        """
        if not has_weight_decay(optimizer.parameters):
            return self
        if self.decayed is not None:
            return self.decayed
        if self.pivot is None:
            return self
        own = copy.copy(self)
        keep(own, pivot=self.pivot.beside(optimizer))
        return own


def with_decay(sde, drift):
    """Return a built-in SDE that beside an optimizer with weight decay has another drift."""
    decayed = copy.copy(sde)
    keep(decayed, drift=drift)
    keep(sde, decayed=decayed)
    return sde
