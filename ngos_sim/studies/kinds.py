"""The built-ins by the kind that study files and `ngos-sim list` call them, with what a table of processes says.

Study files can name what a user makes as well: `makers`.
"""

from collections.abc import Callable
from typing import NamedTuple

from ngos_sim.oracles import covariances, curved_losses, heavy_laws, laws, losses, noises, quartic_losses, variances
from ngos_sim.processes import ballistic, compagnoni, lion, rmsprop_adam, sgd, sign
from ngos_sim.processes.modified_equation import modified_equation
from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.processes.sde import SDE


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
        "rosenbrock": Kind(quartic_losses.rosenbrock),
        "factorisation": Kind(quartic_losses.factorisation),
        "coupled-wells": Kind(quartic_losses.coupled_wells),
        "saddle": Kind(quartic_losses.saddle),
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
        "ballistic-rmsprop": Kind(ballistic.ballistic_rmsprop, "eta"),
        "ballistic-adam": Kind(ballistic.ballistic_adam, "eta"),
        "signsgd": Kind(sign.signsgd, "eta"),
        "signum": Kind(sign.signum, "eta"),
        "lion": Kind(lion.lion, "eta2"),
        "sgd": Kind(sgd.sgd, "eta"),
        "heavy-ball": Kind(sgd.heavy_ball, "eta"),
        "nesterov": Kind(sgd.nesterov, "eta"),
    },
    "sde": {
        "rmsprop": Kind(rmsprop_adam.rmsprop_sde, "eta2", "1"),
        "adam": Kind(rmsprop_adam.adam_sde, "eta2", "1"),
        "ballistic-rmsprop": Kind(ballistic.ballistic_rmsprop_sde, "eta", "0, 1, 2"),
        "ballistic-adam": Kind(ballistic.ballistic_adam_sde, "eta", "0, 1, 2"),
        "signsgd": Kind(sign.signsgd_sde, "eta", "1, 2"),
        "signum": Kind(sign.signum_sde, "eta", "1"),
        "lion": Kind(lion.lion_sde, "eta2", "1"),
        "sgd": Kind(sgd.sgd_sde, "eta", "1, 2"),
        "flipped-sgd": Kind(sgd.flipped_sgd_sde, "eta", "1"),
        "heavy-ball": Kind(sgd.heavy_ball_sde, "eta", "1, 2"),
        "nesterov": Kind(sgd.nesterov_sde, "eta", "1, 2"),
        "compagnoni-rmsprop": Kind(compagnoni.compagnoni_rmsprop_sde, "eta2", "1"),
        "compagnoni-adam": Kind(compagnoni.compagnoni_adam_sde, "eta2", "1"),
    },
}

_OWN: dict[str, dict[str, Callable]] = {  # a user's own, whose functions are in plug-ins
    "loss": {"own": losses.Loss},
    "covariance": {"own": variances.Variance, "own-joint": covariances.Covariance},
    "noise": {"own": noises.Noise},
    "optimizer": {"own": Optimizer},
    "sde": {"modified-equation": modified_equation, "own": SDE},
}


def makers(kind):
    """Return what study files can name of a kind, {name: constructor}: the built-ins, then what a user makes."""
    return {name: each.make for name, each in KINDS[kind].items()} | _OWN[kind]
