"""Cases of `ngos-sim verify` that only a computed error resolves: wells, log-cosh, skewed noise, Sigma(theta).

The law of a coordinate is carried forward (`estimators.transport`), so that an error of h = 1/1024 is known to a
thousandth or so of itself; coupled trajectories would need hours. `theorems.CASES` holds them.
"""

import math
from functools import partial

from ngos_sim.estimators.test_functions import TestFunction
from ngos_sim.oracles.curved_losses import double_well, log_cosh
from ngos_sim.oracles.laws import two_point
from ngos_sim.oracles.losses import quadratic
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.oracles.noises import gaussian
from ngos_sim.oracles.variances import sine_variance
from ngos_sim.processes.rmsprop_adam import adam, adam_sde, rmsprop, rmsprop_sde
from ngos_sim.processes.variations import svag
from ngos_sim.studies.study import ConvergenceStudy
from ngos_sim.verification.case import CONSISTENT, HALF_ORDER, Case

_WELL = double_well(hessian=9.0, minimum=1.0, width=3.0)  # its gradient is (theta^3 - theta) / (1 + theta^2 / 9)
_SKEWED, _LOW_SKEW = two_point(skewness=0.9), two_point(low_skewness=0.9)
_RMSPROP, _START = rmsprop(sigma0=0.8, eps0=0.0, c2=1.3), {"theta": 1.2, "u": 1.0}
_ADAM = adam(sigma0=0.8, eps0=0.1, c1=2.0, c2=1.3)
_ADAM_START = {"theta": 1.2, "m": -0.4, "u": 1.4, "t0": 0.5}
_STEPS, _FINE = {"steps": [16, 32, 64, 128, 256]}, {"steps": [64, 128, 256, 512, 1024]}
_NONE = 1024  # trajectories that a case asks for: none is run


def _cos(x):
    return math.cos(x[0])


_COS = TestFunction("cos theta", _cos)


def computed(loss, functions, optimizer=_RMSPROP, sde=None, initial=None, *, noise=None, covariance=1.0, **settings):
    """Compare an optimizer, RMSprop if none is given, with its SDE after a time of 1 by the transport estimator."""
    initial = initial or _START
    horizon = initial.get("t0", 0.0) + 1.0
    return ConvergenceStudy(
        NGOS(loss, covariance, noise or gaussian()),
        optimizer,
        sde=sde or rmsprop_sde(),
        initial=initial,
        horizon=horizon,
        times=[horizon],
        test_functions=functions,
        estimator="transport",
        **settings,
    )


def _case(title, *given, shows=CONSISTENT, **settings):
    return Case(title, partial(computed, *given, **settings), _NONE, shows)


CASES = {
    "log-cosh": _case("RMSprop on log-cosh", log_cosh(1.0), ["theta[0]", "theta[0]^2", "u[0]", _COS], **_STEPS),
    "log-cosh-adam": _case(
        "Adam on log-cosh",
        log_cosh(1.0),
        ["theta[0]", "theta[0]^2", "u[0]", _COS],
        _ADAM,
        adam_sde(),
        _ADAM_START,
        eta2=[2.0**-k for k in range(4, 8)],
    ),
    "well": _case("RMSprop in a double well", _WELL, ["theta[0]", "u[0]", _COS], **_STEPS),
    "well-low-skew": _case(
        "RMSprop in a double well, noise of low skewness",
        _WELL,
        ["theta[0]", "theta[0]^2", "u[0]", _COS],
        noise=_LOW_SKEW,
        **_FINE,
    ),
    "well-skewness": _case(
        "Control: RMSprop in a double well, noise of fixed skewness",
        _WELL,
        ["theta[0]", "theta[0]^2", _COS],
        noise=_SKEWED,
        shows=HALF_ORDER,
        **_FINE,
    ),
    "well-svag": _case(
        "SVAG on RMSprop in a double well, noise of fixed skewness",
        _WELL,
        ["theta[0]", "theta[0]^2", "u[0]", _COS],
        svag(_RMSPROP, ell=[3.0, 4.0, 6.0, 8.0]),
        noise=_SKEWED,
        eta2=0.125,
    ),
    "sine-variance": _case(
        "RMSprop with Sigma(theta) = 1 + sin(theta)^2 / 2",
        quadratic(0.9),
        ["theta[0]", "theta[0]^2", "u[0]"],
        covariance=sine_variance(1.0, 0.5, 1.0),
        **_STEPS,
    ),
}
