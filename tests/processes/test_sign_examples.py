"""The examples of the sign family, run as they are with few trajectories."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from ngos_sim.estimators import choose
from ngos_sim.estimators.coupled import Coupled

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def printed(monkeypatch, tmp_path, capsys):
    """Return a function that runs an example on so many trajectories and returns what it prints."""

    def run(name, trajectories):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", [name, str(trajectories)])
        runpy.run_path(str(EXAMPLES / f"{name}.py"))
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
        return capsys.readouterr().out

    return run


def test_stationary_variances(printed):
    found = re.findall(
        r"(\w+) +sigma=(\S+) +E theta\^2 = (\S+), stationary law of the SDE (\S+)", printed("signsgd_stationary", 1024)
    )
    assert len(found) == 12
    by_name = {}
    for name, _, measured, known in found:
        assert abs(float(measured) / float(known) - 1.0) < 4.0 * (2.0 / 1024.0) ** 0.5 + 0.03, name
        by_name.setdefault(name, []).append(float(known))
    ratios = {name: round(known[-1] / known[0]) for name, known in by_name.items()}  # sigma grows eightfold
    assert ratios == {"sgd": 64, "signsgd": 8, "adam": 8}


def test_lion_by_hand_is_the_built_in_one(printed, monkeypatch):
    """By trajectories, which tell two equations apart on one stream: their laws need not be carried forward."""
    monkeypatch.setattr(choose, "AUTO", (Coupled(),))
    by_hand, built_in = printed("lion", 2048).partition("by hand\n")[2].split("built in\n")
    assert len(by_hand.splitlines()) == 4
    for one, other in zip(by_hand.splitlines()[1:], built_in.splitlines()[1:], strict=True):
        assert one.split()[0] == other.split()[0]
        numbers = [[float(each) for each in line.split()[1:6]] for line in (one, other)]
        np.testing.assert_allclose(*numbers, rtol=1e-3)
