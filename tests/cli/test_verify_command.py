"""`ngos-sim verify` on small cases: its status, its words and its files."""

import os
from dataclasses import replace

import pytest

from ngos_sim.studies.study import ConvergenceStudy
from ngos_sim.verification import theorems
from ngos_sim.verification.case import CONSISTENT, NO_ORDER, Case
from tests.support.command_line import FILES, fail, names


def small(shows):
    """Return a case of one test function at three steps, the program of this file's study."""

    def build():
        study = theorems.theorem_4_2()
        fields = ("oracle", "optimizer", "sde", "initial")
        held = {name: getattr(study, name) for name in fields}
        eta2 = [2.0**-k for k in range(4, 8)]
        return ConvergenceStudy(**held, eta2=eta2, horizon=0.5, test_functions=["u[0]^2"])

    return Case("A small case", build, 65_536, shows)


@pytest.mark.parametrize(("shows", "status", "count"), [(CONSISTENT, 0, "1 of 1"), (NO_ORDER, 1, "0 of 1")])
def test_verify(call, tmp_path, monkeypatch, shows, status, count):
    monkeypatch.setattr(theorems, "CASES", {"small": small(shows)})
    found, out, err = call("verify", "small", "--out", "out")
    assert (found, err) == (status, "")
    assert f"{count} cases show what they must" in out
    assert ("NOT as expected" in out) == (status == 1)
    assert names(tmp_path / "out") == ["report.html", "small"]
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert f"<h1>{count} cases show what they must</h1>" in report
    assert ("NOT as it must" in report) == (status == 1)
    assert report.count("<svg") == 1
    assert 'href="#process-1"' in report
    assert names(tmp_path / "out" / "small") == FILES


def test_verify_goes_on_without_a_figure(call, tmp_path, monkeypatch):
    monkeypatch.setattr(theorems, "CASES", {"small": small(CONSISTENT)})
    fail(monkeypatch, "errors.png", RuntimeError("no\nLaTeX"))
    status, out, err = call("verify", "small", "--out", "out")
    assert (status, err) == (0, "")
    assert "   out/small/errors.png cannot be drawn: no LaTeX\n=> " in out
    assert names(tmp_path / "out" / "small") == [name for name in FILES if name != "errors.png"]


def test_verify_takes_all_cases_with_quick(call, monkeypatch):
    quick, slow = replace(small(CONSISTENT), quick=True), small(CONSISTENT)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})  # one process: others do not see these cases
    monkeypatch.setattr(theorems, "CASES", {"one": quick, "two": slow})
    for arguments, wanted in (["--quick"], "1 of 1 cases"), ([], "2 of 2 cases"):
        status, out, _ = call("verify", *arguments)
        assert status == 0
        assert wanted in out
