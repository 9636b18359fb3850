"""The constructor of an SDE, a user's or a built-in one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ngos_sim.processes.rule import checked_parameters
from ngos_sim.validation import checked_function, checked_slots, keep


def _no_schedule(t, p):
    return ()


@dataclass(frozen=True, init=False)
class SDE:
    """dX = drift dt + diffusion (Sigma^(1/2) dW)_i, coordinate by coordinate.

    With channels=2 the noise is diffusion_1 (Sigma^(1/2) dW)_i + diffusion_2 dB_i: B is a second Brownian motion,
    independent of W and, whatever the covariance, in every coordinate.

    Parameters
    ----------
    name : str
        What tables call it.
    drift, diffusion : function (x, o, c, p) -> tuple of float
        One value a slot, per unit of the optimizer's time (t = k eta^2 or k eta). The contract: `processes.rule`.
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
    **parameters : float
        Its own numbers in p; the optimizer's constants are there too, p.h and p.eta.

    Attributes
    ----------
    family : str
        "rmsprop" or "adam" of what this package's constructors make, "" of any other.

    Raises
    ------
    ValueError
        Slots or parameters are malformed, or channels is neither 1 nor 2.

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
    parameters: Mapping[str, float]
    family: str

    def __init__(self, name, drift, diffusion, slots, schedule=_no_schedule, pivot=None, channels=1, **parameters):
        if pivot is not None and not isinstance(pivot, SDE):
            raise TypeError(f"{name}: pivot={pivot!r} is not an SDE")
        if isinstance(channels, bool) or channels not in (1, 2):
            raise ValueError(f"{name}: channels={channels!r}; allowed: 1, 2")
        keep(
            self,
            family="",
            name=name,
            drift=checked_function(name, "drift", drift),
            diffusion=checked_function(name, "diffusion", diffusion),
            slots=checked_slots(name, slots),
            schedule=checked_function(name, "schedule", schedule),
            pivot=pivot,
            channels=int(channels),
            parameters=checked_parameters(name, parameters),
        )
