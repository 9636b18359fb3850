"""What a function of a user's that gives no numbers is told at construction: process, function, what is allowed."""

import math

import numpy as np
import pytest

import ngos_sim as ns

RMSPROP, SLOTS = dict(sigma0=0.8, eps0=0.1, c2=1.3), ("theta", "u")
NEEDED = r"; a tuple of 2 numbers, one for each of \('theta', 'u'\), is needed$"
NAMES = "gradient, variance, curvature, hessian_gradient"
OWN = "sigma0, eps0, c2, updated, bias_correction, h, eta, eta2"


def still(x, o, c, p):
    return 0.0, 0.0


def walk(x, o, z, c, p):
    return x[0] - c[0] * o.gradient, x[1]


def study(optimizer=None, sde=None, oracle=None, **changes):
    settings = dict(initial=dict(theta=1.2, u=1.0), eta2=[0.25], test_functions=["theta[0]"]) | changes
    return ns.ConvergenceStudy(
        oracle or ns.NGOS(ns.quadratic(0.9)),
        optimizer or ns.rmsprop(**RMSPROP),
        sde if sde is not None else ns.rmsprop_sde(),
        **settings,
    )


def without_return(x, o, c, p):
    speed = -o.gradient, 0.0  # noqa: F841


def divides(x, o, c, p):
    theta, u = x
    return 1.0 / (theta - 1.2), 0.0


def logs(x, o, c, p):
    return 0.0, math.log(-x[1])


FUNCTIONS = [
    (lambda x, o, c, p: 0.0, "returns 0.0" + NEEDED),
    (lambda x, o, c, p: (0.0,), r"returns \(0.0,\)" + NEEDED),
    (lambda x, o, c, p: (0.0, 1.0, 2.0), r"returns \(0.0, 1.0, 2.0\)" + NEEDED),
    (lambda x, o, c, p: [0.0, 1.0], r"returns \[0.0, 1.0\]" + NEEDED),
    (lambda x, o, c, p: np.zeros(2), r"returns array\(\[0., 0.\]\)" + NEEDED),
    (lambda x, o, c, p: (np.eye(2), 0.0), r"returns \(array\(\[\[1., 0.\], \[0., 1.\]\]\), 0.0\)" + NEEDED),
    (lambda x, o, c, p: ("a", 0.0), r"returns \('a', 0.0\)" + NEEDED),
    (lambda x, o, c, p: (None, 0.0), r"returns \(None, 0.0\)" + NEEDED),
    (lambda x, o, c, p: ((-x[1]) ** 0.5, 0.0), r"returns \(\(.*j\), 0.0\)" + NEEDED),
    (without_return, r"returns None \(is there a return\?\)" + NEEDED),
    (
        lambda x, o, c, p: (math.inf - math.inf, 0.0),
        r"returns \(nan, 0.0\) at x=\(1.2, 1.0\); finite numbers are needed$",
    ),
    (lambda x, o, c, p: (o.grad, 0.0), f"reads o.grad, which is not there; o has {NAMES}$"),
    (lambda x, o, c, p: (p.typo, 0.0), f"reads p.typo, which is not there; p has {OWN}$"),
    (lambda x, o, p: (0.0, 0.0), r"takes \(x, o, p\); it is called with \(x, o, c, p\)$"),
    (
        lambda x, o, c, p: (x[5], 0.0),
        r"fails at x=\(1.2, 1.0\): IndexError: tuple index out of range \(test_messages.py, line",
    ),
    (lambda x, o, c, p: (x.theta, 0.0), "fails: 'tuple' object has no attribute 'theta'$"),
    (lambda x, o, c, p: (undefined, 0.0), "fails at .* NameError: name 'undefined' is not defined"),  # noqa: F821
    (logs, r"fails at x=\(1.2, 1.0\): ValueError: .* \(test_messages.py, line \d+: return 0.0, math.log\(-x\[1\]\)\)$"),
    (
        divides,
        r"fails at x=\(1.2, 1.0\): ZeroDivisionError: .* \(test_messages.py, line \d+: return 1.0 / .*\)$",
    ),
]


@pytest.mark.parametrize("role", ["drift", "diffusion", "step"])
@pytest.mark.parametrize(("function", "message"), FUNCTIONS)
def test_a_function_that_gives_no_numbers(role, function, message):
    made = dict(drift=still, diffusion=still, schedule=lambda t, p: (1.0,)) | {role: function}
    if role == "step":
        code = function.__code__

        def step(x, o, z, c, p):
            return function(x, o, c, p)

        if code.co_argcount < 4:
            step, message = function, message.replace(r"\(x, o, c, p\)", r"\(x, o, z, c, p\)")
        constants = RMSPROP | dict(updated=0.0, bias_correction=0.0)
        optimizer, sde = ns.Optimizer("mine", step, SLOTS, **constants), ns.rmsprop_sde()
    else:
        optimizer, sde = None, ns.SDE("mine", slots=SLOTS, **made)
    with pytest.raises(ValueError, match=f"^'mine': {role} {message}") as refusal:
        study(optimizer, sde)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (lambda k, h, p: h, "returns 0.25; a tuple of numbers is needed$"),
        (lambda k, h, p: None, r"returns None \(is there a return\?\); a tuple of numbers is needed$"),
        (lambda k, h, p: "12", "returns '12'; a tuple of numbers is needed$"),
        (lambda h, p: (h,), r"takes \(h, p\); it is called with \(k, h, p\)$"),
        (lambda k, h, p: (p.typo,), "reads p.typo, which is not there; p has sigma0, eps0, c2, h, eta, eta2$"),
        (lambda k, h, p: (math.log(k - h),), "fails at k=0, h=0.25: ValueError: .*test_messages.py, line"),
        (lambda k, h, p: (math.nan,), "returns NaN at k=0, h=0.25$"),
        (lambda k, h, p: (math.nan if k == 2 else 1.0,), "returns NaN at k=2, h=0.25$"),
        (lambda k, h, p: (h,) * (1 + k // 3), "returns 2 numbers at k=3, 1 before$"),
        (lambda k, h, p: (1.0 / (3 - k),), "fails at k=3, h=0.25: ZeroDivisionError: .*test_messages.py, line"),
    ],
)
def test_a_schedule_that_gives_no_numbers(schedule, message):
    with pytest.raises(ValueError, match=f"^'mine': schedule {message}"):
        study(ns.Optimizer("mine", walk, SLOTS, schedule, **RMSPROP)).run(1024, threads=1)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (lambda t, p: t, "returns 0.0; a tuple of numbers is needed$"),
        (lambda t: (t,), r"takes \(t\); it is called with \(t, p\)$"),
        (lambda t, p: (math.log(t - 1.0),), "fails at t=0.0: ValueError: .*test_messages.py, line"),
    ],
)
def test_a_schedule_of_an_sde(schedule, message):
    with pytest.raises(ValueError, match=f"^'mine': schedule {message}"):
        study(sde=ns.SDE("mine", still, still, SLOTS, schedule))


def test_a_default_schedule_needs_sigma0():
    with pytest.raises(
        ValueError,
        match=r"^'mine': schedule reads p.sigma0, which is not there "
        r"\(the default schedule's: give sigma0= or schedule=\); p has c2, h, eta, eta2$",
    ):
        study(ns.Optimizer("mine", walk, SLOTS, c2=1.0), ns.SDE("other", still, still, SLOTS))


def test_what_the_oracle_fails_at_is_named():
    undefined = ns.NGOS(ns.quadratic(0.9), lambda theta: math.sqrt(1.2 - theta - 1e-9))
    with pytest.raises(
        ValueError, match="^loss 'quadratic', its covariance or noise 'gaussian' fails at theta=1.2: ValueError"
    ):
        study(oracle=undefined)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: study(sde=[ns.adam_sde]), r"^sde=adam_sde is not an SDE but a function: call it, adam_sde\(\)$"),
        (lambda: study(oracle=ns.NGOS), r"^oracle=NGOS is not an NGOS but a class: call it, NGOS\(..\)$"),
        (lambda: study(sde=ns.SDE), r"^sde=SDE is not an SDE but a class: call it, SDE\(..\)$"),
        (lambda: ns.SDE("mine", "drift", still, SLOTS), "^mine: drift='drift' is not a function$"),
        (lambda: ns.SDE("mine", still, (0.0, 1.0), SLOTS), r"^mine: diffusion=\(0.0, 1.0\) is not a function$"),
        (lambda: ns.Optimizer("mine", None, SLOTS), "^mine: step=None is not a function$"),
        (lambda: ns.Optimizer("mine", walk, SLOTS, 0.1), "^mine: schedule=0.1 is not a function$"),
    ],
)
def test_what_is_of_another_kind(make, message):
    with pytest.raises(TypeError, match=message):
        make()
