"""The studies that check the theorems of arXiv 2205.10287, and the control that must fail.

Each case is a study, what its orders must say, and how the finding is put in words. A theorem is an
upper bound: what agrees with it is "consistent with" it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ngos_sim.oracles.losses import linear, quadratic
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.oracles.noises import gaussian, two_point, uniform
from ngos_sim.processes.optimizers import adam, rmsprop
from ngos_sim.processes.sdes import SDE, adam_sde, rmsprop_sde
from ngos_sim.processes.variations import scaling_rule, svag
from ngos_sim.studies.study import ConvergenceStudy

RMSPROP = {"sigma0": 0.8, "eps0": 0.0, "c2": 1.3}
FINE = [2.0**-k for k in range(5, 11)]
ADAM = {"sigma0": 0.8, "eps0": 0.1, "c1": 2.0, "c2": 1.3}


@dataclass(frozen=True)
class Case:
    """One statement: its study, the trajectories that resolve it, and the verdict that it must show."""

    title: str
    study: Callable[[], ConvergenceStudy]
    trajectories: int
    consistent: bool = True
    quick: bool = False

    def holds(self, orders):
        """Return whether every verdict (norm = max) is what this case must show."""
        verdicts = orders[orders.norm == "max"].verdict
        wanted = "consistent with" if self.consistent else "fails"
        return bool(verdicts.str.startswith(wanted).all())

    def finding(self, orders):
        """Say in words what the orders show."""
        rows = orders[orders.norm == "max"]
        low, high = rows.order.min(), rows.order.max()
        span = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
        wanted = "consistent with order 1" if self.consistent else "the wrong SDE fails, as it must"
        if self.holds(orders):
            return f"{wanted}: fitted order {span}"
        odd = rows[~rows.verdict.str.startswith("consistent with" if self.consistent else "fails")]
        return "NOT as expected: " + "; ".join(f"{row.test_function}: {row.verdict}" for row in odd.itertuples())


def theorem_4_2(loss=None, covariance=(1.0, 0.5), noise=None, **conventions):
    """RMSprop against its SDE, by default on a diagonal quadratic loss in two dimensions with Gaussian noise."""
    loss = loss or quadratic([0.9, 2.0])
    return ConvergenceStudy(
        NGOS(loss, covariance, noise or gaussian()),
        rmsprop(**RMSPROP, **conventions),
        sde=rmsprop_sde(),
        initial={"theta": [1.2, 1.0], "u": 1.0},
        eta2=FINE,
        horizon=1.0,
        test_functions=["theta[0]", "theta[0]^2", "theta[0]*u[0]", "u[0]^2", "loss"],
    )


def theorem_4_5(noise=None, **conventions):
    """Adam against its SDE on a quadratic loss from t0 = 0.5 (problem P4 of the theory notes)."""
    return ConvergenceStudy(
        NGOS(quadratic(0.9), noise=noise or gaussian()),
        adam(**ADAM, **conventions),
        sde=adam_sde(),
        initial={"theta": 1.2, "m": -0.4, "u": 1.4, "t0": 0.5},
        eta2=FINE,
        horizon=1.5,
        test_functions=["theta[0]", "theta[0]^2", "m[0]^2", "u[0]^2"],
    )


def theorem_5_3(kappa=(2, 4)):
    """RMSprop at batch size B against kappa B, at matched times: an error of (1 - kappa) C eta^2."""
    return ConvergenceStudy(
        NGOS(quadratic(0.9)),
        rmsprop(**RMSPROP),
        reference=scaling_rule(list(kappa)),
        initial={"theta": 1.2, "u": 1.0},
        eta2=[2.0**-k for k in range(4, 10)],
        horizon=1.0,
        test_functions=["theta[0]", "u[0]^2"],
    )


def theorem_6_3(rule=None, sde=None, initial=None, horizon=1.0):
    """SVAG at fixed eta^2 = 1/8 with skewed noise of a fixed law, which by itself breaks order 1."""
    return ConvergenceStudy(
        NGOS(quadratic(0.9), noise=two_point(skewness=1.5)),
        svag(rule or rmsprop(**RMSPROP), ell=[3.0, 4.0, 6.0, 8.0, 12.0, 16.0]),
        sde=sde or rmsprop_sde(),
        initial=initial or {"theta": 1.2, "u": 1.0},
        eta2=0.125,
        horizon=horizon,
        test_functions=["theta[0]", "theta[0]*u[0]" if rule is None else "theta[0]^2", "u[0]^2"],
    )


def _wave(theta):
    return 1.0 + 0.5 * math.sin(theta) * math.sin(theta)


def state_dependent(rule, sde, initial, horizon):
    """An optimizer against its SDE with Sigma(theta) = 1 + sin(theta)^2 / 2: measured by coupling."""
    return ConvergenceStudy(
        NGOS(quadratic(0.9), covariance=_wave),
        rule,
        sde=sde,
        initial=initial,
        eta2=[2.0**-k for k in range(3, 8)],
        horizon=horizon,
        test_functions=["theta[0]", "u[0]^2"],
    )


def _scaled_diffusion(diffusion):
    def scaled(x, o, c, p):
        theta, u = diffusion(x, o, c, p)
        return p.factor * theta, u

    return scaled


def wrong_diffusion():
    """Theorem 4.2's study against an SDE with half the noise: the error does not fall with eta^2."""
    right = rmsprop_sde()
    wrong = SDE(
        "half the noise", right.drift, _scaled_diffusion(right.diffusion), right.slots, right.schedule, factor=0.5
    )
    return ConvergenceStudy(
        NGOS(quadratic(0.9)),
        rmsprop(**RMSPROP),
        sde=wrong,
        initial={"theta": 1.2, "u": 1.0},
        eta2=[2.0**-k for k in range(3, 9)],
        horizon=1.0,
        test_functions=["theta[0]^2"],
    )


P4_START = {"theta": 1.2, "m": -0.4, "u": 1.4, "t0": 0.5}


def _adam_svag():
    return theorem_6_3(adam(**ADAM), adam_sde(), P4_START, 1.5)


def _rmsprop_state():
    return state_dependent(rmsprop(**RMSPROP), rmsprop_sde(), {"theta": 1.2, "u": 1.0}, 1.0)


def _adam_state():
    return state_dependent(adam(**ADAM), adam_sde(), P4_START, 1.5)


_LINEAR = partial(theorem_4_2, linear([0.7, -0.4]))
_UNIFORM = partial(theorem_4_2, noise=uniform())
_LOW_SKEW = partial(theorem_4_2, noise=two_point(low_skewness=1.5))
_UPDATED = {"second_moment": "updated"}

CASES = {
    "4.2": Case("Theorem 4.2: RMSprop and its SDE", theorem_4_2, 100_000, quick=True),
    "4.2-linear": Case("Theorem 4.2: linear loss", _LINEAR, 200_000),
    "4.2-uniform": Case("Theorem 4.2: uniform noise", _UNIFORM, 100_000),
    "4.2-low-skew": Case("Theorem 4.2: two-point noise of low skewness", _LOW_SKEW, 100_000),
    "4.2-updated": Case("Theorem 4.2, footnote 2: v_{k+1}", partial(theorem_4_2, **_UPDATED), 100_000),
    "4.2-state": Case("Theorem 4.2: Sigma depends on theta", _rmsprop_state, 400_000),
    "4.5": Case("Theorem 4.5: Adam and its SDE, from t0 = 0.5", theorem_4_5, 100_000, quick=True),
    "4.5-updated": Case("Theorem 4.5, footnote 2: v_{k+1}", partial(theorem_4_5, **_UPDATED), 100_000),
    "4.5-state": Case("Theorem 4.5: Sigma depends on theta", _adam_state, 400_000),
    "5.3": Case("Theorem 5.3: RMSprop at 2 and 4 times the batch size", theorem_5_3, 1_000_000),
    "6.3": Case("Theorem 6.3: SVAG on RMSprop, skewed noise", theorem_6_3, 100_000, quick=True),
    "6.3-adam": Case("Theorem 6.3: SVAG on Adam, skewed noise", _adam_svag, 100_000),
    "wrong-diffusion": Case("Control: RMSprop and an SDE with half the noise", wrong_diffusion, 50_000, False, True),
}
