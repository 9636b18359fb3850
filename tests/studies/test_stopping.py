"""Runs that stop at a standard error or a time, and what plan foresees."""

import time

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.studies.result import headline

FUNCTIONS = ["theta[0]", ns.TestFunction("square", lambda x: x[0] * x[0])]  # by local, and by a companion


def test_a_relative_error_is_reached_and_a_longer_run_repeats_it(problem):
    study = problem("P2", times=None, estimator="auto", eta2=[2.0**-3, 2.0**-4], test_functions=FUNCTIONS[:1])
    result = study.run(rel_error=0.005, trajectories=10**6, seed=1)
    assert result.stopped == "rel_error"
    rows = headline(result.table)
    assert (rows.std_error <= 0.005 * rows.error.abs()).all()
    assert result.trajectories < 10**5
    again = study.run(result.trajectories, seed=1)
    np.testing.assert_array_equal(again.table.error, result.table.error)
    np.testing.assert_array_equal(again.table.band_high, result.table.band_high)
    assert again.stopped == "trajectories"


def test_an_absolute_error_is_reached(problem):
    study = problem("P2", estimator="auto", eta2=[2.0**-3, 2.0**-4], test_functions=FUNCTIONS)
    result = study.run(abs_error=2e-3, rel_error=1e-6)
    assert result.stopped == "abs_error"
    assert (result.table.std_error <= 2e-3).all()


def test_the_number_of_trajectories_and_the_time_end_what_has_no_end(problem):
    study = problem("P1", ns.rmsprop(0.8, 0.0, 1.3), eta2=[2.0**-3], test_functions=["u[0]"], estimator="independent")
    assert study.run(trajectories=20_000, rel_error=1e-9).stopped == "trajectories"
    begin = time.perf_counter()
    result = study.run(max_seconds=1.0, rel_error=1e-9)
    assert result.stopped == "max_seconds"
    assert 0.5 < time.perf_counter() - begin < 3.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "how many trajectories"),
        (dict(rel_error=0.01), "rel_error=0.01 alone never ends where an error is 0"),
        (dict(rel_error=-1, trajectories=5), "rel_error=-1 must be a positive, finite number"),
        (dict(abs_error=float("nan")), "abs_error=nan must be a positive, finite number"),
        (dict(max_seconds=0), "max_seconds=0 must be a positive, finite number"),
        (dict(trajectories=1.5, max_seconds=1), "trajectories=1.5 must be a positive integer"),
    ],
)
def test_bad_bounds(problem, arguments, message):
    study = problem("P2", eta2=[2.0**-3], test_functions=["theta[0]"])
    with pytest.raises(ValueError, match=message):
        study.run(**arguments)


def test_a_plan_foresees_the_run(problem):
    """Standard errors within a third, what is resolved, and how the smallest step follows from the estimator."""
    study = problem("P2", estimator="auto", eta2=[2.0**-3, 2.0**-4, 2.0**-5], test_functions=FUNCTIONS)
    planned = study.plan(200_000, seed=2)
    table = study.run(200_000, seed=3).table.rename(columns={"std_error": "measured"})
    both = planned.merge(table[["eta_e", "test_function", "measured"]], on=["eta_e", "test_function"])
    assert len(both) == len(planned) == 6
    assert (np.abs(np.log(both.std_error / both.measured)) < 0.3).all()
    by = planned.set_index("test_function")
    assert by.estimator.to_dict() == {"theta[0]": "local", "square": "control_variate"}
    assert (by.loc["theta[0]"].smallest_eta_e == 0.0).all()
    assert by.loc["theta[0]"].resolved.all()
    assert planned.attrs["trajectories"] == 200_704
    assert planned.attrs["seconds"] == pytest.approx(planned.groupby("eta_e").seconds.first().sum())


def test_the_smallest_step_of_the_coupled_estimator_is_where_it_stops_resolving(problem):
    functions = ["u[0]"]
    study = problem("P1", eta2=[2.0**-k for k in range(2, 6)], test_functions=functions, estimator="coupled")
    smallest = study.plan(50_000, seed=4).smallest_eta_e.iloc[0]
    points = [smallest * factor for factor in (4.0, 0.1)]
    rows = problem("P1", eta2=points, test_functions=functions, times=None, estimator="coupled").run(50_000).table
    ratios = [rows[rows.eta2 == h].iloc[-1] for h in points]
    assert 3 * ratios[0].std_error < 0.557 * points[0]  # the error itself is a draw of the last bits of the step
    assert 3 * ratios[1].std_error > 0.557 * points[1]
