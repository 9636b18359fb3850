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

from ngos_sim.validation import checked_function, checked_slots, named_numbers

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


def default_schedule(k, h, p):
    """Return (h, sqrt(h) sigma0, sqrt(h) / sigma0): h f' + sqrt(h) sigma0 z is h times the gradient."""
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
    """

    name: str
    step: Callable
    slots: tuple[str, ...]
    schedule: Callable
    parameters: Mapping[str, float]

    def __init__(self, name, step, slots, schedule=default_schedule, **parameters):
        for field, content in (
            ("name", name),
            ("step", checked_function(name, "step", step)),
            ("slots", checked_slots(name, slots)),
            ("schedule", checked_function(name, "schedule", schedule)),
            ("parameters", named_numbers(name, parameters)),
        ):
            object.__setattr__(self, field, content)
