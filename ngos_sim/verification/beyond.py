"""Cases of `ngos-sim verify` beyond arXiv 2205.10287: other optimizers and losses, each held to the order of its SDE.

A table of slopes: an optimizer, an SDE and test functions a case, with its order in h; and controls, in which an SDE
or the noise lacks what its order rests on. `theorems.CASES` holds them.
"""

from functools import partial
from typing import Any

from ngos_sim.oracles.laws import two_point
from ngos_sim.oracles.losses import linear, quadratic
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.oracles.noises import gaussian
from ngos_sim.oracles.quartic_losses import coupled_wells, rosenbrock
from ngos_sim.processes.ballistic import (
    ballistic_adam,
    ballistic_adam_sde,
    ballistic_rmsprop,
    ballistic_rmsprop_sde,
)
from ngos_sim.processes.compagnoni import compagnoni_adam_sde, compagnoni_rmsprop_sde
from ngos_sim.processes.lion import lion, lion_sde
from ngos_sim.processes.rmsprop_adam import adam, adam_sde, rmsprop, rmsprop_sde
from ngos_sim.processes.sde import SDE
from ngos_sim.processes.sgd import flipped_sgd_sde, heavy_ball, heavy_ball_sde, nesterov, nesterov_sde, sgd, sgd_sde
from ngos_sim.processes.sign import signsgd, signsgd_sde, signum, signum_sde
from ngos_sim.studies.study import ConvergenceStudy
from ngos_sim.verification.case import CONSISTENT, FIRST_ORDER, NO_ORDER, WITHIN, Case

FINE = [16, 32, 64, 128, 256]
DECAYING: dict[str, Any] = {"sigma0": 0.8, "eps0": 0.1, "c2": 1.3, "w0": 0.6}
BALLISTIC = {"sigma": 0.2, "eps": 0.3, "c2": 2.0}
V_START = {"theta": 2.0, "v": 1.0}
MVD_START = {"theta": 2.0, "m": 0.8, "v": 1.0, "t0": 1.0}
LION = lion(sigma0=1.5, beta1=0.5, c2=2.0)
OF_V = ["theta[0]", "theta[0]^2", "v[0]", "v[0]^2"]


def study(optimizer, sde, initial, functions, *, loss=None, covariance=1.0, noise=None, steps=FINE, time=1.0):
    """Compare an optimizer with an SDE after a time, on a quadratic loss of curvature 1.3 if none is given."""
    horizon = initial.get("t0", 0.0) + time
    return ConvergenceStudy(
        NGOS(loss or quadratic(1.3), covariance, noise or gaussian()),
        optimizer,
        sde=sde,
        initial=initial,
        steps=steps,
        horizon=horizon,
        times=[horizon],
        test_functions=functions,
    )


def of_one_motion(sde):
    """Return an SDE of two Brownian motions without the second."""
    both = sde.diffusion

    def diffusion(x, o, c, p):
        return both(x, o, c, p)[0]

    return SDE("no dB", sde.drift, diffusion, sde.slots, sde.schedule, **sde.parameters)


def half_order(orders, results):
    """Return (whether all fail order 1 and every 95 % interval holds 1/2, the finding in words)."""
    fails = orders.verdict.str.startswith("fails order 1") & (orders.ci_low < 0.5) & (orders.ci_high > 0.5)
    said = (f"{row.test_function} {row.order:.2f} [{row.ci_low:.2f}, {row.ci_high:.2f}]" for row in orders.itertuples())
    return bool(fails.all()), f"{'' if fails.all() else 'NOT '}of half order, as it must be: {', '.join(said)}"


def _case(title, optimizer, sde, initial, functions, *, order=1.0, trajectories=20_000, shows=CONSISTENT, **settings):
    made = partial(study, optimizer, sde, initial, functions, **settings)
    return Case(title, made, trajectories, shows, order=order)


_THETA, _WITH_V = ["theta[0]", "theta[0]^2"], ["theta[0]", "v[0]", "theta[0]*v[0]", "v[0]^2"]
_SLOW = {"covariance": 0.7, "time": 2.0}  # SGD and its kin: docs/theory.md, "SGD and momentum", has their constants
_SGD = (sgd(sigma=0.9), {"theta": 1.5}, _THETA)
_HEAVY = (heavy_ball(sigma=0.9, mu=0.9), {"theta": 1.5, "v": 0.3}, _WITH_V)
_NESTEROV = (nesterov(sigma=0.9, mu=0.9), {"theta": 1.5, "v": 0.3}, _WITH_V)
_BALLISTIC = {"loss": quadratic(1.5), "steps": [16, 32, 64, 128, 256], "trajectories": 150_000, "second": WITHIN}
_ADAM_START, _ADAM_STEPS = {"theta": 1.2, "m": -0.4, "u": 1.4, "t0": 0.5}, [24, 48, 96, 192, 384]  # up to t = 1.5


def _pair(name, title, made, sde, second=CONSISTENT, **settings):
    """Return the cases of an optimizer against its SDEs of order 1 and 2; second : what that of order 2 shows."""
    optimizer, initial, functions = made
    return {
        f"{name}-{order}": _case(
            f"{title} of order {order}",
            optimizer,
            sde(order=order),
            initial,
            functions,
            order=float(order),
            shows=shows,
            **settings,
        )
        for order, shows in ((1, CONSISTENT), (2, second))
    }


_VALLEY, _WELLS = rosenbrock(b=3.0, scale=0.25), coupled_wells(0.3)
_QUIET, _MOVING = rmsprop(sigma0=0.3, eps0=1.0, c2=1.3), {"m": [0.3, -0.2], "u": 1.4, "t0": 0.5}
_IN_WELLS = {"theta": [0.4, -0.6], **_MOVING}

CASES = {
    **_pair("sgd", "SGD and its modified equation", _SGD, sgd_sde, **_SLOW),
    "sgd-flipped": _case(
        "SGD and the flipped equation of arXiv 2506.00181", _SGD[0], flipped_sgd_sde(), *_SGD[1:], **_SLOW
    ),
    **_pair("heavy-ball", "Heavy ball and its modified equation", _HEAVY, heavy_ball_sde, **_SLOW),
    **_pair("nesterov", "Nesterov's momentum and its modified equation", _NESTEROV, nesterov_sde, **_SLOW),
    "signsgd-1": _case(
        "SignSGD and its SDE of order 1",
        signsgd(sigma=0.9),
        signsgd_sde(order=1),
        {"theta": 1.0},
        ["theta[0]"],
        covariance=0.8,
        steps=[8, 16, 32, 64, 128],
        trajectories=400_000,
    ),
    "signsgd-2": _case(
        "SignSGD and its SDE of order 2",
        signsgd(sigma=0.5),
        signsgd_sde(order=2),
        {"theta": 1.0},
        ["theta[0]"],
        order=2.0,
        shows=WITHIN,
        covariance=0.8,
        steps=[4, 6, 8, 12, 16, 24],
        trajectories=1_500_000,
    ),
    "signum": _case(
        "Signum at fixed beta and its SDE",
        signum(sigma=0.9, beta=0.5),
        signum_sde(),
        {"theta": 1.0, "m": 1.3},
        ["theta[0]"],
        steps=[32, 64, 128, 256, 512],
        trajectories=100_000,
    ),
    "rmspropw": _case(
        "RMSprop with weight decay", rmsprop(**DECAYING), rmsprop_sde(), {"theta": 1.2, "u": 1.4}, _THETA
    ),
    "adamw": _case("AdamW", adam(c1=2.0, **DECAYING), adam_sde(), _ADAM_START, _THETA, steps=_ADAM_STEPS),
    "compagnoni-rmsprop": _case(
        "RMSprop and the SDE of arXiv 2411.15958",
        rmsprop(**DECAYING),
        compagnoni_rmsprop_sde(),
        {"theta": 1.2, "u": 1.4},
        [*_THETA, "u[0]"],
    ),
    "compagnoni-adam": _case(
        "Adam and the SDE of arXiv 2411.15958",
        adam(c1=2.0, **DECAYING),
        compagnoni_adam_sde(),
        _ADAM_START,
        _THETA,
        steps=_ADAM_STEPS,
    ),
    **_pair(
        "ballistic-rmsprop",
        "Ballistic RMSprop and its SDE",
        (ballistic_rmsprop(**BALLISTIC), V_START, OF_V),
        ballistic_rmsprop_sde,
        **_BALLISTIC,
    ),
    **_pair(
        "ballistic-adam",
        "Ballistic Adam and its SDE",
        (ballistic_adam(c1=3.0, **BALLISTIC), MVD_START, OF_V),
        ballistic_adam_sde,
        **_BALLISTIC,
    ),
    "lion": _case(
        "Lion and its SDE",
        LION,
        lion_sde(),
        {"theta": 4.0, "m": 2.0},
        ["theta[0]", "m[0]", "m[0]^2"],
        loss=quadratic(1.0),
        steps=[8, 16, 32, 64, 128],
        trajectories=400_000,
    ),
    "ballistic-one-motion": _case(
        "Control: ballistic RMSprop's SDE of order 2 without its second Brownian motion",
        ballistic_rmsprop(sigma=1.0, eps=0.3, c2=2.0),
        of_one_motion(ballistic_rmsprop_sde(order=2)),
        {"theta": 0.0, "v": 1.25},
        ["v[0]^2"],
        order=2.0,
        shows=FIRST_ORDER,
        loss=linear(0.5),
        trajectories=60_000,
    ),
    "rosenbrock-rmsprop": _case(
        "RMSprop in Rosenbrock's valley",
        _QUIET,
        rmsprop_sde(),
        {"theta": [-1.2, 1.0], "u": 1.4},
        ["loss"],
        loss=_VALLEY,
        trajectories=200_000,
    ),
    "rosenbrock-adam": _case(
        "Adam in Rosenbrock's valley",
        adam(c1=2.0, **DECAYING),
        adam_sde(),
        {"theta": [-0.5, 0.8], **_MOVING},
        ["theta[1]", "loss"],
        loss=_VALLEY,
        steps=_ADAM_STEPS,
        trajectories=200_000,
    ),
    "wells-rmsprop": _case(
        "RMSprop in coupled wells",
        _QUIET,
        rmsprop_sde(),
        {"theta": [2.0, -0.6], "u": 1.4},
        ["theta[0]", "loss"],
        loss=_WELLS,
        trajectories=200_000,
    ),
    "wells-adam": _case(
        "Adam in coupled wells",
        adam(c1=2.0, **DECAYING),
        adam_sde(),
        _IN_WELLS,
        ["theta[0]"],
        loss=_WELLS,
        steps=_ADAM_STEPS,
        trajectories=400_000,
    ),
    "rosenbrock-skewness": _case(
        "Control: RMSprop in Rosenbrock's valley, noise of fixed skewness",
        rmsprop(sigma0=0.8, eps0=0.1, c2=1.3),
        rmsprop_sde(),
        {"theta": [-1.2, 1.0], "u": 1.4},
        ["theta[1]*u[1]"],
        shows=half_order,
        loss=_VALLEY,
        noise=two_point(skewness=1.5),
        trajectories=200_000,
    ),
    "wells-skewness": _case(
        "Control: Adam in coupled wells, noise of fixed skewness",
        adam(c1=2.0, sigma0=0.8, eps0=0.1, c2=4.0),
        adam_sde(),
        _IN_WELLS,
        ["theta[0]", "theta[1]"],
        shows=half_order,
        loss=_WELLS,
        noise=two_point(skewness=1.5),
        steps=[96, 192, 384, 768],
        trajectories=400_000,
    ),
    "lion-one-motion": _case(
        "Control: Lion's SDE without its second Brownian motion",
        LION,
        of_one_motion(lion_sde()),
        {"theta": 0.4, "m": -0.5},
        ["theta[0]^2"],
        shows=NO_ORDER,
        loss=linear(0.7),
        trajectories=60_000,
    ),
}
