"""The files of a result's folder: each written by rename, and its table read back as it was."""

import os
from csv import Error, reader
from pathlib import Path

import pandas as pd

FILES = ("table.csv", "orders.csv", "study.json", "ranking.csv", "errors.png", "report.html")
# columns of words, whatever the words look like
_NAMES = ["test_function", "sde", "estimator", "norm", "verdict", "sde_a", "sde_b", "closer"]


def put(directory, name, content):
    """Write bytes as a file of a directory, all of it or nothing; an OSError names the file."""
    path, scratch = Path(directory) / name, Path(directory) / f".unfinished-{os.getpid()}-{name}"
    try:
        scratch.write_bytes(content)
        os.replace(scratch, path)
    except OSError as error:  # of a full disk it says nothing but that
        scratch.unlink(missing_ok=True)
        raise type(error)(error.errno, error.strerror, str(path)) from None
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def clear(directory):
    """Remove the files of a result."""
    for name in FILES:
        (Path(directory) / name).unlink(missing_ok=True)


def csv(table):
    """Return a DataFrame as bytes of CSV that `read_table` reads back; floats keep every digit."""
    return table.to_csv(index=False, lineterminator="\n").encode("utf-8", "backslashreplace")


def read_table(path):
    """Return the table that `csv` wrote: names as they are, "NA" and "1" among them, and exact numbers.

    Raises
    ------
    ValueError
        The file is not such a table.
    """
    with Path(path).open(encoding="utf-8", newline="") as file:
        try:
            header, *rows = reader(file, strict=True)
        except Error as error:
            raise ValueError(str(error)) from None
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))  # strict: a row that is longer or shorter
    if "eta_e" in columns and "h" not in columns:  # h was called eta_e
        columns = {"h": columns["eta_e"], **columns}
    return pd.DataFrame({name: list(each) if name in _NAMES else _numbers(each) for name, each in columns.items()})


def _numbers(texts):
    """Return what texts of one column stand for: all bools, all integers, or floats, NaN where nothing stands."""
    if set(texts) <= {"True", "False"}:
        return [text == "True" for text in texts]
    try:
        return [int(text) for text in texts]
    except ValueError:
        return [float(text or "nan") for text in texts]
