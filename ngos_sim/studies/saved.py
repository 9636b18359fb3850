"""The files of a Result: its tables, its figure, its report, and study.json, which repeats it.

`Result.save` and `Result.describe` come here; `studies.folder` writes and reads single files.
"""

import contextlib
import functools
import json
import warnings
from pathlib import Path

from ngos_sim.statistics.theorem import order_of
from ngos_sim.studies import description, figure, folder, provenance, reported, written
from ngos_sim.validation import checked_path


def save(result, directory, theorem=None):
    """Write a Result's files into a directory; see `Result.save`. Return the Document of its report, or None."""
    directory, expected, theorem = (
        Path(checked_path("directory", directory)),
        theorem,
        order_of(1.0 if theorem is None else theorem),
    )
    directory.mkdir(parents=True, exist_ok=True)
    folder.put(directory, "table.csv", folder.csv(result.table))
    orders = functools.cache(lambda: result.order(theorem))
    contents = {
        "orders.csv": lambda: folder.csv(orders()),
        "study.json": lambda: f"{json.dumps(result.describe(expected), indent=2)}\n".encode(),
    }
    if len(result.study.sdes) > 1:
        contents["ranking.csv"] = lambda: folder.csv(result.compared)
    failed = []
    if result.kept is not None:
        result.kept.save(directory)
    for name in (*contents, "ranking.csv", "errors.png", reported.NAME):
        (directory / name).unlink(missing_ok=True)
    for name, content in contents.items():
        try:
            folder.put(directory, name, content())
        except Exception as error:  # the others are worth having
            failed.append(error)
    fits = None  # without them the figure lacks what is predicted
    with contextlib.suppress(Exception):
        fits = orders()
    try:
        drawn = figure.png(result.table, fits, theorem)
    except Exception as error:  # whatever the reader's matplotlib is set to
        warnings.warn(f"{directory / 'errors.png'} cannot be drawn: {error}", stacklevel=4)
    else:
        folder.put(directory, "errors.png", drawn)
    document = None
    try:
        document = reported.of_result(result, expected, orders)
        reported.write(directory, document)
    except Exception as error:  # all that it shows is written
        if not failed:
            warnings.warn(f"{directory / reported.NAME} cannot be made: {error}", stacklevel=4)
    if failed:
        raise failed[0]
    return document


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
