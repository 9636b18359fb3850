"""The built-ins by the kind that study files and `ngos-sim list` call them."""

from collections.abc import Callable

from ngos_sim.oracles import heavy_laws, laws, losses, noises
from ngos_sim.processes import rmsprop_adam

KINDS: dict[str, dict[str, Callable]] = {
    "loss": {"quadratic": losses.quadratic, "linear": losses.linear},
    "noise": {
        "gaussian": noises.gaussian,
        "uniform": laws.uniform,
        "rademacher": laws.rademacher,
        "two-point": laws.two_point,
        "skewed": laws.skewed,
        "laplace": heavy_laws.laplace,
        "student-t": heavy_laws.student_t,
    },
    "optimizer": {"rmsprop": rmsprop_adam.rmsprop, "adam": rmsprop_adam.adam},
    "sde": {"rmsprop": rmsprop_adam.rmsprop_sde, "adam": rmsprop_adam.adam_sde},
}
