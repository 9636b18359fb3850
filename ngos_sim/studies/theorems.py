"""The studies that check the theorems of arXiv 2205.10287, and the control that must fail.

Each case is a study, what its orders must say, and how the finding is put in words. A theorem is an
upper bound: what agrees with it is "consistent with" it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ngos_sim.arithmetic import preconditioner
from ngos_sim.oracles.losses import quadratic
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.oracles.noises import skewed
from ngos_sim.processes.optimizers import adam, rmsprop
from ngos_sim.processes.sdes import SDE, adam_sde, rmsprop_sde
from ngos_sim.processes.variations import svag
from ngos_sim.studies.study import ConvergenceStudy

RMSPROP = {"sigma0": 0.8, "eps0": 0.0, "c2": 1.3}
ADAM = {"sigma0": 0.8, "eps0": 0.1, "c1": 2.0, "c2": 1.3}


@dataclass(frozen=True)
class Case:
    """One statement: its study, the trajectories that resolve it, and the verdict that it must show."""

    title: str
    study: Callable[[], ConvergenceStudy]
    trajectories: int
    consistent: bool

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


def theorem_4_2():
    """RMSprop on a quadratic loss with Gaussian noise (problem P2 of the theory notes)."""
    return ConvergenceStudy(
        NGOS(quadratic(0.9)),
        rmsprop(**RMSPROP),
        sde=rmsprop_sde(),
        initial={"theta": 1.2, "u": 1.0},
        eta2=[2.0**-k for k in range(3, 9)],
        horizon=1.0,
        test_functions=["theta[0]", "u[0]^2", "theta[0]*u[0]"],
    )


def theorem_4_5():
    """Adam on a quadratic loss with Gaussian noise from t0 = 0.5 (problem P4 of the theory notes)."""
    return ConvergenceStudy(
        NGOS(quadratic(0.9)),
        adam(**ADAM),
        sde=adam_sde(),
        initial={"theta": 1.2, "m": -0.4, "u": 1.4, "t0": 0.5},
        eta2=[2.0**-k for k in range(3, 9)],
        horizon=1.5,
        test_functions=["theta[0]", "theta[0]^2", "m[0]^2"],
    )


def theorem_6_3():
    """SVAG on RMSprop at fixed eta^2 = 1/4, with skewed noise: a fixed law."""
    return ConvergenceStudy(
        NGOS(quadratic(0.9), noise=skewed(skewness=0.5)),
        svag(rmsprop(**RMSPROP), ell=[1.5, 2.0, 2.5, 3.0, 4.0, 6.0]),
        sde=rmsprop_sde(),
        initial={"theta": 1.2, "u": 1.0},
        eta2=0.25,
        horizon=1.0,
        test_functions=["theta[0]", "u[0]^2", "theta[0]*u[0]"],
    )


def _drift(x, o, c, p):
    theta, u = x
    return -o.gradient * preconditioner(u, p.sigma0, p.eps0), p.c2 * (o.variance - u)


def _halved_diffusion(x, o, c, p):
    theta, u = x
    return -p.factor * p.sigma0 * preconditioner(u, p.sigma0, p.eps0), 0.0


def wrong_diffusion():
    """Theorem 4.2's study against an SDE with half the noise: the error does not fall with eta^2."""
    wrong = SDE("half the noise", _drift, _halved_diffusion, ("theta", "u"), factor=0.5)
    return ConvergenceStudy(
        NGOS(quadratic(0.9)),
        rmsprop(**RMSPROP),
        sde=wrong,
        initial={"theta": 1.2, "u": 1.0},
        eta2=[2.0**-k for k in range(3, 9)],
        horizon=1.0,
        test_functions=["theta[0]^2"],
    )


CASES = {
    "4.2": Case("Theorem 4.2: RMSprop and its SDE", theorem_4_2, 1_000_000, True),
    "4.5": Case("Theorem 4.5: Adam and its SDE, from t0 = 0.5", theorem_4_5, 200_000, True),
    "6.3": Case("Theorem 6.3: SVAG and the SDE of RMSprop", theorem_6_3, 1_000_000, True),
    "wrong-diffusion": Case("Control: RMSprop and an SDE with half the noise", wrong_diffusion, 50_000, False),
}
