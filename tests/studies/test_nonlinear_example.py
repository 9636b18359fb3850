"""examples/nonlinear.py, run as it is with fewer step sizes: its figure, its orders, its means."""

import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "nonlinear.py"


def test_nonlinear(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["nonlinear", "3"])
    made = runpy.run_path(str(EXAMPLE))
    said = capsys.readouterr().out
    assert (tmp_path / "nonlinear.png").stat().st_size > 10_000
    assert "computed, not sampled" in said
    table = made["last"]
    assert (table.trajectories == 0).all()
    assert (table.numerical < 0.01 * table.error.abs()).all()
    means = made["study"].means()
    both = means[means.time == 1.0].pivot(index="h", columns="process", values="mean")
    error = table.set_index("h").error.sort_index()
    assert ((both.optimizer - both.sde - error).abs() < 0.01 * error.abs()).all()
