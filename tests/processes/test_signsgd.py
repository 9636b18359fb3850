"""SignSGD: its step to the letter, its exact law, the orders of its SDEs, and where a derivation ends."""

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import erf, stdtr

import ngos_sim as ns
from ngos_sim.engines import python
from tests.support import naive, signs

HESSIAN, SIGMA, VARIANCE, THETA0, HORIZON = 1.0, 0.9, 0.8, 1.0, 1.5
DEVIATION = SIGMA * math.sqrt(VARIANCE)
STEPS = (80, 160, 320)
FUNCTIONS = {"theta[0]": lambda x: x, "theta[0]^2": lambda x: x * x, "cos": np.cos}
T5 = math.sqrt(0.6) * (1.0 + 4.2e-7)  # zeta / T of ns.student_t(5.0), as its docstring has it
LAWS = {
    None: (ns.gaussian(), lambda theta: erf(HESSIAN * theta / (DEVIATION * math.sqrt(2.0)))),
    5.0: (ns.student_t(5.0), lambda theta: 2.0 * stdtr(5.0, HESSIAN * theta / DEVIATION / T5) - 1.0),
}


def study(sde, nu=None, **changes):
    settings = dict(initial=dict(theta=THETA0), steps=[20], horizon=HORIZON, times=[HORIZON], estimator="coupled")
    settings |= dict(sde=sde, test_functions=["theta[0]", "theta[0]^2"])
    oracle = ns.NGOS(ns.quadratic(HESSIAN), VARIANCE, LAWS[nu][0])
    return ns.ConvergenceStudy(oracle, ns.signsgd(SIGMA), **(settings | changes))


def exact_errors(sde, nu=None, steps=STEPS):
    """Return E g(chain) - E g(SDE) at each number of steps, shape (steps, functions)."""
    found = []
    for count in steps:
        eta = HORIZON / count
        places, law = signs.lattice(LAWS[nu][1], THETA0, eta, count)
        model = signs.backward(
            *signs.coefficients(sde, eta, SIGMA, HESSIAN, VARIANCE), FUNCTIONS.values(), THETA0, HORIZON, reach=4.5
        )
        found.append([law @ g(places) for g in FUNCTIONS.values()] - model)
    return np.array(found)


@pytest.mark.parametrize("nu", LAWS)
@pytest.mark.parametrize(("order", "least", "most"), [(1, 0.92, 1.01), (2, 1.96, 2.01)])
def test_orders_against_the_exact_law(order, least, most, nu):
    """Backward Kolmogorov equation of the SDE's own functions against the lattice law."""
    errors = exact_errors(ns.signsgd_sde(order, nu), nu)
    slopes = np.log2(np.abs(errors[:-1] / errors[1:]))
    assert np.all((slopes > least) & (slopes < most)), slopes


def test_a_correction_of_the_other_sign_is_of_order_1():
    """Negative control."""
    right = ns.signsgd_sde(2)

    def drift(x, o, c, p):
        (first,), (second,) = ns.signsgd_sde(1).drift(x, o, c, p), right.drift(x, o, c, p)
        return (2.0 * first - second,)

    errors = exact_errors(SimpleNamespace(drift=drift, diffusion=right.diffusion, **_rest(right)))
    assert np.all(np.log2(np.abs(errors[:-1, :2] / errors[1:, :2])) < 1.2)


def _rest(sde):
    return {"slots": sde.slots, "schedule": sde.schedule, "parameters": sde.parameters}


def test_a_study_finds_the_exact_error():
    sde = ns.signsgd_sde(2, nu=5.0)
    table = study(sde, 5.0).run(100_000, seed=3).table
    exact = exact_errors(sde, 5.0, steps=[20])[0, :2]
    assert np.all(np.abs(table.error - exact) < 4.0 * table.std_error)
    assert np.all(table.std_error < 4e-4)


def test_steps_are_the_definitions(build):
    noise, eta = np.random.default_rng(3).standard_normal(40), 0.125
    gradients = [lambda k, theta: 0.9 * theta + 0.7 * noise[k]] * 40
    theta, m = naive.signum(1.2, -0.3, gradients, eta, 0.8)
    for rule, start, expected in (
        (ns.signsgd(0.7), [1.2], [naive.signsgd(1.2, gradients, eta)]),
        (ns.signum(0.7, 0.8), [1.2, -0.3], [theta, m]),
    ):
        functions = [f"{slot}[0]" for slot in rule.slots]
        made = build(
            ns.NGOS(ns.quadratic(0.9)), [(rule, ns.gaussian(), 1)], functions, start, eta, 40, 0.0, range(1, 41)
        )
        found, finite = python.trajectory(*made, 0, noise[:, None])
        assert finite
        np.testing.assert_allclose(found[:, :, 0].T, expected, rtol=0, atol=1e-13)


def test_a_gradient_of_0_moves_nothing(build):
    """torch.sign(0) = 0."""
    made = build(ns.NGOS(ns.quadratic(0.9)), [(ns.signsgd(0.7), ns.gaussian(), 1)], ["theta[0]"], [0.0], 0.125, 3)
    assert python.trajectory(*made, 0, np.zeros((3, 1)))[0].tolist() == [[[0.0]]]
    assert [ns.sign(x) for x in (2.0, -0.5, 0.0)] == [1.0, -1.0, 0.0]
    assert math.isnan(ns.sign(math.nan))


def test_stationary_variance():
    """docs/theory.md, "Signs": the chain's, and that of the SDE linear near 0, a = sqrt(2 / pi) lambda / sigma."""
    rate = math.sqrt(2.0 / math.pi) / 0.8
    exact = [signs.stationary_variance(lambda x: erf(x / (0.8 * math.sqrt(2.0))), eta) for eta in (0.1, 0.05, 0.02)]
    np.testing.assert_allclose(exact, [0.05212, 0.02556, 0.01010], atol=6e-6)
    linear = [eta / (2.0 * rate + eta * rate**2) for eta in (0.1, 0.05, 0.02)]
    np.testing.assert_allclose(linear, [0.04775, 0.02446, 0.00993], atol=6e-6)
    for eta, chain, near in zip((0.1, 0.05, 0.02), exact, linear, strict=True):
        model = stationary(ns.signsgd_sde(1), eta, sigma=0.8 / math.sqrt(VARIANCE))
        assert abs(model / chain - 1.0) < 0.55 * eta
        assert abs(model / near - 1.0) < 0.4 * eta


def stationary(sde, eta, sigma=SIGMA):
    coefficients = signs.coefficients(sde, eta, sigma, HESSIAN, VARIANCE)
    return signs.backward(*coefficients, [np.square], 0.0, 20.0, reach=3.0)[0]


def test_a_study_finds_the_stationary_variances():
    made = study(ns.signsgd_sde(2), initial=dict(theta=0.0), steps=[80], horizon=4.0, times=[4.0])
    row = made.run(40_000, seed=2).table.set_index("test_function").loc["theta[0]^2"]
    chain, model = signs.stationary_variance(LAWS[None][1], 0.05), stationary(ns.signsgd_sde(2), 0.05)
    spread = chain * math.sqrt(2.0 / row.trajectories)  # .7 %
    assert abs(row.optimizer_mean - chain) < 3.0 * spread
    assert abs(row.sde_mean - model) < 3.0 * spread
    assert abs(row.error - (chain - model)) < 4.0 * row.std_error < 0.5 * (chain - model)


def flat(noise, slope, estimator):
    """Return a study of an SDE of known moments: of SignSGD on a linear loss."""
    settings = dict(initial=dict(theta=0.4), steps=[8], horizon=1.0, times=[1.0], estimator=estimator)
    settings |= dict(sde=ns.signsgd_sde(), test_functions=["theta[0]"])
    return ns.ConvergenceStudy(ns.NGOS(ns.linear(slope), noise=noise), ns.signsgd(0.8), **settings)


@pytest.mark.parametrize("deviations", [0.4, 2.5, 5.0, 6.0])
def test_local_refuses_what_jumps(deviations):
    """However seldom the sign turns: at 5 standard deviations once in 3.5e6 steps."""
    with pytest.raises(ValueError, match=r"does not converge with the nodes, as where a step jumps$"):
        flat(ns.gaussian(), 0.8 * deviations, "local")


@pytest.mark.filterwarnings("ignore::ngos_sim.StudyWarning")
def test_local_is_exact_for_atoms():
    """Of Rademacher noise E sign = 0 where |f'| < sigma; SDE of Gaussian noise: E theta differs by its drift."""
    row = flat(ns.rademacher(), 0.24, "local").run(1024, seed=1).table.iloc[0]
    assert row.error == pytest.approx(erf(0.3 / math.sqrt(2.0)), abs=1e-12)


def test_a_coordinate_without_noise_is_refused():
    """f' over the standard deviation of the noise is not there."""
    settings = dict(initial=dict(theta=[0.4, 0.1]), steps=[8], test_functions=["theta[0]"], estimator="coupled")
    oracle = ns.NGOS(ns.quadratic([1.0, 1.0]), [1.0, 0.0])
    with pytest.raises(ValueError, match=r"^'signsgd order 1': drift fails at x=\(0\.1,\): ZeroDivisionError: "):
        ns.ConvergenceStudy(oracle, ns.signsgd(0.8), sde=ns.signsgd_sde(), **settings)


WRONG = {
    "order": (lambda: ns.signsgd_sde(3), "order=3; allowed: 1, 2"),
    "half an order": (lambda: ns.signsgd_sde(1.5), "order=1.5 must be an integer"),
    "nu": (lambda: ns.signsgd_sde(1, nu=2.0), "nu=2.0 of student-t noise must be a number from 3 to 1e6"),
    "sigma": (lambda: ns.signsgd(0.0), "sigma=0.0 must be positive"),
    "beta": (lambda: ns.signum(1.0, 1.0), "beta=1.0 must be from 0 to 0.9999"),
    "a beta below 0": (lambda: ns.signum(1.0, -0.1), "beta=-0.1 must be from 0 to 0.9999"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments(case):
    make, message = WRONG[case]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        make()


OUTSIDE = {
    "another law": (ns.signsgd_sde(1), dict(noise=ns.laplace()), "gaussian noise, not laplace"),
    "another nu": (
        ns.signsgd_sde(1, nu=5.0),
        dict(noise=ns.student_t(6.0)),
        "student-t noise, not student-t, of other parameters",
    ),
    "a matrix": (ns.signsgd_sde(2), dict(covariance=[[1.0, 0.5], [0.5, 1.0]]), "a diagonal covariance"),
    "a state": (
        ns.signsgd_sde(2),
        dict(covariance=lambda theta: 1.0 + 0.5 * math.sin(theta) ** 2),
        "a covariance that does not depend on the state",
    ),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_where_a_derivation_ends(case):
    sde, outside, doubt = OUTSIDE[case]
    assert sde.domain.doubts(ns.NGOS(ns.quadratic([1.0, 1.0]), **outside), 1.0) == [doubt]
    assert (
        ns.signsgd_sde(1).domain.doubts(ns.NGOS(ns.quadratic([1.0, 1.0]), **(outside | dict(noise=ns.gaussian()))), 1.0)
        == []
    )


def test_a_study_says_where_a_derivation_ends():
    said = "sde 'signsgd order 1' is derived for gaussian noise, not laplace: its error may be of a lower order here"
    with pytest.warns(ns.StudyWarning, match=f"^{re.escape(said)}$"):
        made = flat(ns.laplace(), 0.2, "coupled")
    assert made.notes == (said,)
