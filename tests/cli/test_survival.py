"""`ngos-sim run` that is killed, stopped, run again and run over: what its folder holds."""

import os
import signal
import subprocess
import sys
import time

import pytest

from ngos_sim.studies import rounds
from ngos_sim.studies.computing import Computing
from ngos_sim.studies.store import NAME
from tests.support.command_line import FILES, names

COMMAND = [sys.executable, "-c", "from ngos_sim.cli import main; main()", "run"]
TABLES = ("table.csv", "orders.csv")


@pytest.fixture
def long(study):
    """A study file of some seconds."""
    return study(("trajectories = 2048", "trajectories = 8000000"))


def bytes_of(folder):
    return [(folder / name).read_bytes() for name in TABLES]


def started(path, folder):
    """Start a run in a folder, and wait until its first rounds are kept, or it has ended."""
    words = [*COMMAND, path, "--out", folder, "--quiet", "--threads", "1"]
    process = subprocess.Popen(list(map(str, words)), stderr=subprocess.PIPE, text=True)
    log, begin, deadline = folder / f"{NAME}-wal", time.time(), time.monotonic() + 60.0
    while process.poll() is None and not (log.exists() and log.stat().st_mtime > begin + 0.1):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def test_killed_and_stopped_at_any_moment_a_run_goes_on_to_the_same_bytes(call, long, tmp_path):
    assert call("run", long, "--out", "whole", "--quiet") == (0, "", "")
    ended = []
    for number, wait in ((signal.SIGKILL, 0.0), (signal.SIGKILL, 0.3), (signal.SIGTERM, 0.2), (signal.SIGKILL, 0.1)):
        process = started(long, tmp_path / "out")
        time.sleep(wait)
        process.send_signal(number)
        process.communicate(timeout=60.0)
        ended.append(process.returncode)
    assert -signal.SIGKILL in ended
    assert set(ended) <= {-signal.SIGKILL, 128 + signal.SIGTERM, 0}
    assert call("run", long, "--out", "out", "--quiet") == (0, "", "")
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "whole")


class Pressed:
    """What makes Ctrl-C be pressed after so many rounds, and again after so many more."""

    def __init__(self, monkeypatch, *after):
        took, self.rounds = rounds.Pace.took, 0

        def counted(pace, *arguments):
            took(pace, *arguments)
            self.rounds += 1
            if self.rounds in after:
                os.kill(os.getpid(), signal.SIGINT)

        monkeypatch.setattr(rounds.Pace, "took", counted)
        monkeypatch.setattr(rounds, "_MOST", 500)


def test_ctrl_c_ends_after_the_round_in_hand_with_tables_of_what_is_there(call, study, tmp_path, monkeypatch):
    path = study(("trajectories = 2048", "trajectories = 3000000"))
    pressed = Pressed(monkeypatch, 5)
    status, out, err = call("run", path, "--out", "out")
    assert (status, out, pressed.rounds) == (130, "", 5)
    assert names(tmp_path / "out") == FILES
    assert "of 3 points; tables and figure of these are in out; the same command goes on\n" in err
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert call("run", path, "--out", "out")[0] == 0
    call("run", path, "--out", "whole")
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "whole")


def test_ctrl_c_ends_what_is_computed_within_a_point(call, study, tmp_path, monkeypatch):
    """Of three points the second is in hand: the first is there, nothing more is computed, and the run goes on."""
    path = study(("horizon = 0.5", 'horizon = 0.5\nestimator = "transport"'))
    watch, watched = Computing.watch, []

    def pressed(computing, index, work):
        watched.append(index)
        if index == 1 and work > 0.0 and watched.count(1) < 10:
            os.kill(os.getpid(), signal.SIGINT)
        watch(computing, index, work)

    monkeypatch.setattr(Computing, "watch", pressed)
    status, out, err = call("run", path, "--out", "out")
    assert (status, out) == (130, "")
    assert watched.count(2) <= 2
    assert names(tmp_path / "out") == FILES
    assert err.endswith(
        "ngos-sim: stopped; what is computed is there at each of 1 of 3 points; tables and figure of these are in out; "
        "the same command goes on\n"
    )
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert call("run", path, "--out", "out")[0] == 0
    call("run", path, "--out", "whole")
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "whole")


def test_a_run_that_is_done_says_so_and_runs_nothing(call, study, tmp_path, monkeypatch):
    path = study()
    call("run", path)
    before = bytes_of(tmp_path / "study")
    pressed = Pressed(monkeypatch)
    status, out, _ = call("run", path)
    assert (status, pressed.rounds) == (0, 0)
    assert out.endswith(
        f"written to {tmp_path}/study, whose 2048 trajectories a point were all there: nothing was run; "
        f"to look at: {tmp_path}/study/report.html\n"
    )
    assert bytes_of(tmp_path / "study") == before


def test_another_study_is_refused_and_fresh_starts_anew(call, study, tmp_path):
    call("run", study())
    before = bytes_of(tmp_path / "study")
    other = study(("c2 = 1.3", "c2 = 1.4"))
    status, out, err = call("run", other)
    assert (status, out) == (2, "")
    assert err == (
        f"ngos-sim: {tmp_path}/study/chunks.sqlite holds another study: optimizer.c2 is 1.3 there and 1.4 here; "
        "take another folder, or start anew (--fresh)\n"
    )
    assert bytes_of(tmp_path / "study") == before
    assert call("run", other, "--fresh", "--quiet") == (0, "", "")
    assert bytes_of(tmp_path / "study") != before


def test_a_result_without_its_chunks_is_not_written_over(call, study, tmp_path):
    call("run", study())
    (tmp_path / "study" / NAME).unlink()
    status, _, err = call("run", study())
    assert (status, err) == (
        2,
        f"ngos-sim: --out {tmp_path}/study: holds a result without chunks.sqlite to go on from; "
        "give another, or --fresh\n",
    )
    assert call("run", study(), "--fresh")[0] == 0
