"""The constructor of an SDE, a user's or a built-in one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ngos_sim.processes.rule import checked_function, checked_slots, named_numbers


def _no_schedule(t, p):
    return ()


@dataclass(frozen=True, init=False)
class SDE:
    """dX = drift dt + diffusion (Sigma^(1/2) dW)_i, coordinate by coordinate.

    Parameters
    ----------
    name : str
        What tables call it.
    drift, diffusion : function (x, o, c, p) -> tuple of float
        One value a slot, per unit of time t = k eta^2. The contract: `processes.rule`.
    slots : sequence of str
        The optimizer's slots, in its order.
    schedule : function (t, p) -> tuple of float
        c at time t, if coefficients depend on time.
    pivot : SDE, optional
        A built-in SDE near this one, by whose known moments the local estimator measures it.
    **parameters : float
        Its own numbers in p; the optimizer's constants are there too, and p.eta2.

    Attributes
    ----------
    family : str
        "rmsprop" or "adam" of what this package's constructors make, "" of any other.

    Raises
    ------
    ValueError
        Slots or parameters are malformed.

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
    parameters: Mapping[str, float]
    family: str

    def __init__(self, name, drift, diffusion, slots, schedule=_no_schedule, pivot=None, **parameters):
        if pivot is not None and not isinstance(pivot, SDE):
            raise TypeError(f"{name}: pivot={pivot!r} is not an SDE")
        for field, content in (
            ("family", ""),
            ("name", name),
            ("drift", checked_function(name, "drift", drift)),
            ("diffusion", checked_function(name, "diffusion", diffusion)),
            ("slots", checked_slots(name, slots)),
            ("schedule", checked_function(name, "schedule", schedule)),
            ("pivot", pivot),
            ("parameters", named_numbers(name, parameters)),
        ):
            object.__setattr__(self, field, content)
