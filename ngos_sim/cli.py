"""The command line; what its exit status says is in `exits`."""

import contextlib
import inspect
import os
import sys
import tempfile
import warnings
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ngos_sim import __version__, exits
from ngos_sim.errors import NonFiniteError
from ngos_sim.interruption import Interruption

app = typer.Typer(
    name="ngos-sim",
    help="Weak errors of RMSprop and Adam against their SDEs, by simulation (arXiv 2205.10287).",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_STUDY_FILE = "A study file: TOML, or the study.json of a run."
_PLUGINS = "A Python file with functions that the study file names; it is run. May be given several times."


class Device(StrEnum):
    """Where `run` computes."""

    cpu = "cpu"
    cuda = "cuda"
    auto = "auto"
    python = "python"


class Precision(StrEnum):
    """What `run` computes in."""

    mix = "mix"
    f64 = "f64"
    f32 = "f32"


def _print_version(asked: bool) -> None:
    if asked:
        print(f"ngos-sim {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """What stands before a command."""


@app.command()
@exits.says_when_stopped("stopped")
def verify(
    case: Annotated[list[str] | None, typer.Argument(help="Cases to check; all by default.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The short set, in well under a minute.")] = False,
    out: Annotated[Path, typer.Option(help="Where tables and figures go.")] = Path("verify"),
) -> None:
    """Check Theorems 4.2, 4.5, 5.3 and 6.3, and controls that must fail; exit 1 if a case does not show it."""
    from ngos_sim.reporting import report
    from ngos_sim.verification.theorems import CASES
    from ngos_sim.verification.verify import verified, write

    unknown = [name for name in case or () if name not in CASES]
    if unknown:
        raise ValueError(f"case {unknown[0]!r} is unknown; allowed: {', '.join(CASES)}")
    _require_writable(out)
    names = list(dict.fromkeys(case or [name for name, one in CASES.items() if one.quick or not quick]))
    print(f"{report.orders_caption(None)}\n", flush=True)
    cases = []
    for case, text in verified(names, out):
        cases.append(case)
        print(text, flush=True)
    held = [case.good for case in cases]
    print(f"{sum(held)} of {len(held)} cases show what they must; a theorem is an upper bound, so this is consistency.")
    write(cases, out)
    if not all(held):
        raise typer.Exit(1)


@app.command()
@exits.says_when_stopped("stopped at once; the same command goes on")
def run(
    study: Annotated[Path, typer.Argument(help=_STUDY_FILE)],
    out: Annotated[Path | None, typer.Option(help="Default: the study file's name.")] = None,
    trajectories: Annotated[int | None, typer.Option(help="Instead of the file's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the file's.")] = None,
    device: Annotated[Device, typer.Option()] = Device.cpu,
    threads: Annotated[int | None, typer.Option(help="Default: all processors.")] = None,
    precision: Annotated[Precision | None, typer.Option(help="Default: mix.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew, whatever the folder holds.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Write the files and print nothing.")] = False,
    plugins: Annotated[list[Path] | None, typer.Option(help=_PLUGINS)] = None,
) -> None:
    """Run a study file; write report.html, table.csv, orders.csv, errors.png, study.json, of several SDEs ranking.csv.

    chunks.sqlite keeps what has been run: the same command again goes on from there.
    """
    from ngos_sim.reporting import report
    from ngos_sim.studies import session, study_file
    from ngos_sim.studies.stopping import Bounds

    read = study_file.load(study, plugins or ())
    directory = out or study.with_suffix("")
    _require_writable(directory)
    _require_own(directory, fresh)
    theorem = 1.0 if read.expected_order is None else read.expected_order
    try:
        with Interruption() as interruption:
            result = session.run(
                read.study,
                Bounds(read.trajectories if trajectories is None else trajectories),
                read.seed if seed is None else seed,
                read.study.settings(device.value, read.precision if precision is None else precision.value, threads),
                store=directory,
                progress=sys.stderr.isatty() and not quiet,
                until=interruption,
            )
    except NonFiniteError as error:
        with contextlib.suppress(ArithmeticError, ValueError), warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # the table is written first; what is not finite may have no order or figure
            error.result.save(directory, read.expected_order)
        raise NonFiniteError(f"{error}; what was measured is in {directory}", error.result, error.lost) from None
    if result is None:
        exits.say(f"stopped before any point was run; the same command goes on, with what is in {directory}")
        raise typer.Exit(128 + interruption.number)
    result.save(directory, read.expected_order)
    if result.stopped == "interrupted":
        exits.say(f"stopped; {_ran(result)}; tables and figure of these are in {directory}; the same command goes on")
        raise typer.Exit(128 + interruption.number)
    orders = result.order(theorem)
    if not quiet:
        said = [f"{report.ERRORS_CAPTION}\n{report.errors_table(result.table)}"]
        said += [f"{report.orders_caption(theorem)}\n{report.orders_table(orders)}"]
        said += [str(result.ranking(theorem))] if len(read.study.sdes) > 1 else []
        said += [report.outside_theory(read.study.outside_theory), _written(result, directory)]
        print("\n\n".join(filter(None, said)))
    if read.expected_order is not None:
        rows = orders[(orders.norm == "max") & ~orders.verdict.str.startswith("consistent with order")]
        for row in rows.itertuples():
            print(
                f"ngos-sim: expected order {theorem:g}, but {row.test_function} ({row.sde}): {row.verdict}",
                file=sys.stderr,
            )
        if len(rows):
            raise typer.Exit(1)


@app.command()
@exits.says_when_stopped("stopped")
def plan(
    study: Annotated[Path, typer.Argument(help=_STUDY_FILE)],
    trajectories: Annotated[int | None, typer.Option(help="Instead of the file's.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Plan with every estimator that serves.")] = False,
    plugins: Annotated[list[Path] | None, typer.Option(help=_PLUGINS)] = None,
) -> None:
    """Say from a short pilot what `run` would cost and resolve, and write nothing."""
    from ngos_sim.reporting import report
    from ngos_sim.studies import study_file

    read = study_file.load(study, plugins or ())
    wanted = read.trajectories if trajectories is None else trajectories
    planned = read.study.plan(wanted, read.seed, compare=compare)
    print(report.plan_table(planned))


@app.command()
def plot(directory: Annotated[Path, typer.Argument(help="What `run` wrote.")]) -> None:
    """Draw errors.png again from table.csv."""
    from ngos_sim.studies.figure import replot

    print(replot(directory))


@app.command()
def report(
    directory: Annotated[Path, typer.Argument(help="What `run` or Result.save wrote.")],
    plugins: Annotated[list[Path] | None, typer.Option(help=_PLUGINS)] = None,
) -> None:
    """Write report.html again, from what a folder holds; nothing is run."""
    from ngos_sim.studies import of_folder

    print(of_folder.report(directory, plugins or ()))


@app.command(name="list")
def list_kinds(
    kind: Annotated[str | None, typer.Argument(help="loss, covariance, noise, optimizer or sde.")] = None,
) -> None:
    """List the built-ins that a study file can name: clock, order in h, source and arguments."""
    from ngos_sim.studies.kinds import KINDS

    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind {kind!r} is unknown; allowed: {', '.join(KINDS)}")
    for name in [kind] if kind else KINDS:
        print(name)
        width = max(map(len, KINDS[name])) + 2
        for label, (make, clock, order) in KINDS[name].items():
            summary = (inspect.getdoc(make) or "").split("\n", 1)[0]  # python -OO has none
            given = ", ".join(inspect.signature(make).parameters) or "no arguments"
            told = [f"clock {clock}"] * bool(clock) + [f"order {order}"] * bool(order) + [given]
            print(f"  {label:<{width}}{summary}\n{'':<{width + 2}}{'; '.join(told)}")


def _ran(result):
    """Return how far an interrupted run is, in words."""
    ran = result.table.h.nunique()
    sampled = result.table.trajectories.any()
    there = f"{result.trajectories} trajectories at least" if sampled else "what is computed is there"
    return f"{there} at each of {ran} of {len(result.study.points)} points"


def _written(result, directory):
    """Return where a result is, and whether anything was left to run."""
    nothing_new = not result.kept.rounds and result.table.trajectories.any()
    there = f"{directory}, whose {result.trajectories} trajectories a point were all there: nothing was run"
    written = there if nothing_new else directory
    file = directory / "report.html"
    return f"written to {written}; to look at: {file}" if file.exists() else f"written to {written}"


def main() -> None:
    """Run the command line: every error of a user's is one line, without a traceback.

    OpenBLAS runs on one thread, here and in the workers, unless the environment says otherwise: the matrices of
    `known` are small, and its threads wait for each other by spinning, where others have the cores for a second a call.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy, imported later, reads it
    sys.exit(exits.status_of(lambda: app(standalone_mode=False)))


def _require_own(directory, fresh):
    """Raise ValueError where a directory holds a result that cannot be gone on with; with fresh, remove it."""
    from ngos_sim.studies import folder, store

    if fresh and directory.exists():
        store.remove(directory)
        folder.clear(directory)
    elif (directory / "table.csv").exists() and not store.is_in(directory):
        raise ValueError(
            f"--out {directory}: holds a result without {store.NAME} to go on from; give another, or --fresh"
        )


def _require_writable(directory):
    """Raise ValueError unless a file can be written in a directory, which may have to be made; leave nothing."""
    existing = next(each for each in (directory, *directory.resolve().parents) if each.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise ValueError(f"--out {directory}: {existing} is not a directory that can be written to")
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:  # before the run, whose result would be lost
        raise ValueError(f"--out {directory}: {error.strerror}") from None
    finally:
        for each in missing:
            with contextlib.suppress(OSError):
                each.rmdir()
