"""The bar of a run: what it says, and that it says nothing where nobody reads it."""

import io
import math
import re
import sys
import types
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from ngos_sim.estimators.estimator import Reading
from ngos_sim.studies import progress
from ngos_sim.studies.progress import Progress


class Terminal(io.StringIO):
    """A stream that says that it is one."""

    def isatty(self):
        return True

    @property
    def frames(self):
        return [each.strip() for each in self.getvalue().split("\r") if each.strip()]


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "30")

    def put():  # pytest has put its own there between the fixture and the test
        monkeypatch.setattr(sys, "stderr", stream := Terminal())
        return stream

    return put


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = SimpleNamespace(now=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: now.now))
    return now


def reading(error, std_error):
    error, std_error = np.array(error), np.array(std_error)
    return Reading(error, 0.0 * error, error, std_error)


def test_the_words(terminal, clock):
    """The point, the worst standard error over that of the largest error, and the time at the speed so far."""
    stream = terminal()
    with Progress(True) as bar:
        bar.aim(10.0, 100)
        bar.at("eta2=0.25")
        clock.now = 5.0
        bar.update(100.0)  # which is when compilation ended
        clock.now = 6.0
        bar.look(lambda: [reading([0.0, -2.0], [0.0, 0.05]), reading([1.0], [0.01])])
        bar.at("eta2=0.125")
        clock.now = 7.0
        bar.update(100.0)
        clock.now = 8.0
        bar.update(300.0)
    frames = [re.sub(r"\|.*\|", "|", each) for each in stream.frames]
    assert frames[0] == "0%| setting up and compiling"
    assert frames[1:] == [
        "10%| eta2=0.25",
        "10%| eta2=0.125; worst relative std error 2.5 %",
        "20%| eta2=0.125; worst relative std error 2.5 %; 16 s left",
        "50%| eta2=0.125; worst relative std error 2.5 %; 4 s left",
    ]
    *_, last, rest = stream.getvalue().split("\r")
    assert (last.strip(), rest) == ("", "")  # wiped away


def test_time_that_ends_a_run_first(terminal, clock):
    """Where steps have no end the deadline is what is left; what a store had does not count as speed."""
    stream = terminal()
    with Progress(True) as bar:
        bar.resume(500.0)
        bar.aim(1.0, math.inf, 20.0)
        clock.now = 4.0
        bar.update(1.0)
        clock.now = 5.0
        bar.update(1.0)
        bar.aim(1.0, 512, 20.0)
        clock.now = 6.0
        bar.update(1.0)
        bar.aim(1.0, 10**9, 20.0)
        clock.now = 18.0
        bar.update(1.0)
    frames = [re.sub(r"\|.*\|", "|", each) for each in stream.frames]
    assert frames[1:] == ["20%| 16 s left", "25%| 15 s left", "98%| 9 s left", "90%| 2.0 s left"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.44, "0.4 s left"), (3.4, "3 s left"), (119.0, "119 s left"), (121.0, "2 min left"), (1e4, "2.8 h left")],
)
def test_times(seconds, words):
    assert progress._left(seconds) == words


def test_errors_that_are_no_number_worth_reading():
    assert progress._worst([reading([0.0], [0.0])]) == "worst relative std error 0 %"
    assert progress._worst([reading([1e-9], [1.0])]) == "worst relative std error above 1000 %"
    assert progress._worst([reading([np.nan, 1.0], [np.nan, 0.1])]) == "worst relative std error 10 %"


def test_it_costs_nothing(terminal, clock):
    """Ten frames a second; standard errors every 3 s, or after a hundred times as long as reading them took."""
    stream = terminal()
    looks = []

    def slow():
        looks.append(clock.now)
        clock.now += 0.5
        return []

    with Progress(True) as bar:
        bar.aim(1.0, 10**6)
        for _ in range(1000):
            clock.now += 0.01
            bar.update(1.0)
            bar.look(slow)
        for _ in range(100):
            clock.now += 1.0
            bar.look(slow)
    assert 80 <= len(stream.frames) <= 110
    assert looks == pytest.approx([3.0, 54.0, 105.0], abs=1.1)


@pytest.mark.parametrize("shown", [True, False])
def test_silent_where_nobody_reads(monkeypatch, shown, problem):
    for stream in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stderr", stream)
        problem("P2", eta2=[2.0**-3], test_functions=["theta[0]"]).run(1024, progress=shown)
        assert stream is None or stream.getvalue() == ""


def test_a_run_shows_it(terminal, monkeypatch, problem):
    stream = terminal()
    monkeypatch.setattr(progress, "_INTERVAL", 0.0)
    monkeypatch.setattr(progress, "_READING", 0.0)
    monkeypatch.setattr(progress, "_COSTLY", 0.0)
    study = problem("P2", eta2=[2.0**-3, 2.0**-4], test_functions=["theta[0]"], estimator="coupled")
    study.run(65536, progress=True, rel_error=1e-9, threads=1)
    words = r"eta2=0.0625; worst relative std error [\d.]+ %; [\d.]+ s left$"
    assert any(re.search(words, each) for each in stream.frames)


def test_a_notebook_without_ipywidgets_has_a_bar_of_text_and_no_warning(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", types.ModuleType("zmqshell"))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None, version_info=(9, 0)))
    monkeypatch.delitem(sys.modules, "tqdm.autonotebook", raising=False)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.delitem(sys.modules, "tqdm.notebook", raising=False)
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Progress(True):
            pass
    monkeypatch.delitem(sys.modules, "tqdm.autonotebook", raising=False)
    assert "setting up and compiling" in stream.getvalue()
