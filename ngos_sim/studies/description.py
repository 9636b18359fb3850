"""A study as a dict that json can write: numbers as numbers, and what tells a user's functions again."""

import hashlib
import inspect
from types import FunctionType

import numpy as np

from ngos_sim.oracles.covariances import Covariance
from ngos_sim.oracles.variances import Variance

_PLAIN = (bool, int, float, str, type(None))


def study(described):
    """Return a ConvergenceStudy as a dict of what json can write."""
    oracle, rule, points = described.oracle, described.rule, described.points
    sigmas = [described.noise_scale(point) for point in points]
    return {
        "oracle": _oracle(oracle, sigmas) if oracle.data is None else {"data": data(oracle)},
        "optimizer": _with_source(
            {"kind": rule.name, "clock": rule.clock, **rule.parameters}, step=rule.step, schedule=rule.schedule
        ),
        "sde": [_sde(sde) for sde in described.sdes],
        "initial": {
            key: _value(value) | {"values": [_value(value(point.size)) for point in points]}
            if callable(value)
            else _value(value)
            for key, value in described.initial.items()
        },
        "points": [_point(point) for point in points],
        "horizon": described.horizon,
        "times": [[float(time) for time in each] for each in described.record_times],
        "estimator": _estimator(described.estimator),
        "test_functions": [
            g if isinstance(g, str) else _with_source({"name": g.name, "coordinate": g.coordinate}, g=g.g)
            for g in described.test_functions
        ],
    }


def _oracle(oracle, sigmas):
    return {
        "loss": _with_source(
            {"kind": oracle.loss.name, **oracle.loss.parameters},
            gradient=oracle.loss.gradient,
            value=oracle.loss.value,
            curvature=oracle.loss.curvature,
        )
        | ({"hessian": oracle.loss.matrix} if oracle.loss.matrix else {}),
        "covariance": _covariance(oracle.covariance),
        "noise": _with_source(
            {"kind": oracle.noise.name, "parameters": [oracle.noise.numbers(sigma) for sigma in sigmas]},
            sample=oracle.noise.sample,
            quadrature=oracle.noise.quadrature,
        ),
    }


def data(oracle):
    """Return what tells a data set again: its model and shape, and the sha256 of its arrays."""
    risk = oracle.data
    return {
        "model": risk.model.name,
        "samples": risk.samples,
        "features": risk.dimension,
        "classes": list(risk.classes),
        "l2": risk.l2,
        "sha256": risk.sha256,
        "replacement": oracle.noise.replacement,
    }


def _point(point):
    found = {"h": point.h, "eta2": point.eta2, "eta": point.eta, "ell": point.ell, "kappa": point.kappa}
    return found | ({} if point.batch_size is None else {"batch_size": point.batch_size})


def _covariance(covariance):
    if isinstance(covariance, Covariance):
        return _with_source({"kind": covariance.name, **covariance.parameters}, root=covariance.root)
    if isinstance(covariance, Variance):
        return _with_source({"kind": covariance.name, **covariance.parameters}, function=covariance.function)
    return _value(covariance)


def _estimator(estimator):
    """Return a built-in's name, or that of a user's own and the hashes of its methods."""
    if isinstance(estimator, str):
        return estimator
    methods = {name: each for name, each in vars(type(estimator)).items() if isinstance(each, FunctionType)}
    return _with_source({"kind": estimator.name}, **methods)


def _sde(sde):
    functions = {"drift": sde.drift, "diffusion": sde.diffusion, "schedule": sde.schedule}
    found = _with_source({"kind": sde.name, **sde.parameters}, **functions)
    found |= {name: value for name in ("channels", "refinement") if (value := getattr(sde, name)) > 1}
    return found | ({"pivot": _sde(sde.pivot)} if sde.pivot else {})


def _with_source(known, **functions):
    """Return what is known with the hashes of those functions that are not the library's own."""
    own = __name__.partition(".")[0]
    given = {name: function for name, function in functions.items() if function is not None}
    users = {name: function for name, function in given.items() if _module(function).partition(".")[0] != own}
    return known | ({"source": {name: source_hash(function) for name, function in users.items()}} if users else {})


def _module(function):
    return getattr(function, "__module__", None) or ""


def _value(value):
    """Return a number, vector or matrix as numbers and lists, and a function as its name and hash."""
    if callable(value):
        name = getattr(value, "__qualname__", type(value).__name__)
        return {"function": name, "source": source_hash(value)}
    return np.asarray(value, dtype=np.float64).tolist()


def source_hash(function):
    """Return 16 hexadecimal digits that change when a function's source does, or a constant or helper it reads.

    The source is its text where Python finds it, else its compiled code, which another version of Python compiles
    differently.
    """
    return hashlib.sha256(_source(function, ()).encode()).hexdigest()[:16]


def _source(function, within):
    """Return a text of a function and of what it reads; `within` are the functions that led to it."""
    if function in within or not isinstance(function, FunctionType):
        return type(function).__name__
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        text = function.__code__.co_code.hex() + repr(function.__code__.co_consts)
    outside = inspect.getclosurevars(function)
    parts = [text, repr(function.__defaults__)]
    for name, value in sorted({**outside.globals, **outside.nonlocals}.items()):
        if isinstance(value, FunctionType):
            parts.append(name + _source(value, (*within, function)))
        elif isinstance(value, (tuple, np.generic, *_PLAIN)):
            parts.append(f"{name}={value!r}")
    return "\0".join(parts)
