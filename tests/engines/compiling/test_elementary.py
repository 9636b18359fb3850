"""exp, log, tanh, erf, sin and cos: errors as stated against long doubles, what is not a number, and who calls them."""

import bdb
import functools
import math
from math import exp

import mpmath
import numpy as np
import pytest
from numba import njit

from ngos_sim.engines import python
from ngos_sim.engines.compiling import elementary
from ngos_sim.engines.compiling.bind import bound, plain
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.program import BLOCK
from tests.support import programs

extended = pytest.mark.skipif(np.finfo(np.longdouble).eps > 2.0**-63, reason="needs a wider long double")
REAL = {"f64": np.float64, "f32": np.float32}
ULPS = {"f64": dict(exp=1.1, log=1.2, tanh=2.6, erf=2.8), "f32": dict(exp=1.1, log=1.1, tanh=2.6, erf=3.4)}
ABSOLUTE = {"f64": 2.3e-16, "f32": 1.4e-7}  # of sin and cos
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0]


def own(name, precision):
    return getattr(elementary, name + ("32" if precision == "f32" else ""))


@functools.cache
def _loop(name, precision):
    function = bound(own(name, precision), precision, "cpu")

    @njit(error_model="numpy")
    def loop(x, out):
        for i in range(len(x)):
            out[i] = function(x[i])

    return loop


def compiled(name, precision, x):
    """Return the compiled function of an array."""
    out = np.empty_like(x)
    _loop(name, precision)(x, out)
    return out


def arguments(name, precision, n=100_000):
    """Return where the function is finite: all magnitudes, denormals, and where it is worst."""
    random, info = np.random.default_rng(4), np.finfo(REAL[precision])
    least, most = math.log10(info.smallest_subnormal), math.log10(info.max)
    magnitudes = 10.0 ** random.uniform(least, most, n)
    low, high = math.log(info.smallest_subnormal), math.log(info.max)
    period = 2.0**40 if precision == "f64" else 2.0**17
    angles = random.uniform(-period, period, n)
    around = 1.0 + random.choice([-1.0, 1.0], n) * 2.0 ** random.uniform(-53.0, -1.3, n)
    small = np.concatenate([magnitudes[magnitudes < 1.0], random.uniform(-3.0, 3.0, n), random.uniform(-30.0, 30.0, n)])
    turns = np.rint(np.concatenate([angles, small]) / (0.5 * math.pi)) * (0.5 * math.pi)  # zeros and extremes
    chosen = {
        "exp": [random.uniform(low, high, n), random.uniform(low, low + 40.0, n), small],
        "log": [magnitudes, around, random.uniform(0.7, 1.42, n)],
        "tanh": [small, random.uniform(0.1, 0.6, n)],
        "erf": [small[:3000], random.uniform(-6.5, 6.5, 3000), random.uniform(-0.3, 0.3, 3000)],  # mpmath is slow
        "sin": [angles, small, turns],
        "cos": [angles, small, turns],
    }
    x = np.concatenate(chosen[name]).astype(REAL[precision])
    return np.clip(x, low, high) if name == "exp" else x


def reference(name, x):
    """Return the function in long doubles: NumPy's, and mpmath's erf."""
    if name == "erf":
        with mpmath.workprec(90):
            exact = [mpmath.erf(each) for each in x.tolist()]
            high = [float(each) for each in exact]
            low = [float(each - near) for each, near in zip(exact, high, strict=True)]
        return np.array(high, np.longdouble) + np.array(low, np.longdouble)
    return getattr(np, name)(x.astype(np.longdouble))


def worst(found, wanted, ulps):
    """Return the largest error, in units in the last place or absolute."""
    error = np.abs(found.astype(np.longdouble) - wanted)
    return float(np.max(error / np.spacing(np.abs(wanted.astype(found.dtype))) if ulps else error))


@extended
@pytest.mark.parametrize("precision", REAL)
@pytest.mark.parametrize("name", elementary.NAMES)
def test_errors_are_as_stated(name, precision):
    x = arguments(name, precision)
    found, wanted = compiled(name, precision, x), reference(name, x)
    limit = ULPS[precision].get(name)
    if limit is None:
        assert worst(found, wanted, False) <= ABSOLUTE[precision]
        assert np.abs(found).max() == 1.0
    else:
        assert 0.5 < worst(found, wanted, True) <= limit


@pytest.mark.parametrize("precision", REAL)
@pytest.mark.parametrize("name", elementary.NAMES)
def test_plain_python_is_the_compiled_function_bit_for_bit(name, precision):
    chosen = arguments(name, precision)
    some = np.concatenate([chosen[:: len(chosen) // 100], np.array([*SPECIAL, 1e30, -1e30], REAL[precision])])
    with np.errstate(all="ignore"):  # float32 of NumPy warns of overflow
        found = [own(name, precision)(REAL[precision](x).item() if precision == "f64" else x) for x in some]
    assert {type(y) for y in found} == {float if precision == "f64" else np.float32}
    np.testing.assert_array_equal(np.array(found, REAL[precision]), compiled(name, precision, some))


@pytest.mark.parametrize("precision", REAL)
def test_where_there_is_no_number(precision):
    def of(name):
        return compiled(name, precision, np.array(SPECIAL, REAL[precision])).tolist()

    nan, inf = math.nan, math.inf
    np.testing.assert_array_equal(of("exp")[:5], [1.0, 1.0, inf, 0.0, nan])
    np.testing.assert_array_equal(of("log"), [-inf, -inf, inf, nan, nan, 0.0, nan])
    np.testing.assert_array_equal(of("tanh")[:5], [0.0, -0.0, 1.0, -1.0, nan])
    np.testing.assert_array_equal(of("erf")[:5], [0.0, -0.0, 1.0, -1.0, nan])
    for name in ("tanh", "erf"):
        np.testing.assert_array_equal(np.signbit(of(name)[:2]), [False, True])
    np.testing.assert_array_equal(of("sin")[:5], [0.0, 0.0, nan, nan, nan])
    np.testing.assert_array_equal(of("cos")[:5], [1.0, 1.0, nan, nan, nan])
    largest, least = np.finfo(REAL[precision]).max, np.finfo(REAL[precision]).smallest_subnormal
    edges = np.log(np.array([largest, least], np.longdouble)).astype(REAL[precision])
    below, above = np.nextafter(edges, REAL[precision](-inf)), np.nextafter(edges, REAL[precision](inf))
    assert np.isfinite(compiled("exp", precision, below)).all()
    assert compiled("exp", precision, np.nextafter(above, REAL[precision](inf)))[0] == inf
    assert compiled("exp", precision, above)[1] == least
    assert compiled("exp", precision, edges - REAL[precision](1.0))[1] == 0.0
    beyond = np.array([2.0**41, -(2.0**41)], REAL[precision])
    assert np.isnan([compiled(name, precision, beyond) for name in ("sin", "cos")]).all()


def test_a_users_functions_are_plain_pythons_bit_for_bit():
    users = programs.users()
    block = cpu.Kernel(*users, "f64").block(5)
    for lane in (0, 1, 127):
        expected, finite = python.trajectory(*users, 5 * BLOCK + lane)
        assert finite
        np.testing.assert_array_equal(block[..., lane], expected)


def test_it_is_not_maths_that_is_called():
    """The negative control: last bits differ."""
    own, thetas = plain(lambda x: math.tanh(x) + exp(x)), np.linspace(0.1, 3.0, 100).tolist()
    theirs = [math.tanh(theta) + math.exp(theta) for theta in thetas]
    assert [own(theta) for theta in thetas] != theirs
    np.testing.assert_allclose([own(theta) for theta in thetas], theirs, rtol=1e-15)


def test_a_plain_copy_may_call_itself_and_has_keywords():
    def power(x, n, *, base=1.0):
        return base if n == 0 else math.exp(x) * power(x, n - 1, base=base)

    assert plain(power)(0.0, 3) == 1.0


class Stops(bdb.Bdb):
    """A debugger that keeps the names it sees at its breakpoints."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def user_line(self, frame):
        if self.break_here(frame):
            self.seen.append((frame.f_code.co_name, sorted(frame.f_locals), "slope" in frame.f_globals))
        self.set_continue()


def test_breakpoints_in_a_users_function_are_hit():
    debugger, slope = Stops(), programs.slope.__code__
    assert debugger.set_break(slope.co_filename, slope.co_firstlineno + 2) is None
    debugger.runcall(python.trajectory, *programs.users(), 0)
    assert debugger.seen == [("slope", ["p", "theta", "wave"], True)] * 6


def test_precision_reaches_the_constants_of_math():
    def turn(x):
        return x * math.pi

    assert bound(turn, "f32", "python")(np.float32(1.0)) == np.float32(math.pi)
    assert bound(turn, "f64", "python")(1.0) == math.pi
