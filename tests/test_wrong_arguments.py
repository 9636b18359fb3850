"""Wrong arguments of every public constructor and method, word for word: one line, no address, no Python's own words.

What a newcomer mixes up is in test_messages, functions that give no numbers in studies/test_messages.
"""

import inspect
import math
import re

import numpy as np
import pytest

import ngos_sim as ns

SLOTS = ("theta", "u")
RMSPROP = dict(sigma0=0.8, eps0=0.1, c2=1.3)
TRAINING = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
NAMED = "must be a string, what tables call it; it comes first"
SLOTTED = 'must be a tuple of distinct names, the first "theta", such as ("theta", "u")'
VECTOR = "is not a number or a vector of numbers"


def still(x, o, c, p):
    return 0.0, 0.0


def step(x, o, z, c, p):
    return x


def sample(xi, p):
    return xi


def atoms(nodes, p):
    return [-1.0, 1.0], [0.5, 0.5]


def study(**changes):
    settings = dict(
        oracle=ns.NGOS(ns.quadratic(0.9)),
        optimizer=ns.rmsprop(**RMSPROP),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        eta2=[2**-3],
        test_functions=["theta[0]"],
    )
    return ns.ConvergenceStudy(**(settings | changes))


def law(sample=sample, quadrature=atoms, **others):
    """Measure with a law, which is looked at when a study is made."""
    return study(oracle=ns.NGOS(ns.quadratic(0.9), noise=ns.Noise("law", sample, quadrature, **others))).run(1)


WRONG = [
    # keywords and counts of arguments
    (lambda: ns.sgd(lr=0.1), "sgd: lr=0.1 is unknown; the study takes it: ns.ConvergenceStudy(.., eta=..)"),
    (lambda: ns.sgd(sigma0=1), "sgd: sigma0=1 is unknown; by the clock 'eta' it is sigma that is fixed: give sigma="),
    (lambda: ns.heavy_ball(0.5, momentum=0.9), "heavy_ball: momentum=0.9 is unknown; mu = (1 - beta) / eta"),
    (
        lambda: ns.lion(lr=1e-3, betas=(0.9, 0.99)),
        "lion: lr=0.001 is unknown; lion takes sigma0 = sigma eta, beta1, c2 = (1 - beta2) / eta^2 and "
        "w0 = weight_decay / eta; the study eta2=",
    ),
    (lambda: ns.rmsprop_sde(c2=1.3), "rmsprop_sde: c2=1.3 is unknown; constants are the optimizer's"),
    (lambda: ns.adam_sde(order=1), "adam_sde: order=1 is unknown; allowed: no arguments"),
    (lambda: ns.quadratic(H=0.9), "quadratic: H=0.9 is unknown; allowed: hessian"),
    (lambda: ns.laplace(scale=2), "laplace: scale=2 is unknown; allowed: no arguments"),
    (lambda: ns.gaussian(1.0), "gaussian: too many positional arguments; it takes no arguments"),
    (lambda: ns.two_point(1.0), "two_point: too many positional arguments; it takes skewness, low_skewness"),
    (
        lambda: ns.double_well(0.9, 1.0),
        "double_well: missing a required argument: 'width'; it takes hessian, minimum, width",
    ),
    (lambda: ns.NGOS(ns.quadratic(0.9), cov=2.0), "NGOS: cov=2.0 is unknown; allowed: loss, covariance, noise"),
    (
        lambda: ns.NGOS(ns.quadratic(0.9), sigma=2.0),
        "NGOS: sigma=2.0 is unknown; it is the optimizer's: ns.rmsprop(sigma0=..), ns.sgd(sigma=..)",
    ),
    (lambda: study(seed=3), "ConvergenceStudy: seed=3 is unknown; study.run(..) takes it"),
    (
        lambda: ns.Optimizer("mine", step),
        "Optimizer: missing a required argument: 'slots'; it takes name, step, slots, schedule, clock, parameters",
    ),
    (
        lambda: study().plan(10, device="cuda"),
        "plan: device='cuda' is unknown; allowed: trajectories, seed, threads, compare",
    ),
    (lambda: RESULT.order(norm="max"), "order: norm='max' is unknown; allowed: theorem"),
    (lambda: RESULT.extend(10, seed=1), "extend: seed=1 is unknown; it stays what it was"),
    (lambda: RESULT.extend(10, device="cuda"), "extend: device='cuda' is unknown; it stays what it was"),
    # names and slots
    (lambda: ns.SDE(still, still, still, SLOTS), f"SDE: name=still {NAMED}"),
    (lambda: ns.SDE(3, still, still, SLOTS), f"SDE: name=3 {NAMED}"),
    (lambda: ns.Optimizer(3, step, SLOTS), f"Optimizer: name=3 {NAMED}"),
    (lambda: ns.Loss(math.sin, math.sin, math.cos), f"Loss: name=sin {NAMED}"),
    (lambda: ns.Variance(math.cos, math.cos), f"Variance: name=cos {NAMED}"),
    (lambda: ns.Noise(sample, sample, atoms), f"Noise: name=sample {NAMED}"),
    (lambda: ns.TestFunction(3, math.cos), f"TestFunction: name=3 {NAMED}"),
    (lambda: ns.SDE("mine", still, still, "theta"), f"mine: slots='theta' {SLOTTED}"),
    (lambda: ns.SDE("mine", still, still, 3), f"mine: slots=3 {SLOTTED}"),
    (lambda: ns.SDE("mine", still, still, ("theta", 3)), f"mine: slots=('theta', 3) {SLOTTED}"),
    (lambda: ns.SDE("mine", still, still, ("theta", "t0")), f"mine: slots=('theta', 't0') {SLOTTED}"),
    (lambda: ns.Optimizer("mine", step, ("theta", "a b")), f"mine: slots=('theta', 'a b') {SLOTTED}"),
    # kinds
    (
        lambda: ns.SDE("mine", still, still, SLOTS, pivot=ns.rmsprop_sde),
        "mine: pivot=rmsprop_sde is not an SDE but a function: call it, rmsprop_sde()",
    ),
    (
        lambda: study(optimizer=ns.from_hyperparameters("adam", **TRAINING, batch_size=256)),
        "optimizer=(Optimizer 'adam', 1e-06) is not an optimizer; ns.rmsprop(sigma0=.., eps0=.., c2=..) makes one",
    ),
    (
        lambda: study(sde={"a": ns.rmsprop_sde()}),
        "sde={'a': SDE 'rmsprop'} is not an SDE; ns.rmsprop_sde() makes one",
    ),
    (lambda: study(sde=iter([])), "sde=<list_iterator object> is not an SDE; ns.rmsprop_sde() makes one"),
    (lambda: study(sde=[]), "give sde= or reference=: exactly one of them, got neither"),
    (
        lambda: study(sde=[ns.rmsprop_sde(), ns.rmsprop_sde()]),
        "two SDEs have the same name, 'rmsprop'; tables could not tell them apart",
    ),
    (
        lambda: ns.scale_batch(ns.rmsprop(**RMSPROP), 2),
        "hyperparameters=Optimizer 'rmsprop' is not a Hyperparameters; ns.rmsprop(..).at(eta2) makes one",
    ),
    (
        lambda: ns.from_hyperparameters(ns.adam, **TRAINING, batch_size=256),
        "optimizer adam is unknown; allowed: rmsprop, adam",
    ),
    (lambda: ns.NGOS(ns.quadratic(0.9), ns.gaussian()), f"covariance=Noise 'gaussian' {VECTOR}"),
    (lambda: ns.linear(ns.gaussian), f"slope=gaussian {VECTOR}"),
    (lambda: ns.rmsprop(**RMSPROP, bias_correction="yes"), "bias_correction='yes'; allowed: True, False"),
    # numbers
    (
        lambda: ns.quadratic([1.0] * 99 + [math.nan]),
        "hessian=[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, ...] must hold finite numbers: number 99 is nan",
    ),
    (
        lambda: ns.quadratic(np.zeros((9, 9, 9))),
        "hessian=array([[[0., 0., 0., 0., 0., 0., 0., 0., 0.], [0., 0., 0.,.. is a 9x9x9 array; "
        "a number, a vector or a square matrix is allowed",
    ),
    (lambda: study(times=lambda h: [h]), f"times=<lambda> {VECTOR}"),
    (lambda: study(eta2=None, steps=[16, 16]), "steps=[16, 16] has a value twice"),
    (lambda: study(eta2=[0.25, 0.25]), "eta2=[0.25, 0.25] has a value twice"),
    (
        lambda: study(oracle=ns.finite_data([[1.0], [2.0]], [1.0, 3.0], "least_squares"), eta2=None, batch_size=[1, 1]),
        "batch_size=[1, 1] has a value twice",
    ),
    (
        lambda: study(initial=dict(theta=lambda: 1.0, u=1.0)),
        "initial.theta=<lambda> fails at the step size 0.125: TypeError: NAME() takes 0 positional arguments but 1 was "
        "given; a function of one number is allowed",
    ),
    (
        lambda: study(initial=dict(theta=1.2, u=lambda h: 1 / (h - 0.125))),
        "initial.u=<lambda> fails at the step size 0.125: ZeroDivisionError: float division by zero; "
        "a function of one number is allowed",
    ),
    # laws, variances and test functions
    (lambda: ns.Noise("law", 1.0, atoms), "noise 'law': sample=1.0 is not a function"),
    (lambda: ns.Noise("law", sample, 1.0), "noise 'law': quadrature=1.0 is not a function"),
    (lambda: ns.Noise("law", lambda xi: xi, atoms), "noise 'law': sample takes (xi); it is called with (xi, p)"),
    (
        lambda: ns.Noise("law", sample, atoms, gaussians=2),
        "noise 'law': sample takes (xi, p); it is called with (xi, extra, p)",
    ),
    (lambda: ns.Noise("law", sample, lambda n: n), "noise 'law': quadrature takes (n); it is called with (nodes, p)"),
    (
        lambda: ns.Noise("law", sample, atoms, parameters=3),
        "noise 'law': parameters=3 must be a mapping, of names to numbers",
    ),
    (
        lambda: ns.Noise("law", sample, atoms, {"a": "b"}),
        "noise 'law': a='b' must be a finite number or a function of sigma",
    ),
    (
        lambda: law(lambda xi, p: p.a * xi, parameters={"b": 1}),
        "noise 'law': sample reads 'a'; its parameters are: b",
    ),
    (lambda: law(quadrature=lambda n, p: p.a), "noise 'law': quadrature reads 'a'; its parameters are: none"),
    (
        lambda: law(quadrature=lambda n, p: ([0.0, 1.0], [1.0])),
        "noise 'law': quadrature gives values of shape (2,) and weights of shape (1,); "
        "two vectors of one length are needed",
    ),
    (
        lambda: law(quadrature=lambda n, p: 3),
        "noise 'law': quadrature gives no values and weights: 'int' object is not iterable",
    ),
    (
        lambda: ns.Variance("s", lambda theta: 1.0),
        "covariance 's': function fails at theta=0: NAME() takes 1 positional argument but 2 were given",
    ),
    (
        lambda: ns.Variance("s", lambda theta, p: None),
        "covariance 's': function returns None at theta=0; a number is needed",
    ),
    (lambda: ns.Variance("s", lambda theta, p: p.a, b=1), "covariance 's': function reads 'a'; its parameters are: b"),
    (
        lambda: study(oracle=ns.NGOS(ns.quadratic(0.9), lambda theta: "a")),
        "covariance '<lambda>': function returns 'a' at theta=0; a number is needed",
    ),
    (
        lambda: ns.Loss("f", lambda theta, p: undefined, lambda theta, p: theta),  # noqa: F821
        "loss 'f': gradient fails at theta=1.3717e-09: name 'undefined' is not defined",
    ),
    (lambda: ns.TestFunction("g", 1.0), "test function 'g': g=1.0 is not a function"),
    (lambda: ns.TestFunction("g", abs, -1), "test function 'g': coordinate=-1 must be an integer of at least 0"),
    (lambda: ns.TestFunction("g", abs, "0"), "test function 'g': coordinate='0' must be an integer of at least 0"),
    # what is done with a study and a result
    (lambda: study().run(1, store=3), "store=3 must be a path, a str or a Path"),
    (lambda: study().run(1, progress="yes"), "progress='yes'; allowed: True, False"),
    (lambda: study().plan(1, compare="yes"), "compare='yes'; allowed: True, False"),
    (
        lambda: study().trajectories(100_000),
        "n=100000: at most 10000 paths, as they run in plain Python; run(trajectories=..) takes any number",
    ),
    (lambda: RESULT.save(3), "directory=3 must be a path, a str or a Path"),
    (lambda: RESULT.report(3), "directory=3 must be a path, a str or a Path"),
    (lambda: RESULT.plot(3), "path=3 must be a path, a str or a Path"),
    (lambda: RESULT.plot(axes=3), "axes=3 is not an Axes of matplotlib; plt.subplots()[1] makes one"),
    (lambda: RESULT.plot(sde=ns.rmsprop_sde()), "sde=SDE 'rmsprop'; allowed: 'rmsprop'"),
    (lambda: RESULT.plot(test_functions=3), "test_functions=3; allowed: 'theta[0]'"),
    (lambda: ns.load(3), "folder=3 must be a path, a str or a Path"),
    (lambda: ns.merge(1, 2), "folder=1 must be a path, a str or a Path"),
]
RESULT = study().run(1)


@pytest.mark.parametrize("at", range(len(WRONG)))
def test_a_wrong_argument_is_told_in_one_line(at):
    call, message = WRONG[at]
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    said = str(caught.value)
    assert re.sub(r"[\w<>.]*<lambda>\(\)", "NAME()", said) == message
    assert "\n" not in said
    assert " at 0x" not in said


SCALAR = {"fma", "preconditioner", "sign"}  # called in kernels: plain
MADE = {"EngineUnavailable", "Estimator", "NonFiniteError", "OrderEffect", "Plan", "Quantity", "Reading", "Refused"}
MADE |= {"Result", "Served", "StoreError", "StudyWarning"}  # by the library, or by who writes an estimator


@pytest.mark.parametrize("name", sorted({*ns.__all__} - SCALAR - MADE))
def test_an_unknown_keyword_is_told_with_what_is_allowed(name):
    made = getattr(ns, name)
    parameters = inspect.signature(made).parameters.values()
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        with pytest.raises(TypeError, match=rf"^{name}: missing a required .*argument: '\w+'; it takes "):
            made()
    else:
        with pytest.raises(TypeError, match=rf"^{name}: nonsense=1 is unknown; allowed: \w"):
            made(nonsense=1)
