"""What is computed is bounded by seconds, ended by Ctrl-C within a point, foreseen by a plan, and moves the bar."""

import os
import signal
import threading
import time
import warnings

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.estimators import choose, transport_law
from ngos_sim.estimators.coupled import Coupled
from ngos_sim.estimators.transport import Transport
from ngos_sim.reporting import report
from ngos_sim.studies import pilot, session
from ngos_sim.studies.computing import Computing
from ngos_sim.studies.problems import problems
from ngos_sim.studies.progress import Progress
from ngos_sim.studies.stopping import Bounds
from tests.support.closed import Closed, Watched, study

ETA = [2.0**-k for k in (3, 4, 9)]  # of 8, 16 and 512 steps: .08, .16 and 5 seconds
LAW = dict(
    sde=ns.rmsprop_sde(),
    initial=dict(theta=1.2, u=1.0),
    times=[1.0],
    test_functions=["theta[0]"],
    estimator="transport",
)


def carried(eta2, **changes):
    """Return a study of RMSprop on log-cosh that is computed."""
    return ns.ConvergenceStudy(ns.NGOS(ns.log_cosh(1.0)), ns.rmsprop(0.8, 0.0, 1.3), eta2=eta2, **(LAW | changes))


@pytest.fixture
def mixed(monkeypatch):
    """Return a study of theta, which is computed, and theta^2, which is coupled."""
    monkeypatch.setattr(choose, "AUTO", (Watched(only="theta[0]"), Coupled()))
    return study("auto", eta=ETA[::-1])  # points of few steps come first whatever their order


def test_points_that_are_not_computed_in_time_are_left_out_and_said():
    begin = time.perf_counter()
    words = (
        r"max_seconds=1\.5: watched could not compute 1 of 3 points in that time \(eta=0\.00195312\): "
        "the table has no rows of them"
    )
    with pytest.warns(UserWarning, match=f"^{words}$") as said:
        found = study(Watched(), eta=ETA).run(max_seconds=1.5)
    assert time.perf_counter() - begin < 4.0
    assert len(said) == 1
    assert found.stopped == "max_seconds"
    assert sorted(found.table.h.unique(), reverse=True) == ETA[:2]
    assert (found.order().points == 2).all()


def test_what_is_sampled_beside_it_has_its_chunk(mixed):
    with pytest.warns(UserWarning, match="could not compute 1 of 3 points"):
        found = mixed.run(10_000, max_seconds=1.5)
    points = found.table.groupby("test_function").h.nunique()
    assert points.to_dict() == {"theta[0]": 2, "theta[0]^2": 3}
    assert found.stopped == "max_seconds"


def test_too_few_seconds_for_any_point_are_refused():
    message = (
        r"max_seconds=0\.05 is too short to compute any of 3 points: eta=0\.125 takes about 0\.\d s, compilation apart"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        study(Watched(), eta=ETA).run(max_seconds=0.05)


def test_an_estimator_that_does_not_watch_is_ended_between_points():
    class Slow(Closed):
        def reading(self, problem, function):
            time.sleep(0.1)
            return super().reading(problem, function)

    with pytest.warns(UserWarning, match="could not compute 2 of 4 points"):
        assert study(Slow()).run(max_seconds=0.3).table.h.nunique() == 2


def test_it_is_ended_within_a_point():
    """What is computed by then is there; nothing more is computed."""
    made = study(Watched(), eta=ETA)
    begin = time.perf_counter()

    def until():
        return time.perf_counter() - begin > 1.2

    part = session.run(made, Bounds(1024), 0, made.settings("cpu", None, 1), until=until)
    assert time.perf_counter() - begin < 4.0
    assert part.stopped == "interrupted"
    assert part.table.h.nunique() == 2


@pytest.mark.parametrize("way", ["run", "means", "plan"])
def test_ctrl_c_stops_laws_within_a_second(way, monkeypatch):
    """From Python, where it is an exception; what was computed of the study is not computed again."""
    carried([2.0**-3]).run(1)  # compiled
    made = carried([2.0**-3, 2.0**-14])
    call = {"run": lambda: made.run(1), "means": made.means, "plan": lambda: made.plan(1)}[way]
    pressed, carry = [], transport_law.Carrier.carried

    def press():
        pressed.append(time.process_time())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.1, press)

    def begun(carrier, *given):
        if carrier.problem.h == 2.0**-14 and timer.ident is None:
            timer.start()
        return carry(carrier, *given)

    monkeypatch.setattr(transport_law.Carrier, "carried", begun)
    with pytest.raises(KeyboardInterrupt):
        call()
    assert time.process_time() - pressed[0] < 1.0
    with warnings.catch_warnings(action="ignore"):
        assert made.run(max_seconds=1e-9).table.h.unique().tolist() == [2.0**-3]


def test_laws_are_bounded_by_seconds():
    carried([2.0**-3]).run(1)
    begin = time.perf_counter()
    with pytest.warns(UserWarning, match=r"transport could not compute 1 of 2 points .*\(eta2=6\.10352e-05\)"):
        found = carried([2.0**-14, 2.0**-3]).run(max_seconds=1.0)
    assert 0.9 < time.perf_counter() - begin < 3.0
    assert found.table.h.unique().tolist() == [2.0**-3]


def test_slices_change_no_bit(monkeypatch):
    whole = carried([2.0**-5]).run(1).table
    monkeypatch.setattr(transport_law, "_SLICE", 1)
    np.testing.assert_array_equal(carried([2.0**-5]).run(1).table.error, whole.error)


def test_a_plan_foresees_what_it_does_not_compute(monkeypatch):
    monkeypatch.setattr(pilot, "_COMPUTED", 0.6)
    made = study(Watched(), eta=ETA)
    begin = time.perf_counter()
    planned = made.plan(1024)
    assert time.perf_counter() - begin < 2.5
    by = planned[planned.test_function == "theta[0]"].set_index("h")
    assert by.resolved.tolist() == [True, True, False]
    assert by.error.isna().tolist() == [False, False, True]
    for h, steps in zip(ETA, (8, 16, 512), strict=True):
        assert 0.01 * steps <= by.seconds[h] < 0.02 * steps
    assert planned.attrs["seconds"] > by.seconds.sum()
    assert "False" in report.plan_table(planned)
    alone = study(Watched(), eta=ETA[-1]).plan(1024)
    assert alone.error.isna().all()
    assert (alone.seconds > 5.0).all()


def test_the_work_of_laws_is_foreseen():
    """That of the three sizes that are always carried, of every coordinate that is asked for and not like another."""
    for function, many in (("theta[0]", 1), ("sqnorm(theta)", 2)):
        told: list = []
        made = carried([2.0**-3], initial=dict(theta=[1.2, 1.0, 1.0], u=1.0), test_functions=[function])
        (problem,) = problems(made, watch=lambda index, work, told=told: told.append(work))
        wanted = {opponent: {0: ns.Served()} for opponent in problem.opponents}
        expected = Transport().work(problem, wanted)
        each = [8 * 2**level * (8 + level + 3 * 8 * (1 + 2)) for level in range(4)]
        assert expected == many * sum(each[:3])
        Transport().check(problem, wanted, None)
        assert sum(told) in (expected, many * sum(each))
        assert Transport().work(problem, wanted) == 0.0


class Told(Progress):
    """A bar that keeps the share that it was told of."""

    def __init__(self):
        super().__init__()
        self.shares = []

    def update(self, steps):
        super().update(steps)
        self.shares.append(self._share(0.0))


def test_the_bar_moves_while_laws_are_carried():
    from ngos_sim.studies.measurement import Measurement

    made, bar = carried([2.0**-3, 2.0**-5]), Told()
    measurement = Measurement(made, 0, bar=bar, **made.settings("cpu", None, 1))
    measurement.extend(1)
    assert len(bar.shares) > 20
    assert bar.shares == sorted(bar.shares)
    assert max(np.diff(bar.shares)) < 0.3
    assert bar.shares[-1] == pytest.approx(1.0)


def test_seconds_without_those_of_first_pieces(monkeypatch):
    """A first piece that compiles for 10 seconds is taken to be as fast as those that follow."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    computing = Computing(["a", "b"], Progress(), float("inf"), bool)
    computing.expect([10.0, 20.0])
    for seconds, work in ((0.0, 0.0), (10.0, 2.0), (2.0, 2.0), (6.0, 6.0), (5.0, 0.0), (10.0, 2.0)):
        now[0] += seconds
        computing.watch(0, work)
    assert computing.seconds(0) == 12.0
    computing.finished(0, 40.0)
    assert computing.all_seconds == [12.0, 0.0]
    assert computing.foreseen(1) == pytest.approx(20.0 * 1.2)
    computing.expect([None, 20.0])
    computing.finished(0, 0.5)
    assert computing.seconds(0) == 12.5
