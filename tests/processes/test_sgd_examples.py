"""The examples of the SGD family, run as they are: their tables against exact recursions."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def printed(tmp_path, monkeypatch, capsys):
    """Return a function that runs an example in an empty folder: what it prints; its figure is there."""

    def run(name):
        monkeypatch.chdir(tmp_path)
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
        return capsys.readouterr().out

    return run


def test_modified_equations(printed):
    out = printed("sgd_modified_equations")
    rows = re.findall(r"^0\.\d+ +([\d.]+) +([\d.]+) +([\d.]+)$", out, re.MULTILINE)
    assert rows[0] == ("8.22756", "4.28252", "1.20798")
    assert len(rows) == 7
    orders = dict(re.findall(r"^(\S.*\S)  +([\d.]+)$", out.partition("finest")[2], re.MULTILINE))
    assert {name: round(float(order), 1) for name, order in orders.items()} == {
        "flipped-sgd": 1.0,
        "sgd order 1": 1.0,
        "sgd order 2": 2.0,
    }


def distance(alpha, eta):
    """Return E theta and E theta^2 of SGD with momentum less those of SGD: f' = theta, noise 1, theta0 = m0 = 1."""
    beta, a = 1.0 - 0.5 * eta**alpha, 1.0 - eta
    matrix = np.array([[1.0 - eta * (1.0 - beta), -eta * beta], [1.0 - beta, beta]])
    kick = np.array([-eta * (1.0 - beta), 1.0 - beta])
    mean, spread, own, variance = np.ones(2), np.zeros((2, 2)), 1.0, 0.0
    for _ in range(round(1.0 / eta)):
        mean, spread = matrix @ mean, matrix @ spread @ matrix.T + np.outer(kick, kick)
        own, variance = a * own, a * a * variance + eta**2
    return np.array([mean[0] - own, mean[0] ** 2 + spread[0, 0] - own**2 - variance])


def test_momentum_against_none(printed):
    found = re.findall(r"^ +([\d.]+) +([\d.]+) +([\d.]+), ([\d.]+)$", printed("sgdm_against_sgd"), re.MULTILINE)
    assert [(float(alpha), float(power)) for alpha, power, *_ in found] == [
        (0, 1),
        (0.25, 0.75),
        (0.5, 0.5),
        (0.75, 0.25),
    ]
    for alpha, _, *slopes in found:
        exact = np.log2(distance(float(alpha), 2.0**-10) / distance(float(alpha), 2.0**-11))
        np.testing.assert_allclose(np.array(slopes, dtype=float), exact, atol=0.02)
