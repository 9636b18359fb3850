"""`ngos-sim run`, `plan`, `plot` and `list`: what they write, print and return."""

import csv
import json
import os

import pandas as pd
import pytest

from ngos_sim.studies import kinds, study_file
from tests.support.command_line import FILES, ORDERS, TABLE, names, one_line
from tests.support.sdes import squared_gradient_sde


def other_sde():
    """An SDE of RMSprop's slots."""
    return squared_gradient_sde(None)


def test_run_writes_four_files_and_nothing_else(drawn, call, study, tmp_path):
    status, out, err = call("run", study())
    assert (status, err) == (0, "")
    assert names(tmp_path) == ["study", "study.toml"]
    assert names(tmp_path / "study") == FILES
    assert out.endswith(f"written to {tmp_path}/study; to look at: {tmp_path}/study/report.html\n")
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


def test_several_sdes_are_ranked(call, study, tmp_path, monkeypatch):
    """ranking.csv beside the others, and each pair on the terminal; a folder's is gone when one SDE is run there."""
    monkeypatch.setitem(kinds.KINDS["sde"], "other", kinds.Kind(other_sde))
    first = '[[sde]]\nkind = "rmsprop"\n'
    path, alone = study((first, f'{first}\n[[sde]]\nkind = "other"\n'), name="two.toml"), study()
    status, out, _ = call("run", path, "--out", "out")
    assert status == 0
    assert names(tmp_path / "out") == sorted([*FILES, "ranking.csv"])
    assert "rmsprop (a) or squared gradient (b)?\nfor theta[0]: " in out
    ranked = pd.read_csv(tmp_path / "out" / "ranking.csv")
    assert len(ranked) == 3 * 2
    assert (ranked.time == 0.5).all()
    assert call("run", alone, "--out", "out", "--fresh")[0] == 0
    assert names(tmp_path / "out") == FILES


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
    assert [read["study"][name] for name in ("seed", "trajectories", "horizon")] == [5, 2048, 0.5]
    assert read["study"]["eta2"] == [0.25, 0.125, 0.0625]
    assert [point["eta2"] for point in read["record"]["resolved"]["points"]] == [0.25, 0.125, 0.0625]
    assert read["oracle"]["loss"] == {"kind": "quadratic", "hessian": [0.9]}
    assert read["optimizer"] == {"kind": "rmsprop", "sigma0": 0.8, "eps0": 0.0, "c2": 1.3}
    assert read["study"]["test_functions"] == ["theta[0]", "u[0]^2"]
    assert {"numpy", "numba", "ngos-sim"} <= set(read["record"]["versions"])
    assert read["record"]["bounds"]["trajectories"] == 2048


def test_the_same_seed_gives_the_same_bytes_whatever_the_threads(call, study, tmp_path):
    path = study()
    for name, more in (("a", ()), ("one", ("--threads", 1)), ("two", ("--threads", 2))):
        assert call("run", path, "--out", name, "--trajectories", 4096, *more)[0] == 0
    first = (tmp_path / "a" / "table.csv").read_bytes()
    for name in ("one", "two"):
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
    assert json.loads((tmp_path / "study" / "study.json").read_text())["study"]["precision"] == "f64"


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
    # u's error is far above its noise at these steps
    expect = ("trajectories = 2048", "trajectories = 16384\nexpect = { order = 1 }")
    finer = ("[0.25, 0.125, 0.0625]", "[0.03125, 0.015625, 0.0078125, 0.00390625]")
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


def test_plot_draws_the_same_figure_again(drawn, call, study, tmp_path):
    call("run", study(), "--out", "out")
    before, table = ((tmp_path / "out" / name).read_bytes() for name in ("errors.png", "table.csv"))
    assert before.startswith(b"\x89PNG")
    (tmp_path / "out" / "errors.png").unlink()
    assert call("plot", "out") == (0, "out/errors.png\n", "")
    assert names(tmp_path / "out") == FILES
    assert (tmp_path / "out" / "errors.png").read_bytes() == before
    assert (tmp_path / "out" / "table.csv").read_bytes() == table


@pytest.mark.parametrize(
    "content",
    [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", TABLE.replace(" ", ",").encode() + b"\n", b"eta_e,time\n1\n2,3,4\n", "words"],
    ids=["empty", "other columns", "not utf-8", "no rows", "ragged", "words for numbers"],
)
def test_plot_of_what_is_no_table(drawn, call, study, tmp_path, content):
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


def test_what_lies_outside_the_theory_is_said_once(call, study, tmp_path):
    status, out, err = call("run", study(('"gaussian"', '"student-t", nu = 12.0'), ('"u[0]^2"', '"u[0]"')))
    assert (status, err) == (0, "")
    reason = "noise 'student-t' has finite moments up to 11 only (Definition 2.7 asks for all)"
    assert [line for line in out.splitlines() if line.startswith("outside")] == [f"outside the theory: {reason}"]
    assert json.loads((tmp_path / "study" / "study.json").read_text())["record"]["outside_theory"] == [reason]


def test_list_names_every_built_in(call):
    status, out, err = call("list")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["loss", "covariance", "noise", "optimizer", "sde"]
    for label in (
        "quadratic",
        "linear",
        "log-cosh",
        "sine-quadratic",
        "double-well",
        "sine",
        "lorentz",
        "gaussian",
        "two-point",
        "skewed",
        "student-t",
        "rmsprop",
        "adam",
    ):
        assert any(line.startswith(f"  {label} ") for line in lines)
    assert "sigma0, eps0, c2, w0, second_moment, bias_correction" in out


@pytest.mark.parametrize(("kind", "has", "lacks"), [("noise", "two-point", "adam"), ("sde", "adam", "two-point")])
def test_list_of_one_kind(call, kind, has, lacks):
    status, out, _ = call("list", kind)
    assert status == 0
    assert out.startswith(f"{kind}\n")
    assert f"  {has} " in out
    assert lacks not in out


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
    assert lines[0].startswith("10240 trajectories at each step size would take about ")
    assert "norm = max" in lines[1]
    assert lines[3].split()[:5] == ["sde", "test_function", "h", "time", "estimator"]
    assert len(lines) == 4 + 3 * 2 + 2
    assert "coupled" not in out
    status, compared, _ = call("plan", study(), "--trajectories", "10000", "--compare")
    assert status == 0
    assert "coupled" in compared


def test_help_is_not_an_error(call):
    status, out, err = call("--help")
    assert (status, err) == (0, "")
    for command in ("verify", "run", "plan", "plot", "list"):
        assert command in out


def test_report_again_of_a_folder(call, study, tmp_path):
    call("run", study(), "--quiet")
    (tmp_path / "study" / "report.html").unlink()
    status, out, err = call("report", "study")
    assert (status, out, err) == (0, "study/report.html\n", "")
    assert "Orders" in (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    status, _, err = call("report", "nowhere")
    assert status == 2
    assert one_line(err)
    assert "nowhere/chunks.sqlite: not there" in err


@pytest.mark.parametrize(("said", "runs_on"), [(None, "1"), ("3", "3")])
def test_blas_runs_on_one_thread_unless_told(call, monkeypatch, said, runs_on):
    """NumPy is imported later, with that: tests/test_packaging.py holds that `cli` does not import it."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", said or "")
    if said is None:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    assert call("--version")[0] == 0
    assert os.environ["OPENBLAS_NUM_THREADS"] == runs_on
