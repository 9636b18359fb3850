"""Where Python raises, its engine gives the NaN and the infinity that kernels give."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import devices
from ngos_sim.engines.python_plain import as_compiled
from tests.support.programs import build

SLOTS = ("theta", "root", "division", "square", "inverse")


def functions(theta, root, division, square, inverse):
    """From 1 each goes on to where Python raises, and kernels do not."""
    return (
        0.5 * theta,
        root - 0.75 + 0.0 * math.sqrt(root),
        division - 0.75 + 1e-300 / (division - 0.25),
        1e100 * square + 0.0 * square**2,
        inverse - 0.75 + 1e-300 * ns.preconditioner(inverse - 0.25, 1.0, 0.0),
    )


def step(x, o, z, c, p):
    return functions(*x)


def program(rule, records):
    start = [[1.0] * len(rule.slots)]
    words = [f"{slot}[0]" for slot in rule.slots]
    return build(ns.NGOS(ns.quadratic([1.0])), [(rule, ns.gaussian(), 1)], words, start, 0.25, 5, records=records)


def test_the_same_as_kernels():
    made = program(ns.Optimizer("o", step, SLOTS, sigma0=1.0), range(1, 6))
    kernel, python = (devices.run(device, *made, 0, 1, precision="f64") for device in ("cpu", "python"))
    np.testing.assert_array_equal(python.sums, kernel.sums)
    np.testing.assert_array_equal(python.nonfinite, kernel.nonfinite)
    finite = np.isfinite(kernel.sums[0, :, :, 0, 0])
    assert finite[0].all()
    assert finite[-1].tolist() == [True] + [False] * 4


@pytest.mark.parametrize(
    ("function", "argument", "value"),
    [
        (lambda t: math.sqrt(t), -1.0, math.nan),
        (lambda t: t**0.5, -1.0, math.nan),
        (lambda t: math.pow(t, 2.0), 1e200, math.inf),
        (lambda t: t**3, -1e200, -math.inf),
        (lambda t: 1.0 / t, -0.0, -math.inf),
        (lambda t: t % 0.0, 1.0, math.nan),
        (lambda t: math.expm1(t), 1e5, math.inf),
        (lambda t: math.sinh(t), -1e5, -math.inf),
        (lambda t: math.acos(t), 2.0, math.nan),
        (lambda t: math.atanh(t), 1.0, math.inf),
        (lambda t: math.hypot(t, 1.7e308), 1.7e308, math.inf),
        (lambda t: np.sqrt(t) + math.exp(-t) / 0.0, 4.0, math.inf),
    ],
)
def test_what_python_raises_of(function, argument, value):
    found = as_compiled(function)(argument)
    assert type(found) is float
    np.testing.assert_array_equal(found, value)


def test_a_mistake_is_still_an_error():
    def wrong(x, o, z, c, p):
        return (x[0] + "1",) if x[0] < 0.5 else (x[0] - 0.75,)

    with pytest.raises((TypeError, np.exceptions.DTypePromotionError)):
        devices.run("python", *program(ns.Optimizer("o", wrong, ("theta",), sigma0=1.0), [2]), 0, 1, precision="f64")
