"""Data in a study file: a CSV file beside it, or a set of scikit-learn; each mistake is one line with its key."""

import sys

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.studies import data_file, description

CSV = "a,b,kind\n1.0,-0.3,no\n0.1,1.2,yes\n-0.8,0.5,yes\n2.5,40,no\n"


@pytest.fixture
def made(tmp_path):
    """Return the oracle of a table beside a CSV file."""

    def call(text=CSV, /, **content):
        (tmp_path / "data.csv").write_text(text, encoding="utf-8")
        return data_file.oracle(content, tmp_path)

    return call


GIVEN = dict(file="data.csv", target="kind")


def test_a_csv_file(made):
    oracle = made(**GIVEN, l2=0.1, replacement=False)
    risk = oracle.loss
    assert not oracle.noise.replacement
    assert (risk.name, risk.l2, risk.columns, risk.classes) == ("logistic", 0.1, ("a", "b"), ("no", "yes"))
    assert risk.features.tolist() == [[1.0, -0.3], [0.1, 1.2], [-0.8, 0.5], [2.5, 40.0]]
    assert risk.targets.tolist() == [-1.0, 1.0, 1.0, -1.0]


def test_what_a_run_writes_of_its_data_is_read_again(made, tmp_path):
    table = made(**GIVEN, l2=0.1, standardise=True).table
    assert table["file"] == str(tmp_path / "data.csv")
    again = data_file.oracle(table, tmp_path / "elsewhere")
    assert (again, again.table) == (made(**GIVEN, l2=0.1, standardise=True), table)
    with pytest.raises(
        ValueError, match=r"^oracle.data.sha256='[0-9a-f]+': the data have changed, theirs is '[0-9a-f]+'$"
    ):
        made(CSV.replace("2.5", "2.6"), **table)


def test_data_that_were_arrays_are_not_in_study_json(made):
    table = description.data(ns.finite_data([[1.0], [2.0], [-1.0]], [0, 1, 1]))
    with pytest.raises(
        ValueError, match=r"^oracle.data: the data were arrays, which study.json describes and does not"
    ):
        made(**table)


def test_named_features_in_their_order(made):
    risk = made(file="data.csv", target="a", features=["b"], model="least_squares").loss
    assert risk.columns == ("b",)
    assert risk.targets.tolist() == [1.0, 0.1, -0.8, 2.5]


def test_numbers_are_read_to_the_last_bit(made):
    value = 0.1 + 0.2
    assert made(CSV.replace("2.5", repr(value)), **GIVEN).loss.features[3, 0] == value


def test_a_byte_order_mark_and_spaces(made):
    assert made("\ufeff" + CSV.replace(",", ", "), **GIVEN).loss.columns == ("a", "b")


def test_standardised_features(made):
    x, raw = made(**GIVEN, standardise=True).loss.features, made(**GIVEN).loss.features
    np.testing.assert_allclose(x, (raw - raw.mean(axis=0)) / raw.std(axis=0))


BAD = {
    "no file": (dict(file="none.csv", target="y"), "oracle.data.file='none.csv': No such file or directory"),
    "neither": (dict(target="y"), "oracle.data: file, a CSV file, or sklearn is allowed: exactly one of them"),
    "both": (GIVEN | dict(sklearn="diabetes"), "oracle.data: file, a CSV file, or sklearn is allowed: exactly one"),
    "no target": (dict(file="data.csv"), "oracle.data.target is missing"),
    "unknown": (
        GIVEN | dict(sep=";"),
        "oracle.data.sep is unknown; allowed: file, target, features, model, l2, replacement, standardise",
    ),
    "target": (
        dict(file="data.csv", target="y"),
        "oracle.data.target: 'y' is no column of data.csv; it has: a, b, kind",
    ),
    "no name": (dict(file=3, target="y"), "oracle.data.file=3 must be a string"),
    "features": (
        GIVEN | dict(features=["c"]),
        "oracle.data.features: 'c' is no column of data.csv; it has: a, b, kind",
    ),
    "no list": (GIVEN | dict(features="a"), "oracle.data.features='a' must be a list of strings"),
    "the target": (GIVEN | dict(features=["a", "kind"]), "oracle.data.features: 'kind' is the target"),
    "twice": (GIVEN | dict(features=["a", "a"]), "oracle.data.features: 'a' is there twice"),
    "replacement": (GIVEN | dict(replacement="no"), "oracle.data.replacement='no'; allowed: True, False"),
    "l2": (GIVEN | dict(l2=-1), "oracle.data.l2=-1 must be a number of at least 0"),
    "model": (GIVEN | dict(model="probit"), "oracle.data.model='probit'; allowed: logistic, least_squares"),
    "words": (
        dict(file="data.csv", target="a", model="least_squares"),
        r"oracle.data: features\['kind'\]: 'no' of dtype \w+ is no real number",
    ),
    "classes": (
        dict(file="data.csv", target="a", features=["b"]),
        "oracle.data: targets hold 4 classes, -0.8, 0.1, 1.0, ..; model='logistic' needs two; model='least_squares'",
    ),
    "standardise": (GIVEN | dict(standardise="yes"), "oracle.data.standardise='yes'; allowed: true, false"),
    "set": (dict(sklearn="iris"), "oracle.data.sklearn='iris'; allowed: breast_cancer, diabetes"),
    "set's target": (dict(sklearn="diabetes", target="y"), "oracle.data.target is unknown; allowed: sklearn, model"),
}


@pytest.mark.parametrize("name", BAD)
def test_mistakes_in_one_line(made, name):
    content, said = BAD[name]
    with pytest.raises(ValueError, match=f"^{said}") as caught:
        made(**content)
    assert "\n" not in str(caught.value)


FILES = {
    "empty": ("", "oracle.data.file='data.csv' is not CSV: No columns to parse from file"),
    "ragged": ("a,kind\n1,2\n1,2,3,4\n", "oracle.data.file='data.csv' is not CSV: .*Expected 2 fields in line 3"),
    "wide": ("a,kind\n1,2,3\n4,5,6\n", "oracle.data.file='data.csv' is not CSV: rows have more fields than the header"),
    "a hole": (CSV.replace("1.2", ""), "oracle.data: features of row 1, column 'b': nan; finite numbers are allowed"),
    "no label": (CSV.replace("1.2,yes", "1.2,"), "oracle.data: targets of row 1: nan; a label is needed"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_data(made, name):
    text, said = FILES[name]
    with pytest.raises(ValueError, match=f"^{said}"):
        made(text, **GIVEN)


def test_a_constant_column_is_not_standardised(made):
    with pytest.raises(ValueError, match="^oracle.data.standardise: column 'b' is constant$"):
        made("a,b,kind\n1,3,no\n2,3,yes\n", **GIVEN, standardise=True)


def test_not_utf8(tmp_path):
    (tmp_path / "data.csv").write_bytes(CSV.replace("yes", "j\xe4").encode("latin-1"))
    with pytest.raises(ValueError, match="^oracle.data.file='data.csv' is not CSV: 'utf-8' codec can't decode"):
        data_file.oracle(GIVEN, tmp_path)


def test_a_directory(tmp_path):
    with pytest.raises(ValueError, match="^oracle.data.file='.': Is a directory$"):
        data_file.oracle(GIVEN | dict(file="."), tmp_path)


def test_sets_that_scikit_learn_carries(made):
    pytest.importorskip("sklearn")
    cancer = made(sklearn="breast_cancer", standardise=True, l2=0.01).loss
    assert (cancer.samples, cancer.dimension, cancer.name, cancer.classes) == (569, 30, "logistic", (0, 1))
    assert made(sklearn="diabetes").loss.name == "least_squares"
    with pytest.raises(ValueError, match="^oracle.data: targets hold 214 classes"):
        made(sklearn="diabetes", model="logistic")


def test_without_scikit_learn(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ValueError, match=r"sklearn='diabetes' needs scikit-learn: pip install 'ngos-sim\[data\]'$"):
        made(sklearn="diabetes")
    assert isinstance(made(**GIVEN), ns.NGOS)
