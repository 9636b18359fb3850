"""Bad input to the command line: one line, status 2, no file."""

import pytest

from ngos_sim.studies.study import ConvergenceStudy
from tests.support.command_line import names, one_line

BAD = {
    "no command": ([], ["ommand"]),
    "unknown command": (["simulate"], ["'simulate'; allowed: verify, run, plan, plot, report, list\n"]),
    "unknown option": (
        ["plan", "study.toml", "--seed", "3"],
        ["--seed; allowed: --trajectories, --compare"],
    ),
    "no file given": (["run"], ["study"]),
    "one argument too many": (["run", "study.toml", "other.toml"], ["other.toml"]),
    "missing file": (["run", "none.toml"], ["none.toml", "No such file"]),
    "directory for a file": (["run", "."], ["directory"]),
    "unknown device": (["run", "study.toml", "--device", "abacus"], ["--device", "abacus", "cpu", "python"]),
    "unknown precision": (["run", "study.toml", "--precision", "f16"], ["--precision", "f16", "mix", "f64"]),
    "precision of another device": (
        ["run", "study.toml", "--device", "python", "--precision", "mix"],
        ["precision='mix'", "f64"],
    ),
    "word for trajectories": (
        ["run", "study.toml", "--trajectories", "many"],
        ["--trajectories", "integer", "got 'many'\n"],
    ),
    "no trajectories": (["run", "study.toml", "--trajectories", "0"], ["trajectories=0", "positive integer"]),
    "no threads": (["run", "study.toml", "--threads", "0"], ["threads=0", "positive integer"]),
    "word for a seed": (["run", "study.toml", "--seed", "x"], ["--seed", "integer", "got 'x'\n"]),
    "a plug-in that is not there": (["run", "study.toml", "--plugins", "mine.py"], ["mine.py: not a Python file"]),
    "file for a directory": (["run", "study.toml", "--out", "study.toml"], ["study.toml is not a directory"]),
    "unknown kind": (["list", "losses"], ["'losses' is unknown; allowed: loss, covariance, noise, optimizer, sde"]),
    "unknown case": (["verify", "9.9"], ["'9.9' is unknown; allowed: 4.2, 4.2-linear, "]),
    "one unknown case of two": (["verify", "4.2", "9.9"], ["'9.9' is unknown"]),
    "plot of nothing": (["plot", "none"], ["none", "is not there"]),
    "plot without a directory": (["plot"], ["directory"]),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_status_2(call, study, tmp_path, arguments, words):
    study()
    status, out, err = call(*arguments)
    assert (status, out) == (2, "")
    assert one_line(err)
    for word in words:
        assert word in err
    assert names(tmp_path) == ["study.toml"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (("[oracle]", "[oracle"), ["study.toml: not TOML"]),
        (("[oracle]", ""), ["study.toml: ", "is unknown; allowed"]),
        (("horizon = 0.5", ""), ["study.toml: study.horizon is missing"]),
        (("c2 = 1.3", "c2 = 130.0"), ["study.toml: ", "eta2=0.25", "it must be below"]),
        (("covariance = 1.0", "covariance = [[1.0, 0.5]]"), ["study.toml: ", "covariance", "1x2", "square"]),
        (("sigma0 = 0.8", "sigma0 = 1" + "0" * 400), ["study.toml: ", "sigma0"]),
    ],
    ids=["syntax", "table", "key", "value", "shape", "huge"],
)
def test_a_bad_study_file_is_one_line_and_status_2(call, study, tmp_path, edit, words):
    status, out, err = call("run", study(edit))
    assert (status, out) == (2, "")
    assert one_line(err)
    for word in words:
        assert word in err
    assert names(tmp_path) == ["study.toml"]


def test_a_byte_order_mark_is_no_error(call, study):
    path = study()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert call("run", path, "--trajectories", 1, "--quiet") == (0, "", "")


@pytest.mark.parametrize("number", ["2**-4", "1/16", "2^-4", "2 ** -4"])
def test_a_study_file_that_computes_is_told_so(call, study, number):
    status, _, err = call("run", study(("[0.25, 0.125, 0.0625]", f"[0.25, {number}]")))
    assert status == 2
    assert one_line(err)
    assert "study.toml: not TOML: " in err
    assert f"TOML does not compute {number}: write the number, as 0.0625 for 2**-4" in err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe[\x00", "not TOML: 'utf-8' codec can't decode byte 0xff in position 0"),
        (b"a=" + b"[" * 50_000, "brackets are nested too deeply"),
    ],
    ids=["utf-16", "nested"],
)
def test_a_study_file_of_other_bytes(call, study, content, words):
    study().write_bytes(content)
    status, _, err = call("run", "study.toml")
    assert status == 2
    assert one_line(err)
    assert words in err


def never(*arguments, **options):
    raise AssertionError("the study ran")


@pytest.mark.parametrize("out", ["study.toml", "study.toml/out", "/proc/ngos-sim", "x" * 300])
def test_a_directory_that_cannot_be_made_is_found_before_the_run(call, study, tmp_path, monkeypatch, out):
    monkeypatch.setattr(ConvergenceStudy, "run", never)
    path = study()
    status, _, err = call("run", path, "--out", out)
    assert status == 2
    assert one_line(err)
    assert names(tmp_path) == ["study.toml"]


OWN = """[[sde]]
kind = "own"
name = "mine"
slots = ["theta", "u"]
drift = { function = "mine:drift" }
diffusion = { function = "mine:diffusion" }
"""
DRIFTS = {
    "a list": (
        "def drift(x, o, c, p):\n    return [y for y in x][0], 0.0",
        "mine.py, line 2 (return [y for y in x][0], 0.0) cannot be compiled; a scalar function may use numbers, tuples",
    ),
    "match": (
        "def drift(x, o, c, p):\n    match x:\n        case (a, b):\n            return a, b\n    return 0.0, 0.0",
        "cannot be compiled; a scalar function may use numbers, tuples, math and other scalar functions",
    ),
    "None on a path": (
        "def drift(x, o, c, p):\n    return (0.0, 0.0) if x[0] > -9.0 else None",
        "cannot be compiled; a scalar function may use numbers, tuples, math and other scalar functions",
    ),
    "no return on a path": (
        "def drift(x, o, c, p):\n    if x[0] > -9.0:\n        return 0.0, 0.0",
        "drift (mine.py, line 1) ends without a value at line 2; every path must return one",
    ),
    "print": (
        "def drift(x, o, c, p):\n    return print() or x",
        "drift (mine.py, line 1) uses print=<built-in function print>",
    ),
    "a script": ("import sys\nsys.exit(1)", "--plugins mine.py: SystemExit: 1"),
}


@pytest.mark.parametrize(("source", "words"), DRIFTS.values(), ids=DRIFTS)
def test_a_plug_in_that_cannot_be_compiled_is_one_line_and_status_2(call, study, tmp_path, source, words):
    """Their errors are TypeErrors, which were tracebacks."""
    (tmp_path / "mine.py").write_text(f"{source}\n\n\ndef diffusion(x, o, c, p):\n    return 0.0, 0.0\n")
    file = study(
        ('[[sde]]\nkind = "rmsprop"\n', OWN), ("trajectories = 2048", 'trajectories = 2048\nestimator = "coupled"')
    )
    status, _, err = call("run", file, "--plugins", "mine.py")
    assert status == 2
    assert one_line(err)
    assert words in err


def test_any_seed_of_a_run_is_a_seed_of_its_file(call, study):
    assert call("run", study(("trajectories = 2048", "trajectories = 1")), "--seed", "-1", "--out", "first")[0] == 0
    assert call("plan", "first/study.json")[0] == 0
