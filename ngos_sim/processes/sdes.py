"""The SDEs of RMSprop and Adam, and the constructor for any other."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ngos_sim.arithmetic import preconditioner
from ngos_sim.processes.rule import checked_slots, has_bias_correction, named_numbers


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

    def __init__(self, name, drift, diffusion, slots, schedule=_no_schedule, pivot=None, **parameters):
        if pivot is not None and not isinstance(pivot, SDE):
            raise TypeError(f"{name}: pivot={pivot!r} is not an SDE")
        for field, content in (
            ("name", name),
            ("drift", drift),
            ("diffusion", diffusion),
            ("slots", checked_slots(name, slots)),
            ("schedule", schedule),
            ("pivot", pivot),
            ("parameters", named_numbers(name, parameters)),
        ):
            object.__setattr__(self, field, content)


def _rmsprop_sde_schedule(t, p):
    """Return sqrt(g2) and eps0 sqrt(g2) (eps0 where g2 = 0), g2 = 1 - exp(-c2 t); without correction 1 and eps0."""
    root = math.sqrt(-math.expm1(-p.c2 * t)) if has_bias_correction(vars(p)) else 1.0
    return root, p.eps0 * root if root > 0.0 else p.eps0


def _rmsprop_drift(x, o, c, p):
    theta, u = x
    return -o.gradient * c[0] * preconditioner(u, p.sigma0, c[1]), p.c2 * (o.variance - u)


def _rmsprop_diffusion(x, o, c, p):
    theta, u = x
    return -p.sigma0 * c[0] * preconditioner(u, p.sigma0, c[1]), 0.0


def rmsprop_sde():
    """The SDE of RMSprop (Definition 4.1 of arXiv 2205.10287).

    d theta = -P^-1 (f' dt + sigma0 Sigma^(1/2) dW), du = c2 (diag Sigma - u) dt,
    P = sigma0 diag(u)^(1/2) + eps0 I. Constants, and whether there is bias correction (then
    sqrt(g2) P^-1 with eps0 sqrt(g2), g2 = 1 - exp(-c2 t)), come from the optimizer; an optimizer
    without a parameter `bias_correction` has none.
    """
    return SDE("rmsprop", _rmsprop_drift, _rmsprop_diffusion, ("theta", "u"), _rmsprop_sde_schedule)


def _adam_sde_schedule(t, p):
    """Return sqrt(g2)/g1 and eps0 sqrt(g2), g_i = 1 - exp(-c_i t); 1 and eps0 without bias correction."""
    if not has_bias_correction(vars(p)):
        return 1.0, p.eps0
    if not t > 0.0:
        raise ValueError(
            f"t0={t:g}: the Adam SDE starts at t0 > 0 (Theorem 4.5); only the local estimator takes t0 = 0"
        )
    root = math.sqrt(-math.expm1(-p.c2 * t))
    return root / -math.expm1(-p.c1 * t), p.eps0 * root


def _adam_drift(x, o, c, p):
    theta, m, u = x
    speed = -c[0] * m * preconditioner(u, p.sigma0, c[1])
    return speed, p.c1 * (o.gradient - m), p.c2 * (o.variance - u)


def _adam_diffusion(x, o, c, p):
    return 0.0, p.c1 * p.sigma0, 0.0


def adam_sde():
    """The SDE of Adam (Definition 4.4 of arXiv 2205.10287), from a time t0 > 0.

    d theta = -(sqrt(g2)/g1) P^-1 m dt, dm = c1 (f' - m) dt + c1 sigma0 Sigma^(1/2) dW,
    du = c2 (diag Sigma - u) dt, P = sigma0 diag(u)^(1/2) + eps0 sqrt(g2) I, g_i = 1 - exp(-c_i t).
    Constants, and whether there is bias correction (g_i = 1 without), come from the optimizer; one
    without a parameter `bias_correction` has none. An optimizer of a user's that corrects in a schedule
    of its own says so to this SDE: ns.Optimizer(.., bias_correction=1.0).
    """
    return SDE("adam", _adam_drift, _adam_diffusion, ("theta", "m", "u"), _adam_sde_schedule)
