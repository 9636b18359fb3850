"""The files of a Result: its tables, its figure, and study.json, which repeats it.

`Result.save` and `Result.describe` come here; `studies.folder` writes and reads single files.
"""

import json
import warnings
from pathlib import Path

from ngos_sim.statistics.theorem import order_of
from ngos_sim.studies import description, figure, folder, provenance, written


def save(result, directory, theorem=None):
    """Write a Result's files into a directory; see `Result.save`."""
    directory, expected, theorem = Path(directory), theorem, order_of(1.0 if theorem is None else theorem)
    directory.mkdir(parents=True, exist_ok=True)
    folder.put(directory, "table.csv", folder.csv(result.table))
    contents = {
        "orders.csv": lambda: folder.csv(result.order(theorem)),
        "study.json": lambda: f"{json.dumps(result.describe(expected), indent=2)}\n".encode(),
    }
    if len(result.study.sdes) > 1:
        contents["ranking.csv"] = lambda: folder.csv(result.compared)
    failed = []
    if result.kept is not None:
        result.kept.save(directory)
    for name in (*contents, "ranking.csv", "errors.png"):
        (directory / name).unlink(missing_ok=True)
    for name, content in contents.items():
        try:
            folder.put(directory, name, content())
        except Exception as error:  # the others are worth having
            failed.append(error)
    try:
        drawn = figure.png(result.table, result.order(theorem), theorem)
    except Exception as error:  # whatever the reader's matplotlib is set to
        warnings.warn(f"{directory / 'errors.png'} cannot be drawn: {error}", stacklevel=3)
    else:
        folder.put(directory, "errors.png", drawn)
    if failed:
        raise failed[0]


def describe(result, expected=None):
    """Return what study.json of a Result holds; see `Result.describe`."""
    told = written.content(result.study, result.trajectories, result.seed, result.precision, expected)
    return told | {
        "record": {
            "stopped": result.stopped,
            "bounds": {} if result.kept is None else result.kept.goal.get("bounds", {}),
            "device": result.device,
            "why": [{"sde": sde, "test_function": name, "why": why} for (sde, name), why in result.why.items()],
            "outside_theory": list(result.study.outside_theory),
            **provenance.machine(),
            "resolved": description.study(result.study),
        }
    }
