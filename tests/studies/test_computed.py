"""Errors that are computed and not sampled: alone, beside sampled ones, kept, stopped, compared, ended by bounds."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest

import ngos_sim as ns
from ngos_sim.estimators import choose
from ngos_sim.estimators.coupled import Coupled
from ngos_sim.studies import session
from ngos_sim.studies.stopping import Bounds
from tests.support.closed import Closed, FineOnly, moments, study


@pytest.fixture
def mixed(monkeypatch):
    """Return a study of theta, which is computed, and theta^2, which is coupled."""
    monkeypatch.setattr(choose, "AUTO", (Closed(only="theta[0]"), Coupled()))
    return study("auto")


def same(a, b):
    pd.testing.assert_frame_equal(a.table, b.table, check_exact=True)
    return True


def test_the_table_holds_what_was_computed_and_how_far_it_may_be_off():
    estimator = Closed(numerical=0.01)
    made = study(estimator)
    tried = estimator.calls
    found = made.run(1500)
    table = found.table
    assert estimator.calls == tried + len(made.points)  # once a point
    for row in table.itertuples():
        chain, sde = moments(row.h, np.array([row.step]))
        power = row.test_function == "theta[0]^2"
        assert (row.optimizer_mean, row.sde_mean) == (chain[power][0], sde[power][0])
        assert (row.std_error, row.trajectories, row.nonfinite, row.estimator) == (0.0, 0, 0, "closed")
        assert row.numerical == 0.01 * abs(row.error)
        assert (row.ci_low, row.ci_high) == (row.error - row.numerical, row.error + row.numerical)
        assert (row.band_low, row.band_high) == (row.ci_low, row.ci_high)
    assert table.resolved.all()
    assert (found.trajectories, found.stopped) == (2048, "computed")
    orders = found.order()
    assert (orders.ci_low < 1.0).all()
    assert (orders.ci_high > 1.0).all()
    assert (orders.constant_std_error > 0.001 * orders.constant.abs()).all()  # held, not left out
    assert not study(Closed(numerical=1.0)).run(1).table.resolved.any()


@pytest.mark.parametrize(
    ("bounds", "numerical", "stopped"),
    [
        ({"max_seconds": 60.0}, 0.01, "computed"),
        ({"rel_error": 0.02, "max_seconds": 60.0}, 0.01, "rel_error"),
        ({"rel_error": 0.005, "max_seconds": 60.0}, 0.01, "numerical"),
        ({"abs_error": 1e-9}, np.nan, "abs_error"),
    ],
)
def test_bounds_that_no_trajectory_can_reach_end_the_run(bounds, numerical, stopped):
    assert study(Closed(numerical)).run(**bounds).stopped == stopped


def test_a_sampled_quantity_goes_on_beside_a_computed_one(mixed):
    """The computed one cannot improve; the other one reaches what is asked."""
    found = mixed.run(1_000_000, rel_error=0.005)
    by = dict(tuple(found.table.groupby("test_function")))
    theta, square = by["theta[0]"], by["theta[0]^2"]
    assert found.stopped == "numerical"
    assert (theta.estimator == "closed").all()
    assert (theta.trajectories == 0).all()
    assert (square.trajectories == found.trajectories).all()
    assert (square.std_error < 0.006 * square.error.abs()).all()
    assert square.numerical.isna().all()
    assert "not closed, as it serves theta[0] alone" in found.why["sgd order 1", "theta[0]^2"]


@pytest.mark.usefixtures("blank_page")
@pytest.mark.parametrize("kind", ["computed", "mixed", "by point"])
def test_runs_are_kept_gone_on_with_and_extended(kind, mixed, tmp_path):
    made = {"computed": study(Closed()), "mixed": mixed, "by point": study(FineOnly())}[kind]
    whole = made.run(4096)
    found = made.run(1024, store=tmp_path / "kept")
    again = made.run(1024, store=tmp_path / "kept")
    assert same(found, again)
    assert again.kept.rounds == 0
    assert same(found.extend(4096), whole)
    assert found.extend(4096).trajectories == 4096
    rest = made.run(3072, first=1024)
    assert same(ns.merge(made.run(1024), rest), whole)
    assert ns.merge(made.run(1024), rest).trajectories == (3072 if kind == "computed" else 4096)
    whole.save(tmp_path / "saved")
    assert same(made.run(4096, store=tmp_path / "saved"), whole)
    assert whole.describe()["study"]["trajectories"] == 4096
    assert set(made.plan(4096).estimator) == set(whole.table.estimator)


@pytest.mark.parametrize("kind", ["computed", "mixed"])
def test_a_run_that_is_stopped_goes_on(kind, mixed, tmp_path):
    made = study(Closed()) if kind == "computed" else mixed
    asked = []

    def until():
        asked.append(1)
        return len(asked) > 2

    settings = made.settings("cpu", None, 1)
    part = session.run(made, Bounds(4096), 0, settings, store=tmp_path, until=until)
    assert part.table.h.nunique() == 2
    assert part.stopped == "interrupted"
    assert (part.table.trajectories == 0).all()  # of a mixed one what is computed comes first
    assert same(session.run(made, Bounds(4096), 0, settings, store=tmp_path), made.run(4096))


@pytest.mark.parametrize("kind", ["computed", "by point"])
def test_workers_run_what_is_sampled(kind):
    made = study(Closed() if kind == "computed" else FineOnly())
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert same(made.run(2048, executor=executor), made.run(2048))


def test_a_ranking_of_computed_errors_holds_what_the_numerics_leave():
    class Two(Closed):
        """The second SDE is off by so much more."""

        def plan(self, problem, wanted):
            (plan,) = super().plan(problem, wanted)

            def read(measured):
                found = plan.read(measured)
                for quantity, one in found.items():
                    if quantity.opponent == "other":
                        more = 1.5 * one.error
                        found[quantity] = ns.Reading(one.optimizer, one.optimizer - more, more, 0.0 * more,
                                                     numerical=one.numerical)  # fmt: skip
                return found

            return [ns.Plan((), read)]

    near = ns.sgd_sde()
    other = ns.SDE("other", near.drift, near.diffusion, near.slots, near.schedule)
    for part, resolved in ((0.1, True), (0.3, False)):
        found = study(Two(numerical=part), sde=[near, other]).run(1).ranking()
        table = found.table
        assert (table.resolved == resolved).all()
        np.testing.assert_allclose(table.numerical, 2.0 * part * table.error_a.abs())
        np.testing.assert_allclose(table.ci_high - table.difference, table.numerical)
        assert (table.std_error == 0.0).all()
        assert ((table.closer == "sgd order 1") == resolved).all()
    assert "not resolved" in str(found)


def test_a_computed_error_is_ranked_beside_a_sampled_one(monkeypatch):
    class One(Closed):
        def serves(self, problems, opponent, function):
            return (
                ns.Refused("it knows one") if opponent.name == "other" else super().serves(problems, opponent, function)
            )

    monkeypatch.setattr(choose, "AUTO", (One(), Coupled()))
    near = ns.sgd_sde()
    other = ns.SDE("other", near.drift, lambda x, o, c, p: (0.0,), near.slots, near.schedule)
    found = study("auto", sde=[near, other], test_functions=["theta[0]^2"]).run(16_384)
    row = found.ranking().table.iloc[-1]
    sampled = found.table[(found.table.sde == "other")].iloc[-1]
    assert row.std_error == pytest.approx(sampled.std_error, rel=0.5)  # of 16 groups
    assert row.std_error > 0.0
    assert row.numerical > 0.0


def test_what_is_not_finite_is_said():
    class Broken(Closed):
        def reading(self, problem, function):
            found = super().reading(problem, function)
            return ns.Reading(found.optimizer, found.reference, found.error * np.nan, found.std_error)

    with pytest.raises(ns.NonFiniteError, match=r"test function 'theta\[0\]' is not finite at"):
        study(Broken()).run(1)
