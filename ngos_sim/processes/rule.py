"""The contract between mathematics and engines.

Every process is a start and a coordinate-wise step, driven by one noise number a coordinate and step:

    step(x, o, z, c, p) -> x

x   state of one coordinate, a tuple of slots; slot 0 is theta_i
o   Oracle: at theta_i gradient, variance (Sigma_ii), curvature (f''_i; not where the Hessian H is a matrix) and
    hessian_gradient, (H grad f)_i. What is not known is not there: reading it raises by name
z   noise component (Sigma^(1/2) zeta)_i, without sigma: its variance is o.variance
c   what schedule(k, h, p) returned for step k of size h: a tuple of floats, made on the host
p   parameters by name, floats; p.eta2 is the step h of this point and is always there

Scalar functions are plain Python on floats and tuples: no arrays, loops, allocation, random numbers;
no globals but constants and other such functions. `engines.compiling.bind` compiles them as they are.
"""

import functools
import math
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ngos_sim.oracles.losses import is_number

Oracle = namedtuple("Oracle", "gradient variance curvature hessian_gradient")


@functools.cache
def oracle_of(*known):
    """Return the kind of Oracle that has only the fields that are known."""
    return namedtuple("Oracle", known)


def has_bias_correction(constants):
    """Return whether an optimizer divides by 1 - beta^k: its parameter bias_correction; where it has none, it does not.

    constants : mapping of str to float, its parameters by name; of a schedule's p, vars(p)
    """
    return bool(constants.get("bias_correction", 0.0))


def named_numbers(owner, parameters):
    """Return parameters as a dict of finite floats; raise ValueError naming owner and key."""
    held = {}
    for name, value in parameters.items():
        if not is_number(value):
            raise ValueError(f"{owner}: {name}={value!r} must be a finite number")
        held[name] = float(value)
    return held


def of_family(family, process):
    """Return a process that was just made, marked as one of this package's own: predictions ask for it."""
    object.__setattr__(process, "family", family)
    return process


def checked_function(owner, role, value):
    """Return a function of a process; raise TypeError for what cannot be called."""
    if not callable(value):
        raise TypeError(f"{owner}: {role}={value!r} is not a function")
    return value


def checked_slots(owner, slots):
    """Return slots as a tuple of distinct names that begins with theta; raise ValueError."""
    slots = tuple(slots)
    if not slots or slots[0] != "theta" or len(set(slots)) < len(slots):
        raise ValueError(f"{owner}: slots={slots!r} must be distinct names, the first 'theta'")
    return slots


def default_schedule(k, h, p):
    """Return (h, sqrt(h) sigma0, sqrt(h) / sigma0): h f' + sqrt(h) sigma0 z is sigma0 eta times the gradient."""
    return h, math.sqrt(h) * p.sigma0, math.sqrt(h) / p.sigma0


@dataclass(frozen=True, init=False)
class Rule:
    """What an engine steps: a step function, its slots, its schedule and its parameters.

    Parameters
    ----------
    name : str
        What tables call it.
    step : function (x, o, z, c, p) -> x
        One step of one coordinate.
    slots : sequence of str
        Names of the state's slots; the first is "theta".
    schedule : function (k, h, p) -> tuple of float
        The row of step k (counted from time 0) of size h; plain Python, run on the host.
    **parameters : float
        What p holds by name, besides p.eta2.

    Attributes
    ----------
    family : str
        "rmsprop" or "adam" of what this package's constructors make, "" of any other.
    """

    name: str
    step: Callable
    slots: tuple[str, ...]
    schedule: Callable
    parameters: Mapping[str, float]
    family: str

    def __init__(self, name, step, slots, schedule=default_schedule, **parameters):
        for field, content in (
            ("family", ""),
            ("name", name),
            ("step", checked_function(name, "step", step)),
            ("slots", checked_slots(name, slots)),
            ("schedule", checked_function(name, "schedule", schedule)),
            ("parameters", named_numbers(name, parameters)),
        ):
            object.__setattr__(self, field, content)
