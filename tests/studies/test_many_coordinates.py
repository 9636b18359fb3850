"""Many coordinates: what is found once for those that are alike, only for those that are read, and never d x d."""

import tracemalloc

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.estimators import choose
from ngos_sim.known import constants, local_table
from ngos_sim.studies import prediction
from ngos_sim.studies.problems import problems
from tests.support import programs

RMSPROP = dict(sigma0=0.8, eps0=0.1, c2=1.3)


def study(theta, hessian=0.9, **changes):
    settings = dict(initial=dict(theta=theta, u=1.0), steps=[4], times=[1.0], test_functions=["theta[0]"]) | changes
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(hessian)), ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), **settings)


def counted(monkeypatch, module, name):
    """Return a list that grows with every call of a function of a module."""
    calls, own = [], getattr(module, name)
    monkeypatch.setattr(module, name, lambda *args, **named: calls.append(args) or own(*args, **named))
    return calls


@pytest.mark.parametrize("estimator", ["coupled", "local"])
def test_a_diagonal_is_never_a_matrix(estimator):
    """40,000 coordinates made 13 GB of Hessian: now a study and its programs hold a few numbers a coordinate.

    Of 10,000 the matrix alone is 20 times what is allowed here.
    """
    d = 10_000
    tracemalloc.start()
    made = study([1.2] * d, [0.9] * d, estimator=estimator)
    (planned,) = choose.plans(made.served, problems(made)[0])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert planned.estimator.name == estimator
    assert most < 4000 * d


def test_coordinates_alike_have_one_flow_and_one_row(monkeypatch):
    calls = counted(monkeypatch, local_table, "columns")
    made = study([1.2] * 50, test_functions=["loss"])
    (plan,) = programs.plans(made, 0)
    assert len(calls) == 1
    assert plan.jobs[0].inputs.processes[0].table.shape[1] == 1
    several = study([1.2, 1.2, 0.5], [0.9, 2.0, 2.0], test_functions=["loss"])
    programs.plans(several, 0)
    assert len(calls) == 1 + 3


def test_only_coordinates_that_are_read_have_a_flow_of_their_own(monkeypatch):
    """And what is measured of the others is as it was alone: errors of theta_1 beside 3 strangers."""
    calls = counted(monkeypatch, local_table, "columns")
    theta, hessian = [0.3, 1.2, -2.0, 0.1], [3.0, 0.9, 0.2, 1.0]
    made = study(theta, hessian, test_functions=["theta[1]"])
    found = made.run(8192).table
    assert len(calls) == 1
    every = study(theta, hessian, test_functions=["theta[1]", "theta[0] + theta[2] + theta[3]"]).run(8192).table
    assert len(calls) == 1 + 4
    assert found.error.to_numpy() == pytest.approx(every.error[every.test_function == "theta[1]"].to_numpy(), rel=1e-12)


def test_constants_are_predicted_for_all_coordinates_at_once(monkeypatch):
    """That of the loss of 61 is a sum over coordinates, smooth in them: by Simpson's rule from three studies."""
    calls = counted(monkeypatch, constants, "leading")
    monkeypatch.setattr(prediction, "_AT_ONCE", 50)
    d, keys = 60, {"sde": "rmsprop", "test_function": "loss"}
    theta, hessian = np.linspace(0.5, 1.5, d + 1), np.linspace(0.5, 1.5, d + 1)

    def predicted(theta, hessian):
        made = study(theta, hessian, steps=[4, 8], test_functions=["loss"])
        return prediction.Predictions(made).of(keys, made.run(1024).table).of_order(1.0)

    together = predicted(theta, hessian)
    assert len(calls) == 2  # 50 and 11
    ends = [predicted(theta[[j]], hessian[[j]]) for j in (0, d // 2, d)]
    weights = np.array([1.0, 4.0, 1.0]) / 6.0
    assert together == pytest.approx(weights @ ends * d + 0.5 * (ends[0] + ends[2]), rel=0.01)
