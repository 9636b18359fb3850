"""Studies in the clock t = k eta, of SGD, heavy ball and Nesterov: what they say of their steps, and refuse."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.reporting.figures import step_label
from tests.support import momentum, programs

STEPS = [8, 16, 32, 64]
ETA = [momentum.HORIZON / n for n in STEPS]


def step(x, o, z, c, p):
    return (x[0] - p.h * (o.gradient + p.sigma * z),)


@pytest.mark.parametrize("kind", momentum.KINDS)
def test_errors_are_those_of_the_exact_recursions(kind):
    table = momentum.study(kind, 1, 2, eta=ETA).run(20_000, seed=3).table
    for row in table.itertuples():
        exact = momentum.exact_errors(kind, int(row.sde[-1]), row.h)[row.test_function]
        assert abs(row.error - exact) < 4.0 * row.std_error + row.integrator_residual
        assert row.std_error < 0.004 * row.h
    assert table.h.tolist() == table.eta.tolist() == table.eta_e.tolist()
    assert np.array_equal(table.eta2, table.eta**2)
    assert table.columns[0] == "h"


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("kind", momentum.KINDS)
def test_the_exact_errors_are_of_the_order_of_theory(kind, order):
    """Li, Tai and E (2017), Theorems 9 and 10; a wrong power of eta in the noise would have order 1 at most."""
    coarse, fine = (momentum.exact_errors(kind, order, momentum.HORIZON / n) for n in (2**10, 2**11))
    for name, error in coarse.items():
        assert math.log2(error / fine[name]) == pytest.approx(order, abs=0.05)


def test_the_order_is_fitted_against_eta():
    study = momentum.study("heavy-ball", 1, eta=[momentum.HORIZON / n for n in (16, 32, 64, 128)])
    result = study.run(20_000, seed=5)
    orders = result.order()
    orders = orders[(orders.norm == "final") & (orders.test_function != "theta[0]^2")]  # its constant is nearly 0
    assert np.all(np.abs(orders.order - 1.0) < np.maximum(3.0 * orders.std_error, 0.05))
    assert result.plot().get_xlabel() == r"$h = \eta$ (time of one step)"
    resolved = result.describe()["record"]["resolved"]
    assert resolved["optimizer"]["clock"] == "eta"
    assert resolved["points"][0] | {"h": 0.125, "eta": 0.125, "eta2": 0.015625} == resolved["points"][0]


def test_steps_are_the_same_study():
    one, two = (momentum.study("sgd", 1, **given).run(1024, seed=1).table for given in ({"eta": ETA}, {"steps": STEPS}))
    assert one.equals(two)


def test_python_steps_are_the_compiled_ones():
    study = momentum.study("nesterov", 2, steps=[1])
    assert programs.alike(study)


def test_a_start_may_depend_on_eta():
    study = momentum.study("sgd", 1, steps=[2, 4], initial=dict(theta=lambda eta: eta), horizon=1.0, times=[1.0])
    means = study.run(1024, seed=1).table.optimizer_mean[::2]
    rates = [1.0 - momentum.HESSIAN / n for n in (2, 4)]
    np.testing.assert_allclose(means, [0.5 * rates[0] ** 2, 0.25 * rates[1] ** 4], atol=0.1)


def test_noise_is_taken_at_sigma():
    """With the clock eta the oracle's noise scale is the parameter sigma, unknown without one."""
    study = momentum.study("sgd", 1, steps=[4])
    assert [study.noise_scale(point) for point in study.points] == [momentum.SIGMA]
    plain = ns.Optimizer("plain", lambda x, o, z, c, p: (x[0] - p.eta * o.gradient,), ("theta",), clock="eta")
    assert math.isnan(plain.noise_scale(0.1))
    assert ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3).noise_scale(0.25) == 3.2


def test_a_step_sees_h_and_eta():
    """h is eta^2 / ell^2 under SVAG and kappa eta^2 of the larger batch; eta its root; eta2 is another name of h."""
    seen = []

    def step(x, o, z, c, p):
        seen.append((p.h, p.eta, p.eta2))
        return (x[0] - p.h * o.gradient,)

    sde = ns.SDE("own", lambda x, o, c, p: (p.eta2 - p.h,), lambda x, o, c, p: (0.0,), ("theta",))
    optimizer = ns.Optimizer("own", step, ("theta",), sigma0=1.0)
    common = dict(initial=dict(theta=1.0), eta2=0.25, horizon=1.0, test_functions=["theta[0]"])
    ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9)), ns.svag(optimizer, 2.0), sde=sde, **common)
    assert set(seen) == {(0.0625, 0.25, 0.0625)}
    seen.clear()
    study = ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9)), optimizer, reference=ns.scaling_rule(4), **common)
    study.run(1024, device="python")
    assert set(seen) == {(0.25, 0.5, 0.25), (1.0, 1.0, 1.0)}


WRONG = {
    "eta2 for the clock eta": (
        lambda: momentum.study("sgd", 1, eta2=0.1),
        "eta2=0.1: optimizer 'sgd' has the clock 'eta', time t = k eta; give eta=, the learning rate, or steps=",
    ),
    "neither": (lambda: momentum.study("sgd", 1), "give eta or steps, got eta=None and steps=None"),
    "both": (lambda: momentum.study("sgd", 1, eta=0.5, steps=4), "give eta or steps, got eta=0.5 and steps=4"),
    "a negative eta": (lambda: momentum.study("sgd", 1, eta=[0.5, -0.5]), "eta=-0.5 must be a positive number"),
    "a value twice": (lambda: momentum.study("sgd", 1, eta=[0.5, 0.5]), "eta=[0.5, 0.5] has a value twice"),
    "a horizon": (
        lambda: momentum.study("sgd", 1, eta=[0.5, 0.3]),
        "times=2 is not a multiple of the step 0.3 at eta=0.3; the nearest is 1.5",
    ),
    "SVAG": (
        lambda: ns.svag(ns.Optimizer("own", step, ("theta",), clock="eta"), 2.0),
        "ns.svag: optimizer 'own' of the clock 'eta' has no parameter sigma, the noise scale of its gradient, which "
        "this changes with the step",
    ),
    "the scaling rule": (
        lambda: ns.ConvergenceStudy(
            ns.NGOS(ns.quadratic(0.9)),
            ns.Optimizer("own", step, ("theta",), clock="eta"),
            reference=ns.scaling_rule(2),
            initial=dict(theta=1.0),
            steps=4,
            horizon=1.0,
            test_functions=["theta[0]"],
        ),
        "reference=scaling_rule: optimizer 'own' of the clock 'eta' has no parameter sigma, the noise scale of its "
        "gradient, which this changes with the step",
    ),
    "a clock": (
        lambda: ns.Optimizer("sgd", step, ("theta",), clock="eta^2"),
        "sgd: clock='eta^2'; allowed: 'eta2' (time k eta^2), 'eta' (time k eta)",
    ),
    "a parameter h": (
        lambda: ns.Optimizer("sgd", step, ("theta",), h=1.0),
        "sgd: parameter 'h' has the name of what p says of the step; allowed: any other",
    ),
    "a parameter of both": (
        lambda: momentum.study(
            "sgd", steps=4, sde=ns.SDE("own", lambda *_: (0.0,), lambda *_: (0.0,), ("theta",), sigma=1.0)
        ),
        "sde 'own': parameter 'sigma' is a constant of the optimizer already",
    ),
    "p.eta2": (
        lambda: momentum.study(
            "sgd",
            1,
            steps=4,
            sde=ns.SDE("own", lambda x, o, c, p: (p.eta2,), lambda x, o, c, p: (0.0,), ("theta",)),
        ),
        "'own': drift reads p.eta2, which is not there; p has sigma, h, eta",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_the_clock_is_told_in_one_line(case):
    call, message = WRONG[case]
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == message


def test_the_axis_says_what_h_is():
    optimizer, oracle = ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3), ns.NGOS(ns.quadratic(0.9))
    common = dict(sde=ns.rmsprop_sde(), initial=dict(theta=1.2, u=1.0), horizon=1.0, test_functions=["theta[0]"])
    plain = ns.ConvergenceStudy(oracle, optimizer, eta2=[0.25, 0.125], **common).run(1024).table
    assert step_label(plain) == r"$h = \eta^2$ (time of one step)"
    amplified = ns.ConvergenceStudy(oracle, ns.svag(optimizer, [1, 2]), eta2=0.25, **common).run(1024).table
    assert step_label(amplified) == r"$h = \eta^2 / \ell^2$ (time of one step)"
    sgd = momentum.study("sgd", 1, optimizer=ns.svag(ns.sgd(0.5), [1, 2]), eta=0.25).run(1024).table
    assert step_label(sgd) == r"$h = \eta / \ell$ (time of one step)"
    assert sgd.h.unique().tolist() == [0.25, 0.125]
