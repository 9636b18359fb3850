"""Weak errors that are computed: against constants, closed forms, enumeration and trajectories; what is refused."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.estimators.transport_answer import JUMPING, KINKED, UNSTABLE, answers
from ngos_sim.known.constants import leading
from ngos_sim.known.coordinate import Coordinate
from ngos_sim.studies.problems import problems
from tests.support import closed, enumeration, momentum

RMSPROP, START = dict(sigma0=0.8, eps0=0.0, c2=1.3), dict(theta=1.2, u=1.0)
ADAM, ADAM_START = dict(sigma0=0.8, eps0=0.1, c1=2.0, c2=1.3), dict(theta=1.2, m=-0.4, u=1.4, t0=0.5)
MODULUS = ns.TestFunction("modulus", lambda x: abs(x[0]))
WELL = ns.double_well(hessian=9.0, minimum=1.0, width=3.0)


def study(loss, optimizer=None, functions=("theta[0]", "theta[0]^2", "u[0]"), **changes):
    """Return a study of RMSprop at one step size; `noise` and `covariance` are the oracle's."""
    oracle = ns.NGOS(loss, changes.pop("covariance", 1.0), changes.pop("noise", ns.gaussian()))
    optimizer = optimizer or ns.rmsprop(**RMSPROP)
    settings = dict(sde=ns.rmsprop_sde(), initial=START, horizon=1.0, times=[1.0], test_functions=list(functions))
    if optimizer.clock == "eta2":
        settings |= dict(eta2=[2.0**-6])
    return ns.ConvergenceStudy(oracle, optimizer=optimizer, **{**settings, **changes})


def computed(study):
    """Return the Answers at the points of a study: {(SDE, test function): Answer, or why there is none} each."""
    functions = range(len(study.test_functions))
    found = [answers(problem, [each.sde for each in problem.opponents], functions) for problem in problems(study)]
    names = [getattr(each, "name", each) for each in study.test_functions]
    return [{(sde, names[g]): answer for (sde, g), answer in each.items()} for each in found]


def limits(study):
    """Return {test function: error / h extrapolated to h = 0} and three times what is left, of two step sizes."""
    coarse, fine = computed(study)
    h = [point.h for point in study.points]
    found = {}
    for key in coarse:
        (wide,), (near,) = coarse[key].error / h[0], fine[key].error / h[1]
        left = (coarse[key].of_error[0] / h[0] + 2.0 * fine[key].of_error[0] / h[1]) + 0.02 * abs(near - wide)
        found[key[1]] = 2.0 * near - wide, left
    return found


@pytest.mark.parametrize("second_moment", ["previous", "updated"])
def test_constants_of_rmsprop_on_a_quadratic(second_moment):
    """Talay and Tubaro's, from `known.constants`, which shares no code."""
    optimizer = ns.rmsprop(**RMSPROP, second_moment=second_moment)
    found = limits(study(ns.quadratic(0.9), optimizer, eta2=[2.0**-6, 2.0**-7]))
    known = leading(
        Coordinate(0.9, 0.0, 1.0, (1.2, 1.0), 0.0, math.nan, dict(RMSPROP), 0.0),
        momentum=False,
        times=[1.0],
        fourth=3.0,
        second_moment=second_moment,
        degree=2,
    )
    for name, place in (("theta[0]", (1, 0)), ("theta[0]^2", (2, 0)), ("u[0]", (0, 1))):
        constant = float(np.squeeze(known[place].first))
        value, left = found[name]
        assert abs(value - constant) < left + 2e-4, name


def test_constants_of_adam_on_a_quadratic():
    """P4 of docs/theory.md, "Reference problems"."""
    optimizer, functions = ns.adam(**ADAM), ["theta[0]", "theta[0]^2"]
    changes = dict(sde=ns.adam_sde(), initial=ADAM_START, horizon=1.5, times=[1.5], eta2=[2.0**-6, 2.0**-7])
    found = limits(study(ns.quadratic(0.9), optimizer, functions, **changes))
    for name, constant in (("theta[0]", -0.34126), ("theta[0]^2", -0.77760)):
        value, left = found[name]
        assert abs(value - constant) < left + 4e-4, name


@pytest.mark.parametrize("kind", ["rmsprop", "adam"])
def test_enumeration_of_all_paths(kind):
    """Of two-point noise on log-cosh, 7 steps; every path of the optimizer by Definitions 2.1 and 2.2 themselves."""
    h, law = 2.0**-5, ns.two_point(skewness=0.9)
    atoms, weights = law.rule(1.0)
    if kind == "rmsprop":
        optimizer, step, start, first = ns.rmsprop(0.8, 0.1, 1.3), enumeration.rmsprop(h, np.tanh), START, 0
    else:
        optimizer, step, start, first = ns.adam(**ADAM), enumeration.adam(h, np.tanh, 16), ADAM_START, 0.5
    sde = ns.rmsprop_sde() if kind == "rmsprop" else ns.adam_sde()
    state = [start[slot] for slot in optimizer.slots]
    states, chance = enumeration.paths(step, state, atoms, weights, 7)
    end = first + 7 * h
    theta, u = states[0], states[-1]
    exact = {"theta[0]": theta, "theta[0]^3": theta**3, "u[0]": u, "theta[0]*u[0]": theta * u, "cos": np.cos(theta)}
    names = [*list(exact)[:-1], ns.TestFunction("cos", lambda x: math.cos(x[0]))]
    changes = dict(sde=sde, initial=start, noise=law, eta2=[h], horizon=end, times=[end])
    (found,) = computed(study(ns.log_cosh(1.0), optimizer, names, **changes))
    for name, values in exact.items():
        answer, mean = found[sde.name, name], float(np.sum(chance * values))
        assert abs(answer.optimizer[0] - mean) <= answer.of_optimizer[0] + 1e-12, name
        assert answer.of_optimizer[0] < 2e-4 * (1.0 + abs(mean)), name


@pytest.mark.parametrize("eta", [2.0**-3, 2.0**-6])
def test_sgd_by_its_closed_form(eta):
    """One slot, the clock eta: both means and their difference."""
    changes = dict(sde=ns.sgd_sde(), initial=dict(theta=closed.START), eta=[eta])
    names = ["theta[0]", "theta[0]^2"]
    (found,) = computed(study(ns.quadratic(closed.CURVATURE), ns.sgd(sigma=closed.SIGMA), names, **changes))
    chain, sde = closed.moments(eta, np.array([round(1.0 / eta)]))
    for name, own, reference in zip(names, chain, sde, strict=True):
        answer = found["sgd order 1", name]
        assert abs(answer.optimizer[0] - own[0]) < 1e-10
        assert abs(answer.error[0] - (own[0] - reference[0])) <= answer.of_error[0] < 1e-3 * abs(answer.error[0])


def test_heavy_ball_by_its_closed_form():
    """Two slots of which none is positive: exact first and second moments of a linear recursion and of its SDE."""
    names = momentum.functions("heavy-ball")
    one = momentum.study("heavy-ball", 1, eta=[2.0**-3])
    exact = momentum.exact_errors("heavy-ball", 1, 2.0**-3)
    (found,) = computed(one)
    for name in names:
        answer = found["heavy-ball order 1", name]
        assert abs(answer.error[-1] - exact[name]) <= answer.of_error[-1] < 5e-3 * abs(exact[name]), name


def test_products_over_coordinates():
    """E theta_0 u_1 and E (theta_0^2 + theta_1^2) of two coordinates, from those of each alone."""
    names = ["theta[0]*u[1]", "sqnorm(theta)", "theta[0]", "u[1]", "theta[0]^2", "theta[1]^2", "loss"]
    start = dict(theta=[1.2, 0.7], u=[1.0, 1.4])
    (found,) = computed(study(ns.log_cosh([1.0, 2.0]), functions=names, initial=start))
    product, norm, theta, u, *squares, loss = (found["rmsprop", name] for name in names)
    for side in ("optimizer", "sde"):
        a, b, c, d = (getattr(each, side)[0] for each in (product, theta, u, norm))
        assert a == pytest.approx(b * c, rel=1e-6)
        assert d == pytest.approx(sum(getattr(each, side)[0] for each in squares), rel=1e-12)
    alone = [
        computed(study(ns.log_cosh(width), functions=["loss"], initial=dict(theta=x, u=y)))[0]["rmsprop", "loss"]
        for width, x, y in ((1.0, 1.2, 1.0), (2.0, 0.7, 1.4))
    ]
    assert loss.optimizer[0] == pytest.approx(sum(each.optimizer[0] for each in alone), rel=1e-6)


CURVED = {
    "log-cosh": dict(loss=ns.log_cosh(1.0)),
    "well": dict(loss=WELL),
    "covariance": dict(
        loss=ns.quadratic(0.9),
        covariance=ns.Variance("sine", lambda theta, p: 0.8 * (1.0 + 0.5 * math.sin(theta) ** 2)),
    ),
}


@pytest.mark.parametrize("name", CURVED)
def test_trajectories_agree(name):
    """The coupled estimator's, at a coarse step: within four standard errors and both numerical remainders."""
    functions = ["theta[0]", "theta[0]^2", "u[0]", MODULUS]
    one = study(**CURVED[name], functions=functions, eta2=[2.0**-4], estimator="coupled")
    (found,) = computed(one)
    for row in one.run(trajectories=40_000, seed=1).table.itertuples():
        answer = found["rmsprop", row.test_function]
        left = 4.0 * row.std_error + answer.of_error[0] + row.integrator_residual
        assert abs(row.error - answer.error[0]) < left, row.test_function
        assert abs(row.optimizer_mean - answer.optimizer[0]) < 0.05


def test_a_wrong_sde_does_not_agree():
    """With a diffusion 5 % too large the error does not fall with h."""

    def drift(x, o, c, p):
        return -o.gradient / (p.sigma0 * math.sqrt(x[1])), p.c2 * (o.variance - x[1])

    def diffusion(x, o, c, p):
        return -p.factor / math.sqrt(x[1]), 0.0

    sdes = [ns.SDE(f"times {factor:g}", drift, diffusion, ("theta", "u"), factor=factor) for factor in (1.0, 1.05)]
    coarse, fine = computed(study(ns.log_cosh(1.0), functions=["theta[0]^2"], sde=sdes, eta2=[2.0**-5, 2.0**-7]))
    for name, power in (("times 1", 4.0), ("times 1.05", 1.0)):
        ratio = coarse[name, "theta[0]^2"].error[0] / fine[name, "theta[0]^2"].error[0]
        assert 0.8 * power < ratio < 1.25 * power


def test_a_kink_is_resolved():
    """E |theta| is known to a tenth of its error where the law lies on the kink."""
    one = study(ns.log_cosh(1.0), functions=[MODULUS], initial=dict(theta=0.1, u=1.0), eta2=[2.0**-5])
    (found,) = computed(one)
    answer = found["rmsprop", "modulus"]
    assert 0.0 < answer.of_error[0] < 0.1 * abs(answer.error[0])


def refusal(one, name="theta[0]"):
    """Return why a test function of a study is not computed."""
    (found,) = computed(one)
    return next(each for (_, function), each in found.items() if function == name)


def test_what_cannot_be_carried():
    """Of what only a look can tell: kinks among atoms, steps that jump, laws that are not stable."""
    discrete = dict(noise=ns.rademacher(), initial=dict(theta=0.0, u=1.0))
    assert refusal(study(ns.linear(0.0), functions=[MODULUS], **discrete), "modulus") == KINKED
    adam, rule = dict(sde=ns.adam_sde(), initial=ADAM_START, horizon=1.5, times=[1.5]), ns.adam(**{**ADAM, "eps0": 0.0})
    adam |= dict(noise=ns.two_point(skewness=0.9), eta2=[2.0**-4])
    assert refusal(study(WELL, rule, ["theta[0]"], **adam)) == UNSTABLE
    event = ns.TestFunction("event", lambda x: 1.0 if x[0] > 0.8 else 0.0)
    assert refusal(study(ns.log_cosh(1.0), functions=[event]), "event") == JUMPING
    other = ns.TestFunction("other", lambda x: max(x[1], 1.0))
    assert "not smooth in another slot" in refusal(study(ns.log_cosh(1.0), functions=[other]), "other")


TIED = [[1.0, 0.3], [0.3, 1.0]]
REFUSED = {
    "Hessian is a matrix": dict(loss=ns.quadratic(TIED), initial=dict(theta=[1.0, 1.0], u=1.0)),
    "covariance is a matrix": dict(
        loss=ns.quadratic([0.9, 0.9]), covariance=TIED, initial=dict(theta=[1.0, 1.0], u=1.0)
    ),
    "u starts at 0": dict(loss=ns.log_cosh(1.0), optimizer=ns.rmsprop(0.8, 0.1, 1.3), initial=dict(theta=1.2, u=0.0)),
    "of the covariance": dict(loss=ns.log_cosh(1.0), initial=dict(theta=1.2, u=1e-3)),
    "heavy tail": dict(loss=ns.log_cosh(1.0), noise=ns.student_t(5.0)),
    "norm(grad) is no sum": dict(loss=ns.log_cosh([1.0, 2.0]), functions=["norm(grad)"]),
    "the Adam SDE starts at t0 > 0": dict(
        loss=ns.log_cosh(1.0), optimizer=ns.adam(**ADAM), sde=ns.adam_sde(), initial=dict(theta=1.2, m=0.1, u=1.0)
    ),
    "laws would be carried through 614400 steps": dict(
        loss=ns.log_cosh(1.0), eta2=[2.0**-11, 2.0**-12], horizon=100.0, times=[100.0]
    ),
    "not an SDE": dict(loss=ns.log_cosh(1.0), sde=None, reference=ns.scaling_rule(kappa=[2])),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_refused_when_a_study_is_made(words):
    with pytest.raises(ValueError, match="estimator='transport' cannot measure") as caught:
        study(**REFUSED[words], estimator="transport")
    assert words in str(caught.value)


def test_a_study_is_computed_by_it():
    """By name and by auto; the table marks its uncertainty as numerical, and says why."""
    for estimator in ("auto", "transport"):
        one = study(ns.log_cosh(1.0), functions=["theta[0]"], estimator=estimator)
        result = one.run(trajectories=1024, seed=0)
        (row,) = result.table.itertuples()
        assert (row.estimator, row.std_error, row.trajectories) == ("transport", 0.0, 0)
        assert 0.0 < row.numerical < 0.01 * abs(row.error)
        assert row.error * 64 == pytest.approx(-0.32654, abs=4e-4)  # a prototype's, of other code
        why = result.why["rmsprop", "theta[0]"]
        assert why.startswith("transport: it is computed, not sampled")
        assert (
            "the law of each coordinate was carried forward on a grid, for optimizer and SDE alike; numerical is" in why
        )
