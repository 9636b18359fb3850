"""A study as the content of a study file, as the user gave it: what `study_file.parse` reads back.

`Result.describe` writes it to study.json. Built-ins stand there by kind and arguments (`identity.Recipe`), what a user
made by the arguments of its class, functions as references (`studies.plugins`).
"""

import inspect
from collections.abc import Mapping

import numpy as np

from ngos_sim.identity import Value
from ngos_sim.processes.rule import default_schedule, empty_schedule
from ngos_sim.processes.sde import no_schedule
from ngos_sim.processes.variations import SVAG
from ngos_sim.studies import description, given, kinds
from ngos_sim.studies.plugins import reference

_STUDY = ("eta2", "eta", "steps", "batch_size", "horizon", "times")
_DEFAULTS = (default_schedule, empty_schedule, no_schedule)


def content(study, trajectories, seed, precision, expected=None):
    """Return a study file's content, a dict that json can write.

    Parameters
    ----------
    study : ConvergenceStudy
    trajectories, seed, precision
        How to run it.
    expected : float, optional
        The order that it is held to.
    """
    oracle = study.oracle
    sdes = [made("sde", sde) for sde in given.sdes(study.sde)]
    return {
        "oracle": _oracle(oracle) if oracle.data is None else {"data": oracle.table or description.data(oracle)},
        "optimizer": made("optimizer", study.rule),
        **({"sde": sdes} if sdes else {}),
        "initial": as_json(study.initial),
        "study": _without_none(
            **{name: as_json(getattr(study, name)) for name in _STUDY},
            ell=list(study.optimizer.ell) if isinstance(study.optimizer, SVAG) else None,
            kappa=list(study.reference.kappa) if study.reference else None,
            test_functions=[g if isinstance(g, str) else _arguments(g) for g in study.test_functions],
            estimator=study.estimator if isinstance(study.estimator, str) else study.estimator.name,
            trajectories=trajectories,
            seed=seed,
            precision=precision,
            expect=None if expected is None else {"order": expected},
        ),
    }


def _oracle(oracle):
    return {
        "loss": made("loss", oracle.loss),
        "covariance": as_json(oracle.covariance, "covariance"),
        "noise": made("noise", oracle.noise),
    }


def _without_none(**entries):
    return {name: value for name, value in entries.items() if value is not None}


def made(kind, value):
    """Return the table of a loss, covariance, noise law, optimizer or SDE."""
    known = {make: name for name, make in kinds.makers(kind).items()}
    if value.recipe is not None:
        arguments = {name: as_json(each) for name, each in value.recipe.arguments.items() if each is not None}
        return {"kind": known[value.recipe.constructor], **arguments}
    return {"kind": known.get(type(value), type(value).__name__), **_arguments(value)}


def _arguments(value):
    """Return the arguments of a class of which a value is, those of their defaults left out, as they are written."""
    found = {}
    for name, each in inspect.signature(type(value)).parameters.items():
        held = value.parameters if each.kind is each.VAR_KEYWORD else getattr(value, name)
        if each.kind is each.VAR_KEYWORD:
            found |= as_json(held)
        elif (
            held is not None and held not in _DEFAULTS and not (each.default is not each.empty and held == each.default)
        ):
            found[name] = as_json(held)
    return found


def as_json(value, kind="sde"):
    """Return a number, vector, matrix, mapping, function or Value as json writes it."""
    if isinstance(value, Value):
        return made(kind, value)
    if callable(value):
        return reference(value)
    if isinstance(value, Mapping):
        return {name: as_json(each) for name, each in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return [as_json(each) for each in value] if isinstance(value, (list, tuple)) else value
