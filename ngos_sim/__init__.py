"""ngos_sim: weak errors of stochastic optimizers against their SDEs, by simulation.

Public names are imported when they are first used, so that `import ngos_sim` and `ngos-sim --help` are quick.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ngos_sim.arithmetic import fma, preconditioner, sign
    from ngos_sim.errors import EngineUnavailable, NonFiniteError, StoreError, StudyWarning
    from ngos_sim.estimators.estimator import Estimator, Plan, Quantity, Reading, Refused, Served
    from ngos_sim.estimators.test_functions import TestFunction
    from ngos_sim.oracles.covariances import Covariance
    from ngos_sim.oracles.curved_losses import double_well, log_cosh, sine_quadratic
    from ngos_sim.oracles.finite_data import finite_data
    from ngos_sim.oracles.heavy_laws import laplace, student_t
    from ngos_sim.oracles.laws import rademacher, skewed, two_point, uniform
    from ngos_sim.oracles.losses import Loss, linear, quadratic
    from ngos_sim.oracles.ngos import NGOS
    from ngos_sim.oracles.noises import Noise, gaussian
    from ngos_sim.oracles.quartic_losses import coupled_wells, factorisation, rosenbrock, saddle
    from ngos_sim.oracles.variances import Variance, lorentz_variance, sine_variance
    from ngos_sim.processes.ballistic import (
        ballistic_adam,
        ballistic_adam_sde,
        ballistic_rmsprop,
        ballistic_rmsprop_sde,
    )
    from ngos_sim.processes.compagnoni import compagnoni_adam_sde, compagnoni_rmsprop_sde
    from ngos_sim.processes.from_hyperparameters import from_hyperparameters
    from ngos_sim.processes.hyperparameters import Hyperparameters, scale_batch
    from ngos_sim.processes.lion import lion, lion_sde
    from ngos_sim.processes.modified_equation import modified_equation
    from ngos_sim.processes.optimizer import Optimizer
    from ngos_sim.processes.rmsprop_adam import adam, adam_sde, rmsprop, rmsprop_sde
    from ngos_sim.processes.sde import SDE
    from ngos_sim.processes.sgd import flipped_sgd_sde, heavy_ball, heavy_ball_sde, nesterov, nesterov_sde, sgd, sgd_sde
    from ngos_sim.processes.sign import signsgd, signsgd_sde, signum, signum_sde
    from ngos_sim.processes.variations import scaling_rule, svag
    from ngos_sim.studies.loading import load, merge
    from ngos_sim.studies.order_effect import OrderEffect, order_effect
    from ngos_sim.studies.result import Result
    from ngos_sim.studies.study import ConvergenceStudy

__version__ = "0.1.0"

__all__ = [
    "NGOS",
    "SDE",
    "ConvergenceStudy",
    "Covariance",
    "EngineUnavailable",
    "Estimator",
    "Hyperparameters",
    "Loss",
    "Noise",
    "NonFiniteError",
    "Optimizer",
    "OrderEffect",
    "Plan",
    "Quantity",
    "Reading",
    "Refused",
    "Result",
    "Served",
    "StoreError",
    "StudyWarning",
    "TestFunction",
    "Variance",
    "adam",
    "adam_sde",
    "ballistic_adam",
    "ballistic_adam_sde",
    "ballistic_rmsprop",
    "ballistic_rmsprop_sde",
    "compagnoni_adam_sde",
    "compagnoni_rmsprop_sde",
    "coupled_wells",
    "double_well",
    "factorisation",
    "finite_data",
    "flipped_sgd_sde",
    "fma",
    "from_hyperparameters",
    "gaussian",
    "heavy_ball",
    "heavy_ball_sde",
    "laplace",
    "linear",
    "lion",
    "lion_sde",
    "load",
    "log_cosh",
    "lorentz_variance",
    "merge",
    "modified_equation",
    "nesterov",
    "nesterov_sde",
    "order_effect",
    "preconditioner",
    "quadratic",
    "rademacher",
    "rmsprop",
    "rmsprop_sde",
    "rosenbrock",
    "saddle",
    "scale_batch",
    "scaling_rule",
    "sgd",
    "sgd_sde",
    "sign",
    "signsgd",
    "signsgd_sde",
    "signum",
    "signum_sde",
    "sine_quadratic",
    "sine_variance",
    "skewed",
    "student_t",
    "svag",
    "two_point",
    "uniform",
]

_HOMES = {
    "arithmetic": ("fma", "preconditioner", "sign"),
    "errors": ("EngineUnavailable", "NonFiniteError", "StoreError", "StudyWarning"),
    "estimators.estimator": ("Estimator", "Plan", "Quantity", "Reading", "Refused", "Served"),
    "estimators.test_functions": ("TestFunction",),
    "oracles.covariances": ("Covariance",),
    "oracles.curved_losses": ("double_well", "log_cosh", "sine_quadratic"),
    "oracles.finite_data": ("finite_data",),
    "oracles.heavy_laws": ("laplace", "student_t"),
    "oracles.laws": ("rademacher", "skewed", "two_point", "uniform"),
    "oracles.losses": ("Loss", "linear", "quadratic"),
    "oracles.ngos": ("NGOS",),
    "oracles.noises": ("Noise", "gaussian"),
    "oracles.quartic_losses": ("coupled_wells", "factorisation", "rosenbrock", "saddle"),
    "oracles.variances": ("Variance", "lorentz_variance", "sine_variance"),
    "processes.ballistic": ("ballistic_adam", "ballistic_adam_sde", "ballistic_rmsprop", "ballistic_rmsprop_sde"),
    "processes.compagnoni": ("compagnoni_adam_sde", "compagnoni_rmsprop_sde"),
    "processes.from_hyperparameters": ("from_hyperparameters",),
    "processes.hyperparameters": ("Hyperparameters", "scale_batch"),
    "processes.lion": ("lion", "lion_sde"),
    "processes.modified_equation": ("modified_equation",),
    "processes.optimizer": ("Optimizer",),
    "processes.rmsprop_adam": ("adam", "adam_sde", "rmsprop", "rmsprop_sde"),
    "processes.sde": ("SDE",),
    "processes.sgd": ("flipped_sgd_sde", "heavy_ball", "heavy_ball_sde", "nesterov", "nesterov_sde", "sgd", "sgd_sde"),
    "processes.sign": ("signsgd", "signsgd_sde", "signum", "signum_sde"),
    "processes.variations": ("scaling_rule", "svag"),
    "studies.loading": ("load", "merge"),
    "studies.order_effect": ("OrderEffect", "order_effect"),
    "studies.result": ("Result",),
    "studies.study": ("ConvergenceStudy",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    return value


def __dir__():
    return sorted({*globals(), *__all__})
