"""The gallery: each example that no test of its subject runs, with few trajectories, and its page."""

import re
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
PAGE = (EXAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def printed(monkeypatch, tmp_path, capsys):
    """Return a function that runs an example in an empty folder and returns what it prints; its figure is there."""

    def run(name, trajectories=1024):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", [name, str(trajectories)])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
        return capsys.readouterr().out

    return run


def test_theorem_6_3(printed):
    gaussian, skewed, svag = printed("theorem_6_3").splitlines()
    assert "fails order 1: half order" in skewed
    assert all(0.97 < float(re.search(r"; order ([\d.]+)", line)[1]) < 1.03 for line in (gaussian, svag))


def test_theorems(printed):
    said = printed("theorems")
    assert len(re.findall(r"^Theorem ", said, re.MULTILINE)) == 4
    assert "fails" not in said


def test_adam_in_both_conventions(printed):
    said = printed("adam_order", 4096)
    assert said.count("consistent with order 1") >= 4
    assert "fails" not in said


def test_svag_for_sgd(printed):
    """E theta^2 does not see the skewness; of E theta^3 the error is larger by it, and both fall like 1 / ell."""
    said = printed("svag_sgd")
    assert said.count("consistent with order 1") == 4
    (gaussian, skewed) = re.findall(r"theta\[0\]\^3 .*? (-[\d.]+) \(", said)
    assert float(skewed) < 4.0 * float(gaussian) < 0.0


def test_a_coupled_quadratic(printed):
    said = printed("correlated_quadratic")
    orders = [float(each) for each in re.findall(r"sqnorm\(theta\) +([\d.]+) ", said)]
    assert len(orders) == 2
    assert all(0.9 < each < 1.1 for each in orders)


def test_the_page_shows_every_example():
    names = {file.name for file in EXAMPLES.glob("*.py")} - {"gallery.py"}
    assert {name for name in names if f"]({name})" not in PAGE} == set()
    pictures = re.findall(r"\]\((gallery/[\w.]+)\)", PAGE)
    assert not [picture for picture in pictures if (EXAMPLES / picture).stat().st_size >= 60_000]
    assert {Path(picture).name for picture in pictures} == {file.name for file in (EXAMPLES / "gallery").iterdir()}
