"""Whether features and targets are what `finite_data` takes: arrays of the right shapes, finite, labels of two classes.

Each function returns what it is given in the one form that the library works with, or raises ValueError or TypeError
with what is wrong, where, and what is allowed.
"""

import numpy as np
import pandas as pd
from pandas.api import types

from ngos_sim.validation import described

SAMPLES, FEATURES = (2, 10_000), (1, 100)  # the least and the most
_SMALLEST, _LARGEST = 1e-100, 1e100  # their squares, and products of these, are numbers
_SHOWN = 3  # of many labels


def pair(features, targets):
    """Return features and targets; those of what scikit-learn's load_* returns where targets are not given."""
    if isinstance(features, dict) and {"data", "target"} <= features.keys():  # scikit-learn's Bunch is a dict
        if targets is not None:
            raise TypeError("features hold data and target already; give no targets beside them")
        features, targets = features["data"], features["target"]
    if targets is None:
        hint = ": of a pair give each, ns.finite_data(*pair)" if isinstance(features, tuple) else ""
        raise TypeError(f"targets are missing; ns.finite_data(features, targets) is allowed{hint}")
    indices = [each.index for each in (features, targets) if isinstance(each, (pd.DataFrame, pd.Series))]
    if len(indices) == 2 and len(features) == len(targets) and not indices[0].equals(indices[1]):
        raise ValueError("features and targets have different indices; reset_index(drop=True) pairs rows by place")
    return features, targets


def matrix(features):
    """Return features as a read-only array of shape (n, d), and what messages call its columns."""
    named = isinstance(features, pd.DataFrame)
    if named:
        for j, (column, dtype) in enumerate(features.dtypes.items()):
            _require_numbers(f"features[{column!r}]", dtype, next(iter(features.iloc[:, j]), None))
    array = _array("features", features)
    if array.ndim != 2:
        hint = "; features.reshape(-1, 1) has one feature" * (array.ndim == 1)
        raise ValueError(f"features have the shape {array.shape}; (samples, features) is allowed{hint}")
    for what, many, (least, most) in zip(("samples", "features"), array.shape, (SAMPLES, FEATURES), strict=True):
        if not least <= many <= most:
            raise ValueError(f"features of shape {array.shape}: {many} {what}; {least} to {most} are allowed")
    columns = tuple(map(str, features.columns if named else range(array.shape[1])))
    places = (f"features of row {i}, column {columns[j]!r}" for i, j in np.argwhere(~np.isfinite(array)))
    found = _finite(array, places)
    for name, size in zip(columns, np.max(np.abs(found), axis=0).tolist(), strict=True):
        _require_size(f"features of column {name!r}", size)
    return found, columns


def vector(targets, samples, classes):
    """Return targets as a read-only array of shape (n,), and the labels that became -1 and +1, () of numbers.

    samples : n; classes : whether they must be two classes
    """
    array = np.asarray(targets) if classes else _array("targets", targets)
    if array.ndim != 1:
        hint = "; targets.ravel() has one" * (array.ndim == 2 and 1 in array.shape)
        raise ValueError(f"targets have the shape {array.shape}; one dimension is allowed{hint}")
    if len(array) != samples:
        raise ValueError(f"targets have {len(array)} values and features {samples} rows; one for each is allowed")
    if not classes:
        found = _finite(array, (f"targets of row {i}" for i in np.flatnonzero(~np.isfinite(array))))
        _require_size("targets", float(np.max(np.abs(found))))
        return found, ()
    labels = _two_labels(array)
    return _read_only(np.where(array == labels[1], 1.0, -1.0)), labels


def _two_labels(array):
    """Return the two labels of an array in sorted order."""
    missing = np.flatnonzero(pd.isna(array))
    if len(missing):
        raise ValueError(f"targets of row {missing[0]}: {array[missing[0]]!s}; a label is needed")
    try:
        found = np.unique(array).tolist()
    except TypeError:
        raise TypeError("targets hold labels of different types; numbers or strings are allowed") from None
    strange = [label for label in found if not isinstance(label, (bool, int, float, str))]
    if strange:
        raise TypeError(f"targets hold {described(strange[0])}; numbers or strings are allowed as labels")
    if len(found) != 2:
        shown = ", ".join(map(repr, found[:_SHOWN])) + ", .." * (len(found) > _SHOWN)
        classes = f"{len(found)} classes" if len(found) > 1 else "one class"
        hint = "; model='least_squares' takes numbers" * (len(found) > 2 and array.dtype.kind in "iuf")
        raise ValueError(f"targets hold {classes}, {shown}; model='logistic' needs two{hint}")
    return tuple(found)


def _array(name, value):
    """Return numbers as a new array of float64; raise TypeError or ValueError for what holds others."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(f"{name} have masked values; all must be numbers")
    if isinstance(value, (pd.DataFrame, pd.Series)):
        if isinstance(value, pd.Series):
            _require_numbers(name, value.dtype, next(iter(value), None))
        return value.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} have rows of different lengths") from None
    _require_numbers(name, array.dtype, array.flat[0] if array.size else None)
    return np.array(array, dtype=np.float64, order="C")


def _require_numbers(name, dtype, first):
    """Raise TypeError unless a dtype, NumPy's or pandas', is one of real numbers or bools."""
    if not types.is_numeric_dtype(dtype) or types.is_complex_dtype(dtype):
        shown = " ".join(described(first.item() if isinstance(first, np.generic) else first).split())
        raise TypeError(f"{name}: {shown} of dtype {dtype} is no real number; numbers are allowed")


def _finite(array, places):
    """Return an array, read-only; raise ValueError with the first of some places at which it is not finite."""
    if not np.all(np.isfinite(array)):
        wrong = array[~np.isfinite(array)]
        more = f" (and {len(wrong) - 1} more)" * (len(wrong) > 1)
        raise ValueError(f"{next(iter(places))}: {wrong[0]}{more}; finite numbers are allowed")
    return _read_only(array)


def _require_size(name, size):
    """Raise ValueError for numbers whose squares leave float64."""
    if size and not _SMALLEST <= size <= _LARGEST:
        allowed = f"{_SMALLEST:g} to {_LARGEST:g} is allowed, as squares leave float64"
        raise ValueError(f"{name}: the largest is {size:g} in size; {allowed}")


def _read_only(array):
    array = np.ascontiguousarray(array, dtype=np.float64)
    array.setflags(write=False)
    return array
