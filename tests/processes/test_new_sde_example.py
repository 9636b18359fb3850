"""The example of a user's own SDE, run as it is: its E u is of order 2, Malladi's of order 1."""

import runpy
from pathlib import Path


def test_the_example_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["new_sde", "20480"])
    runpy.run_path(str(Path(__file__).parents[2] / "examples" / "new_sde.py"))
    printed = capsys.readouterr().out.splitlines()
    (own,) = (line for line in printed if "(grad f)^2" in line and " u[0] " in line)
    (malladi,) = (line for line in printed if "rmsprop" in line and " u[0] " in line)
    assert "consistent with order 1" in malladi
    assert "consistent with order 1" not in own
    assert (tmp_path / "new_sde.png").stat().st_size > 10_000
