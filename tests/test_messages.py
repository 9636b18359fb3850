"""What wrong input is told, word for word: what it is, its value, and what is allowed, on one line."""

import inspect
import re
import warnings

import pytest

import ngos_sim as ns

RMSPROP = dict(sigma0=0.8, eps0=0.1, c2=1.3)
TRAINING = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, batch_size=256)


def study(**changes):
    settings = dict(
        oracle=ns.NGOS(ns.quadratic(0.9)),
        optimizer=ns.rmsprop(**RMSPROP),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        eta2=[2**-4, 2**-5],
        horizon=1.0,
        test_functions=["theta[0]"],
    )
    return ns.ConvergenceStudy(**(settings | changes))


OPTIMIZER = "ns.rmsprop(sigma0=.., eps0=.., c2=..) makes one"
UNSCALED = "ns.from_hyperparameters takes lr, betas, eps and batch_size or sigma"
SQUARE = "give eta2=, the square of the learning rate (for an optimizer of the clock 'eta' eta=), or steps="
WORDS = "loss, trace(Sigma), norm(grad), accuracy, distance"
OTHER = "; any other function is ns.TestFunction(name, g)"
GRAMMAR = f"allowed: numbers, slot[i], ^, *, +, -, sqnorm(slot), {WORDS}; slots: theta, u{OTHER}"

WRONG = {
    "an optimizer's name": (
        lambda: study(optimizer="rmsprop"),
        f"optimizer='rmsprop' is not an optimizer; {OPTIMIZER}",
    ),
    "an optimizer not called": (
        lambda: study(optimizer=ns.rmsprop),
        "optimizer=rmsprop is not an optimizer but a function: call it, rmsprop(..)",
    ),
    "svag of a name": (lambda: ns.svag("adam", 2), f"optimizer='adam' is not an optimizer; {OPTIMIZER}"),
    "an SDE not called": (
        lambda: study(sde=ns.rmsprop_sde),
        "sde=rmsprop_sde is not an SDE but a function: call it, rmsprop_sde()",
    ),
    "an SDE in a list not called": (
        lambda: study(sde=[ns.rmsprop_sde]),
        "sde=rmsprop_sde is not an SDE but a function: call it, rmsprop_sde()",
    ),
    "an SDE's name": (lambda: study(sde="rmsprop"), "sde='rmsprop' is not an SDE; ns.rmsprop_sde() makes one"),
    "a number for an SDE": (lambda: study(sde=3), "sde=3 is not an SDE; ns.rmsprop_sde() makes one"),
    "an optimizer for an SDE": (
        lambda: study(sde=ns.rmsprop(**RMSPROP)),
        "sde=Optimizer 'rmsprop' is not an SDE; ns.rmsprop_sde() makes one",
    ),
    "an SDE of other slots": (
        lambda: study(sde=ns.adam_sde()),
        "sde 'adam' has slots ('theta', 'm', 'u'); optimizer 'rmsprop' has ('theta', 'u')",
    ),
    "a loss for an oracle": (
        lambda: study(oracle=ns.quadratic(0.9)),
        "oracle=Loss 'quadratic' is not an NGOS; ns.NGOS(loss, covariance=..) makes one",
    ),
    "a loss not called": (
        lambda: ns.NGOS(ns.quadratic),
        "loss=quadratic is not a Loss but a function: call it, quadratic(..)",
    ),
    "a law not called": (
        lambda: ns.NGOS(ns.quadratic(0.9), noise=ns.gaussian),
        "noise=gaussian is not a Noise but a function: call it, gaussian()",
    ),
    "a law's name": (
        lambda: ns.NGOS(ns.quadratic(0.9), noise="gaussian"),
        "noise='gaussian' is not a Noise; ns.gaussian() makes one",
    ),
    "a number for a reference": (
        lambda: study(sde=None, reference=2),
        "reference=2 is not a scaling rule; ns.scaling_rule(kappa=..) makes one",
    ),
    "a number for a start": (
        lambda: study(initial=1.2),
        "initial=1.2 is not a mapping of slots to values; dict(theta=.., u=..) makes one",
    ),
    "lr for rmsprop": (lambda: ns.rmsprop(lr=0.1), f"rmsprop: lr=0.1 is unknown; {UNSCALED}"),
    "betas for adam": (
        lambda: ns.adam(betas=(0.9, 0.99), lr=0.1),
        f"adam: betas=(0.9, 0.99) is unknown; {UNSCALED}",
    ),
    "c1 for rmsprop": (
        lambda: ns.rmsprop(sigma0=0.8, eps0=0.1, c1=2.0, c2=1.3),
        "rmsprop: c1=2.0 is unknown; allowed: sigma0, eps0, c2, w0, second_moment, bias_correction",
    ),
    "eta for a study": (
        lambda: study(eta=[0.1]),
        "eta=[0.1]: optimizer 'rmsprop' has the clock 'eta2', time t = k eta^2; "
        "give eta2=, the square of the learning rate, or steps=",
    ),
    "lr for a study": (lambda: study(lr=0.1), f"ConvergenceStudy: lr=0.1 is unknown; {SQUARE}"),
    "eta given as eta2": (
        lambda: study(eta2=0.9),
        "eta2=0.9 gives beta=-0.17; with c2=1.3 it must be below 0.769231; eta2 is eta^2: did you give eta?",
    ),
    "an optimizer of another library": (
        lambda: ns.from_hyperparameters("adamw", **TRAINING),
        "optimizer 'adamw' is unknown; allowed: rmsprop, adam",
    ),
    "lr as a string": (
        lambda: ns.from_hyperparameters("adam", **(TRAINING | dict(lr="1e-3"))),
        "lr='1e-3' must be a positive number",
    ),
    "one beta for adam": (
        lambda: ns.from_hyperparameters("adam", **(TRAINING | dict(betas=0.9))),
        "betas=(0.9,): adam takes 2",
    ),
    "a beta of 1": (
        lambda: ns.from_hyperparameters("adam", **(TRAINING | dict(betas=(0.9, 1)))),
        "betas=(0.9, 1) must be numbers between 0 and 1",
    ),
    "a batch size as a string": (
        lambda: ns.from_hyperparameters("adam", **(TRAINING | dict(batch_size="256"))),
        "batch_size='256' must be a positive number",
    ),
    "sigma0 beyond floating point": (
        lambda: ns.rmsprop(sigma0=1e200, eps0=0.0, c2=1.3),
        "sigma0=1e+200 has squares and cubes beyond floating point; allowed: 1e-100 to 1e100",
    ),
    "sigma0 beyond float32": (
        lambda: study(optimizer=ns.rmsprop(sigma0=1e40, eps0=0.0, c2=1.3)).run(1024),
        "precision='mix' takes 1 / (sigma0 sqrt(u) + eps0) in float32, and sigma0 sqrt(u) + eps0 = 1e+40 lies outside "
        "1e-37 .. 1e+37; allowed: precision='f64'",
    ),
    "a slot misspelt": (
        lambda: study(initial=dict(tehta=1.2, u=1.0)),
        "initial.tehta is unknown; allowed: theta, u, t0",
    ),
    "a start as a string": (
        lambda: study(initial=dict(theta="1.2", u=1.0)),
        "initial.theta='1.2' is not a number or a vector of numbers",
    ),
    "one test function": (
        lambda: study(test_functions="theta[0]"),
        "test_functions='theta[0]' is one string; give a list",
    ),
    "too many terms": (
        lambda: study(initial=dict(theta=[1.2] * 5000, u=1.0), test_functions=["sqnorm(theta)"]),
        "test function 'sqnorm(theta)' has 5000 terms or more; sqnorm is one term a coordinate, of which there are "
        "5000; allowed: 4096",
    ),
    "one TestFunction": (
        lambda: study(test_functions=ns.TestFunction("g", lambda x: x[0])),
        "test_functions=TestFunction 'g' is not a list; give one, such as ['theta[0]']",
    ),
    "no test function": (
        lambda: study(test_functions=None),
        "test_functions is empty; give at least one, such as 'theta[0]'",
    ),
    "a coordinate without brackets": (
        lambda: study(test_functions=["theta0"]),
        f"test function 'theta0': cannot read 'theta0' (do you mean theta[0]?); {GRAMMAR}",
    ),
    "a power that is not whole": (
        lambda: study(test_functions=["theta[0]^1.5"]),
        "test function 'theta[0]^1.5': ^ stands between a slot or word and a positive integer up to 16",
    ),
    "a function for a test function": (
        lambda: study(test_functions=[lambda x: x[0]]),
        "test function <lambda> is neither a string nor a TestFunction; ns.TestFunction(name, g) makes one of a "
        "function g(x)",
    ),
    "another optimizer's slot": (
        lambda: study(test_functions=["m[0]"]),
        "test function 'm[0]': no slot 'm'; allowed: theta, u",
    ),
    "no trajectories": (lambda: study().run(0), "trajectories=0 must be a positive integer"),
    "trajectories as a string": (lambda: study().run("1e5"), "trajectories='1e5' must be a positive integer"),
    "a time after the horizon": (lambda: study(times=[2.0]), "times=2 must lie in (t0, horizon] = (0, 1]"),
    "a time between steps": (
        lambda: study(times=[0.3]),
        "times=0.3 is not a multiple of the step 0.0625 at eta2=0.0625; the nearest is 0.3125",
    ),
    "an estimator misspelt": (
        lambda: study(estimator="locl"),
        "estimator='locl'; allowed: auto, local, transport, control_variate, coupled, independent",
    ),
    "a horizon as a string": (
        lambda: study(horizon="1", eta2=None, steps=[16]),
        "horizon='1' and t0=0.0: numbers with 0 <= t0 < horizon are allowed",
    ),
    "steps that are no integers": (
        lambda: study(eta2=None, steps=[2.5]),
        "steps=[2.5] must be positive integers",
    ),
    "a step size as a string": (lambda: study(eta2="0.1"), "eta2='0.1' is not a number or a vector of numbers"),
    "no step size": (lambda: study(eta2=None), "give eta2, batch_size or steps, got eta2=None and steps=None"),
}


@pytest.mark.parametrize("make", WRONG)
def test_wrong_input_is_told_in_one_line(make):
    call, message = WRONG[make]
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert str(caught.value) == message
    assert "\n" not in message


def test_no_message_shows_an_address():
    assert not [message for _, message in WRONG.values() if re.search(r" at 0x", message)]


@pytest.mark.parametrize("made", [ns.rmsprop, ns.adam, ns.ConvergenceStudy])
def test_keywords_are_still_read_from_the_signature(made):
    """`ngos-sim list`, study files and help() read it."""
    assert not [p for p in inspect.signature(made).parameters.values() if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    assert inspect.getdoc(made)


def test_betas_in_the_wrong_order_warn():
    with pytest.warns(ns.StudyWarning) as caught:
        ns.from_hyperparameters("adam", **(TRAINING | dict(betas=(0.999, 0.9))))
    assert [str(one.message) for one in caught] == ["betas=(0.999, 0.9): beta1 > beta2; did you swap them?"]
    assert caught[0].filename == __file__


ODD = {
    "a beta typed as a rate": (
        dict(optimizer=ns.rmsprop(sigma0=0.8, eps0=0.1, c2=0.999)),
        "c2=0.999 is a rate, c2 = (1 - beta) / eta^2: it makes beta=0.937562 at eta2=0.0625; if 0.999 is beta itself, "
        "ns.from_hyperparameters takes it",
    ),
    "eps0 that is all": (
        dict(optimizer=ns.rmsprop(sigma0=0.8, eps0=1e8, c2=1.3)),
        "eps0=1e+08 is 1.2e+08 times sigma0 sqrt(u): the steps hardly depend on u; eps0 = eps eta, "
        "ns.from_hyperparameters takes eps itself",
    ),
    "a horizon in which nothing happens": (
        dict(eta2=[1e-10], horizon=1e-9),
        "horizon=1e-09 is 1.3e-09 of the time 1/c2: hardly anything happens in it; time is t = k eta^2",
    ),
    "a horizon that is cut": (
        dict(eta2=[0.3]),
        "horizon=1 is cut to t=0.9: it is no multiple of the step 0.3 at eta2=0.3",
    ),
}


@pytest.mark.parametrize("make", ODD)
def test_what_hardly_anyone_means_is_said_once(make):
    changes, message = ODD[make]
    with pytest.warns(ns.StudyWarning) as caught:
        made = study(**changes)
    assert [str(one.message) for one in caught] == [message]
    assert made.notes == (message,)
    assert caught[0].filename == __file__


def test_what_people_mean_is_not_warned_of():
    """Warnings are errors here; real training's constants, and rates that are near 1 but not typed, pass."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer, eta2 = ns.from_hyperparameters("rmsprop", lr=1e-5, betas=0.999, eps=1e-8, batch_size=256)
        assert study(optimizer=optimizer, eta2=[eta2], horizon=40 * eta2).notes == ()
        assert study(optimizer=ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.0)).notes == ()
        assert study(optimizer=ns.rmsprop(sigma0=0.8, eps0=0.1, c2=0.001 / 0.0325**2)).notes == ()
        assert study(eta2=[0.3], times=[0.6]).notes == ()
