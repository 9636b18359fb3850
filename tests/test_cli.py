"""The command line, in-process: what it writes, prints and returns, and what it leaves when it fails."""

import csv
import errno
import json
import os
import sys
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from ngos_sim import cli
from ngos_sim.studies import result as results
from ngos_sim.studies import study_file
from ngos_sim.studies.study import ConvergenceStudy
from ngos_sim.verification import theorems
from ngos_sim.verification.case import CONSISTENT, NO_ORDER, Case
from tests.support.programs import PROBLEM

# RMSprop, one coordinate, Gaussian noise: one program for the whole file
STUDY = f"""{PROBLEM}
[study]
eta2 = [0.25, 0.125, 0.0625]
horizon = 0.5
test_functions = ["theta[0]", "u[0]^2"]
trajectories = 2048
"""
FILES = ["errors.png", "orders.csv", "study.json", "table.csv"]
TABLE = (
    "h eta_e eta2 eta ell kappa step steps_run time test_function sde optimizer_mean sde_mean error std_error rounding "
    "ci_low ci_high band_low band_high integrator_bias integrator_residual resolved estimator trajectories nonfinite "
    "spacing"
)
ORDERS = (
    "sde test_function norm eta2 order std_error ci_low ci_high constant constant_std_error predicted_constant limit "
    "limit_std_error sqrt_term sqrt_term_std_error predicted_sqrt_term chi2 dof p_value points resolved_points verdict"
)


@pytest.fixture
def call(monkeypatch, tmp_path, capsys):
    """Run a command line in an empty directory; return (exit status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["ngos-sim", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return (stopped.value.code, *capsys.readouterr())

    return command


@pytest.fixture
def study(tmp_path):
    """Write a study file, with edits (old, new), and return its path."""

    def write(*edits, name="study.toml"):
        text = STUDY
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def one_line(text):
    """Return whether a text is one line of the program's own."""
    return text.startswith("ngos-sim: ") and text.endswith("\n") and text.count("\n") == 1


def test_run_writes_four_files_and_nothing_else(call, study, tmp_path):
    status, out, err = call("run", study())
    assert (status, err) == (0, "")
    assert names(tmp_path) == ["study", "study.toml"]
    assert names(tmp_path / "study") == FILES
    assert "written to" in out
    assert "theta[0]" in out
    assert (tmp_path / "study" / "errors.png").read_bytes().startswith(b"\x89PNG")


def test_columns_and_rows(call, study, tmp_path):
    call("run", study(), "--out", "out")
    table, orders = (pd.read_csv(tmp_path / "out" / name) for name in ("table.csv", "orders.csv"))
    assert list(table.columns) == TABLE.split()
    assert list(orders.columns) == ORDERS.split()
    assert len(table) == 3 * 2 * 2  # points, common times (0.25, 0.5), test functions
    assert table.groupby("eta2").step.max().to_dict() == {0.25: 2, 0.125: 4, 0.0625: 8}
    assert (table.error - (table.optimizer_mean - table.sde_mean)).abs().max() < 1e-12
    assert set(table.trajectories) == {2048}
    assert set(table.nonfinite) == {0}
    assert list(zip(orders.test_function, orders.norm, strict=True)) == [
        (function, norm) for function in ("theta[0]", "u[0]^2") for norm in ("max", "final")
    ]


def test_numbers_are_those_of_the_result(call, study, tmp_path):
    path = study()
    call("run", path, "--out", "out", "--seed", 3)
    table = study_file.load(path).study.run(2048, seed=3).table
    with (tmp_path / "out" / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(table)
    for name in ("h", "time", "optimizer_mean", "sde_mean", "error", "std_error", "ci_low"):
        assert [float(row[name]) for row in rows] == table[name].tolist()


def test_study_json(call, study, tmp_path):
    call("run", study(("trajectories = 2048", "trajectories = 2048\nseed = 5")), "--out", "out", "--quiet")
    read = json.loads((tmp_path / "out" / "study.json").read_text(encoding="utf-8"))
    assert (read["seed"], read["trajectories"], read["horizon"]) == (5, 2048, 0.5)
    assert [point["eta2"] for point in read["points"]] == [0.25, 0.125, 0.0625]
    assert read["oracle"]["loss"] == {"kind": "quadratic", "hessian": [0.9]}
    assert read["optimizer"]["c2"] == 1.3
    assert read["test_functions"] == ["theta[0]", "u[0]^2"]
    assert {"numpy", "numba", "ngos-sim"} <= set(read["versions"])


def test_the_same_seed_gives_the_same_bytes_whatever_the_threads(call, study, tmp_path):
    path = study()
    for name, more in (("a", ()), ("b", ()), ("one", ("--threads", 1)), ("two", ("--threads", 2))):
        assert call("run", path, "--out", name, "--trajectories", 4096, *more)[0] == 0
    first = (tmp_path / "a" / "table.csv").read_bytes()
    for name in ("b", "one", "two"):
        assert (tmp_path / name / "table.csv").read_bytes() == first
    call("run", path, "--out", "other", "--trajectories", 4096, "--seed", 1)
    assert (tmp_path / "other" / "table.csv").read_bytes() != first


def test_options_go_before_the_file(call, study, tmp_path):
    path = study(("trajectories = 2048", "trajectories = 2048\nseed = 5"))
    call("run", path, "--out", "file")
    call("run", path, "--out", "same", "--seed", 5, "--trajectories", 2000)  # rounded up to chunks of 1024
    call("run", path, "--out", "fewer", "--trajectories", 1)
    assert (tmp_path / "same" / "table.csv").read_bytes() == (tmp_path / "file" / "table.csv").read_bytes()
    assert set(pd.read_csv(tmp_path / "fewer" / "table.csv").trajectories) == {1024}


def test_precision_is_an_option(call, study, tmp_path):
    path = study(("[0.25, 0.125, 0.0625]", "0.25"), ("horizon = 0.5", "horizon = 0.25"), (', "u[0]^2"', ""))
    assert call("run", path, "--device", "python", "--precision", "f64", "--trajectories", 1, "--quiet")[0] == 0
    assert json.loads((tmp_path / "study" / "study.json").read_text())["precision"] == "f64"


def test_run_writes_over_an_earlier_run(call, study, tmp_path):
    path = study()
    call("run", path, "--trajectories", 1024)
    before = (tmp_path / "study" / "table.csv").read_bytes()
    assert call("run", path)[0] == 0
    assert names(tmp_path / "study") == FILES
    assert (tmp_path / "study" / "table.csv").read_bytes() != before


def test_other_files_in_the_directory_stay(call, study, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    assert call("run", study(), "--out", "out")[0] == 0
    assert names(tmp_path / "out") == sorted([*FILES, "notes.txt"])


def test_quiet_prints_nothing(call, study, tmp_path):
    assert call("run", study(), "--quiet") == (0, "", "")
    assert names(tmp_path / "study") == FILES


def test_an_expected_order_that_is_found(call, study):
    # u's error is far above its noise at these steps, and of order 1 or more
    expect = ("trajectories = 2048", "trajectories = 65536\nexpect = { order = 0.5 }")
    finer = ("[0.25, 0.125, 0.0625]", "[0.125, 0.0625, 0.03125]")
    assert call("run", study(expect, finer, ('"theta[0]", ', "")), "--quiet") == (0, "", "")


def test_an_expected_order_that_is_not_found(call, study, tmp_path):
    status, _, err = call("run", study(("trajectories = 2048", "trajectories = 2048\nexpect = { order = 3 }")))
    assert status == 1
    assert "expected order 3, but u[0]^2 (rmsprop): " in err
    assert "Traceback" not in err
    assert names(tmp_path / "study") == FILES
    verdicts = pd.read_csv(tmp_path / "study" / "orders.csv").verdict
    assert not verdicts.str.startswith("consistent").any()


def test_an_unresolved_order_is_not_the_expected_one(call, study):
    two = ("[0.25, 0.125, 0.0625]", "[0.125, 0.0625]")
    status, _, err = call("run", study(two, ("trajectories = 2048", "trajectories = 2048\nexpect = { order = 1 }")))
    assert status == 1
    assert err.count("too few points for an order: 2, 3 are needed") == 2


def test_plot_draws_again(call, study, tmp_path):
    call("run", study(), "--out", "out")
    (tmp_path / "out" / "errors.png").unlink()
    table = (tmp_path / "out" / "table.csv").read_bytes()
    assert call("plot", "out") == (0, "out/errors.png\n", "")
    assert names(tmp_path / "out") == FILES
    assert (tmp_path / "out" / "errors.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out" / "table.csv").read_bytes() == table


def test_plot_of_the_same_table_is_the_same_figure(call, study, tmp_path):
    call("run", study(), "--out", "out")
    before = (tmp_path / "out" / "errors.png").read_bytes()
    call("plot", "out")
    assert (tmp_path / "out" / "errors.png").read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", TABLE.replace(" ", ",").encode() + b"\n", b"eta_e,time\n1\n2,3,4\n", "words"],
    ids=["empty", "other columns", "not utf-8", "no rows", "ragged", "words for numbers"],
)
def test_plot_of_what_is_no_table(call, study, tmp_path, content):
    if content == "words":
        call("run", study(), "--out", "good")
        content = (tmp_path / "good" / "table.csv").read_bytes().replace(b"0.25,0.25,0.5", b"x,y,z")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "table.csv").write_bytes(content)
    status, out, err = call("plot", "bad")
    assert (status, out) == (2, "")
    assert one_line(err)
    assert "bad/table.csv is not a table" in err
    assert names(tmp_path / "bad") == ["table.csv"]


def test_list_names_every_built_in(call):
    status, out, err = call("list")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["loss", "noise", "optimizer", "sde"]
    for label in ("quadratic", "linear", "gaussian", "two-point", "skewed", "student-t", "rmsprop", "adam"):
        assert any(line.startswith(f"  {label} ") for line in lines)
    assert "sigma0, eps0, c2, second_moment, bias_correction" in out


@pytest.mark.parametrize(("kind", "has", "lacks"), [("noise", "two-point", "adam"), ("sde", "adam", "two-point")])
def test_list_of_one_kind(call, kind, has, lacks):
    status, out, _ = call("list", kind)
    assert status == 0
    assert out.startswith(f"{kind}\n")
    assert f"  {has} " in out
    assert lacks not in out


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
    assert names(tmp_path / "out") == ["small"]
    assert names(tmp_path / "out" / "small") == FILES


def test_verify_goes_on_without_a_figure(call, tmp_path, monkeypatch):
    monkeypatch.setattr(theorems, "CASES", {"small": small(CONSISTENT)})
    fail(monkeypatch, "errors.png", RuntimeError("no\nLaTeX"))
    status, out, err = call("verify", "small", "--out", "out")
    assert (status, err) == (0, "")
    assert "   out/small/errors.png cannot be drawn: no LaTeX\n=> " in out
    assert names(tmp_path / "out" / "small") == ["orders.csv", "study.json", "table.csv"]


def test_verify_takes_all_cases_with_quick(call, monkeypatch):
    quick, slow = replace(small(CONSISTENT), quick=True), small(CONSISTENT)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})  # one process: others do not see these cases
    monkeypatch.setattr(theorems, "CASES", {"one": quick, "two": slow})
    for arguments, wanted in (["--quick"], "1 of 1 cases"), ([], "2 of 2 cases"):
        status, out, _ = call("verify", *arguments)
        assert status == 0
        assert wanted in out


@pytest.mark.filterwarnings("default")
def test_a_horizon_that_is_cut_is_said_on_one_line(call, study):
    status, out, err = call(
        "run", study(("eta2 = [0.25, 0.125, 0.0625]\nhorizon = 0.5", "eta2 = [0.3]\nhorizon = 1.0"))
    )
    assert (status, err) == (0, "ngos-sim: horizon=1 is cut to t=0.9: it is no multiple of the step 0.3 at eta2=0.3\n")
    assert "0.9" in out


def test_plan_foresees_and_writes_nothing(call, study, tmp_path):
    status, out, err = call("plan", study(), "--trajectories", "10000")
    assert (status, err) == (0, "")
    assert names(tmp_path) == ["study.toml"]
    lines = out.splitlines()
    assert lines[0].split()[:4] == ["sde", "test_function", "h", "estimator"]
    assert len(lines) == 1 + 3 * 2 + 2
    assert lines[-1].startswith("10240 trajectories would take about ")


def test_help_is_not_an_error(call):
    status, out, err = call("--help")
    assert (status, err) == (0, "")
    for command in ("verify", "run", "plan", "plot", "list"):
        assert command in out


BAD = {
    "no command": ([], ["ommand"]),
    "unknown command": (["simulate"], ["simulate"]),
    "unknown option": (["run", "study.toml", "--bogus"], ["--bogus"]),
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
    "word for trajectories": (["run", "study.toml", "--trajectories", "many"], ["--trajectories", "integer"]),
    "no trajectories": (["run", "study.toml", "--trajectories", "0"], ["trajectories=0", "positive integer"]),
    "no threads": (["run", "study.toml", "--threads", "0"], ["threads=0", "positive integer"]),
    "word for a seed": (["run", "study.toml", "--seed", "x"], ["--seed", "integer"]),
    "file for a directory": (["run", "study.toml", "--out", "study.toml"], ["study.toml is not a directory"]),
    "unknown kind": (["list", "losses"], ["'losses' is unknown; allowed: loss, noise, optimizer, sde"]),
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


def test_numerical_trouble_is_status_3_and_leaves_what_was_measured(call, study, tmp_path):
    status, out, err = call("run", study(("hessian = [0.9]", "hessian = [1e60]"), ("theta = [1.2]", "theta = [1e60]")))
    assert (status, out) == (3, "")
    assert one_line(err)
    assert "of 2048 trajectories these left the finite numbers: 2048 at eta2=0.25 (the first: 0)" in err
    assert err.endswith(f"; what was measured is in {tmp_path / 'study'}\n")
    table = pd.read_csv(tmp_path / "study" / "table.csv")
    assert set(table.nonfinite) == {2048}
    assert json.loads((tmp_path / "study" / "study.json").read_text())["stopped"] == "nonfinite"


def test_an_interrupted_run_is_status_130_and_leaves_nothing(call, study, tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(ConvergenceStudy, "run", interrupted)
    status, out, err = call("run", study())
    assert (status, out) == (130, "")
    assert "Traceback" not in err
    assert names(tmp_path) == ["study.toml"]


def broken(error):
    def fail(*arguments, **options):
        raise error

    return fail


def fail(monkeypatch, what, error):
    """Let what makes a file of a result raise."""
    owner, name = {
        "orders.csv": (results.Result, "order"),
        "study.json": (results.Result, "describe"),
        "errors.png": (results, "_png"),
    }[what]
    monkeypatch.setattr(owner, name, broken(error))


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("what", ["orders.csv", "study.json"])
def test_what_cannot_be_made_leaves_all_the_rest_of_this_run(call, study, tmp_path, monkeypatch, what, before):
    """Nothing of an earlier run beside it, no part of a file."""
    path = study()
    if before:
        call("run", path, "--out", "out")
    fail(monkeypatch, what, ValueError("not this time"))
    status, _, err = call("run", path, "--out", "out", "--seed", 1)
    assert (status, err) == (2, "ngos-sim: not this time\n")
    assert names(tmp_path / "out") == [name for name in FILES if name != what]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    call("run", path, "--out", "again", "--seed", 1)
    for name in names(tmp_path / "out"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_figure_that_cannot_be_drawn_is_one_line_and_status_0(call, study, tmp_path, monkeypatch):
    fail(monkeypatch, "errors.png", RuntimeError("no\nLaTeX"))
    status, out, err = call("run", study(), "--out", "study", "--quiet")
    assert (status, out, err) == (0, "", "ngos-sim: study/errors.png cannot be drawn: no LaTeX\n")
    assert names(tmp_path / "study") == ["orders.csv", "study.json", "table.csv"]


@pytest.mark.parametrize("what", ["orders.csv", "study.json", "errors.png"])
def test_an_interrupted_save_is_status_130_and_leaves_whole_files(call, study, tmp_path, monkeypatch, what):
    fail(monkeypatch, what, KeyboardInterrupt())
    status, _, err = call("run", study(), "--out", "out")
    assert (status, err) == (130, "")
    assert "table.csv" in names(tmp_path / "out")
    assert set(names(tmp_path / "out")) <= set(FILES) - {what}


def test_a_full_disk_is_one_line_and_leaves_no_part_of_a_file(call, study, tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(results.folder, "os", SimpleNamespace(replace=broken(full), getpid=os.getpid))
    status, _, err = call("run", study(), "--out", "out")
    assert (status, err) == (2, "ngos-sim: No space left on device\n")
    assert names(tmp_path / "out") == []


def test_a_plot_that_fails_leaves_the_earlier_figure(call, study, tmp_path, monkeypatch):
    call("run", study(), "--out", "out")
    before = (tmp_path / "out" / "errors.png").read_bytes()
    monkeypatch.setattr(results, "_png", broken(KeyError("column")))
    status, out, err = call("plot", "out")
    assert (status, out) == (2, "")
    assert one_line(err)
    assert names(tmp_path / "out") == FILES
    assert (tmp_path / "out" / "errors.png").read_bytes() == before
