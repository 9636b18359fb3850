"""The studies that check the theorems of arXiv 2205.10287; their negative controls are in `controls`.

A theorem is an upper bound: what agrees with it is "consistent with" it.
"""

import math
from functools import partial
from typing import Any

from ngos_sim.estimators.test_functions import TestFunction
from ngos_sim.oracles.laws import two_point, uniform
from ngos_sim.oracles.losses import linear, quadratic
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.oracles.noises import gaussian
from ngos_sim.processes.rmsprop_adam import adam, adam_sde, rmsprop, rmsprop_sde
from ngos_sim.processes.variations import scaling_rule, svag
from ngos_sim.studies.study import ConvergenceStudy
from ngos_sim.verification import beyond, controls, nonlinear
from ngos_sim.verification.case import Case, against_prediction

RMSPROP: dict[str, Any] = {"sigma0": 0.8, "eps0": 0.0, "c2": 1.3}
ADAM: dict[str, Any] = {"sigma0": 0.8, "eps0": 0.1, "c1": 2.0, "c2": 1.3}
FINE = [2.0**-k for k in range(5, 11)]
COARSE = [2.0**-k for k in range(3, 8)]
P2_START = {"theta": 1.2, "u": 1.0}
P4_START = {"theta": 1.2, "m": -0.4, "u": 1.4, "t0": 0.5}
UPDATED = {"second_moment": "updated"}


def theorem_4_2(loss=None, noise=None, **conventions):
    """RMSprop against its SDE, by default on a diagonal quadratic loss in two dimensions with Gaussian noise."""
    return ConvergenceStudy(
        NGOS(loss or quadratic([0.9, 2.0]), (1.0, 0.5), noise or gaussian()),
        rmsprop(**RMSPROP, **conventions),
        sde=rmsprop_sde(),
        initial={"theta": [1.2, 1.0], "u": 1.0},
        eta2=FINE,
        horizon=1.0,
        test_functions=["theta[0]", "theta[0]^2", "theta[0]^4", "theta[0]*u[0]", "u[0]^2", "theta[0]*theta[1]", "loss"],
    )


def theorem_4_5(noise=None, **conventions):
    """Adam against its SDE on a quadratic loss from t0 = 0.5 (P4 of docs/theory.md, "Reference problems")."""
    return ConvergenceStudy(
        NGOS(quadratic(0.9), noise=noise or gaussian()),
        adam(**ADAM, **conventions),
        sde=adam_sde(),
        initial=P4_START,
        eta2=FINE,
        horizon=1.5,
        test_functions=["theta[0]", "theta[0]^2", "m[0]^2", "u[0]^2", "loss"],
    )


def _cos(x):
    return math.cos(x[0])


def outside_the_span(optimizer, sde, initial, horizon):
    """Test functions outside the local estimator's basis, by a companion of known mean."""
    return ConvergenceStudy(
        NGOS(quadratic(0.9)),
        optimizer,
        sde=sde,
        initial=initial,
        eta2=COARSE,
        horizon=horizon,
        test_functions=[TestFunction("cos theta", _cos), "theta[0]^4"],
        estimator="control_variate",
    )


def matrices(optimizer, sde, initial, horizon):
    """An optimizer against its SDE in three dimensions that Hessian and covariance couple."""
    hessian = [[0.9, 0.4, 0.0], [0.4, 1.4, -0.3], [0.0, -0.3, 2.0]]
    covariance = [[1.0, 0.3, -0.2], [0.3, 0.8, 0.1], [-0.2, 0.1, 1.2]]
    return ConvergenceStudy(
        NGOS(quadratic(hessian), covariance),
        optimizer,
        sde=sde,
        initial=initial | {"theta": [1.2, -0.5, 0.8]},
        eta2=FINE,
        horizon=horizon,
        test_functions=["theta[0]", "theta[2]", "u[1]"],
    )


def theorem_5_3(optimizer, initial, horizon, *, eta2=None, **settings):
    """An optimizer at batch size B against 2, 4 and 32 B, at matched times: an error of (1 - kappa) C eta^2."""
    return ConvergenceStudy(
        NGOS(quadratic(0.9)),
        optimizer,
        initial=initial,
        eta2=eta2 or [2.0**-k for k in range(7, 13)],
        horizon=horizon,
        **({"reference": scaling_rule([2, 4, 32]), "test_functions": ["theta[0]", "u[0]^2"]} | settings),
    )


def theorem_6_3(optimizer, sde, initial, horizon, functions):
    """SVAG at fixed eta^2 = 1/8 with skewed noise of a fixed law, which by itself breaks order 1."""
    return ConvergenceStudy(
        NGOS(quadratic(0.9), noise=two_point(skewness=1.5)),
        svag(optimizer, ell=[3.0, 4.0, 6.0, 8.0, 12.0, 16.0]),
        sde=sde,
        initial=initial,
        eta2=0.125,
        horizon=horizon,
        test_functions=functions,
    )


def _wave(theta):
    return 1.0 + 0.5 * math.sin(theta) * math.sin(theta)


def state_dependent(optimizer, sde, initial, horizon):
    """An optimizer against its SDE with Sigma(theta) = 1 + sin(theta)^2 / 2: measured by coupling."""
    return ConvergenceStudy(
        NGOS(quadratic(0.9), covariance=_wave),
        optimizer,
        sde=sde,
        initial=initial,
        eta2=[2.0**-k for k in range(3, 10)],
        horizon=horizon,
        test_functions=["theta[0]", TestFunction("cos theta", _cos)],
        estimator="coupled",
    )


def remark_4_3():
    """Theorem 4.2's constant at noise scales sigma0 = 0.4 .. 3.2."""
    return {
        f"sigma0={sigma0:g}": ConvergenceStudy(
            NGOS(quadratic(0.9)),
            rmsprop(**(RMSPROP | {"sigma0": sigma0})),
            sde=rmsprop_sde(),
            initial=P2_START,
            eta2=FINE,
            times=[1.0],
            test_functions=["theta[0]", "theta[0]^2", "u[0]"],
        )
        for sigma0 in (0.4, 0.8, 1.6, 3.2)
    }


def _constants(rows, results):
    """Judge Remark 4.3: each constant is the predicted one, however it depends on sigma0."""
    agree, words = against_prediction(rows)
    by = rows[rows.test_function == "theta[0]"]
    table = ", ".join(f"{row.constant:z.3f} ({row.predicted_constant:z.3f})" for row in by.itertuples())
    return agree, f"constants (predicted) of theta[0] at {', '.join(results)}: {table}{words}"


def dimensions():
    """Theorem 4.2 in 1, 4, 16 and 64 dimensions, coordinates alike."""
    return {
        f"d={d}": ConvergenceStudy(
            NGOS(quadratic([0.9] * d), noise=uniform()),
            rmsprop(**RMSPROP),
            sde=rmsprop_sde(),
            initial={"theta": [1.2] * d, "u": 1.0},
            eta2=[2.0**-k for k in range(4, 9)],
            times=[1.0],
            test_functions=["loss", "theta[0]"],
        )
        for d in (1, 4, 16, 64)
    }


def _flat(rows, results):
    """Judge the dimension: the constant of the loss over the loss is the same in each."""
    by = rows[rows.test_function == "loss"]
    loss = [result.table[result.table.test_function == "loss"].sde_mean.iloc[-1] for result in results.values()]
    ratio, spread = by.constant / loss, by.constant_std_error / loss
    weight = 1.0 / spread**2
    off = float(((ratio - (weight * ratio).sum() / weight.sum()).abs() / spread).max())
    table = ", ".join(f"{one:z.3f} ({error:.3f})" for one, error in zip(ratio, spread, strict=True))
    agree, words = against_prediction(rows)
    return agree and off < 4.0, f"constant of the loss over the loss at {', '.join(results)}: {table}{words}"


def _as_measured(rows, results):
    """Judge nothing: say how error / eta^2 goes on from step to step. (It seems to grow like log(1 / eta^2).)"""
    table = results[""].table
    rows = table[table.test_function == "theta[0]"]
    said = ", ".join(f"{one:z.3f}" for one in rows.error / rows.eta2)
    return True, f"as measured, no order claimed: error / eta^2 of theta[0] from the largest step to the least: {said}"


_RMSPROP = (rmsprop(**RMSPROP), rmsprop_sde(), P2_START, 1.0)
_ADAM = (adam(**ADAM), adam_sde(), P4_START, 1.5)
_EVERY_STEP = {"reference": scaling_rule(4), "times": "all", "eta2": [2.0**-k for k in range(5, 10)]}
_FROM_ZERO = {"reference": scaling_rule(2), "eta2": [2.0**-k for k in range(3, 10)], "times": [1.0]}

CASES = {
    "4.2": Case("Theorem 4.2: RMSprop and its SDE", theorem_4_2, 25_000, quick=True),
    "4.2-linear": Case("Theorem 4.2: linear loss", partial(theorem_4_2, linear([0.7, -0.4])), 50_000),
    "4.2-uniform": Case("Theorem 4.2: uniform noise", partial(theorem_4_2, noise=uniform()), 25_000),
    "4.2-low-skew": Case(
        "Theorem 4.2: two-point noise of low skewness",
        partial(theorem_4_2, noise=two_point(low_skewness=1.5)),
        25_000,
    ),
    "4.2-updated": Case("Theorem 4.2, footnote 2: v_{k+1}", partial(theorem_4_2, **UPDATED), 25_000),
    "4.2-outside": Case(
        "Theorem 4.2: test functions outside the span",
        partial(outside_the_span, *_RMSPROP[:2], {"theta": 2.0, "u": 1.0}, 1.0),
        1_000_000,
    ),
    "4.2-state": Case(
        "Theorem 4.2: Sigma depends on theta",
        partial(state_dependent, *_RMSPROP[:2], {"theta": 2.0, "u": 1.0}, 1.0),
        600_000,
    ),
    "4.2-matrices": Case("Theorem 4.2: a full Hessian and covariance", partial(matrices, *_RMSPROP), 50_000),
    "4.2-sigma0": Case("Remark 4.3: the constant against sigma0", remark_4_3, 50_000, _constants),
    "4.2-dimension": Case("Theorem 4.2: the constant against the dimension", dimensions, 20_000, _flat),
    "4.5": Case("Theorem 4.5: Adam and its SDE, from t0 = 0.5", theorem_4_5, 25_000, quick=True),
    "4.5-updated": Case("Theorem 4.5, footnote 2: v_{k+1}", partial(theorem_4_5, **UPDATED), 25_000),
    "4.5-outside": Case("Theorem 4.5: test functions outside the span", partial(outside_the_span, *_ADAM), 1_000_000),
    "4.5-state": Case("Theorem 4.5: Sigma depends on theta", partial(state_dependent, *_ADAM), 600_000),
    "4.5-matrices": Case("Theorem 4.5: a full Hessian and covariance", partial(matrices, *_ADAM), 50_000),
    "5.3": Case(
        "Theorem 5.3: RMSprop at 2, 4 and 32 times the batch size",
        partial(theorem_5_3, _RMSPROP[0], P2_START, 1.0),
        50_000,
    ),
    "5.3-adam": Case(
        "Theorem 5.3: Adam at 2, 4 and 32 times the batch size",
        partial(theorem_5_3, _ADAM[0], P4_START, 1.5),
        50_000,
    ),
    "5.3-every-step": Case(
        "Theorem 5.3 as stated: RMSprop at every k against floor(k / 4)",
        partial(theorem_5_3, _RMSPROP[0], P2_START, 1.0, **_EVERY_STEP),
        20_000,
    ),
    "5.3-from-zero": Case(
        "Remark 5.4: Adam from t = 0 with m = v = 0, at 2 times the batch size",
        partial(theorem_5_3, _ADAM[0], {"theta": 1.2, "m": 0.0, "u": 0.0}, 1.0, **_FROM_ZERO),
        400_000,
        _as_measured,
    ),
    "6.3": Case(
        "Theorem 6.3: SVAG on RMSprop, skewed noise",
        partial(theorem_6_3, *_RMSPROP, ["theta[0]", "theta[0]*u[0]", "u[0]^2"]),
        25_000,
        quick=True,
    ),
    "6.3-adam": Case(
        "Theorem 6.3: SVAG on Adam, skewed noise",
        partial(theorem_6_3, *_ADAM, ["theta[0]", "theta[0]^2", "u[0]^2"]),
        25_000,
    ),
    **controls.CASES,
    **beyond.CASES,
    **nonlinear.CASES,
}
