"""The oracle of a study file's `[oracle] data = { .. }`: finite data of a CSV file, or a set that scikit-learn carries.

`studies.study_file` calls it. Nothing is done to features but what the table says, `standardise = true`.
"""

import importlib

import numpy as np
import pandas as pd

from ngos_sim.oracles.finite_data import finite_data
from ngos_sim.studies import keys
from ngos_sim.validation import keep

_GIVEN = ("model", "l2", "replacement")  # to finite_data
_MODEL = (*_GIVEN, "standardise", "sha256")  # optional
_CARRIED = {"breast_cancer": "logistic", "diabetes": "least_squares"}  # with the model where none is given

_OLD = tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1)  # later ones read every number to its last bit
_EXACT: dict = {"float_precision": "round_trip"} if _OLD else {}


def oracle(value, directory):
    """Return the NGOS of a table.

    Parameters
    ----------
    value : dict
        file and target, perhaps features, the names of columns; or sklearn, "breast_cancer" or "diabetes". With each
        perhaps model, l2 and replacement, as `finite_data` takes them, standardise, and the sha256 of the arrays, as a
        run writes it.
    directory : Path
        Of the study file: `file` is relative to it.

    Raises
    ------
    ValueError
        A key is unknown, missing or wrong, the file cannot be read, its columns are not what `finite_data` takes, or
        the data are others than its sha256 says.
    """
    path = "oracle.data"
    content = keys.table(path, value)
    if "samples" in content:
        raise ValueError(f"{path}: the data were arrays, which study.json describes and does not hold: give file=")
    if ("file" in content) == ("sklearn" in content):
        raise ValueError(f"{path}: file, a CSV file, or sklearn is allowed: exactly one of them")
    if "file" in content:
        keys.check(path, content, ("file", "target"), ("features", *_MODEL))
        (features, targets), model = _columns(path, content, directory), "logistic"
    else:
        keys.check(path, content, ("sklearn",), _MODEL)
        features, targets, model = _carried(path, content["sklearn"])
    if not isinstance(content.get("standardise", False), bool):
        raise ValueError(f"{path}.standardise={content['standardise']!r}; allowed: true, false")
    given = {"model": model} | {key: content[key] for key in _GIVEN if key in content}
    with keys.located(path, content, f"{path}: "):
        made = finite_data(features, targets, **given)
        if content.get("standardise", False):
            made = finite_data(_standardised(features), targets, **given)
    found = made.data.sha256
    if content.get("sha256", found) != found:
        raise ValueError(f"{path}.sha256={content['sha256']!r}: the data have changed, theirs is {found!r}")
    where = {"file": str((directory / content["file"]).resolve())} if "file" in content else {}
    keep(made, table={**content, **where, "sha256": found})
    return made


def _standardised(features):
    """Return the columns of a DataFrame less their means, over their standard deviations (of n, not n - 1)."""
    array = features.to_numpy(dtype=np.float64)
    spread = array.std(axis=0)
    for name, one, size in zip(features.columns, spread, np.abs(array).max(axis=0), strict=True):
        if not one > 1e-12 * size:
            raise ValueError(f"standardise: column {name!r} is constant")
    return pd.DataFrame((array - array.mean(axis=0)) / spread, columns=features.columns)


def _columns(path, content, directory):
    """Return features and targets of a CSV file, a DataFrame and a Series."""
    for key in ("file", "target"):
        if not isinstance(content[key], str):
            raise ValueError(f"{path}.{key}={content[key]!r} must be a string")
    name, target = content["file"], content["target"]
    try:
        with (directory / name).open(encoding="utf-8-sig", newline="") as file:
            found = pd.read_csv(file, skipinitialspace=True, **_EXACT)
    except OSError as error:
        raise ValueError(f"{path}.file={name!r}: {error.strerror}") from None
    except ValueError as error:  # pandas's own are of this kind too
        raise ValueError(f"{path}.file={name!r} is not CSV: {' '.join(str(error).split())}") from None
    if not found.index.equals(pd.RangeIndex(len(found))):  # pandas takes the first column for names of rows
        raise ValueError(f"{path}.file={name!r} is not CSV: rows have more fields than the header")
    held = [str(column) for column in found.columns]
    features = keys.strings(f"{path}.features", content.get("features", [one for one in held if one != target]))
    for key, wanted in (("target", [target]), ("features", features)):
        for one in wanted:
            if one not in held:
                raise ValueError(f"{path}.{key}: {one!r} is no column of {name}; it has: {', '.join(held)}")
    if target in features or len(set(features)) < len(features):
        twice = target if target in features else next(one for one in features if features.count(one) > 1)
        raise ValueError(f"{path}.features: {twice!r} is {'the target' if twice == target else 'there twice'}")
    return found[features], found[target]


def _carried(path, name):
    """Return features and targets of a data set that scikit-learn carries, and the model that suits it."""
    if not isinstance(name, str) or name not in _CARRIED:
        raise ValueError(f"{path}.sklearn={name!r}; allowed: {', '.join(_CARRIED)}")
    try:
        datasets = importlib.import_module("sklearn.datasets")
    except ImportError:
        raise ValueError(f"{path}.sklearn={name!r} needs scikit-learn: pip install 'ngos-sim[data]'") from None
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    return bunch.data, bunch.target, _CARRIED[name]
