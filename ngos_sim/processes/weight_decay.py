"""Decoupled weight decay: - h w0 theta in an optimizer's step, - w0 theta dt in its SDE.

w0 = w / eta, with w the weight decay of practitioners: torch.optim.AdamW's theta <- theta (1 - eta w), before the step,
is theta (1 - h w0) in the clock h = eta^2 (docs/theory.md, "Weight decay"). The families of `processes` make steps and
drifts with decay of those without; where an optimizer has no parameter w0, they are not even compiled.
"""

from ngos_sim.arithmetic import fma


def has_weight_decay(constants):
    """Return whether an optimizer has decoupled weight decay: a parameter w0; where it has none, there is none.

    constants : mapping of str to float, its parameters by name
    """
    return bool(constants.get("w0", 0.0))


def decayed(moved, x, p):
    """Return the state `moved` that a step makes of x, less h w0 theta of the old theta: a scalar function."""
    return (fma(-p.h * p.w0, x[0], moved[0]), *moved[1:])


def decaying(drift, x, p):
    """Return the drift at x with - w0 theta in that of theta: a scalar function."""
    return (fma(-p.w0, x[0], drift[0]), *drift[1:])
