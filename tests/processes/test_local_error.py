"""The local estimator's rule against exact enumeration, and on both engines."""

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.estimators.assembly import Observables, Part, assemble
from ngos_sim.known import moment_flow
from ngos_sim.known.quadrature import law_rule
from ngos_sim.processes.integrators import table
from ngos_sim.processes.local_error import local_error
from ngos_sim.processes.rule import parameters
from tests.support import naive

CONSTANTS = dict(sigma0=0.8, eps0=0.1, c2=1.3)
H, STEPS, HESSIAN, T0 = 0.02, 9, 0.9, 0.1
RULES = [
    (ns.rmsprop(**CONSTANTS), ns.rmsprop_sde(), [1.2, 1.4]),
    (ns.rmsprop(second_moment="updated", **CONSTANTS), ns.rmsprop_sde(), [1.2, 1.4]),
    (ns.adam(c1=2.0, **CONSTANTS), ns.adam_sde(), [1.2, -0.4, 1.4]),
    (ns.adam(c1=2.0, second_moment="updated", **CONSTANTS), ns.adam_sde(), [1.2, -0.4, 1.4]),
]


def local_program(rule, sde, start, law, nodes, monomials=()):
    """Return the program that records every error slot and every slot of the rule, and E psi(X_t)."""
    basis, slots = moment_flow.basis_of(sde, monomials), len(start)
    size = len(basis.exponents)
    problem = moment_flow.Problem(HESSIAN, 0.0, 1.0, tuple(start), T0, dict(rule.parameters))
    own = table(rule, round(T0 / H), STEPS, H, parameters(rule, H))
    rest = np.empty((STEPS, moment_flow.width_of(basis, nodes)))
    moments = moment_flow.columns(rest, sde, basis, problem, H, *law_rule(law, 5.0, nodes, nodes))
    rows = np.concatenate([own, rest], axis=1)[:, None]
    part = Part(local_error(rule, basis, own.shape[1], nodes), ns.gaussian(), 1, H, 5.0, rows)
    count = slots + size
    observed = Observables((), count, np.arange(count), np.ones((1, count)), np.eye(count, dtype=np.int64))
    state = np.array([[*start, *[0.0] * size]])
    oracle = ns.NGOS(ns.quadratic(HESSIAN))
    program = assemble(oracle, [part], np.eye(1), observed, state, H, T0, np.array([STEPS]), 7)
    return program, moments, basis, problem


def enumerated(rule, sde, start, law, q, nodes, monomials=()):
    """Return E e and E psi(x_k) - E psi(X_t) over all 2^9 paths of two-point noise with probability q."""
    (program, inputs), moments, basis, problem = local_program(rule, sde, start, law, nodes, monomials)
    noise, weights = naive.two_point_paths(STEPS, q)
    paths = np.array([python.trajectory(program, inputs, 0, path[:, None])[0][0, :, 0] for path in noise])
    states, errors = paths[:, : len(start)], paths[:, len(start) :]
    U = problem.second_moment(T0 + STEPS * H)
    psi = np.array([basis.values(tuple(state), U) for state in states])
    return weights @ errors, weights @ psi - moments[-1]


CASES = [*((*rule, ()) for rule in RULES), *((*rule, [(4, 0)]) for rule in RULES[:2])]


@pytest.mark.parametrize(("rule", "sde", "start", "monomials"), CASES, ids=lambda value: getattr(value, "name", ""))
def test_the_mean_is_the_weak_error_by_enumeration(rule, sde, start, monomials):
    """To rounding, wherever the flow is cut: the telescoping sum is exact for any M_k."""
    q = 0.5 * (1.0 - 1.5 / np.sqrt(4.0 + 1.5**2))
    found, exact = enumerated(rule, sde, start, ns.two_point(skewness=1.5), q, 4, monomials)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-12)
    assert np.abs(found).max() > 1e-3


def test_too_few_nodes_are_wrong():
    """A control: one node in place of the law's two atoms must not pass."""
    found, exact = enumerated(*RULES[0], ns.rademacher(), 0.5, 1)
    assert np.abs(found - exact).max() > 1e-2


@pytest.mark.parametrize(("rule", "sde", "start"), [RULES[0], RULES[2]], ids=["rmsprop", "adam"])
def test_compiled_is_plain_python_bit_for_bit(rule, sde, start):
    (program, inputs), *_ = local_program(rule, sde, start, ns.gaussian(), 3)
    block = cpu.Kernel(program, inputs, "f64").block(0)
    for lane in (0, 99):
        np.testing.assert_array_equal(block[..., lane], python.trajectory(program, inputs, lane)[0])


@pytest.mark.parametrize(
    ("sde", "start", "monomials"),
    [
        (ns.rmsprop_sde(), (1.2, 1.4), ()),
        (ns.rmsprop_sde(), (1.2, 1.4), [(4, 0)]),
        (ns.adam_sde(), (1.2, -0.4, 1.4), ()),
    ],
    ids=["rmsprop", "rmsprop 4", "adam"],
)
def test_what_the_flow_leaves_out_is_zero(sde, start, monomials):
    constants = dict(c1=2.0, **CONSTANTS) if len(start) == 3 else CONSTANTS
    basis = moment_flow.basis_of(sde, monomials)
    problem = moment_flow.Problem(HESSIAN, 0.7, 1.0, start, T0, constants)
    flow = np.roll(moment_flow.flow(sde, basis, problem, 0.25, np.arange(2)), 1, axis=2)
    for i, width in enumerate(basis.widths):
        assert not flow[:, i, width:].any()
    assert len(set(basis.widths)) == 1 + max(sum(powers[:-1]) for powers in basis.exponents)
    assert sum(basis.widths) < 0.8 * flow[0].size
    assert list(basis.widths) == sorted(basis.widths)
