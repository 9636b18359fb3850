"""What a plan foresees, and what is said of it after the run."""

import math
import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest

import ngos_sim as ns
from ngos_sim.estimators import choose
from ngos_sim.reporting import report
from ngos_sim.studies import memory, pilot
from ngos_sim.studies.hindsight import Hindsight
from ngos_sim.studies.rounds import Pace
from tests.support import closed

SAMPLED = tuple(each for each in choose.AUTO if each.name != "transport")
FUNCTIONS = ["theta[0]", ns.TestFunction("square", lambda x: x[0] * x[0])]  # by local, and by a companion
COLUMNS = (
    "sde test_function h eta_e time estimator error std_error integrator_residual numerical rel_error resolved seconds "
    "smallest_h smallest_eta_e"
)
ATTRS = {"trajectories", "seconds", "compilation", "memory"}


@pytest.mark.parametrize("estimator", ["auto", "coupled", "independent"])
def test_standard_errors_are_foreseen_within_a_fifth(problem, estimator, monkeypatch):
    """The pilot is a tenth of the run; and the plan has all columns."""
    monkeypatch.setattr(choose, "AUTO", SAMPLED)
    study = problem("P2", estimator=estimator, eta2=[2.0**-3, 2.0**-4, 2.0**-5], test_functions=FUNCTIONS)
    planned = study.plan(200_000, seed=2)
    assert " ".join(planned.columns) == COLUMNS
    assert set(planned.attrs) == ATTRS
    assert planned.attrs["trajectories"] == 200_704
    assert planned.attrs["seconds"] > planned.groupby("h").seconds.first().sum() > 0.0
    result = study.run(200_000, seed=3)
    assert len(planned) == len(result.plan.table) == 6
    assert result.plan.table.ratio.between(1 / 1.2, 1.2).all()
    table = result.table.rename(columns={"std_error": "measured"})
    both = planned.merge(table[["h", "test_function", "time", "measured"]], on=["h", "test_function", "time"])
    assert (both.measured / both.std_error).between(1 / 1.2, 1.2).all()


def test_how_the_smallest_step_follows_from_the_estimator(problem, monkeypatch):
    monkeypatch.setattr(choose, "AUTO", SAMPLED)
    planned = problem("P2", eta2=[2.0**-3, 2.0**-4, 2.0**-5], test_functions=FUNCTIONS, estimator="auto").plan(200_000)
    by = planned.groupby("test_function", sort=False)
    assert by.estimator.first().to_dict() == {"theta[0]": "local", "square": "control_variate"}
    assert by.smallest_h.first()["theta[0]"] == 0.0
    assert 0.0 < by.smallest_h.first()["square"] < 0.01
    assert planned.resolved.all()


def test_the_smallest_step_of_the_coupled_estimator_is_where_it_stops_resolving(problem):
    functions = ["u[0]"]
    study = problem("P1", eta2=[2.0**-k for k in range(2, 6)], test_functions=functions, estimator="coupled")
    smallest = study.plan(10_000, seed=4).smallest_h.iloc[0]
    points = [1.0 / round(1.0 / (smallest * factor)) for factor in (4.0, 0.25)]  # a seed is no last bit of LAPACK's
    rows = problem("P1", eta2=points, test_functions=functions, times=None, estimator="coupled").run(10_000).table
    ratios = [rows[rows.eta2 == h].iloc[-1] for h in points]
    assert 3 * ratios[0].std_error < 0.557 * points[0]  # the error itself is a draw of the last bits of the step
    assert 3 * ratios[1].std_error > 0.557 * points[1]


def test_other_estimators_that_serve_stand_beside(problem):
    study = problem("P2", estimator="auto", eta2=[2.0**-3, 2.0**-4], test_functions=FUNCTIONS)
    planned = study.plan(20_000, compare=True)
    chosen = planned[planned.chosen]
    pd.testing.assert_frame_equal(chosen[["h", "error"]], study.plan(20_000)[["h", "error"]])
    others = planned[~planned.chosen].groupby("estimator").test_function.unique().map(sorted).to_dict()
    both = ["square", "theta[0]"]
    assert chosen.set_index("test_function").estimator.to_dict() == {"theta[0]": "local", "square": "transport"}
    assert others == {"transport": both[1:], "control_variate": both, "coupled": both, "independent": both}
    worst = planned[planned.test_function == "theta[0]"].groupby("estimator").std_error.max()
    assert worst["local"] < worst["control_variate"] < worst["coupled"] < worst["independent"]


def test_what_is_computed_costs_once_and_does_not_shrink():
    """Computed by the pilot once; a run computes once more."""
    estimator = closed.Closed(only="theta[0]")
    study = closed.study(estimator, test_functions=["theta[0]"])
    before = estimator.calls
    small, large = study.plan(2048), study.plan(2_000_000)
    assert estimator.calls - before == 2 * 4
    for name in ("error", "std_error", "numerical", "smallest_h"):
        np.testing.assert_array_equal(small[name], large[name])
    assert (small.std_error == 0.0).all()
    np.testing.assert_allclose(small.rel_error, 0.01)
    found = study.run(2048).plan
    assert found.trajectories == 0
    assert (found.table.planned == 0.0).all()


def test_computed_beside_sampled():
    study = closed.study(closed.FineOnly())
    small, large = study.plan(20_480), study.plan(81_920)
    computed = small.h < 0.05
    np.testing.assert_array_equal(large.std_error[computed], 0.0)
    np.testing.assert_allclose(small.std_error[~computed] / large.std_error[~computed], 2.0, rtol=0.1)


def test_memory_is_foreseen(problem):
    """Of sums at all of 256 times, within a half; and how it grows with threads' buffers and chunks."""
    functions = [f"theta[0]^{k}" for k in (1, 2)]
    study = problem("P2", estimator="coupled", eta2=[2.0**-7, 2.0**-8], test_functions=functions, times="all")
    planned = study.plan(20_480).attrs["memory"]
    tracemalloc.start()
    study.run(20_480)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 1 / 1.5 < planned / held < 1.5
    job = memory.JobWeight(tables=10, buffers=20, sums=1, most=50)
    weight = memory.Weight(held=100, jobs=[job, job], result=1, group=2)
    few, many = (weight.peak(chunks) - memory._OBJECTS for chunks in (8, 10_000))
    assert (few, many) == (100 + 2 * 8 + (10 + 20 + 3 * 8), 100 + 2 * 128 + (1 + 2 * 128))


class Slow(Pace):
    """Chunks of a second each, whose tables took three."""

    def __init__(self):
        super().__init__(1.0, "cpu")
        self.making = 3.0
        self.took(4, 4.0)


def test_tables_that_are_made_anew_are_counted_with_each_visit():
    """A visit lasts ten times as long as they take to make."""
    pace = Slow()
    assert (pace.seconds, pace.foreseen(0), pace.foreseen(30), pace.foreseen(31)) == (1.0, 0.0, 33.0, 37.0)


@pytest.mark.parametrize(
    ("steps", "wanted", "threads", "chunks"),
    [
        (1.0, 98, 2, 16),
        (1.0, 980, 2, 98),
        (1.0, 10**9, 2, 1024),
        (1e6, 10**9, 2, 300),
        (1e9, 10**9, 2, 4),
        (1e9, 10**9, 64, 128),
    ],
)
def test_a_pilot_is_short(steps, wanted, threads, chunks):
    assert pilot._chunks(steps, wanted, threads) == chunks


def test_the_hindsight_of_runs(problem):
    """Seconds are compared where the run was as the pilot; standard errors of whatever bound."""
    study = problem("P2", estimator="coupled", eta2=[2.0**-3, 2.0**-4], test_functions=["theta[0]"])
    assert study.run(2048).plan is None
    study.plan(2048)
    begin = time.perf_counter()
    found = study.run(abs_error=1e-3, max_seconds=60.0)
    assert isinstance(found.plan, Hindsight)
    assert 0.0 < found.plan.seconds < time.perf_counter() - begin
    assert found.plan.ratio == found.plan.seconds / found.plan.planned_seconds
    assert found.plan.trajectories == found.trajectories
    assert found.extend(found.trajectories + 4096).plan.trajectories == 4096
    assert math.isnan(study.run(2048, precision="f64").plan.planned_seconds)
    assert found.plan.table.ratio.between(0.8, 1.25).all()


def test_words(problem):
    study = problem("P2", estimator="coupled", eta2=[2.0**-3, 2.0**-4], test_functions=["theta[0]"])
    planned = study.plan(2048)
    planned.attrs |= {"seconds": 75.0, "compilation": 2.62, "memory": 12_345_678}
    first, second, *_, last = report.plan_table(planned).splitlines()
    assert first == (
        "2048 trajectories at each step size would take about 75 s, compilation apart (2.6 s in this process), "
        "and 12.3 MB beside Python's own."
    )
    assert second == "What they would resolve, each error at the time where it is largest against h (norm = max):"
    assert last == "smallest_h: where the error would still be 3 standard errors (0: at every h; empty: not known)"
    found = study.run(2048).plan
    took = Hindsight(found.table, 5.0, 4.0, 2048)
    assert repr(took).splitlines()[0] == (
        "2048 trajectories at each step size took 4 s, 5 s were planned (ratio 0.80); standard errors:"
    )
    assert len(repr(took).splitlines()) == 4
    assert "planned (" not in repr(Hindsight(found.table, math.nan, 4.0, 2048))
