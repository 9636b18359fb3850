"""A user's own estimator goes through the same door: run, chosen, reported like a built-in one; refused in a line."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.estimators import choose
from ngos_sim.estimators.estimator import Checked

names = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "own_estimator.py"))
Deeper = names["Deeper"]


def study(estimator, **changes):
    settings = dict(sde=ns.rmsprop_sde(), initial=dict(theta=1.2, u=1.0), horizon=1.0, eta2=[2.0**-2, 2.0**-3])
    settings |= dict(test_functions=["theta[0]", "u[0]"]) | changes
    rule = ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3)
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9)), rule, estimator=estimator, **settings)


def test_it_measures_what_the_local_estimator_does():
    exact, own = (study(estimator).run(400_000, seed=1).table for estimator in ("local", Deeper()))
    gap = own.error.to_numpy() - exact.error.to_numpy()
    spread = np.hypot(own.std_error, exact.std_error)
    assert (np.abs(gap) < 4.0 * spread).all()
    assert np.median(np.abs(own.error) / own.std_error) > 50  # a bias of order 1 would show
    weights = names["WEIGHTS"]
    for power in range(1, 4):
        assert abs(weights @ (1.0 / np.array(names["LEVELS"])) ** power) < 1e-15
    np.testing.assert_allclose(own.band_high - own.error, own.error - own.band_low)
    assert (own.band_high - own.error > 1.9 * own.std_error).all()


@pytest.mark.usefixtures("blank_figures")
def test_it_is_reported_like_a_built_in_one(tmp_path):
    made = study(Deeper(), sde=[ns.rmsprop_sde(), ns.SDE("other", *two_functions())])
    result = made.run(2048, seed=0)
    assert result.table.estimator.unique().tolist() == ["deeper"]
    assert set(result.table.sde) == {"rmsprop", "other"}
    assert result.why["other", "u[0]"].startswith("deeper: four levels leave a bias of order 4")
    assert set(made.plan(10_000).estimator) == {"deeper"}
    assert len(result.order()) == 2 * 2 * 2
    result.save(tmp_path)
    written = json.loads((tmp_path / "study.json").read_text())["record"]["resolved"]["estimator"]
    assert written["kind"] == "deeper"
    assert set(written["source"]) == {"serves", "plan", "against"}


def two_functions():
    near = ns.rmsprop_sde()
    return near.drift, near.diffusion, near.slots, near.schedule


def test_it_runs_in_the_precision_that_it_asks_for():
    class Exact(Deeper):
        def precision(self, asked):
            if asked != "f64":
                raise ValueError(f"precision={asked!r}: deeper computes in f64")
            return asked

    with pytest.raises(ValueError, match="precision='mix': deeper computes in f64"):
        study(Exact()).run(1024)
    assert (study(Exact()).run(1024, precision="f64").table.estimator == "deeper").all()


def test_what_it_finds_before_and_after_the_run_is_heard():
    class Wary(Deeper):
        def check(self, problem, wanted, look):
            (plan,) = self.plan(problem, wanted)
            reading = plan.read(look(plan.jobs, 1))[ns.Quantity("rmsprop", 0)]
            assert reading.error.shape == problem.records.shape
            return Checked({}, {ns.Quantity("rmsprop", 0): np.full(len(problem.records), 0.5)})

    table = study(Wary()).run(1024).table
    widened = table.test_function == "theta[0]"
    assert (table.std_error[widened] > 0.5).all()
    assert (table.rounding[widened] == 0.5).all()
    assert (table.std_error[~widened] < 0.5).all()

    class Barred(Deeper):
        def check(self, problem, wanted, look):
            return Checked({ns.Quantity("rmsprop", 1): "it looks wrong"})

    message = r"estimator='deeper' cannot measure 'u\[0\]' against 'rmsprop': it looks wrong at eta2=0.125"
    with pytest.raises(ValueError, match=message):
        study(Barred()).run(1024)

    class Disproved(Deeper):
        def plan(self, problem, wanted):
            (plan,) = super().plan(problem, wanted)
            known = {ns.Quantity("rmsprop", 0): "is not what was thought"}
            return [ns.Plan(plan.jobs, plan.read, lambda measured, trajectories: known)]

    with pytest.raises(ns.NonFiniteError, match=r"test function 'theta\[0\]' is not what was thought at eta2=0.25"):
        study(Disproved()).run(1024)


class Nameless(ns.Estimator):
    serves, plan = Deeper.serves, Deeper.plan


class Planless(ns.Estimator):
    name, serves = "planless", Deeper.serves


class Serveless(ns.Estimator):
    name, plan = "serveless", Deeper.plan


class Usurper(Deeper):
    name = "local"


class Silent(Deeper):
    def serves(self, problems, opponent, function):
        pass


class Jobs(Deeper):
    def plan(self, problem, wanted):
        return [job for plan in super().plan(problem, wanted) for job in plan.jobs]


class Forgetful(Deeper):
    def against(self, problem, opponent, functions):
        return super().against(problem, opponent, functions[:1])


class Loose(Deeper):
    def plan(self, problem, wanted):
        (plan,) = super().plan(problem, wanted)
        return [ns.Plan(plan.jobs, lambda measured: {key: each.error for key, each in plan.read(measured).items()})]


NEEDED = "; an estimator has a name, serves(problems, opponent, function) and plan(problem, wanted)"
NAMES = "auto, local, transport, control_variate, coupled, independent"
WRONG = {
    "a class": (Deeper, "estimator=Deeper is a class: give an instance, Deeper()"),
    "an object": (3.5, f"estimator=3.5; allowed: {NAMES}, or an instance of a subclass of ns.Estimator"),
    "no name": (Nameless(), f"estimator Nameless: name='' must be a string{NEEDED}"),
    "no plan": (Planless(), f"estimator Planless has no plan{NEEDED}"),
    "no serves": (Serveless(), f"estimator Serveless has no serves{NEEDED}"),
    "a built-in's name": (Usurper(), "estimator Usurper: name='local' is that of a built-in one; take another"),
    "no return": (Silent(), "estimator 'deeper': serves returns None (is there a return?); ns.Served(..) or ns.Ref"),
    "jobs": (Jobs(), "estimator 'deeper': plan returns [Job]; a tuple of ns.Plan(jobs, read) is"),
    "a reading short": (
        Forgetful(),
        "estimator 'deeper': read returns 'theta[0]' against 'rmsprop'; "
        "asked for: 'theta[0]' against 'rmsprop', 'u[0]' against 'rmsprop'",
    ),
    "no readings": (Loose(), "estimator 'deeper': read returns array([0.]) for 'theta[0]' against 'rmsprop'; ns.Read"),
}


@pytest.mark.parametrize(("estimator", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_estimator_is_said_in_a_line(estimator, message):
    with pytest.raises((TypeError, ValueError)) as found:
        study(estimator)
    assert str(found.value).startswith(message)
    assert "\n" not in str(found.value)


def test_a_refusal_is_said_in_its_words():
    message = r"estimator='deeper' cannot measure 'theta\[0\]' against 'batch x 2': it integrates SDEs"
    with pytest.raises(ValueError, match=message):
        study(Deeper(), sde=None, reference=ns.scaling_rule(2))


def test_names_come_from_one_registry():
    assert choose.NAMES == ("auto", "local", "transport", "control_variate", "coupled", "independent")
    with pytest.raises(ValueError, match=f"estimator='best'; allowed: {', '.join(choose.NAMES)}$"):
        study("best")
