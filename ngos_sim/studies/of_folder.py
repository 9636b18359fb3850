"""The report of a result from its folder alone: from its chunks, or where these cannot be read, from its tables.

`ngos-sim report` comes here.
"""

import json
from pathlib import Path

import pandas as pd

from ngos_sim.errors import NonFiniteError, StoreError
from ngos_sim.studies import folder, ranking, reported
from ngos_sim.studies.loading import load


def report(directory, plugins=()):
    """Write report.html into the folder of a result; return its path.

    Where its chunks cannot be read, as its functions are in plug-ins that are not given, the report is of the tables
    alone, and says what it lacks.

    Raises
    ------
    ValueError
        There are no tables either.
    """
    directory = Path(directory)
    try:
        result = _loaded(directory, plugins)
    except (ValueError, StoreError) as error:
        return reported.write(directory, _of_tables(directory, error))
    return reported.write(directory, reported.of_result(result, _expected(directory)))


def _loaded(directory, plugins):
    try:
        return load(directory, plugins)
    except NonFiniteError as error:  # what was measured is there
        return error.result


def _expected(directory):
    """Return the order that a folder's study file expects; None where it expects none."""
    file = directory / "study.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))["study"]["expect"]["order"]
    except (OSError, ValueError, KeyError):
        return None


def _of_tables(directory, error):
    names = ("table.csv", "orders.csv", "study.json")
    absent = [name for name in names if not (directory / name).is_file()]
    if absent:
        raise ValueError(f"{error}; and without {absent[0]} there are no tables to report either")
    try:
        table, orders = (folder.read_table(directory / name) for name in names[:-1])
        described = json.loads((directory / "study.json").read_text(encoding="utf-8"))
        source = directory / "ranking.csv"
        compared = folder.read_table(source) if source.is_file() else pd.DataFrame(columns=list(ranking.COLUMNS))
        theorem = float(orders.theorem.iloc[0])
        figures = (reported.of_orders(table, orders, theorem),)
        said = {"title": _title(described), "study": None, "missing": str(error)}
        return reported.document(table, orders, compared, described, theorem, **said, figures=figures)
    except (KeyError, AttributeError, TypeError, ValueError, IndexError):
        raise ValueError(f"{error}; and its tables are not those of this version") from None


def _title(described):
    resolved = described["record"]["resolved"]
    names = [sde["kind"] for sde in resolved["sde"]]
    return f"{resolved['optimizer']['kind']} against {', '.join(names) or 'itself at other batch sizes'}"
