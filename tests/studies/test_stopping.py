"""Runs that stop at a standard error or a time, or because trajectories are lost."""

import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.studies import stopping
from ngos_sim.studies.kept import Kept
from ngos_sim.studies.progress import Progress
from ngos_sim.studies.series import headline

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


class Machine:
    """A measurement on a clock of its own: so many seconds to compile, then a chunk, on so many processors."""

    study, first, steps, samples, left = SimpleNamespace(points=(1, 2, 3)), 0, 1.0, True, ()

    def __init__(self, compilation, chunk, processors):
        self.kept = Kept()
        self.now, self.chunks, self._noise = 0.0, 0, np.random.default_rng(0)
        self._compilation, self._chunk, self._processors = compilation, chunk, processors

    @property
    def furthest(self):
        return self.chunks

    def extend(self, chunks):
        rounds = -(-(chunks - self.chunks) // self._processors)
        self.now += self._compilation * (self.chunks == 0) + rounds * self._chunk * self._noise.uniform(0.9, 1.1)
        self.chunks = chunks

    def lost(self):
        return ""


@pytest.mark.parametrize("seconds", [1.0, 10.0, 100.0])
@pytest.mark.parametrize("compilation", [0.0, 5.0])
@pytest.mark.parametrize("chunk", [1e-3, 0.1, 0.9, 7.0])
@pytest.mark.parametrize("processors", [1, 64])
def test_seconds_are_kept_within_20_percent_or_one(monkeypatch, seconds, compilation, chunk, processors):
    """And used: unless one chunk would not fit any more; where even the first does not, a warning says so."""
    machine = Machine(compilation, chunk, processors)
    monkeypatch.setattr(stopping, "time", SimpleNamespace(perf_counter=lambda: machine.now))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert stopping.Bounds(max_seconds=seconds).follow(machine, 0.0, Progress()) == "max_seconds"
    late = machine.now > max(1.2 * seconds, seconds + 1.0)
    assert late == bool(said)
    if late:
        assert machine.chunks == 1
        assert str(said[0].message) == (
            f"max_seconds={seconds!r}: the least that can be run, 1024 trajectories at each of 3 points, "
            f"took {machine.now:.1f} s, compilation included"
        )
    elif compilation + chunk < seconds / 10.0:
        assert machine.now > 0.75 * seconds - chunk


def test_seconds_bound_the_pilot_too(problem):
    """Eight chunks, as a pilot without them, would take eight times as long as the one that it is."""
    study = problem("P2", eta2=[2.0**-3], test_functions=["theta[0]"])
    with warnings.catch_warnings(action="ignore"):  # the first run may compile for more than a second
        assert study.run(rel_error=1e-9, max_seconds=1e-9, abs_error=1e-12).trajectories == 1024
    assert study.run(abs_error=1e3).trajectories == 8 * 1024


def exploding(estimator):
    """Return a study whose optimizer and SDE leave the finite numbers after a first step, at every step size."""
    return ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(1e60)),
        ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1e60, u=1.0),
        eta2=[2.0**-2, 2.0**-3],
        horizon=0.5,
        test_functions=["theta[0]"],
        estimator=estimator,
    )


@pytest.mark.parametrize("estimator", ["coupled", "independent"])
def test_lost_trajectories_end_a_run_and_are_counted_once(estimator):
    """Independent: by each of two jobs, which lose the same 1,024."""
    with pytest.raises(ns.NonFiniteError) as caught:
        exploding(estimator).run(100_000, max_seconds=1000.0)
    assert caught.value.result.stopped == "nonfinite"
    assert set(caught.value.result.table.nonfinite) == {1024}
    assert str(caught.value) == (
        "of 1024 trajectories these left the finite numbers: 1024 at eta2=0.25 (the first: 0); "
        "1024 at eta2=0.125 (the first: 0); smaller steps may help"
    )


def test_a_plan_says_that_trajectories_are_lost():
    with pytest.raises(
        ns.NonFiniteError, match=r"of 1024 .*: 1024 at eta2=0\.25 \(the first: 0\); 1024 at eta2=0\.125"
    ) as caught:
        exploding("coupled").plan(100_000)
    assert caught.value.lost is not None


@pytest.mark.parametrize("bounds", [dict(trajectories=1e30), dict(trajectories=2**60, max_seconds=1.0)])
def test_more_trajectories_than_can_be_counted(problem, bounds):
    study = problem("P2", times=None, eta2=[2.0**-3], test_functions=FUNCTIONS[:1])
    with pytest.raises(ValueError, match=r"^trajectories=.* at most 9007199254740992 is allowed$"):
        study.run(**bounds)
    with pytest.raises(ValueError, match=r"^trajectories=1e\+30: at most 9007199254740992 is allowed$"):
        study.plan(1e30)
    with pytest.raises(ValueError, match=r"^first=18446744073709551616: at most 9007199254740992 is allowed$"):
        study.run(1024, first=2**64)  # whose numbers would be those of the first 1024 trajectories
