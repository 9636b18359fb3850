"""The report of a Result: what is in it, and its file report.html.

`Result.report` and `Result.save` come here, `studies.of_folder` with what a folder holds; `reporting.html` makes the
page.
"""

import json
from functools import partial
from pathlib import Path

from ngos_sim.reporting import drawing, html
from ngos_sim.reporting.document import Document, Figure
from ngos_sim.statistics.theorem import order_of
from ngos_sim.studies import figure, folder, ranking, told
from ngos_sim.validation import checked_path

NAME = "report.html"
_CAPTIONS = {
    "order": "Weak errors against h, at the time of the greatest: 95 % intervals, hollow where an error is unresolved",
    "time": "Errors over h^p against time, of the first SDE and test function: curves that fall on one are of order p",
    "ranking": "Which SDE is closer: the ratio of their errors, measured on one stream",
}


def write(directory, document):
    """Write report.html into a directory; return its path."""
    directory = Path(checked_path("directory", directory))
    directory.mkdir(parents=True, exist_ok=True)
    folder.put(directory, NAME, html.page(document).encode("utf-8", "backslashreplace"))
    return directory / NAME


def of_result(result, theorem=None, orders=None):
    """Return the Document of a Result.

    Parameters
    ----------
    result : Result
    theorem : float, optional
        As for `Result.save`: where it is given, the study file expects that order.
    orders : function () -> DataFrame, optional
        Returns `Result.order` at that order, where it is there already.
    """
    order = order_of(1.0 if theorem is None else theorem)
    try:
        fits, unfitted = (orders or partial(result.order, order))(), ""
    except (ArithmeticError, ValueError) as error:  # of what is not finite
        fits, unfitted = None, str(error)
    described = result.describe(theorem)
    if result.kept is not None:  # study.json is the same whenever it is written
        described["record"] |= {"seconds": result.kept.seconds, "made_with": result.kept.machine}
    said = {"title": told.title(result.study), "study": told.of(result.study), "unfitted": unfitted}
    figures = _figures(result, fits, order)
    return document(result.table, fits, result.compared, described, order, **said, figures=figures)


def document(table, orders, compared, described, order, *, title, figures, study, missing="", unfitted=""):
    """Return the Document of a result's tables and of what study.json holds; see there."""
    file = {name: each for name, each in described.items() if name != "record"}
    record = described["record"]
    several = orders is not None and compared is not None and len(compared) > 0
    command, unrepeated = _command(file, record)
    return Document(
        title=title,
        extent=_extent(table),
        theorem=order,
        table=table,
        orders=orders,
        compared=compared if several else None,
        headlines=_headlines(compared, orders) if several else (),
        figures=figures,
        study=study,
        missing=missing,
        unfitted=unfitted,
        why=_why(record["why"]),
        outside=tuple(record["outside_theory"]),
        file=json.dumps(file, indent=1),
        command=command,
        unrepeated=unrepeated,
        record=_record(file["study"], record),
    )


def _extent(table):
    """Return in words what was run: step sizes, times, trajectories."""
    steps = sorted(table.h.unique())
    several = f"{len(steps)} step sizes, h from {steps[-1]:.4g} to {steps[0]:.4g}"
    sizes = several if len(steps) > 1 else f"One step size, h = {steps[0]:.4g}"
    sampled = table.trajectories[table.trajectories > 0]  # 0 of what is computed
    how = f"{sampled.min():,} trajectories at each" if len(sampled) else "computed, without trajectories"
    return f"{sizes}; up to time {table.time.max():g}; {how}."


def _why(reasons):
    """Return (series, why they were measured as they were), series of one reason together."""
    found: dict[str, list[str]] = {}
    for each in reasons:
        found.setdefault(each["why"], []).append(f"{each['test_function']}, {each['sde']}")
    return tuple(("; ".join(names), why) for why, names in found.items())


def _headlines(compared, orders):
    found = ranking.ranking(compared, orders).headlines
    return tuple(f"{row.sde_a} or {row.sde_b}? {row.headline}" for row in found.itertuples())


def _figures(result, orders, theorem):
    """Return the figures of a Result: of its orders, over time, and of its ranking where it has one."""
    every = {
        "sdes": list(dict.fromkeys(result.table.sde)),
        "functions": list(dict.fromkeys(result.table.test_function)),
    }
    kinds = ["time"] * bool(result.table.time.nunique() > 2) + ["ranking"] * bool(len(result.study.sdes) > 1)
    others = {kind: partial(figure.KINDS[kind], result, theorem=theorem, norm="max", **every) for kind in kinds}
    return (
        of_orders(result.table, orders, theorem),
        *(_figure(_CAPTIONS[kind], draw) for kind, draw in others.items()),
    )


def of_orders(table, orders, theorem):
    """Return the Figure of the errors of a table against h."""
    return _figure(_CAPTIONS["order"], lambda axes: figure.plot(table, orders, axes, theorem=theorem))


def _figure(caption, draw):
    """Return a Figure; a matplotlib that cannot draw it leaves the rest of the report."""
    try:
        return Figure(caption, drawing.element(draw))
    except Exception as error:  # whatever the reader's matplotlib is set to
        return Figure(caption, "", " ".join(str(error).split()))


def _command(file, record):
    """Return the lines that repeat a run, and why they cannot where they cannot."""
    names = sorted(set(_functions(file)))
    device = "" if record["device"] == "cpu" else f" --device {record['device']}"
    plugins = "".join(f" --plugins {module}.py" for module in dict.fromkeys(name.split(":")[0] for name in names))
    unrepeated = []
    if nameless := [name for name in names if "<" in name or ":" not in name or name.startswith("__main__")]:
        unrepeated.append(f"no file has {', '.join(nameless)} at its top")
    if "samples" in file["oracle"].get("data", {}):
        unrepeated.append("its data were given as arrays")
    return (f"ngos-sim run study.json --out again{plugins}{device}",), "; ".join(unrepeated)


def _functions(value):
    """Yield the names of the functions that a study file calls."""
    if isinstance(value, dict):
        if "function" in value and isinstance(value["function"], str):
            yield value["function"]
        for each in value.values():
            yield from _functions(each)
    elif isinstance(value, list):
        for each in value:
            yield from _functions(each)


def _record(asked, record):
    """Return (what, value) of how a result was made."""
    processor, versions = record["processor"], record["versions"]
    rows = {
        "Seed": asked["seed"],
        "Trajectories": f"{asked['trajectories']} at every step size, ended by: {record['stopped']}",
        "Precision, device": f"{asked.get('precision')}, {record['device']}",
        "Time": _seconds(record.get("seconds")),
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "Python, machine": f"{record['python']}, {record['machine']}",
        "Commit": record["commit"],
        "Processor": processor["model"],
        "BLAS": f"{processor['blas']} for {processor['blas_core']}",
        "Chunks made with": record.get("made_with"),
        "Sources": ", ".join(f"{name} {value}" for name, value in _hashes("", record["resolved"])),
    }
    return tuple((name, str(value)) for name, value in rows.items() if value not in (None, ""))


def _seconds(seconds):
    return f"{seconds:.3g} s, compilation included, all runs that this result is of together" if seconds else None


def _hashes(path, value):
    """Yield (where, hash) of the users' functions and data of a study."""
    if isinstance(value, dict):
        for name, each in value.items():
            here = f"{path}.{name}" if path else name
            if name in ("source", "sha256") and isinstance(each, str):
                yield path or name, each
            elif name == "source":
                yield from ((f"{path}.{inner}", one) for inner, one in each.items())
            else:
                yield from _hashes(here, each)
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _hashes(f"{path}[{at}]", each)
