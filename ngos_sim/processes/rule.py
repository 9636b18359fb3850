"""The contract between mathematics and engines: what a process is, and what its functions are given.

A process is a start and a step that is taken coordinate by coordinate, driven by one noise number a coordinate, step
and channel:

    step(x, o, z, c, p) -> x

x   The state of one coordinate: a tuple with one float for each of the process's slots. Slot 0 is theta_i; what the
    others are, their names say ("u" is v / sigma^2, "m" a momentum) and never their places.
o   What the oracle says at this coordinate: o.gradient (f'_i), o.variance (Sigma_ii), o.curvature (f''_i; not where
    the Hessian H is a matrix, whose diagonal alone would be wrong) and o.hessian_gradient ((H grad f)_i). What an
    oracle does not know is not there: reading it raises by name, it is never NaN in silence.
z   The noise of this step. An optimizer has one number, (Sigma^(1/2) zeta)_i without sigma: its mean is 0 and its
    variance o.variance. The rule that an integrator makes of an SDE of two channels has a tuple of two: this one, and
    an independent one of variance 1, which no covariance mixes; the SDE's own functions never see it.
c   A tuple of floats, the row of this step in a table that is made on the host by a plain Python function:
    schedule(k, h, p) for step k of an optimizer, counted from time 0, and schedule(t, p) for an SDE at time t. What
    depends on time goes here, such as bias corrections. Without a schedule an SDE and an optimizer of the clock "eta"
    have an empty row, an optimizer of the clock "eta2" that of `default_schedule`.
p   Parameters by name, floats: the optimizer's constants, then the SDE's own, then p.h and p.eta (`parameters`).
    p.h is the time of one optimizer step at this point of the study, whatever the step of an integrator; p.eta the
    learning rate of that step. Where the clock is "eta2", p.eta2 is another name of p.h. Of the rest, p.sigma alone
    depends on the step: with the clock "eta", SVAG and the scaling rule keep p.sigma^2 p.h (`Optimizer.with_steps`).

The clock of an optimizer says which time its steps count, and so what h is:

    "eta2"   step k is at time t = k eta^2, h = eta^2 (eta^2 / ell^2 under SVAG): RMSprop, Adam, where the noise of a
             step is of the size of sqrt(h) and stays in the limit
    "eta"    step k is at time t = k eta, h = eta: SGD and its kin, where it is of the size of h

An SDE has the clock of the optimizer beside it. It gives drift(x, o, c, p), a tuple of one float a slot, and
diffusion(x, o, c, p). With one channel, diffusion is such a tuple as well, and multiplies (Sigma^(1/2) dW)_i; with two
it is a pair of such tuples, and the second multiplies an increment dB_i of a standard Brownian motion that is
independent of W. An integrator (`processes.integrators`) makes a rule of them.

All these are scalar functions: plain Python on floats and tuples, without arrays, loops, allocation or random numbers,
and without globals but constants and other such functions. `engines.compiling.bind` compiles them as they are, and
`device="python"` calls them uncompiled.

Optimizers (`processes.optimizer`), SDEs (`processes.sde`) and integrators make what is described here;
`engines.program` and the modules of `studies` use it.
"""

import functools
import math
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ngos_sim.identity import Value
from ngos_sim.processes.domain import EVERYWHERE, Domain
from ngos_sim.validation import checked_function, checked_name, checked_slots, described, keep, named_numbers

CLOCKS = ("eta2", "eta")
OF_THE_STEP = ("h", "eta", "eta2")  # names in p that no process may give to a parameter of its own

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


def checked_parameters(owner, parameters):
    """Return a process's parameters as a dict of finite floats; bias_correction may be a bool.

    Raises
    ------
    ValueError
        One is not a finite number, or has a name that p holds of the step: the message names owner and key.
    """
    for name in parameters:
        if name in OF_THE_STEP:
            raise ValueError(f"{owner}: parameter {name!r} has the name of what p says of the step; allowed: any other")
    corrected = parameters.get("bias_correction")
    switch = {"bias_correction": float(corrected)} if isinstance(corrected, (bool, np.bool_)) else {}
    return named_numbers(owner, parameters | switch)


def with_own(optimizer, sde):
    """Return the constants of an optimizer and an SDE's own, by name; raise ValueError where both have a name."""
    clash = sorted({*optimizer.parameters} & {*sde.parameters})
    if clash:
        raise ValueError(f"sde {sde.name!r}: parameter {clash[0]!r} is a constant of the optimizer already")
    return {**optimizer.parameters, **sde.parameters}


def learning_rate(clock, h):
    """Return eta of a step that takes the time h: sqrt(h) for the clock "eta2", h for "eta"."""
    return h if clock == "eta" else math.sqrt(h)


def parameters(rule, h, sde=None):
    """Return what p holds, by name: a rule's parameters, an SDE's own, h, eta and, for the clock "eta2", eta2.

    Engines pass the values as a named tuple in this order.

    Parameters
    ----------
    rule : Rule
    h : float
        The time of one optimizer step.
    sde : SDE, optional
        Where p is that of an SDE beside the rule, which is then the optimizer.
    """
    constants = rule.parameters if sde is None else with_own(rule, sde)
    of_the_step = {"h": h, "eta": learning_rate(rule.clock, h)}
    return {**constants, **of_the_step, **({"eta2": h} if rule.clock == "eta2" else {})}


def with_expansion_of(family, process):
    """Return a process that was just made, marked as one whose expansion predictions hold.

    Only for one that `known.constants` is written for: with another drift, diffusion or step the predicted constant
    would be that of a different process.
    """
    keep(process, family=family)
    return process


def default_schedule(k, h, p):
    """Return (h, sqrt(h) sigma0, sqrt(h) / sigma0): h f' + sqrt(h) sigma0 z is h times the gradient."""
    return h, math.sqrt(h) * p.sigma0, math.sqrt(h) / p.sigma0


def empty_schedule(k, h, p):
    """Return an empty row: the default of an optimizer of the clock "eta"."""
    return ()


@dataclass(frozen=True, init=False, eq=False)
class Rule(Value):
    """What an engine steps: a step function, its slots, its schedule, its clock and its parameters.

    Parameters
    ----------
    name : str
        What tables call it.
    step : function (x, o, z, c, p) -> x
        One step of one coordinate.
    slots : sequence of str
        Names of the state's slots; the first is "theta".
    schedule : function (k, h, p) -> tuple of float, optional
        The row of step k (counted from time 0) of size h; plain Python, run on the host. By default
        `default_schedule`, for the clock "eta" an empty row.
    clock : "eta2" or "eta"
        Whether step k is at time k eta^2 or at time k eta.
    **parameters : float
        What p holds by name, besides p.h, p.eta and p.eta2.

    Raises
    ------
    ValueError, TypeError
        One of these is not as described.

    Attributes
    ----------
    family : str
        "rmsprop" or "adam" of what `rmsprop_adam` makes, "" of any other: by it predictions know an optimizer.
    domain : Domain
        What one of this package's assumes of an oracle.
    """

    name: str
    step: Callable
    slots: tuple[str, ...]
    schedule: Callable
    clock: str
    parameters: Mapping[str, float]
    channels: int = field(default=1, repr=False)  # of z; an optimizer has one, the rule of an SDE as many as the SDE
    family: str = field(default="", repr=False)
    domain: Domain = field(default=EVERYWHERE, repr=False, compare=False)

    def __init__(
        self,
        name: str,
        step: Callable,
        slots: Sequence[str],
        schedule: Callable | None = None,
        clock: str = "eta2",
        **parameters: float,
    ) -> None:
        checked_name("Optimizer", name)
        if clock not in CLOCKS:
            raise ValueError(f"{name}: clock={described(clock)}; allowed: 'eta2' (time k eta^2), 'eta' (time k eta)")
        if schedule is None:
            schedule = default_schedule if clock == "eta2" else empty_schedule
        keep(
            self,
            family="",
            domain=EVERYWHERE,
            name=name,
            step=checked_function(name, "step", step),
            slots=checked_slots(name, slots),
            schedule=checked_function(name, "schedule", schedule),
            clock=clock,
            parameters=checked_parameters(name, parameters),
        )
