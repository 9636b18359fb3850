"""The built-ins by the kind that study files and `ngos-sim list` call them, with what a table of processes says."""

from collections.abc import Callable
from typing import NamedTuple

from ngos_sim.oracles import heavy_laws, laws, losses, noises
from ngos_sim.processes import compagnoni, rmsprop_adam


class Kind(NamedTuple):
    """One built-in.

    make : its constructor, whose docstring's first line says what it is and where it comes from
    clock : of a process, "eta2" or "eta"; empty of a loss and of a noise law
    order : of an SDE, the power of h in its weak error, or the several that its constructor takes; else empty
    """

    make: Callable
    clock: str = ""
    order: str = ""


KINDS: dict[str, dict[str, Kind]] = {
    "loss": {"quadratic": Kind(losses.quadratic), "linear": Kind(losses.linear)},
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
        "compagnoni-rmsprop": Kind(compagnoni.compagnoni_rmsprop_sde, "eta2", "1"),
        "compagnoni-adam": Kind(compagnoni.compagnoni_adam_sde, "eta2", "1"),
    },
}
