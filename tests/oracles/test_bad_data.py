"""Data that are not what `finite_data` takes: one line each, with what is wrong, where, and what is allowed."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import ngos_sim as ns

X, Y = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0], [0.5, 0.1]]), [0, 1, 1, 0]
FRAME = pd.DataFrame(X, columns=["a", "b"])
HOLED = X.copy()
HOLED[2, 1] = np.nan
WORDS = FRAME.assign(b=["red", "blue", "red", "red"])

BAD = {
    "nan": ((HOLED, Y), {}, "features of row 2, column '1': nan; finite numbers are allowed"),
    "nans": ((HOLED * [[np.inf, 1]], Y), {}, r"features of row 0, column '0': inf \(and 4 more\); finite"),
    "nan in a column": ((FRAME.assign(b=HOLED[:, 1]), Y), {}, "features of row 2, column 'b': nan"),
    "missing": ((FRAME.astype("Float64").mask(FRAME > 6), Y), {}, "features of row 2, column 'b': nan"),
    "masked": ((np.ma.masked_greater(X, 6.0), Y), {}, "features have masked values"),
    "one dimension": ((X[:, 0], Y), {}, r"features have the shape \(4,\); \(samples, features\) .*reshape\(-1, 1\)"),
    "three": ((X[None], Y), {}, r"features have the shape \(1, 4, 2\)"),
    "ragged": (([[1.0], [1.0, 2.0]], [0, 1]), {}, "features have rows of different lengths"),
    "complex": ((X * 1j, Y), {}, "features: .* of dtype complex128 is no real number; numbers are allowed"),
    "objects": ((X.astype(object), Y), {}, "features: 1.0 of dtype object is no real number"),
    "strings": ((X.astype(str), Y), {}, "features: .* of dtype <U32 is no real number"),
    "a column of strings": ((WORDS, Y), {}, r"features\['b'\]: 'red' of dtype \w+ is no real number"),
    "sparse": ((sparse.csr_array(X), Y), {}, "features: .* of dtype object is no real number"),
    "named twice": ((WORDS.set_axis(["a", "a"], axis=1), Y), {}, r"features\['a'\]: 'red' of dtype"),
    "complex labels": ((X, np.array(Y) * 1j), {}, "targets hold 0j; numbers or strings are allowed as labels"),
    "dates": ((X, pd.to_datetime(["2020", "2021"] * 2)), {}, "targets hold .*; numbers or strings are allowed"),
    "tiny": ((X * 1e-200, Y), {}, "features of column '0': the largest is 5e-200 in size; 1e-100 to 1e.100 is allowed"),
    "huge": ((X, np.array(Y) * 1e200, "least_squares"), {}, "targets: the largest is 1e.200 in size"),
    "None": ((None, Y), {}, "features: None of dtype object is no real number"),
    "one sample": ((X[:1], Y[:1]), {}, r"features of shape \(1, 2\): 1 samples; 2 to 10000 are allowed"),
    "no features": ((X[:, :0], Y), {}, "0 features; 1 to 100 are allowed"),
    "many features": ((np.zeros((4, 101)), Y), {}, "101 features; 1 to 100 are allowed"),
    "many samples": ((np.zeros((10_001, 1)), Y), {}, "10001 samples; 2 to 10000 are allowed"),
    "lengths": ((X, Y[:3]), {}, "targets have 3 values and features 4 rows"),
    "a column": ((X, np.array(Y)[:, None]), {}, r"targets have the shape \(4, 1\); .* targets.ravel\(\)"),
    "indices": ((FRAME, pd.Series(Y, index=[3, 2, 1, 0])), {}, "features and targets have different indices"),
    "one class": ((X, [1, 1, 1, 1]), {}, "targets hold one class, 1; model='logistic' needs two"),
    "four classes": ((X, [1, 2, 3, 4]), {}, r"targets hold 4 classes, 1, 2, 3, \.\.; .* model='least_squares' takes"),
    "three words": (
        (X, ["a", "b", "c", "a"]),
        {},
        "targets hold 3 classes, 'a', 'b', 'c'; model='logistic' needs two$",
    ),
    "a missing label": ((X, ["a", None, "b", "a"]), {}, "targets of row 1: None; a label is needed"),
    "a nan label": ((X, [0.0, 1.0, np.nan, 1.0]), {}, "targets of row 2: nan; a label is needed"),
    "mixed labels": ((X, np.array(["a", 1, "a", 1], dtype=object)), {}, "targets hold labels of different types"),
    "words as numbers": ((X, ["a", "b", "a", "b"], "least_squares"), {}, "targets: 'a' of dtype <U1 is no real number"),
    "inf": ((X, [0.0, np.inf, 0.0, 1.0], "least_squares"), {}, "targets of row 1: inf; finite numbers are allowed"),
    "model": ((X, Y, "probit"), {}, "model='probit'; allowed: logistic, least_squares"),
    "l2": ((X, Y), dict(l2=-0.1), "l2=-0.1 must be a number of at least 0"),
    "l2 nan": ((X, Y), dict(l2=np.nan), "l2=nan must be a number of at least 0"),
    "no targets": ((X,), {}, r"targets are missing; ns.finite_data\(features, targets\) is allowed$"),
    "a pair": (((X, Y),), {}, r"targets are missing; .*: of a pair give each, ns.finite_data\(\*pair\)"),
    "twice": ((dict(data=X, target=Y), Y), {}, "features hold data and target already; give no targets"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_in_one_line(name):
    args, keywords, said = BAD[name]
    with pytest.raises((ValueError, TypeError), match=f"^.*{said}") as caught:
        ns.finite_data(*args, **keywords)
    assert "\n" not in str(caught.value)


LABELS = {
    "numbers": [0, 1, 1, 0],
    "floats": [0.5, 2.0, 2.0, 0.5],
    "bools": [False, True, True, False],
    "strings": ["benign", "malignant", "malignant", "benign"],
    "signs": [-1, 1, 1, -1],
    "categories": pd.Series(["no", "yes", "yes", "no"], dtype="category"),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_of_any_two_values(name):
    risk = ns.finite_data(X, LABELS[name]).loss
    assert risk.targets.tolist() == [-1.0, 1.0, 1.0, -1.0]
    assert risk.classes == tuple(sorted(set(LABELS[name])))


def test_what_holds_numbers_is_taken():
    wanted = ns.finite_data(X, Y).loss
    for features in (X.tolist(), FRAME, np.asfortranarray(X), FRAME.astype("Float64"), X.astype(np.longdouble)):
        found = ns.finite_data(features, pd.Series(Y)).loss
        assert found.sha256 == wanted.sha256
    whole = ns.finite_data(np.array([[True], [False], [True], [False]]), np.array(Y, dtype=np.int8), "least_squares")
    assert whole.loss.features.ravel().tolist() == [1.0, 0.0, 1.0, 0.0]


def test_arrays_are_copies():
    x = X.copy()
    oracle = ns.finite_data(x, Y)
    x[0, 0] = 99.0
    assert oracle.loss.features[0, 0] == 1.0
