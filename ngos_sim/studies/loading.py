"""Results without a run: of what a folder holds (`load`), and of two parts of one study (`merge`)."""

from collections.abc import Sequence
from pathlib import Path

from ngos_sim.studies import session, study_file
from ngos_sim.studies.kept import Kept
from ngos_sim.studies.measurement import Measurement
from ngos_sim.studies.origin import difference, origin
from ngos_sim.studies.plugins import Plugins
from ngos_sim.studies.progress import Progress
from ngos_sim.studies.result import Result
from ngos_sim.validation import checked_path, known_keywords


@known_keywords()
def load(folder: str | Path, plugins: Sequence[str | Path] = ()) -> Result:
    """Return the Result of what a folder's chunks.sqlite holds, whatever ended its run; no trajectories are run.

    What an estimator computes is not kept, and computed again.

    Read on another machine than it was made on, means that are known and not simulated may differ in their last bits.

    Parameters
    ----------
    folder : str or Path
        Of `ConvergenceStudy.run(store=)`, of `Result.save`, or of `ngos-sim run`.
    plugins : sequence of str or Path
        Python files with the functions of the study that are no built-ins'.

    Returns
    -------
    Result

    Raises
    ------
    ValueError
        It was made by another version; or something of the study is neither a built-in nor in a plug-in.
    StoreError
        There is no store, it is in use, or damaged.
    """
    kept = Kept.read(checked_path("folder", folder))
    made = kept.origin
    try:
        study = study_file.parse(Plugins(plugins).resolved(made["file"])).study
    except (ValueError, TypeError) as error:
        how = f"seed={made['seed']}, precision={made['precision']!r}, store={str(folder)!r}"
        raise ValueError(f"{folder}: {error}; or make the study in Python: run(1, {how}) reads what is there") from None
    here = origin(study, made["seed"], made["precision"]) | {"versions": made["versions"]}  # these ran the chunks
    if said := difference(made, here):
        raise ValueError(f"{folder}: its chunks cannot be read: {said}; table.csv and figures beside them can")
    return _read(study, kept, "cpu")


@known_keywords()
def merge(a: Result | str | Path, b: Result | str | Path) -> Result:
    """Return the Result of two parts of one study: of the chunks that either has.

    Parameters
    ----------
    a, b : Result, or the folder of one
        Of one study, seed, precision and version, made on processors that give the same numbers; as of
        `run(500_000, first=0)` and `run(500_000, first=500_736)`, whose merge has the bits of one run of both.

    Returns
    -------
    Result
        In memory; `save` writes it.

    Raises
    ------
    ValueError
        They are not of one study; the message says what differs.
    """
    a, b = (each if isinstance(each, Result) else load(each) for each in (a, b))
    if said := difference(a.kept.origin, b.kept.origin, "in the first", "in the second"):
        raise ValueError(f"merge takes two parts of one study: {said}")
    if a.kept.identities() != b.kept.identities():
        raise ValueError(
            f"merge takes two parts of the same numbers: the first was made with {a.kept.machine}, "
            f"the second with {b.kept.machine}"
        )
    kept = a.kept.with_others(b.kept)
    return _read(a.study, kept, a.device)


def _read(study, kept, device):
    """Return the Result of a study's sums."""
    seed, precision = kept.origin["seed"], kept.origin["precision"]
    with kept:
        settings = {"device": device, "precision": precision, "threads": None}
        bar, first = Progress(), kept.goal.get("first", 0)
        measurement = Measurement(study, seed, bar=bar, kept=kept, first=first, **settings)
        if "first" in kept.goal:  # else nobody has begun
            measurement.compute()
    if not measurement.has_any:
        raise ValueError(f"{kept.folder}: holds no chunks yet")
    return session.result(measurement, seed, precision, kept.stopped)
