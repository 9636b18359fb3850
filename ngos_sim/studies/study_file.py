"""Study files, TOML or JSON, -> studies. Every message names the key's path, the value and what is allowed.

What a run writes to study.json is a study file, with a table `record` beside it that is not read.
"""

import inspect
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from ngos_sim.engines import devices
from ngos_sim.estimators.test_functions import TestFunction
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.processes.variations import scaling_rule, svag
from ngos_sim.statistics.theorem import order_of
from ngos_sim.studies import data_file, keys
from ngos_sim.studies.kinds import makers
from ngos_sim.studies.plugins import Plugins
from ngos_sim.studies.study import ConvergenceStudy
from ngos_sim.validation import choice, integer

_SIZES = ("eta2", "eta", "steps", "batch_size")  # one of them
_TABLES = {  # table: (required keys, optional keys)
    "": (("oracle", "optimizer", "initial", "study"), ("sde",)),
    "oracle": (("loss", "covariance", "noise"), ()),
    "study": (
        ("horizon", "test_functions", "trajectories"),
        (*_SIZES, "times", "estimator", "seed", "expect", "ell", "kappa", "precision"),
    ),
    "study.expect": (("order",), ()),
}


@dataclass(frozen=True)
class StudyFile:
    """A study with what a file says besides: how to run it, and what to expect."""

    study: ConvergenceStudy
    trajectories: int
    seed: int
    precision: str | None
    expected_order: float | None


def load(path, plugins=()):
    """Read a study file.

    Parameters
    ----------
    path : str or Path
        JSON where its name ends in .json, TOML otherwise.
    plugins : sequence of str or Path
        Python files in which its functions are.

    Returns
    -------
    StudyFile

    Raises
    ------
    ValueError, TypeError
        The file is not there, is neither TOML nor JSON, or a key is unknown, missing or wrong.
    """
    path, functions = Path(path), Plugins(plugins)
    kind = "JSON" if path.suffix == ".json" else "TOML"
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows put a byte order mark first
        content = json.loads(text) if kind == "JSON" else tomllib.loads(text)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not TOML: {error}{_arithmetic(text, str(error))}") from None
    except ValueError as error:
        raise ValueError(f"{path}: not {kind}: {error}") from None
    except RecursionError:
        raise ValueError(f"{path}: brackets are nested too deeply") from None
    try:
        keys.table("the file", content).pop("record", None)  # what a run wrote of itself
        return parse(functions.resolved(content), path.parent)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from None


def _arithmetic(text, message):
    """Return a hint where the line that TOML does not understand computes; an empty string otherwise."""
    line = re.search(r"at line (\d+)", message)
    found = line and re.search(r"[\d.]+\s*(\*\*?|/|\^)\s*-?\s*[\d.]+", text.splitlines()[int(line[1]) - 1])
    return f"; TOML does not compute {found[0]}: write the number, as 0.0625 for 2**-4" if found else ""


def parse(content, directory=None):
    """Return the StudyFile of a file's content, a dict; see `load`. directory : of the file, by default the current."""
    _check_keys("", content)
    oracle, study = (keys.table(name, content[name]) for name in ("oracle", "study"))
    _check_oracle(oracle)
    _check_keys("study", study)
    _check_sizes(study)
    ell, kappa = (study.get(name) for name in ("ell", "kappa"))
    if kappa is not None and "sde" in content:
        raise ValueError("study.kappa: a scaling rule has no [[sde]]: take one of them out")
    if kappa is None and not content.get("sde"):
        raise ValueError("sde is missing: a [[sde]] table, or study.kappa for a scaling rule, is needed")
    optimizer = _built("optimizer", "optimizer", content["optimizer"])
    made = _oracle(oracle, directory)
    sdes = content.get("sde", [])
    if not isinstance(sdes, list):
        raise ValueError("sde must be written [[sde]], with two brackets")
    expected = study.get("expect")
    if expected is not None:
        _check_keys("study.expect", keys.table("study.expect", expected))
        order_of(expected["order"], "study.expect.order")
    references = [_built("sde", f"sde[{at}]", one) for at, one in enumerate(sdes)]
    with keys.located("study", study):
        return _study_file(made, optimizer, references, keys.table("initial", content["initial"]), study)


def _check_oracle(oracle):
    """Raise ValueError unless an [oracle] table has its three parts, or data, which have their own."""
    if "data" not in oracle:
        _check_keys("oracle", oracle)
    elif len(oracle) > 1:
        other = next(key for key in oracle if key != "data")
        raise ValueError(f"oracle.{other} does not go with oracle.data, which says all; take one of them out")


def _oracle(oracle, directory):
    """Return the NGOS of an [oracle] table."""
    if "data" in oracle:
        return data_file.oracle(oracle["data"], directory or Path())
    parts = {key: _built(key, f"oracle.{key}", oracle[key]) for key in ("loss", "noise")}
    covariance = oracle["covariance"]
    if isinstance(covariance, dict):
        covariance = _built("covariance", "oracle.covariance", covariance)
    with keys.located("oracle", oracle):
        return NGOS(parts["loss"], covariance, parts["noise"])


def _study_file(oracle, optimizer, sdes, initial, study):
    """Return the StudyFile of a [study] table and what the other tables made."""
    ell, kappa, expected = (study.get(name) for name in ("ell", "kappa", "expect"))
    return StudyFile(
        ConvergenceStudy(
            oracle,
            optimizer if ell is None else svag(optimizer, ell),
            sde=sdes or None,
            reference=None if kappa is None else scaling_rule(kappa),
            initial=initial,
            **{key: study[key] for key in _SIZES if key in study},
            horizon=study["horizon"],
            times=study.get("times"),
            test_functions=_test_functions(study["test_functions"]),
            estimator=study.get("estimator", "auto"),
        ),
        integer("trajectories", study["trajectories"], 1),
        integer("seed", study.get("seed", 0)),  # any, as of `ConvergenceStudy.run`
        study.get("precision") and choice("precision", study["precision"], devices.PRECISIONS["cuda"]),
        None if expected is None else float(expected["order"]),
    )


def _check_sizes(study):
    """Raise ValueError unless a [study] table says its step sizes once."""
    given = [f"study.{key}" for key in _SIZES if key in study]
    if not given:
        raise ValueError(
            "study.eta2 is missing; allowed instead: batch_size, steps, or eta where the optimizer's clock is 'eta'"
        )
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)}: one of them is allowed")


def _check_keys(name, content):
    """Raise ValueError for unknown keys, then for missing ones."""
    required, optional = _TABLES[name]
    keys.check(name, content, required, optional)


def _test_functions(value):
    """Return test functions: strings, and a table of the arguments of each TestFunction."""
    if not isinstance(value, list) or not all(isinstance(one, (str, dict)) for one in value):
        raise ValueError(f"test_functions={value!r} must be a list of strings")
    return [one if isinstance(one, str) else _own_function(at, one) for at, one in enumerate(value)]


def _own_function(at, content):
    path = f"test_functions[{at}]"
    keys.check(path, content, ("name", "g"), ("coordinate",))
    if not callable(content["g"]):
        raise ValueError(f'{path}.g={content["g"]!r} must be a function: {{ function = "module:name" }}')
    return TestFunction(**content)


def _built(kind, path, value):
    """Call the factory that a table's `kind` names with the table's other keys."""
    content = dict(keys.table(path, value))
    factories = makers(kind)
    if "kind" not in content:
        raise ValueError(f"{path}.kind is missing; allowed: {', '.join(factories)}")
    chosen = content.pop("kind")
    if not isinstance(chosen, str) or chosen not in factories:
        raise ValueError(f"{path}.kind={chosen!r} is unknown; allowed: {', '.join(factories)}")
    make = factories[chosen]
    parameters = inspect.signature(make).parameters.values()
    named = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
    required = [p.name for p in named if p.default is p.empty]
    optional = [p.name for p in named if p.default is not p.empty]
    others = [key for key in content if key not in (*required, *optional)] if len(named) < len(parameters) else []
    keys.check(path, content, required, [*optional, *others])
    if isinstance(content.get("pivot"), dict):
        content["pivot"] = _built("sde", f"{path}.pivot", content["pivot"])
    with keys.located(path, content, f"{path}: "):
        return make(**content)
