"""A command that fails half-way: its status, and what it leaves."""

import errno
import json
import os
from types import SimpleNamespace

import pandas as pd
import pytest

from ngos_sim.engines import devices
from ngos_sim.studies import figure, folder
from tests.support.command_line import FILES, broken, fail, names, one_line


def test_numerical_trouble_is_status_3_and_leaves_what_was_measured(call, study, tmp_path):
    status, out, err = call("run", study(("hessian = [0.9]", "hessian = [1e60]"), ("theta = [1.2]", "theta = [1e60]")))
    assert (status, out) == (3, "")
    assert one_line(err)
    assert "of 2048 trajectories these left the finite numbers: 2048 at eta2=0.25 (the first: 0)" in err
    assert err.endswith(f"; what was measured is in {tmp_path / 'study'}\n")
    table = pd.read_csv(tmp_path / "study" / "table.csv")
    assert set(table.nonfinite) == {2048}
    assert json.loads((tmp_path / "study" / "study.json").read_text())["record"]["stopped"] == "nonfinite"


def test_a_run_interrupted_at_once_is_status_130_and_leaves_an_empty_store(call, study, tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "run", broken(KeyboardInterrupt()))
    assert call("run", study()) == (130, "", "")
    assert names(tmp_path / "study") == ["chunks.sqlite"]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert call("run", study(), "--quiet") == (0, "", "")


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("what", ["orders.csv", "study.json"])
def test_what_cannot_be_made_leaves_all_the_rest_of_this_run(call, study, tmp_path, monkeypatch, what, before):
    """Nothing of an earlier run beside it, no part of a file."""
    path = study()
    if before:
        call("run", path, "--out", "out")
    fail(monkeypatch, what, ValueError("not this time"))
    status, _, err = call("run", path, "--out", "out", "--seed", 1, "--fresh")
    assert (status, err) == (2, "ngos-sim: not this time\n")
    missing = [what, *["report.html"] * (what == "study.json")]  # which it shows
    assert names(tmp_path / "out") == [name for name in FILES if name not in missing]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    call("run", path, "--out", "again", "--seed", 1)
    for name in names(tmp_path / "out"):
        if name not in ("chunks.sqlite", "report.html", "errors.png"):  # pages, seconds, predictions
            assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_figure_that_cannot_be_drawn_is_one_line_and_status_0(call, study, tmp_path, monkeypatch):
    fail(monkeypatch, "errors.png", RuntimeError("no\nLaTeX"))
    status, out, err = call("run", study(), "--out", "study", "--quiet")
    assert (status, out, err) == (0, "", "ngos-sim: study/errors.png cannot be drawn: no LaTeX\n")
    assert names(tmp_path / "study") == [name for name in FILES if name != "errors.png"]


@pytest.mark.parametrize("what", ["orders.csv", "study.json", "errors.png"])
def test_an_interrupted_save_is_status_130_and_leaves_whole_files(call, study, tmp_path, monkeypatch, what):
    fail(monkeypatch, what, KeyboardInterrupt())
    status, _, err = call("run", study(), "--out", "out")
    assert (status, err) == (130, "")
    assert "table.csv" in names(tmp_path / "out")
    assert set(names(tmp_path / "out")) <= set(FILES) - {what}


def test_a_full_disk_is_one_line_and_leaves_no_part_of_a_file(call, study, tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(folder, "os", SimpleNamespace(replace=broken(full), getpid=os.getpid))
    status, _, err = call("run", study(), "--out", "out")
    assert (status, err) == (2, "ngos-sim: out/table.csv: No space left on device\n")
    assert names(tmp_path / "out") == ["chunks.sqlite"]


def test_a_plot_that_fails_leaves_the_earlier_figure(call, study, tmp_path, monkeypatch):
    call("run", study(), "--out", "out")
    before = (tmp_path / "out" / "errors.png").read_bytes()
    monkeypatch.setattr(figure, "png", broken(KeyError("column")))
    status, out, err = call("plot", "out")
    assert (status, out) == (2, "")
    assert one_line(err)
    assert names(tmp_path / "out") == FILES
    assert (tmp_path / "out" / "errors.png").read_bytes() == before
