"""What a scalar function reads from outside: it is in the compile key and bound, or refused by name."""

import builtins
import enum
import functools
import math
import random
import time
import types

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.arithmetic import fma
from ngos_sim.engines.compiling import elementary
from ngos_sim.engines.compiling.bind import bound, digest, plain
from ngos_sim.engines.compiling.fingerprint import fingerprint
from tests.support import programs


def module(name, **held):
    """Return a module of a user's."""
    made = types.ModuleType(name)
    vars(made).update(held)
    return made


def curve(x):
    return math.exp(x) * fma(x, x, -1.0)


inner = module("inner", OFFSET=0.1, curve=curve)
settings = module("settings", GAIN=2.0, inner=inner)
FACTOR = 1.0


def reads_a_module(x):
    return settings.GAIN * x + settings.inner.OFFSET * settings.inner.curve(x)


def by_closure(held):
    def f(x):
        return held.GAIN * x + held.inner.OFFSET * held.inner.curve(x)

    return f


@pytest.mark.parametrize("f", [reads_a_module, by_closure(settings)], ids=["global", "closure"])
def test_what_is_read_of_modules_is_hashed_and_bound(f, monkeypatch):
    x = 0.7
    values, digests = [], []
    for change in ({}, {"GAIN": 20.0}, {"OFFSET": 0.2}, {"curve": lambda x: math.exp(x) * fma(x, x, -2.0)}):
        with monkeypatch.context() as patch:
            for name, value in change.items():
                patch.setattr(settings if name == "GAIN" else inner, name, value)
            digests.append(digest(f, "f64"))
            values.append(bound(f, "f64", "python")(x))
            assert plain(f)(x) == values[-1]
    assert len({*digests}) == 4
    own, last = plain(elementary.exp)(x), math.fsum([x * x, -1.0])
    np.testing.assert_allclose(
        values,
        [
            2 * x + 0.1 * own * last,
            20 * x + 0.1 * own * last,
            2 * x + 0.2 * own * last,
            2 * x + 0.1 * own * (last - 1.0),
        ],
        rtol=1e-15,
    )
    assert digest(f, "f64") == digests[0]


def test_constants_and_helpers_of_modules_have_the_precision():
    x = np.float32(0.7)
    for f in (by_closure(settings), lambda x: x * np.pi + np.exp(x), lambda x: (lambda y: y * 0.1)(x)):
        single, double = (bound(f, precision, "python")(x) for precision in ("f32", "f64"))
        assert single == float(np.float32(single)) == pytest.approx(double, rel=1e-6)
        assert double != float(np.float32(double))


def test_functions_of_numpy_are_maths_bit_for_bit():
    for numpys, maths in ((lambda x: np.exp(x), lambda x: math.exp(x)), (lambda x: np.sin(x), lambda x: math.sin(x))):
        for x in (0.3, 1.7, -2.9):
            assert plain(numpys)(x) == bound(numpys, "f64", "python")(x) == plain(maths)(x)
    assert digest(lambda x: np.exp(x), "f64") != digest(lambda x: np.sqrt(x), "f64")
    assert bound(lambda x: np.sqrt(x) + ns.fma(x, x, x), "f64", "python")(4.0) == 22.0


def with_default(value):
    def f(x, gain=value):
        return gain * x

    return f


def with_keyword(value):
    def f(x, *, gain=value):
        return gain * x

    return f


def with_helper(helper):
    def f(x, law=helper):
        return law(x)

    return f


def test_defaults_are_hashed_and_bound():
    for make in (with_default, with_keyword):
        assert digest(make(1.0), "f64") == digest(make(1.0), "f64")
        assert digest(make(1.0), "f64") != digest(make(np.float64(1.0)), "f64")
        assert digest(make(1.0), "f64") != digest(make(2.0), "f64")
        assert plain(make(2.0))(3.0) == 6.0
    assert digest(with_helper(curve), "f64") != digest(with_helper(lambda x: x), "f64")
    assert plain(with_helper(curve))(0.7) == plain(curve)(0.7)


@pytest.mark.parametrize("value", [2.0, 2, True, np.float64(2.0), np.float32(2.0), (1.0, (2.0, 3)), -0.0])
def test_numbers_are_told_apart_by_kind_and_bits(value, monkeypatch):
    monkeypatch.setattr(settings, "GAIN", 0.0)
    before = digest(reads_a_module, "f64")
    monkeypatch.setattr(settings, "GAIN", value)
    assert digest(reads_a_module, "f64") != before


def test_a_global_that_is_assigned_again_between_two_studies(monkeypatch):
    def mean():
        drift = lambda x, o, c, p: (-FACTOR * settings.GAIN * o.gradient, 0.0)  # noqa: E731
        sde = ns.SDE("mine", drift, lambda x, o, c, p: (0.0, 0.0), ("theta", "u"))
        made = ns.ConvergenceStudy(
            ns.NGOS(ns.linear(1.0)),
            ns.rmsprop(**programs.RMSPROP),
            sde,
            initial=dict(theta=0.0, u=1.0),
            eta2=[0.25],
            test_functions=["theta[0]"],
        )
        return made.run(1024, threads=1).table.sde_mean.iloc[-1]

    assert mean() == pytest.approx(-2.0, abs=1e-12)
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    assert mean() == pytest.approx(-6.0, abs=1e-12)
    monkeypatch.setattr(settings, "GAIN", 5.0)
    assert mean() == pytest.approx(-15.0, abs=1e-12)


class Model:
    gain = 2.0

    def __init__(self):
        self.own = 3.0

    def drift(self, x):
        return self.own * x


class Level(enum.IntEnum):
    HIGH = 2


model, held, drawn = Model(), module("held", table=[1.0, 2.0], array=np.ones((2, 2)), model=Model()), random.Random(1)
pair, generator, zero_d = (1.0, [2.0]), np.random.default_rng(1), np.array(2.0)

ALLOWED = "; a scalar function may use numbers, tuples, math and other scalar functions$"


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: held.table[0] * x, r"uses held\.table=\[1\.0, 2\.0\]" + ALLOWED),
        (lambda x: held.array[0, 0] * x, r"uses held\.array=array\(\[\[1\., 1\.\], \[1\., 1\.\]\]\)" + ALLOWED),
        (lambda x: held.model.own * x, r"uses held\.model=<.*Model object at .*" + ALLOWED),
        (lambda x: held, "uses held, a module, otherwise than as held.NAME with a NAME that is there" + ALLOWED),
        (lambda x: held.missing * x, "uses held, a module, otherwise than as held.NAME" + ".*" + ALLOWED),
        (lambda x: model.own * x, r"uses model=<.*Model object at .*" + ALLOWED),
        (lambda x: Model.gain * x, r"uses Model=<class .*Model'>" + ALLOWED),
        (lambda x: Level.HIGH * x, r"uses Level=<enum 'Level'>" + ALLOWED),
        (lambda x: pair[0] * x, r"uses pair\[1\]=\[2\.0\]" + ALLOWED),
        (lambda x: zero_d * x, r"uses zero_d=array\(2\.\)" + ALLOWED),
        (lambda x: time.time() * x, "uses time.time=<built-in function time>" + ALLOWED),
        (lambda x: print(x), "uses print=<built-in function print>" + ALLOWED),
        (lambda x: open(x), "uses open=<.*function open>" + ALLOWED),  # noqa: SIM115
        (lambda x: builtins.eval("x"), "uses builtins.eval=<built-in function eval>" + ALLOWED),
        (with_default([1.0]), r"uses default 0=\[1\.0\]" + ALLOWED),
        (with_keyword(Model()), "uses default gain=<.*Model object at .*" + ALLOWED),
        (with_helper(functools.partial(curve)), ": default 0 is a functools.partial of curve; only a plain function"),
        (with_helper(model.drift), r": default 0 is a bound method, Model\.drift; only a plain function"),
        (lambda x: (lambda y: model.own * y)(x), "uses model=<.*" + ALLOWED),
    ],
)
def test_what_could_change_in_silence_is_refused_by_name(f, message):
    with pytest.raises(TypeError, match=rf"\(test_fingerprint\.py, line \d+\) ?{message}") as refusal:
        digest(f, "f64")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: np.random.normal(), r"np\.random\.normal"),  # noqa: NPY002
        (lambda x: np.random.default_rng(x), None),
        (lambda x: random.gauss(0.0, x), r"random\.gauss"),
        (lambda x: drawn.random() * x, "drawn"),
        (lambda x: generator.normal() * x, "generator"),
        (with_helper(random.random), None),
    ],
)
def test_random_numbers_are_refused(f, name):
    with pytest.raises(
        TypeError, match=rf"uses {name}; random numbers come to a scalar function as z$" if name else ALLOWED
    ):
        digest(f, "f64")
    if name:
        with pytest.raises(TypeError, match="random numbers come"):
            plain(f)


def test_a_path_without_a_value_is_named_by_its_line():
    def somewhere(x):
        if x > 0.0:
            return x

    def explicit(x):
        if x > 0.0:
            return None
        return x

    def nothing(x):
        return None

    def raising(x):
        if x > 0.0:
            return x
        raise ValueError

    for f in (somewhere, explicit):
        with pytest.raises(
            TypeError, match=rf"{f.__name__} \(test_fingerprint.py, .*\) ends without a value at line \d"
        ):
            fingerprint(f)
    for f in (nothing, raising):
        assert fingerprint(f)
