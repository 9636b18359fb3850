"""The lane loops are vectorised: the assembly of the kernels' functions, compiled afresh, on x86."""

import math
import platform
import re

import pytest
from numba import types

import ngos_sim as ns
from ngos_sim import preconditioner, sign
from ngos_sim.engines import rng
from ngos_sim.engines.compiling.bind import bind
from ngos_sim.engines.cpu import kernels
from ngos_sim.engines.layout import Source
from tests.support import families, programs
from tests.support.assembly import REAL, assembly, row
from tests.support.oracles import CURVED

pytestmark = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86 assembly")

RMSPROP = ns.rmsprop(**programs.RMSPROP)


def alone(loss=None, rule=RMSPROP):
    return programs.alone(rule, oracle=ns.NGOS(loss or ns.quadratic(0.9)))


RULES = [(name, which) for name, made in programs.rules().items() for which in range(min(2, len(made[0].processes)))]
RULES += [("two channels", 1)]
FAMILIES = [(name, which) for name in families.ballistic() for which in (0, 3)]
FAMILIES += [(name, which) for name in families.decays() for which in range(2)]
BUILT_IN = [(*one, precision) for one in RULES for precision in ("mix", "f64")]
BUILT_IN += [(*one, "mix") for one in FAMILIES]  # which bring formulas, no features
BUILT_IN += [(name, 0, "f64") for name in programs.local_errors()]  # local runs in no other precision
SIGNS = [(name, which) for name, made in families.signs().items() for which in range(len(made[0].processes))]


@pytest.mark.parametrize(("name", "which", "precision"), BUILT_IN)
def test_update_loop(name, which, precision):
    """Of every optimizer and convention, the SDE beside it, the local estimator, and SDEs of two channels."""
    made = {**programs.rules(), **programs.local_errors(), **programs.two_channels(), **families.ballistic()}
    made |= families.decays()
    text = row(*made[name], precision, which)
    suffix = "ps" if precision == "mix" else "pd"
    assert re.search(rf"\bv?sqrt{suffix}\b", text)
    assert re.search(rf"\bv?div{suffix}\b", text)


@pytest.mark.parametrize(("name", "which"), SIGNS)
def test_families_of_signs(name, which):
    """Not all have a root of a lane: more packed than scalar products, and no call of libm's."""
    text = row(*families.signs()[name], "mix", which)
    packed, scalar = (len(re.findall(rf"\bv?fn?m(?:add|sub)\w*{end}\b", text)) for end in ("pd", "sd"))
    assert packed > scalar
    assert not re.search(r"\$(erf|exp|log|tanh|copysign)\b", text)


def scalar_step(x, o, z, c, p):
    theta, u = x
    while u > 1.0:
        u = u * 0.5
    return theta - c[0] * z * preconditioner(u, p.sigma0, 0.0), u


def test_a_loop_that_cannot_vectorise_is_seen():
    broken = ns.Optimizer("rmsprop", scalar_step, ("theta", "u"), **RMSPROP.parameters)
    assert not re.search(r"\bv?sqrtp[sd]\b", row(*alone(rule=broken), "f64"))


def user(gradient, value):
    return ns.Loss("mine", gradient, value, width=2.0)


FUNCTIONS = ("exp", "log", "tanh", "erf", "sin", "cos")


def of_all(theta, p):
    of_width = math.log(p.width + theta * theta) + math.tanh(theta / p.width)
    return of_width + math.exp(-theta) * theta + math.erf(theta) + math.sin(theta) + math.cos(theta)


def height(theta, p):
    log = theta * math.log(p.width + theta * theta) - 2 * theta + 2 * p.width**0.5 * math.atan(theta / p.width**0.5)
    erf = theta * math.erf(theta) + math.exp(-theta * theta) / math.sqrt(math.pi)
    rest = math.sin(theta) - math.cos(theta) - math.exp(-theta) * (1.0 + theta)
    return log + p.width * math.log(math.cosh(theta / p.width)) + erf + rest


@pytest.mark.parametrize("precision", ["mix", "f64"])
def test_users_functions_of_math(precision):
    """All in one loop: one that is called, or takes one lane at a time, takes the vectors from all."""
    text = row(*alone(user(of_all, height)), precision)
    assert re.search(rf"\bv?sqrt{'ps' if precision == 'mix' else 'pd'}\b", text)
    assert len(re.findall(r"\bvfn?m(add|sub)\w*pd\b", text)) >= 8 * len(FUNCTIONS)
    assert not [name for name in FUNCTIONS if f"${name}" in text]


@pytest.mark.parametrize("name", CURVED)
def test_curved_losses_and_covariances(name):
    """Their divisions and roots in float64 at either precision, on vectors: none is of one lane, and nothing called."""
    text = row(*programs.alone(RMSPROP, 2, oracle=CURVED[name]), "mix")
    assert re.search(r"\bv?sqrtps\b", text)
    assert len(re.findall(r"\bvfn?m(add|sub)\w*pd\b|\bv?mulpd\b", text)) >= 8
    if name.startswith("double"):
        assert re.search(r"\bv?divpd\b", text)
    assert not re.findall(r"\$(?:tanh|sin|cos|log|exp)\b", text)


def test_a_call_of_math_that_stays_is_seen():
    assert "$cosh" in row(*alone(user(lambda theta, p: math.cosh(theta), lambda theta, p: math.sinh(theta))), "f64")


def by_sign(x, o, z, c, p):
    theta, u = x
    return theta - c[0] * sign(o.gradient + z), math.sqrt(u) + z


def by_copysign(x, o, z, c, p):
    theta, u = x
    return theta - c[0] * math.copysign(1.0, o.gradient + z), math.sqrt(u) + z


@pytest.mark.parametrize("step", [by_sign, by_copysign])
def test_signs(step):
    """Of float64 at either precision."""
    text = row(*alone(rule=ns.Optimizer("mine", step, ("theta", "u"), sigma0=0.8)), "mix")
    assert re.search(r"\bv?sqrtpd\b", text)
    assert "$copysign" not in text


@pytest.mark.parametrize("precision", ["mix", "f64"])
def test_random_numbers(precision):
    transform, word = {"mix": (rng.box_muller32, types.uint32), "f64": (rng.box_muller, types.uint64)}[precision]
    tags = [bind(each, precision)._numba_type_ for each in (rng.philox4x32, transform)]
    draw = types.NamedTuple(tags, Source)
    u64, i64 = types.uint64, types.int64
    text = assembly(kernels._fill, draw, REAL[precision][::1], word[::1], i64, u64, u64, u64, i64)
    assert len(re.findall(r"\bv?pmuludq\b", text)) >= 18
    assert re.search(rf"\bv?sqrt{'ps' if precision == 'mix' else 'pd'}\b", text)
