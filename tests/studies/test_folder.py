"""Files of a result: names whatever they look like, numbers to the last bit, whole files."""

import math
import shutil

import numpy as np
import pandas as pd
import pytest

import ngos_sim as ns
from ngos_sim.reporting import figures
from ngos_sim.studies import folder
from ngos_sim.studies.figure import replot

NAMES = [
    "NA", "null", "1", "nan", "", "None", "1e3", "-inf", "True", "007", " a ", "a,b", '"quoted"', "it's",
    "\u03b8\u00b2", "a\nb", "a\r\nb", "\t", "#1", "cos $\\th$",
]  # fmt: skip


def square(x):
    return x[0] * x[0]


@pytest.fixture(scope="module")
def result():
    """Return a result whose SDE and test functions have all of these names."""
    sde = ns.SDE("NA", lambda x, o, c, p: (0.0, 0.0), lambda x, o, c, p: (0.0, 0.0), ("theta", "u"))
    return ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9)),
        ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=sde,
        initial=dict(theta=1.2, u=1.0),
        eta2=[2.0**-k for k in range(2, 6)],
        times=[1.0],
        test_functions=[ns.TestFunction(name, square) for name in NAMES],
    ).run(1024, threads=1)


@pytest.fixture(scope="module")
def saved(result, tmp_path_factory):
    """Return the folder of the result."""
    where = tmp_path_factory.mktemp("saved")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "svg", lambda draw, letters: b"<svg></svg>")  # of report.html
        result.save(where)
    return where


def test_a_table_comes_back_as_it_was(result, tmp_path):
    (tmp_path / "table.csv").write_bytes(folder.csv(result.table))
    read = folder.read_table(tmp_path / "table.csv")
    assert read.test_function.tolist() == result.table.test_function.tolist()
    assert read.sde.tolist() == result.table.sde.tolist()
    for name in result.table.columns.drop(["test_function", "sde", "estimator"]):
        np.testing.assert_array_equal(read[name], result.table[name])


def test_a_figure_is_drawn_again_whatever_the_names(saved):
    before = (saved / "errors.png").read_bytes()
    (saved / "errors.png").unlink()
    assert replot(saved).read_bytes() == before
    assert len(pd.read_csv(saved / "orders.csv", keep_default_na=False)) == 2 * len(NAMES)


def test_numbers_keep_every_bit_and_what_is_missing(tmp_path):
    values = [0.1 + 0.2, 1e-308, -0.0, math.inf, math.nan, 1 / 3, 2.0**-1074]
    (tmp_path / "t.csv").write_bytes(folder.csv(pd.DataFrame({"sde": "nan", "error": values})))
    read = folder.read_table(tmp_path / "t.csv")
    assert read.error.to_numpy().tobytes() == np.array(values).tobytes()
    assert set(read.sde) == {"nan"}


def test_a_file_is_whole_or_not_there(tmp_path):
    folder.put(tmp_path, "a", b"old")
    with pytest.raises(TypeError):
        folder.put(tmp_path, "a", "no bytes")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_table_of_an_older_version_is_drawn_as_before(result, saved, tmp_path):
    """Before, h was called eta_e."""
    shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
    drawn = (tmp_path / "errors.png").read_bytes()
    (tmp_path / "table.csv").write_bytes(folder.csv(result.table.drop(columns="h")))
    assert replot(tmp_path).read_bytes() == drawn
    assert folder.read_table(tmp_path / "table.csv").columns[0] == "h"
