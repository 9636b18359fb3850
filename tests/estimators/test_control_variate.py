"""The linear companion's moments by enumeration, Gaussian means in closed form, and the estimator in studies."""

import functools
import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.estimators import choose, known_means
from ngos_sim.known.gaussian_law import Law, companion_law, sde_law
from ngos_sim.known.joint_equation import JointEquation
from ngos_sim.known.joint_problem import JointProblem
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.processes.rule import Oracle, parameters
from tests.support import naive

CONSTANTS = dict(sigma0=0.8, eps0=0.1, c2=1.3)
RULES = [
    (ns.rmsprop(**CONSTANTS), ns.rmsprop_sde(), (1.2, 1.4)),
    (ns.adam(c1=2.0, **CONSTANTS), ns.adam_sde(), (1.2, -0.4, 1.4)),
]
COSINE = ns.TestFunction("cos theta", lambda x: math.cos(x[0]))


def single(hessian, slope, variance, start, t0, constants, h=0.05):
    """Return the JointProblem of one coordinate, for a unit of time."""
    one, start = np.ones(1), np.array(start)[:, None]
    return JointProblem(hessian * one, slope * one, variance * one[None], start, t0, t0 + 1.0, constants, h)


@pytest.mark.parametrize(("optimizer", "sde", "start"), RULES, ids=["rmsprop", "adam"])
def test_moments_by_enumeration(optimizer, sde, start):
    """All 2^6 paths of Rademacher noise through Euler-Maruyama's own step."""
    rule, h, t0, n = euler_maruyama(sde, optimizer), 0.05, 0.1, len(start) - 1
    problem = single(0.9, 0.3, 1.2, start, t0, dict(optimizer.parameters), h)
    law = companion_law(rule, problem, tuple(range(n)), h, np.array([3, 6]))
    held = parameters(rule, h)
    rows = [rule.schedule(2 + k, h, SimpleNamespace(**held)) for k in range(6)]
    ends = []
    for path in itertools.product([-1.0, 1.0], repeat=6):
        x = start
        for z, c in zip(path, rows, strict=True):
            o = Oracle(0.9 * x[0] + 0.3, 1.2, 0.9, 0.9 * (0.9 * x[0] + 0.3))
            x = rule.step(x, o, math.sqrt(1.2) * z, c, SimpleNamespace(**held))
        ends.append(x)
    ends = np.array(ends)
    np.testing.assert_allclose(law.mean[-1], ends[:, :n].mean(axis=0), atol=1e-13)
    np.testing.assert_allclose(law.covariance[-1], np.cov(ends[:, :n].T, bias=True).reshape(n, n), atol=1e-13)
    np.testing.assert_allclose(np.tile(law.path[-1, 0], len(ends)), ends[:, -1], atol=1e-13)
    assert law.covariance[-1][0, 0] > 0.01


def test_gaussian_means_in_closed_form():
    mean, covariance = np.array([[0.3, -0.5]]), np.array([[[0.7, 0.2], [0.2, 0.4]]])
    law = Law((0, 1), (2,), mean, covariance, np.array([[[1.7]]]))
    cosine = known_means.gaussian_mean(lambda x: math.cos(x[0]), law)
    assert cosine[0] == pytest.approx(math.cos(0.3) * math.exp(-0.35), abs=1e-14)
    product = known_means.gaussian_moment(mean, covariance, {0: 1, 1: 1})
    assert product[0] == pytest.approx(0.3 * -0.5 + 0.2, abs=1e-15)
    fourth = known_means.gaussian_moment(mean, covariance, {0: 4})
    assert fourth[0] == pytest.approx(0.3**4 + 6 * 0.3**2 * 0.7 + 3 * 0.7**2, abs=1e-14)
    mixed = known_means.gaussian_mean(lambda x: x[0] ** 3 * x[1] ** 2, law)
    assert known_means.gaussian_moment(mean, covariance, {1: 2, 0: 3})[0] == pytest.approx(mixed[0], abs=1e-13)


def test_means_of_products():
    """E theta_0^2 theta_1 u_1^2 - 3 under one joint law, and E of independent coordinates' product."""
    mean, covariance = np.array([[0.3, -0.5]]), np.array([[[0.7, 0.2], [0.2, 0.4]]])
    joint = known_means.Means(Law((0,), (1,), mean, covariance, np.array([[[1.7, 0.6]]])))
    terms = [(1.0, {0: (2, 0), 1: (1, 2)}), (-3.0, {})]
    expected = ((0.3**2 + 0.7) * -0.5 + 2 * 0.3 * 0.2) * 0.6**2 - 3.0
    assert joint.of(terms)[0] == pytest.approx(expected, abs=1e-14)
    laws = [
        Law((0,), (1,), mean[:, [i]], covariance[:, [i], [i]][..., None], np.array([[[u]]]))
        for i, u in enumerate((1.7, 0.6))
    ]
    apart = known_means.Means(dict(enumerate(laws)))
    assert apart.of(terms)[0] == pytest.approx((0.3**2 + 0.7) * -0.5 * 0.6**2 - 3.0, abs=1e-14)
    cosine = [(2.0, {1: lambda x: math.cos(x[0])})]
    for means in (joint, apart):
        assert means.of(cosine)[0] == pytest.approx(2.0 * math.cos(0.5) * math.exp(-0.2), abs=1e-13)


def test_what_is_not_smooth_is_not_resolved():
    law = Law((0,), (1,), np.array([[0.3]]), np.array([[[0.7]]]), np.array([[[1.0]]]))
    assert known_means.is_resolved(lambda x: math.exp(-x[0] * x[0]), law)
    for rough in (lambda x: abs(x[0]), lambda x: math.log(x[0]), lambda x: 1.0 / max(x[0], 0.0)):
        assert not known_means.is_resolved(rough, law)
    assert not known_means.is_resolved(lambda x: math.inf, law)


@pytest.mark.parametrize(("optimizer", "sde", "start"), RULES, ids=["rmsprop", "adam"])
def test_the_sdes_law_is_the_solvers(optimizer, sde, start):
    """Mean, variance and u after a unit of time, from t0 = 0 and 0.5, against an independent ODE solver."""
    t0, constants = 0.5 * (len(start) - 2), (0.8, 0.1)
    problem = single(0.9, 0.0, 1.0, start, t0, dict(optimizer.parameters))
    law = sde_law(JointEquation(sde, problem), t0 + np.array([0.5, 1.0]))
    if t0:
        first, second = naive.adam_sde_moments(t0, t0 + 1.0, *start, *constants, 2.0, 1.3, 0.9)
    else:
        first, second = naive.rmsprop_sde_moments(1.0, *start, *constants, 1.3, hessian=0.9)
    assert law.mean[-1, 0] == pytest.approx(first, abs=1e-9)
    assert law.covariance[-1, 0, 0] == pytest.approx(second - first**2, abs=1e-9)
    assert (np.linalg.eigvalsh(law.covariance) > 0.0).all()
    assert law.path[-1, 0, 0] == pytest.approx(1.0 + 0.4 * math.exp(-1.3))


@pytest.mark.parametrize("name", ["P2", "P4"])
def test_companion_and_coupled_agree(problem, name):
    functions = [COSINE, "theta[0]^4", "theta[0]^2*u[0]"]
    settings = dict(eta2=[2.0**-3, 2.0**-5], test_functions=functions)
    found, other = (
        problem(name, estimator=estimator, **settings).run(300_000, seed=seed).table
        for seed, estimator in enumerate(("control_variate", "coupled"))
    )
    assert found.estimator.unique().tolist() == ["control_variate"]
    assert found.integrator_bias.isna().all()
    assert (np.abs(found.error - other.error) < 4 * np.hypot(found.std_error, other.std_error)).all()
    assert (found.std_error < 2.0 * other.std_error).all()
    assert (np.abs(found.error) > 4 * found.std_error).sum() >= 4


def test_other_noise_up_to_degree_two(problem):
    """Against local, which is a hundred times as precise; the companion takes its noise from the optimizer's law."""
    settings = dict(noise=ns.two_point(skewness=1.0), eta2=[2.0**-4], test_functions=["theta[0]", "theta[0]^2"])
    local, found = (
        problem("P2", estimator=estimator, **settings).run(200_000).table for estimator in ("local", "control_variate")
    )
    assert (np.abs(found.error - local.error) < 4 * np.hypot(found.std_error, local.std_error)).all()
    assert (found.std_error < 2e-3).all()


def test_adams_fourth_moment_is_the_predicted_one(problem):
    """P4, E theta^4: theory by the expansion, -1.7218; within 3 SE, and the SE within 4 %."""
    settings = dict(eta2=[2.0**-k for k in range(3, 8)], estimator="control_variate", test_functions=["theta[0]^4"])
    row = problem("P4", **settings).run(1_000_000, seed=3).order().iloc[0]
    assert row.predicted_constant == pytest.approx(-1.7218, abs=1e-4)
    assert row.constant_std_error < 0.04 * 1.7218
    assert abs(row.constant - row.predicted_constant) < 3 * row.constant_std_error


@pytest.fixture
def sampled(monkeypatch):
    """Have auto take what samples alone: the companion and what comes after it."""
    monkeypatch.setattr(choose, "AUTO", tuple(each for each in choose.AUTO if each.name != "transport"))


def bump(width, at=0.436):
    """Return a test function that is 0 at every node of both rules at eta2 = 1/16, which lie .15 from 0.436."""
    return ns.TestFunction("bump", lambda x: max(0.0, 1.0 - ((x[0] - at) / width) ** 2))


def alone(**changes):
    settings = dict(sde=ns.rmsprop_sde(), initial=dict(theta=1.2, u=1.0), eta2=[2.0**-4], horizon=1.0, times=[1.0])
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9)), ns.rmsprop(**CONSTANTS), **(settings | changes))


def test_a_bump_between_the_nodes_is_seen_by_trajectories(sampled):
    """Quadrature finds a mean of 0 by both rules; .02 is right."""
    made = alone(test_functions=[bump(0.03), COSINE])
    assert made.why["rmsprop", "bump"].startswith("control_variate")
    result = made.run(20_000)
    assert result.why["rmsprop", "bump"].startswith("coupled")
    assert "not control_variate, as trajectories show another mean at eta2=0.0625" in result.why["rmsprop", "bump"]
    assert result.table.estimator.tolist() == ["coupled", "control_variate"]
    assert 0.01 < result.table.optimizer_mean[0] < 0.03
    with pytest.raises(ValueError, match="cannot measure 'bump' against 'rmsprop': trajectories show another mean at"):
        alone(test_functions=[bump(0.03)], estimator="control_variate").run(20_000)


def test_a_bump_that_few_trajectories_hit_is_no_number_after_many(sampled):
    made = alone(test_functions=[bump(0.001), COSINE])
    assert made.run(4096).why["rmsprop", "bump"].startswith("control_variate")
    with pytest.raises(ns.NonFiniteError) as caught:
        made.run(400_000)
    assert str(caught.value) == (
        "test function 'bump' has another mean by its trajectories than by quadrature (estimator='coupled' needs none) "
        "at eta2=0.0625"
    )
    table = caught.value.result.table.set_index("test_function")
    assert table.loc["bump", ["error", "optimizer_mean", "sde_mean"]].isna().all()
    assert abs(table.error["cos theta"]) < 0.01


@functools.cache
def in_units_of_one():
    return alone(test_functions=["theta[0]^9", COSINE]).run(20_000).table


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_the_choice_does_not_depend_on_the_unit_of_g(unit, sampled):
    """A kink of 1e-8 |theta| was taken for smooth, as two rules of nodes agreed on it to 1e-9."""
    functions = [
        ns.TestFunction("kink", lambda x: unit * 1e-8 * abs(x[0])),
        ns.TestFunction("kink on 1", lambda x: unit * (1.0 + 1e-8 * abs(x[0]))),
        ns.TestFunction("cos", lambda x: unit * math.cos(x[0])),
        ns.TestFunction("small cos on 1", lambda x: unit * (1.0 + 1e-3 * math.cos(x[0]))),
        f"{unit!r}*theta[0]^9",
    ]
    table = alone(test_functions=functions).run(20_000).table
    assert table.estimator.tolist() == ["coupled", "coupled", *["control_variate"] * 3]
    assert (table.error.abs() > 2.0 * table.std_error).sum() == 5
    plain = in_units_of_one()
    for column in ("error", "std_error"):
        scaled = (table[column] / unit).tolist()
        assert scaled[2] == pytest.approx(plain[column][1], rel=1e-7)
        assert scaled[3] == pytest.approx(1e-3 * plain[column][1], rel=1e-7)
        assert scaled[4] == pytest.approx(plain[column][0], rel=1e-7)


def test_what_is_rare_or_heavy_is_not_contradicted(sampled):
    """The sample may miss a rare region, or all but miss the tail that a mean is made of: quadrature's spread knows."""
    rare = ns.TestFunction("rare", lambda x: math.exp(-0.5 * ((x[0] - 5.0) / 0.5) ** 2))
    heavy = ns.TestFunction("heavy", lambda x: math.exp(3.0 * x[0]))
    result = alone(test_functions=[rare, heavy]).run(4096)
    assert result.table.estimator.tolist() == ["control_variate"] * 2


@pytest.mark.parametrize("precision", ["mix", "f64"])
def test_without_noise_a_known_mean_is_not_contradicted_by_rounding(precision, sampled):
    made = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9), covariance=0.0),
        ns.rmsprop(**CONSTANTS),
        ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        eta2=[2.0**-4, 2.0**-8],
        test_functions=[COSINE, ns.TestFunction("off 0.7", lambda x: x[0] - 0.7)],
    )
    assert made.run(2048, precision=precision).table.estimator.unique().tolist() == ["control_variate"]


def test_choices_and_refusals(problem, sampled):
    kink = ns.TestFunction("kink", lambda x: abs(x[0]))
    functions = [COSINE, kink, "theta[0]", "theta[0]^9", "norm(grad)"]
    study = problem("P2", estimator="auto", test_functions=functions)
    chosen = {name: text.split(":")[0] for (_, name), text in study.why.items()}
    assert list(chosen.values()) == ["control_variate", "coupled", "local", "control_variate", "coupled"]
    assert "its Gaussian mean does not converge" in study.why["rmsprop", "kink"]
    for changes, reason in (
        (dict(test_functions=[kink]), "Gaussian mean does not converge"),
        (dict(test_functions=[COSINE], noise=ns.uniform()), "not of degree 2 under noise that is not Gaussian"),
        (dict(test_functions=["theta[0]"], covariance=lambda theta: 1.0), "covariance depends on the state"),
        (dict(test_functions=["theta[0]"], reference=ns.scaling_rule(2)), "no companion of known moments"),
    ):
        with pytest.raises(ValueError, match=reason):
            problem("P2", estimator="control_variate", **changes)
