"""The local estimator's rule against exact enumeration, and on both engines."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.estimators import own_flow
from ngos_sim.known.basis import Basis
from ngos_sim.processes.local_error import values
from tests.support.local_paths import (
    RULES,
    averaged_first,
    enumerated,
    local_program,
    moments_of,
    momentum,
    random_flow,
)

CASES = [*((*rule, ()) for rule in RULES), *((*rule, [(4, 0)]) for rule in RULES[:2])]
CASES += [(*averaged_first(), ()), (*momentum(), [(3, 0)])]


@pytest.mark.parametrize(("rule", "sde", "start", "monomials"), CASES, ids=lambda value: getattr(value, "name", ""))
def test_the_mean_is_the_weak_error_by_enumeration(rule, sde, start, monomials):
    """To rounding, wherever the flow is cut: the telescoping sum is exact for any M_k."""
    q = 0.5 * (1.0 - 1.5 / np.sqrt(4.0 + 1.5**2))
    found, exact = enumerated(rule, sde, start, ns.two_point(skewness=1.5), q, 4, monomials)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-12)
    assert np.abs(found).max() > 1e-3


@pytest.mark.parametrize("flow", [own_flow.flows, random_flow])
@pytest.mark.parametrize("case", [*RULES, momentum()], ids=lambda case: case[0].name)
def test_the_mean_does_not_hang_on_the_flow(flow, case):
    """To 1e-12 by enumeration with skewed noise: of the optimizer's own flow, and of any numbers."""
    q = 0.5 * (1.0 - 1.5 / np.sqrt(4.0 + 1.5**2))
    found, exact = enumerated(*case, ns.two_point(skewness=1.5), q, 4, flow=flow)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-12)
    assert np.abs(found).max() > 1e-3


def test_too_few_nodes_are_wrong():
    """A control: one node in place of the law's two atoms must not pass."""
    found, exact = enumerated(*RULES[0], ns.rademacher(), 0.5, 1)
    assert np.abs(found - exact).max() > 1e-2


@pytest.mark.parametrize("case", [RULES[0], RULES[2], averaged_first(), momentum()], ids=lambda case: case[0].name)
def test_compiled_is_plain_python_bit_for_bit(case):
    (program, inputs), _ = local_program(case[0], moments_of(*case), ns.gaussian(), 3)
    block = cpu.Kernel(program, inputs, "f64").block(0)
    for lane in (0, 99):
        np.testing.assert_array_equal(block[..., lane], python.trajectory(program, inputs, lane)[0])


def test_monomials_are_the_products_that_their_powers_say():
    basis, x, path = Basis((0, 2), (3, 1), 3, 2, 1), (1.2, 0.5, -0.4, 0.9), (0.7, 0.3)
    centred = (1.2, 0.5 - 0.3, -0.4, 0.9 - 0.7)
    expected = [math.prod(value**n for value, n in zip(centred, powers, strict=True)) for powers in basis.exponents]
    assert values(basis)(x, path) == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(basis.of(centred)[1:], expected, rtol=1e-14)
