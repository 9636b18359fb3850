"""Binding: what changes a fingerprint, what is refused, and that the disk cache is never stale."""

import functools
import math
import os
import shutil
import subprocess
import sys
import textwrap

import numba
import numpy as np
import pytest

from ngos_sim.engines.compiling.bind import bind
from ngos_sim.engines.features import state_feature


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


SCRIPT = """
    import numpy as np
    import ngos_sim as ns
    from ngos_sim.engines.cpu import engine as cpu, kernels, lanes
    from ngos_sim.estimators.assembly import Part, assemble, observables
    IMPORT

    def step(x, o, z, c, p):
        return (x[0] + FACTOR * PUSH(z),)

    rule = ns.Optimizer("mine", step, ("theta",), sigma0=1.0)
    oracle, records = ns.NGOS(ns.linear(1.0)), np.array([1])
    observed = observables(oracle, ["theta[0]"], ("theta",), 1, records)
    parts = [Part(rule, ns.gaussian(), 1, 0.1, 1.0)]
    program, inputs = assemble(oracle, parts, np.eye(1), observed, np.zeros((1, 1)), 0.1, 0.0, records, 5)
    block = cpu.Kernel(program, inputs, "f64").block(0)
    hits = [sum(kernel.stats.cache_hits.values()) for kernel in (lanes.row.kernel, kernels.chunks)]
    print(repr(float(np.abs(block).max())), *hits)
"""

HELPER = """
import math
from math import cos

FACTOR = {0}

def push(z):
    return {0} * math.exp(z) * cos(0.0)
"""


def runner(place):
    """Return run(factor) in a folder: what a process finds whose helper multiplies by it, and how often cached."""
    env = {**os.environ, "NUMBA_CACHE_DIR": str(place / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}

    def script(factor, module="helper", line="from MODULE import push", push="push", constant="1.0"):
        text = textwrap.dedent(SCRIPT).replace("IMPORT", line.replace("MODULE", module))
        text = text.replace("PUSH", push).replace("FACTOR", constant)
        (place / "script.py").write_text(text, encoding="utf-8")
        (place / f"{module}.py").write_text(HELPER.format(factor), encoding="utf-8")
        command = [sys.executable, "script.py"]
        found = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=True).stdout
        value, *hits = found.split()
        return float(value), *map(int, hits)

    return script


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Return a disk cache of what the script compiles."""
    place = tmp_path_factory.mktemp("compiled")
    runner(place)(1.0)
    return place / "cache"


@pytest.fixture
def run(tmp_path, compiled):
    """Return a runner in a folder of the test's own, on a copy of that cache."""
    shutil.copytree(compiled, tmp_path / "cache")
    return runner(tmp_path)


def test_an_edited_helper_in_another_file_changes_the_result(run, tmp_path):
    first, second, again = run(1.0), run(2.0), run(1.0)
    assert first[0] > 1.0
    assert second == (2.0 * first[0], 0, 1)  # only the loop around it is compiled anew
    assert again == (first[0], 1, 1)  # and an unchanged one comes from the disk cache
    (tmp_path / "helper.py").unlink()
    assert run(1.0, "renamed") == (first[0], 1, 1)  # which does not look for the module that it came from


@pytest.mark.parametrize(("names", "ratio"), [(dict(push="helper.push"), 2.0), (dict(constant="helper.FACTOR"), 4.0)])
def test_what_is_read_as_an_attribute_of_an_edited_module_changes_the_result(run, names, ratio):
    line = "import helper; from helper import push"
    first, second, again = (run(factor, line=line, **names) for factor in (1.0, 2.0, 1.0))
    assert second == (ratio * first[0], 0, 1)
    assert again == (first[0], 1, 1)


def test_a_collision_in_numbas_cache_heals(run, tmp_path):
    """Two processes that write an index at once can name the same file in it: of another function, here."""
    first, second = run(1.0)[0], run(2.0)[0]
    (one, two) = sorted((tmp_path / "cache").rglob("lanes._row-*.nbc"))
    two.write_bytes(one.read_bytes())
    assert run(2.0)[0] == second == 2.0 * first
    assert run(2.0) == (second, 1, 1)
