"""Negative controls of `ngos-sim verify`: what the theorems do not say must fail, each in its way.

All on P2 or P4 of docs/theory.md, "Reference problems", as plug-ins and hand-made studies.
"""

import math
from functools import partial
from typing import Any

import numpy as np

from ngos_sim.arithmetic import preconditioner
from ngos_sim.oracles.laws import two_point
from ngos_sim.oracles.losses import linear, quadratic
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.processes.rmsprop_adam import adam, adam_sde, rmsprop, rmsprop_sde
from ngos_sim.processes.sde import SDE
from ngos_sim.studies.series import headline
from ngos_sim.studies.study import ConvergenceStudy
from ngos_sim.verification.case import HALF_ORDER, NO_ORDER, Case

CONSTANTS: dict[str, Any] = {"sigma0": 0.8, "eps0": 0.1, "c2": 1.3}
START = {"theta": 1.2, "u": 1.6}
TOWARD_ZERO = [2.0**-k for k in range(6, 13)]
KAPPA = 4.0


def _study(optimizer, sde, initial=None, *, noise=None, eta2=None, horizon=1.0, functions=("theta[0]", "theta[0]^2")):
    return ConvergenceStudy(
        NGOS(quadratic(0.9), noise=noise) if noise else NGOS(quadratic(0.9)),
        optimizer,
        sde=sde,
        initial=initial or START,
        eta2=eta2 or [2.0**-k for k in range(4, 10)],
        horizon=horizon,
        times=[horizon],
        test_functions=list(functions),
    )


def skewed(optimizer, sde, initial, horizon, functions):
    """Noise of a fixed skewness, which Definition 2.6 excludes: an error of order eta."""
    settings = {"noise": two_point(skewness=1.5), "eta2": TOWARD_ZERO, "horizon": horizon, "functions": functions}
    return _study(optimizer, sde, initial, **settings)


def _altered_schedule(t, p):
    return (math.exp(-p.c2 * t),)


def _altered_drift(x, o, c, p):
    theta, u = x
    speed = preconditioner(u - p.excess * c[0], p.sigma0, p.eps0)
    return -o.gradient * speed, p.rate * p.c2 * (p.share * o.variance - u)


def _altered_diffusion(x, o, c, p):
    theta, u = x
    return -p.factor * p.sigma0 * preconditioner(u - p.excess * c[0], p.sigma0, p.eps0), 0.0


def altered_sde(name, *, factor=1.0, share=1.0, rate=1.0, excess=0.0):
    """The SDE of RMSprop with another diffusion, another Sigma in u, another rate of u, or an excess in u's start."""
    numbers = {"factor": factor, "share": share, "rate": rate, "excess": excess}
    return SDE(name, _altered_drift, _altered_diffusion, ("theta", "u"), _altered_schedule, **numbers)


def against_altered(name, functions, **numbers):
    """RMSprop against an altered SDE; u starts away from Sigma."""
    return _study(rmsprop(**CONSTANTS), altered_sde(name, **numbers), functions=functions)


def kappa_batch(name, hyperparameters):
    """RMSprop at kappa times the batch size, by a rule of its own, beside the SDE of the small batch.

    hyperparameters : function (H, p) -> (h, sigma0, eps0, c2 h), H = kappa eta^2 the time that a step takes
        for the small batch; h = eta'^2, sigma0 = sigma' eta', eps0 = eps' eta', c2 h = 1 - beta' of the large.
    """
    base = rmsprop(**CONSTANTS)

    def schedule(k, H, p):
        h, sigma0, eps0, decay = hyperparameters(H, p)
        ratio = p.sigma0 / sigma0  # the step divides by p.sigma0 sqrt(u) + c[4], not by sigma0 sqrt(u) + eps0
        return ratio * h, ratio * math.sqrt(h) * sigma0, math.sqrt(h) / sigma0, decay, ratio * eps0

    return Optimizer(name, base.step, base.slots, schedule, **CONSTANTS)


def linear_scaling(H, p):
    """Give eta' = kappa eta, beta and eps kept: the rule of SGD."""
    return KAPPA * H, math.sqrt(KAPPA) * p.sigma0, KAPPA * p.eps0, p.c2 * H / KAPPA


def beta_kept(H, p):
    """Give eta' = sqrt(kappa) eta and eps' = eps / sqrt(kappa), but beta' = beta."""
    return H, p.sigma0, p.eps0, p.c2 * H / KAPPA


def eps_kept(H, p):
    """Give eta' = sqrt(kappa) eta and 1 - beta' = kappa (1 - beta), but eps' = eps."""
    return H, p.sigma0, math.sqrt(KAPPA) * p.eps0, p.c2 * H


def wrong_scaling(name, hyperparameters):
    """RMSprop at kappa B by a wrong scaling rule against the SDE of batch size B."""
    return _study(kappa_batch(name, hyperparameters), rmsprop_sde(), functions=["theta[0]"])


def v0_kept():
    """Theorem 5.3's rule, but v0 kept: u starts at kappa u0, and the SDE of batch size B at u0."""
    u0 = START["u"]
    sde = altered_sde("batch B", excess=(KAPPA - 1.0) * u0)
    return _study(rmsprop(**CONSTANTS), sde, {"theta": 1.2, "u": KAPPA * u0}, functions=["theta[0]"])


def _fixed_noise_step(x, o, z, c, p):
    theta, u = x
    w = z + o.gradient / p.sigma
    return theta - c[0] * w / math.sqrt(u), u + c[1] * (w * w - u)


def _fixed_noise_schedule(k, h, p):
    return math.sqrt(h), p.c2 * h


def _fixed_noise_drift(x, o, c, p):
    theta, u = x
    return -o.gradient / (p.sigma * math.sqrt(p.eta2 * u)), p.c2 * (o.variance - u)


def _fixed_noise_diffusion(x, o, c, p):
    return -1.0 / math.sqrt(x[1]), 0.0


def fixed_noise():
    """Appendix F.2: the noise scale sigma = 1 is kept while eta -> 0, with a linear loss; sigma0 = sigma eta."""
    optimizer = Optimizer("sigma fixed", _fixed_noise_step, ("theta", "u"), _fixed_noise_schedule, sigma=1.0, c2=1.3)
    sde = SDE("rmsprop, sigma fixed", _fixed_noise_drift, _fixed_noise_diffusion, ("theta", "u"))
    settings = {"eta2": [2.0**-k for k in range(4, 9)], "test_functions": ["theta[0]"], "times": [1.0]}
    return ConvergenceStudy(NGOS(linear(0.7)), optimizer, sde=sde, initial={"theta": 0.0, "u": 1.0}, **settings)


def adam_from_zero():
    """Adam from t0 = 0 with m0 != 0: its SDE starts like t^(-1/2), and the order is 1/2."""
    optimizer = adam(c1=2.0, **CONSTANTS)
    return _study(optimizer, adam_sde(), {"theta": 1.2, "m": -0.4, "u": 1.4}, eta2=TOWARD_ZERO)


def unrefined():
    """Coupling to Euler-Maruyama: what its own step hides is in integrator_bias."""
    settings = {"test_functions": ["theta[0]"], "times": [1.0], "estimator": "coupled"}
    eta2 = [2.0**-k for k in range(3, 8)]
    optimizer, sde = rmsprop(**(CONSTANTS | {"eps0": 0.0})), rmsprop_sde()
    return ConvergenceStudy(
        NGOS(quadratic(0.9)), optimizer, sde=sde, initial={"theta": 1.2, "u": 1.0}, eta2=eta2, **settings
    )


def _hides(rows, results):
    """Judge the un-refined integrator: its bias is of the error's size, and the column says so."""
    table = headline(results[""].table)
    share = (table.integrator_bias / table.error).to_numpy()
    words = ", ".join(f"{one:.2f}" for one in share)
    caught = bool(np.all(np.abs(share) > 0.25) and rows.verdict.str.startswith("consistent with order 1").all())
    return caught, f"un-refined Euler-Maruyama hides these shares of the error, and integrator_bias shows it: {words}"


_RMSPROP = (rmsprop(**CONSTANTS), rmsprop_sde(), START, 1.0)
_ADAM = (adam(c1=2.0, **CONSTANTS), adam_sde(), {"theta": 1.2, "m": -0.4, "u": 1.4, "t0": 0.5}, 1.5)


def _altered(title, name, functions, quick=False, **numbers):
    return Case(f"Control: {title}", partial(against_altered, name, functions, **numbers), 100_000, NO_ORDER, quick)


def _scaled(title, name, hyperparameters):
    return Case(f"Control: {title}", partial(wrong_scaling, name, hyperparameters), 100_000, NO_ORDER)


CASES = {
    "skewness": Case(
        "Control: RMSprop and noise of fixed skewness",
        partial(skewed, *_RMSPROP, ["theta[0]*u[0]", "theta[0]^3"]),
        20_000,
        HALF_ORDER,
    ),
    "skewness-adam": Case(
        "Control: Adam and noise of fixed skewness", partial(skewed, *_ADAM, ["m[0]*u[0]"]), 20_000, HALF_ORDER
    ),
    "wrong-diffusion": _altered("an SDE with half the noise", "half the noise", ["theta[0]^2"], quick=True, factor=0.5),
    "frozen-u": _altered("an SDE whose u does not move", "frozen u", ["theta[0]"], rate=0.0),
    "halved-sigma": _altered(
        "an SDE with half of Sigma", "half of Sigma", ["theta[0]^2"], factor=math.sqrt(0.5), share=0.5
    ),
    "scaling-linear": _scaled("the linear scaling rule", "linear rule", linear_scaling),
    "scaling-beta": _scaled("a scaling rule that keeps beta", "beta kept", beta_kept),
    "scaling-eps": _scaled("a scaling rule that keeps eps", "eps kept", eps_kept),
    "scaling-v0": Case("Control: a scaling rule that keeps v0", v0_kept, 100_000, NO_ORDER),
    "fixed-noise": Case("Control: sigma kept as eta -> 0 (Appendix F.2)", fixed_noise, 100_000, NO_ORDER),
    "adam-from-zero": Case("Control: Adam from t0 = 0 with m0 != 0", adam_from_zero, 20_000, HALF_ORDER),
    "unrefined": Case("Control: an un-refined Euler-Maruyama reference", unrefined, 200_000, _hides),
}
