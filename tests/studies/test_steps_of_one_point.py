"""SVAG and the linear scaling rule in the clock eta: other steps of one point, at which sigma^2 h is what it was."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.studies import study_file

LAMBDA, VARIANCE, SIGMA, START, SKEW = 1.3, 0.7, 0.9, 1.5, 1.5
ELL = [1.0, 2.0, 4.0, 8.0]
FUNCTIONS = ["theta[0]", "theta[0]^2", "theta[0]^3"]


def moments(mean, variance, third):
    return np.array([mean, variance + mean**2, third + 3.0 * mean * variance + mean**3])


def chain(h, steps, sigma, skew):
    """Return E theta, theta^2 and theta^3 after SGD's steps: cumulants of a linear recursion."""
    a, mean, variance, third = 1.0 - h * LAMBDA, START, 0.0, 0.0
    for _ in range(steps):
        mean, variance = a * mean, a * a * variance + (h * sigma) ** 2 * VARIANCE
        third = a**3 * third - (h * sigma * math.sqrt(VARIANCE)) ** 3 * skew
    return moments(mean, variance, third)


def svag(eta, ell, skew):
    """Return these of SVAG at time 1: weights (1 -+ sqrt(2 ell - 1)) / 2 of two draws, sigma sqrt(ell) all told."""
    root = math.sqrt(2.0 * ell - 1.0)
    weights = 0.5 * np.array([1.0 - root, 1.0 + root])
    assert np.sum(weights**2) == pytest.approx(ell)
    return chain(eta / ell, round(ell / eta), SIGMA * math.sqrt(ell), skew * np.sum(weights**3) / ell**1.5)


def law(eta):
    """Return these of the Ito SDE at time 1: an Ornstein-Uhlenbeck law."""
    variance = eta * SIGMA**2 * VARIANCE * -math.expm1(-2.0 * LAMBDA) / (2.0 * LAMBDA)
    return moments(START * math.exp(-LAMBDA), variance, 0.0)


def study(optimizer, noise, **settings):
    given = dict(initial=dict(theta=START), horizon=1.0, times=[1.0], test_functions=FUNCTIONS)
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(LAMBDA), VARIANCE, noise), optimizer, **(given | settings))


def assert_exact(table, expected):
    """Compare every error with expected(row), an array of one a test function."""
    for row in table.itertuples():
        exact = expected(row)[FUNCTIONS.index(row.test_function)]
        left = np.nan_to_num(row.integrator_residual)
        assert abs(row.error - exact) < 4.0 * row.std_error + left + 1e-12
        assert row.std_error < 0.05 * abs(exact) + 1e-4


@pytest.mark.parametrize("estimator", ["local", "coupled"])
def test_svag_of_skewed_noise(estimator):
    """Every error is the exact recursion's; two points of the grid have one h, and not one sigma."""
    given = dict(sde=ns.sgd_sde(), eta=[0.25, 0.125], estimator=estimator)
    table = study(ns.svag(ns.sgd(SIGMA), [1.0, 2.0]), ns.two_point(skewness=SKEW), **given).run(20_000, seed=1).table
    assert sorted(table.h.unique()) == [0.0625, 0.125, 0.25]
    assert_exact(table, lambda row: svag(row.eta, row.ell, SKEW) - law(row.eta))


def test_svag_is_of_order_one_over_ell():
    """arXiv 2102.12470: C / ell, here with a skewness that stays 1.5 k3 / sqrt(ell) of ever larger noise."""
    table = study(
        ns.svag(ns.sgd(SIGMA), ELL), ns.two_point(skewness=SKEW), sde=ns.sgd_sde(), eta=0.25, estimator="local"
    )
    result = table.run(20_000, seed=1)
    assert_exact(result.table, lambda row: svag(row.eta, row.ell, SKEW) - law(row.eta))
    errors = [svag(0.25, ell, SKEW) - law(0.25) for ell in (512.0, 1024.0)]
    np.testing.assert_allclose(np.log2(errors[0] / errors[1]), 1.0, atol=0.01)
    orders = result.order()
    assert np.all(np.abs(orders.order - 1.0) < 0.15)


def test_svag_of_gaussian_noise_is_sgd_at_the_smaller_step():
    """At eta / ell with sigma sqrt(ell); against the same SDE, whose noise sigma^2 eta is the same."""
    amplified = study(ns.svag(ns.sgd(SIGMA), 4.0), ns.gaussian(), sde=ns.sgd_sde(), eta=0.25).run(1024, seed=1).table
    plain = study(ns.sgd(2.0 * SIGMA), ns.gaussian(), sde=ns.sgd_sde(), eta=0.0625).run(1024, seed=1).table
    np.testing.assert_allclose(amplified.error, plain.error, rtol=0, atol=1e-9)
    np.testing.assert_allclose(amplified.sde_mean, plain.sde_mean, rtol=1e-12)


def test_noise_that_is_not_sigma_is_lost():
    """The trap: a step whose noise is another number of its own has none in the limit, an error of order 0."""

    def step(x, o, z, c, p):
        return (x[0] - p.h * (o.gradient + p.own * z),)

    wrong = ns.Optimizer("own", step, ("theta",), clock="eta", sigma=SIGMA, own=SIGMA)
    given = dict(sde=ns.sgd_sde(), eta=0.25, test_functions=["theta[0]^2"], estimator="local")
    errors = study(ns.svag(wrong, [4.0, 8.0]), ns.gaussian(), **given).run(1024, seed=1).table.error.to_numpy()
    lost = law(0.25)[1] - law(0.25)[0] ** 2
    assert np.all(errors < -0.7 * lost)


@pytest.mark.parametrize("estimator", ["local", "coupled"])
def test_the_linear_scaling_rule(estimator):
    """kappa eta with sigma / sqrt(kappa), exactly; the square-root rule, right for Adam, is far from what is found."""
    noise = ns.two_point(skewness=SKEW)
    given = dict(reference=ns.scaling_rule([2, 4]), eta=[0.125, 0.0625], estimator=estimator)
    table = study(ns.sgd(SIGMA), noise, **given).run(200_000, seed=1).table

    def linear(row, power=0.5):
        small = chain(row.eta, round(1.0 / row.eta), SIGMA, SKEW)
        large = chain(row.kappa * row.eta, round(1.0 / (row.kappa * row.eta)), SIGMA / row.kappa**power, SKEW)
        return small - large

    assert_exact(table, linear)
    squares = table[table.test_function == "theta[0]^2"]
    for power in (0.0, 0.25):  # sigma kept, and that of eta sqrt(kappa)
        off = [abs(row.error - linear(row, power)[1]) / row.std_error for row in squares.itertuples()]
        assert min(off) > 10.0


def test_a_study_file_names_them():
    content = {
        "oracle": {"loss": {"kind": "quadratic", "hessian": LAMBDA}, "covariance": 1.0, "noise": {"kind": "gaussian"}},
        "optimizer": {"kind": "sgd", "sigma": SIGMA},
        "initial": {"theta": START},
        "sde": [{"kind": "sgd"}, {"kind": "sgd", "order": 2}, {"kind": "flipped-sgd"}],
        "study": {"eta": 0.25, "ell": [1, 2], "horizon": 1.0, "test_functions": ["theta[0]"], "trajectories": 1024},
    }
    made = study_file.parse(content).study
    assert [sde.name for sde in made.sdes] == ["sgd order 1", "sgd order 2", "flipped-sgd"]
    assert [point.h for point in made.points] == [0.25, 0.125]
    with pytest.raises(ValueError, match=r"^sde\[0\].order=3; allowed: 1, 2$"):
        study_file.parse(content | {"sde": [{"kind": "sgd", "order": 3}]})
