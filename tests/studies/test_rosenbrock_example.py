"""examples/rosenbrock.py, run as it is with few trajectories: its figure, its table, its label."""

import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "rosenbrock.py"


def test_rosenbrock(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["rosenbrock", "20000"])
    made = runpy.run_path(str(EXAMPLE))
    said = capsys.readouterr().out
    assert (tmp_path / "rosenbrock.png").stat().st_size > 10_000
    assert said.endswith("so that it is not Lipschitz (Definition 2.5)\n")
    (row,) = made["orders"].query("test_function == 'loss' and norm == 'final'").itertuples()
    assert abs(row.order - 1.0) < 4.0 * row.std_error < 1.0
    assert abs(row.constant - 0.0455) < 4.0 * row.constant_std_error  # 0.0455 (0.0004) of 400,000
