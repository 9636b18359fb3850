"""ngos_sim: weak errors of RMSprop and Adam against their SDEs, by simulation."""

from ngos_sim.arithmetic import fma, preconditioner
from ngos_sim.errors import EngineUnavailable, NonFiniteError, StudyWarning
from ngos_sim.estimators.test_functions import TestFunction
from ngos_sim.oracles.heavy_laws import laplace, student_t
from ngos_sim.oracles.laws import rademacher, skewed, two_point, uniform
from ngos_sim.oracles.losses import Loss, linear, quadratic
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.oracles.noises import Noise, gaussian
from ngos_sim.processes.optimizers import Optimizer, adam, from_hyperparameters, rmsprop
from ngos_sim.processes.scaling import Hyperparameters, scale_batch
from ngos_sim.processes.sdes import SDE, adam_sde, rmsprop_sde
from ngos_sim.processes.variations import scaling_rule, svag
from ngos_sim.studies.result import Result
from ngos_sim.studies.study import ConvergenceStudy

__all__ = [
    "NGOS",
    "SDE",
    "ConvergenceStudy",
    "EngineUnavailable",
    "Hyperparameters",
    "Loss",
    "Noise",
    "NonFiniteError",
    "Optimizer",
    "Result",
    "StudyWarning",
    "TestFunction",
    "adam",
    "adam_sde",
    "fma",
    "from_hyperparameters",
    "gaussian",
    "laplace",
    "linear",
    "preconditioner",
    "quadratic",
    "rademacher",
    "rmsprop",
    "rmsprop_sde",
    "scale_batch",
    "scaling_rule",
    "skewed",
    "student_t",
    "svag",
    "two_point",
    "uniform",
]
