"""The built-ins by the kind that study files and `ngos-sim list` call them, with what a table of processes says."""

from collections.abc import Callable
from typing import NamedTuple

from ngos_sim.oracles import curved_losses, heavy_laws, laws, losses, noises, variances
from ngos_sim.processes import rmsprop_adam


class Kind(NamedTuple):
    """One built-in.

    make : its constructor, whose docstring's first line says what it is and where it comes from
    clock : of a process, "eta2" or "eta"; empty of what is no process
    order : of an SDE, the power of h in its weak error, or the several that its constructor takes; else empty
    """

    make: Callable
    clock: str = ""
    order: str = ""


KINDS: dict[str, dict[str, Kind]] = {
    "loss": {
        "quadratic": Kind(losses.quadratic),
        "linear": Kind(losses.linear),
        "log-cosh": Kind(curved_losses.log_cosh),
        "sine-quadratic": Kind(curved_losses.sine_quadratic),
        "double-well": Kind(curved_losses.double_well),
    },
    "covariance": {
        "sine": Kind(variances.sine_variance),
        "lorentz": Kind(variances.lorentz_variance),
    },
    "noise": {
        "gaussian": Kind(noises.gaussian),
        "uniform": Kind(laws.uniform),
        "rademacher": Kind(laws.rademacher),
        "two-point": Kind(laws.two_point),
        "skewed": Kind(laws.skewed),
        "laplace": Kind(heavy_laws.laplace),
        "student-t": Kind(heavy_laws.student_t),
    },
    "optimizer": {
        "rmsprop": Kind(rmsprop_adam.rmsprop, "eta2"),
        "adam": Kind(rmsprop_adam.adam, "eta2"),
    },
    "sde": {
        "rmsprop": Kind(rmsprop_adam.rmsprop_sde, "eta2", "1"),
        "adam": Kind(rmsprop_adam.adam_sde, "eta2", "1"),
    },
}
