"""What a report says of a study itself: its parts with their equations or sources, hyperparameters of every point.

`studies.reported` asks for it, where it has the study and not a folder's tables alone.
"""

import inspect
import math
import textwrap
from types import FunctionType

import numpy as np
import pandas as pd

from ngos_sim.processes.rule import learning_rate
from ngos_sim.processes.variations import SVAG
from ngos_sim.reporting.document import Process, Source, Study
from ngos_sim.reporting.equations import told
from ngos_sim.studies import description, given, written

_LONGEST = 200  # characters of a value; the study file has all
_HYPERPARAMETERS = ("rmsprop", "adam")  # families of which `Optimizer.at` knows what practitioners call them


def of(study):
    """Return the reporting.document.Study of a ConvergenceStudy."""
    oracle = study.oracle
    parts = [("Data", None)] if oracle.data is not None else []
    parts += [] if parts else [("Loss", oracle.loss), ("Covariance", oracle.covariance), ("Noise", oracle.noise)]
    processes = [_part(study, role, value) for role, value in parts]
    processes.append(_process("Optimizer", study.rule, _variation(study)))
    processes += [_process("SDE", sde) for sde in given.sdes(study.sde)]
    own = [each for each in study.test_functions if not isinstance(each, str)]
    processes += [_own("Test function", each.name, each) for each in own]
    if not isinstance(study.estimator, str):
        processes.append(Process("Estimator", study.estimator.name, "", (), (), _of_class(study.estimator), ()))
    return Study(tuple(processes), _run(study), _units(study), study.notes)


def title(study):
    """Return what is compared with what, in a line."""
    rule = f"{study.rule.name} under SVAG" if isinstance(study.optimizer, SVAG) else study.rule.name
    if study.reference is not None:
        times = " and ".join(map(str, study.reference.kappa))
        return f"{rule} against itself at {times} times the batch size"
    names = [sde.name for sde in study.sdes]
    return f"{rule} against the SDE{'s' * (len(names) > 1)} {', '.join(names)}"


def _run(study):
    """Return start, times and test functions in words: (what, value)."""
    names = [each if isinstance(each, str) else each.name for each in study.test_functions]
    start = {name: value for name, value in study.initial.items() if name != "t0"}
    at = ", ".join(f"{name} = {_short(written.as_json(value))}" for name, value in start.items())
    return (
        ("Start", f"{at or '0'}, at time {study.t0:g}"),
        ("Times", f"up to {study.horizon:g}; errors at {max(map(len, study.record_times))} of them at most"),
        ("Test functions", ", ".join(names)),
    )


def _variation(study):
    """Return what SVAG or a scaling rule does with an optimizer, a paragraph each."""
    if isinstance(study.optimizer, SVAG):
        return (f"Under the SVAG operator at ell = {', '.join(f'{ell:g}' for ell in study.optimizer.ell)}.",)
    if study.reference is not None:
        rule = "square-root" if study.rule.clock == "eta2" else "linear"
        return (f"Compared with itself at kappa times the batch size by the {rule} scaling rule.",)
    return ()


def _part(study, role, value):
    if role == "Data":
        known = description.data(study.oracle)
        return Process(role, known.pop("model"), "", (), (), (), _constants(known))
    if not hasattr(value, "name"):
        return Process(role, "constant", "", (), (), (), (("Sigma", _short(written.as_json(value))),))
    return _process(role, value)


def _process(role, value, more=()):
    """Return what there is to say of a built-in, by its docstring, or of a user's own."""
    if value.recipe is None:
        return _own(role, value.name, value, more)
    make, arguments = value.recipe.constructor, value.recipe.arguments
    order = inspect.signature(make).parameters.get("order")
    said = told(make, None if order is None else arguments.get("order", order.default))
    known = written.made({"SDE": "sde"}.get(role, role.lower()), value)
    known.pop("kind")
    defaults = {name: each.default for name, each in inspect.signature(make).parameters.items()}
    known = {name: known.get(name, default) for name, default in defaults.items()} | known
    known = {name: each for name, each in known.items() if each not in (None, inspect.Parameter.empty)}
    paragraphs = (*said.paragraphs, *more)
    return Process(role, value.name, said.summary, said.equations, paragraphs, _sources(value), _constants(known))


def _own(role, name, value, more=()):
    return Process(role, name, "", (), more, _sources(value), _constants(getattr(value, "parameters", {})))


def _constants(values):
    return tuple((name, _short(written.as_json(value))) for name, value in values.items())


def _short(value):
    """Return a value as text, a number by its digits, and of a long one the beginning."""
    text = f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} .. (the study file has all)"


def _sources(value):
    """Return the users' functions among the fields of something, and those that they call."""
    found: dict = {}
    for name, each in vars(value).items():
        if isinstance(each, FunctionType):
            _walk(name, each, found)
    return tuple(Source(name, _text(function)) for function, name in found.items())


def _walk(name, function, found):
    if function in found:
        return
    outside = inspect.getclosurevars(function)
    read = dict(outside.nonlocals)
    if (function.__module__ or "").partition(".")[0] != __name__.partition(".")[0]:
        found[function] = name
        read |= outside.globals
    elif function.__closure__ is None:
        return
    for inner, each in read.items():
        if isinstance(each, FunctionType):
            _walk(inner, each, found)


def _text(function):
    """Return a function's source, and the numbers that it reads from outside."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return f"its text is not to be found; the hash of its code is {description.source_hash(function)}"
    outside = inspect.getclosurevars(function)
    numbers = {**outside.globals, **outside.nonlocals}.items()
    lines = [f"{name} = {value!r}\n" for name, value in numbers if isinstance(value, (bool, int, float, np.generic))]
    return f"{''.join(lines)}{text}".rstrip()


def _of_class(value):
    try:
        return (Source(type(value).__name__, textwrap.dedent(inspect.getsource(type(value))).rstrip()),)
    except (OSError, TypeError):
        return ()


def _units(study):
    """Return the hyperparameters of every point as practitioners have them, a row a point and a batch."""
    rows = []
    for point in study.points:
        place = {"h": point.h, study.rule.clock: point.size, "ell": point.ell, "kappa": point.kappa}
        for kappa in (1, point.kappa)[: 1 + (point.kappa > 1)]:
            batch = {} if point.batch_size is None else {"B": float(point.batch_size * kappa)}
            rows.append(place | {"batch": f"{kappa} B"} | _hyperparameters(study.rule, point, kappa) | batch)
    frame = pd.DataFrame(rows)
    frame = frame.drop(columns=[name for name in ("ell", "kappa") if (frame[name] == 1).all()])
    return frame if "kappa" in frame else frame.drop(columns="batch")


def _hyperparameters(rule, point, kappa):
    """Return lr, betas, eps, weight decay, sigma and 1 / sigma^2 of an optimizer's step at a point, by name."""
    h, p = kappa * point.h, rule.parameters
    if rule.family in _HYPERPARAMETERS:
        at = rule.at(h)
        names = ("beta",) if rule.family == "rmsprop" else ("beta1", "beta2")
        found = {"lr": at.lr, **dict(zip(names, at.betas, strict=True)), "eps": at.eps}
        found |= {"weight decay": at.weight_decay} if at.weight_decay else {}
        sigma = at.sigma
    else:
        sigma = rule.with_steps(kappa / point.amplification).noise_scale(learning_rate(rule.clock, h))
        found = {"lr": learning_rate(rule.clock, h)}
        found |= {f"1 - {name} h": 1.0 - p[name] * h for name in ("c1", "c2") if name in p}
    return found if math.isnan(sigma) else found | {"sigma": sigma, "1 / sigma^2": sigma**-2}
