"""The local estimator's errors over all paths of two-point noise, on the Python engine."""

import numpy as np

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.known import moment_flow
from ngos_sim.known.quadrature import law_rule
from ngos_sim.processes.integrators import table
from ngos_sim.processes.local_error import local_error
from ngos_sim.processes.rule import parameters
from ngos_sim.studies.assemble import Observables, Part, assemble
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
