"""Binding: what changes a fingerprint, what is refused, and that the disk cache is never stale."""

import functools
import importlib
import math
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numba
import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines.compiling.bind import bind
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.cpu import lanes
from ngos_sim.engines.features import state_feature
from tests.support import programs

ROOT = Path(__file__).parents[3]


def digest(function, precision="f64"):
    return bind(function, precision)._numba_type_.digest


def scaled_by(factor):
    def f(x):
        return factor * x

    return f


def calls(helper):
    def f(x):
        return helper(x) + 1.0

    return f


def test_fingerprints_see_constants_closures_helpers_and_precision():
    assert digest(scaled_by(2.0)) == digest(scaled_by(2.0))
    assert digest(scaled_by(2.0)) != digest(scaled_by(3.0))
    assert digest(calls(scaled_by(2.0))) != digest(calls(scaled_by(3.0)))
    assert digest(scaled_by(2.0)) != digest(scaled_by(2.0), "mix")
    assert digest(lambda x: x + 1.0) != digest(lambda x: x + 2.0)
    assert digest(lambda x: math.sin(x)) != digest(lambda x: math.cos(x))


def test_refusals_name_what_is_wrong():
    table = np.zeros(3)
    with pytest.raises(TypeError, match=r"uses table=array.*may use numbers, tuples, math"):
        bind(lambda x: table[0] + x, "f64")

    def forever(x):
        return forever(x)

    with pytest.raises(TypeError, match="calls itself"):
        bind(forever, "f64")

    def counted(x):
        return x * counted.factor

    counted.factor = 2.0
    with pytest.raises(TypeError, match=r"counted \(test_bind.py, line \d+\) reads counted.factor, an attribute"):
        bind(counted, "f64")


class Half:
    def __call__(self, x):
        return 0.5 * x

    def of(self, x):
        return 0.5 * x


@pytest.mark.parametrize(
    ("g", "what"),
    [
        (functools.partial(math.pow, 2.0), "a functools.partial of pow"),
        (Half().of, "a bound method, Half.of"),
        (Half(), "an object of class Half"),
        (numba.njit(Half.of), "compiled by Numba already: give of.py_func"),
    ],
)
def test_a_callable_that_is_no_plain_function_is_named_by_what_it_is(g, what):
    allowed = r'; only a plain function \(def or lambda\) can be compiled \(device="python" takes any\)$'
    with pytest.raises(TypeError, match=rf"<lambda> \(test_bind.py, line \d+\): g is {what}{allowed}"):
        bind(lambda x: g(x), "f64")
    with pytest.raises(TypeError, match=rf"^function is {what}{allowed}"):
        bind(state_feature(g, 0).function, "f64")


HELPER = """
import math
from math import cos

FACTOR = {0}

def push(z):
    return {0} * math.exp(z) * cos(0.0)
"""


def measured(push):
    """Return what a study of a step finds that calls a helper, and how often its loop came from the disk cache."""
    rule = ns.Optimizer("mine", lambda x, o, z, c, p: (x[0] + push(z),), ("theta",), sigma0=1.0)
    program = programs.build(ns.NGOS(ns.linear(1.0)), [(rule, ns.gaussian(), 1)], ["theta[0]"], [[0.0]], 0.1, 1)
    block = cpu.Kernel(*program, "f64").block(0)
    return float(np.abs(block).max()), sum(lanes.row.kernel.stats.cache_hits.values())


SCRIPT = """
    import sys
    import numba
    from ngos_sim.engines.cpu import kernels
    from tests.engines.compiling import test_bind
    sys.path.insert(0, "PLACE")
    from MODULE import push

    numba.config.CACHE_DIR = "PLACE/cache"
    test_bind.lanes.row.kernel = test_bind.new_dispatcher()
    print(*test_bind.measured(push), sum(kernels.chunks.stats.cache_misses.values()))
"""


def new_dispatcher():
    """Return the dispatcher of the loop over lanes: it knows no loop yet, as in a new process."""
    return njit(**KERNEL, no_cpython_wrapper=True)(lanes.row.kernel.py_func)


def write(place, factor, module="helper"):
    (place / f"{module}.py").write_text(HELPER.format(factor), encoding="utf-8")


def test_an_edited_helper_in_another_file_changes_the_result(tmp_path):
    """In processes, which share the engine's kernels; their loops are kept in a cache of the test's own."""
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}

    def run(factor, module="helper"):
        write(tmp_path, factor, module)
        code = textwrap.dedent(SCRIPT).replace("PLACE", str(tmp_path)).replace("MODULE", module)
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        value, *counts = done.stdout.split()
        return float(value), *map(int, counts)

    first, second, again = run(1.0), run(2.0), run(1.0)
    assert first[0] > 1.0
    assert second == (2.0 * first[0], 0, 0)  # only the loop around it is compiled anew
    assert again == (first[0], 1, 0)  # and an unchanged one comes from the disk cache
    (tmp_path / "helper.py").unlink()
    assert run(1.0, "renamed") == (first[0], 1, 0)  # which does not look for the module that it came from


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Keep the loops over lanes in a folder of the test's own; return it."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


helper = push = None  # what `run` imports


def called_by_its_module(z):
    return helper.push(z)


def read_from_its_module(z):
    return helper.FACTOR * push(z)


@pytest.fixture
def run(cache, tmp_path, monkeypatch):
    """Return run(factor, function): what is found once the helper's file has been edited and is imported anew."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def edited(factor, function=called_by_its_module):
        write(tmp_path, factor)
        sys.modules.pop("helper", None)
        importlib.invalidate_caches()
        imported = importlib.import_module("helper")
        for name, value in {"helper": imported, "push": imported.push}.items():
            monkeypatch.setitem(globals(), name, value)
        monkeypatch.setattr(lanes.row, "kernel", new_dispatcher())
        return measured(function)

    yield edited
    sys.modules.pop("helper", None)


@pytest.mark.parametrize(("function", "ratio"), [(called_by_its_module, 2.0), (read_from_its_module, 4.0)])
def test_what_is_read_as_an_attribute_of_an_edited_module_changes_the_result(run, function, ratio):
    first, second, again = (run(factor, function) for factor in (1.0, 2.0, 1.0))
    assert second == (ratio * first[0], 0)
    assert again == (first[0], 1)


def test_a_collision_in_numbas_cache_heals(run, cache):
    """Two processes that write an index at once can name the same file in it: of another function, here."""
    first, second = run(1.0)[0], run(2.0)[0]
    (one, two) = sorted(cache.rglob("lanes._row-*.nbc"))
    two.write_bytes(one.read_bytes())
    assert run(2.0)[0] == second == 2.0 * first
    assert run(2.0) == (second, 1)
