"""The local estimator's errors over all paths of two-point noise, on the Python engine."""

import numpy as np

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.estimators.assembly import Observables, Part, assemble
from ngos_sim.estimators.own_flow import OwnStep
from ngos_sim.known import local_table
from ngos_sim.known.basis import covering
from ngos_sim.known.coordinate import Coordinate
from ngos_sim.known.moments import Moments
from ngos_sim.known.probing import Probe
from ngos_sim.known.quadrature import law_rule
from ngos_sim.processes.integrators import table
from ngos_sim.processes.local_error import local_error
from ngos_sim.processes.rule import parameters
from tests.support import naive

CONSTANTS = dict(sigma0=0.8, eps0=0.1, c2=1.3)
H, STEPS, HESSIAN, T0 = 0.02, 5, 0.9, 0.1
RULES = [
    (ns.rmsprop(**CONSTANTS), ns.rmsprop_sde(), [1.2, 1.4]),
    (ns.rmsprop(second_moment="updated", **CONSTANTS), ns.rmsprop_sde(), [1.2, 1.4]),
    (ns.adam(c1=2.0, **CONSTANTS), ns.adam_sde(), [1.2, -0.4, 1.4]),
    (ns.adam(c1=2.0, second_moment="updated", **CONSTANTS), ns.adam_sde(), [1.2, -0.4, 1.4]),
]


def averaged_first():
    """Return an optimizer and an SDE whose autonomous slots stand before and between the others, in no usual order."""

    def step(x, o, z, c, p):
        theta, s, m, r = x
        d = c[0] * o.gradient + c[1] * z
        return (
            theta - d * s - c[0] * m,
            s + c[0] * (r - s),
            m + c[0] * (o.gradient - m) + 0.3 * c[1] * z,
            r - c[0] * r * r,
        )

    def drift(x, o, c, p):
        theta, s, m, r = x
        return -o.gradient * s - m, r - s, o.gradient - m, -r * r

    def diffusion(x, o, c, p):
        return -p.sigma0 * x[1], 0.0, 0.3 * p.sigma0, 0.0

    slots = ("theta", "s", "m", "r")
    return (
        ns.Optimizer("mixed", step, slots, sigma0=0.8),
        ns.SDE("mixed", drift, diffusion, slots),
        [1.2, 0.5, -0.4, 0.9],
    )


def momentum():
    """Return an optimizer and an SDE without an autonomous slot."""

    def step(x, o, z, c, p):
        v = x[1] - c[0] * (0.9 * x[1] + o.gradient) - c[1] * z
        return x[0] + c[0] * v, v

    def drift(x, o, c, p):
        return x[1], -0.9 * x[1] - o.gradient

    slots = ("theta", "v")
    sde = ns.SDE("ball", drift, lambda x, o, c, p: (0.0, -p.sigma0), slots)
    return ns.Optimizer("ball", step, slots, sigma0=0.8), sde, [1.2, 0.3]


def moments_of(rule, sde, start, monomials=(), own=False):
    """Return the Moments of an SDE on the smallest basis of either kind of flow."""
    coordinate = Coordinate(HESSIAN, 0.0, 1.0, tuple(start), T0, T0 + STEPS * H, dict(rule.parameters), H)
    probe = Probe(sde, coordinate)
    return Moments(probe, covering(probe.linear, probe.autonomous, monomials, own))


def sde_flow(step, known):
    """Return the SDE's own flow, as `own_flow.flows` is called."""
    return local_table.sde_flow(known, H, STEPS)


def random_flow(step, known):
    """Return matrices that have nothing to do with the problem."""
    size = len(known.basis.places)
    found = 0.5 * np.eye(size) + 0.2 * np.random.default_rng(0).standard_normal((STEPS, size, size)) / size
    return lambda first, last: found[first:last]


def local_program(rule, known, law, nodes, flow=sde_flow):
    """Return the program that records every error slot and every slot of the rule, and E psi(X_t)."""
    basis, start, held = known.basis, known.probe.start, parameters(rule, H)
    size, slots = len(basis.exponents), len(start)
    own = table(rule, round(T0 / H), STEPS, H, held)
    rest, noise = np.empty((STEPS, local_table.width_of(basis, nodes))), law_rule(law, 5.0, nodes, nodes)
    matrices = flow(OwnStep(rule, known.probe.coordinate, H, held, own, *noise), known)
    means = local_table.columns(rest, known, matrices, H, *noise)
    rows, matrix = np.concatenate([own, rest], axis=1)[:, None], local_table.matrix_size(basis)
    local = local_error(rule, basis, own.shape[1], nodes)
    part = Part(local, ns.gaussian(), 1, H, 5.0, rows, matrix=matrix)
    count = slots + size
    observed = Observables((), count, np.arange(count), np.ones((1, count)), np.eye(count, dtype=np.int64))
    state = np.array([[*start, *[0.0] * size]])
    oracle = ns.NGOS(ns.quadratic(HESSIAN))
    return assemble(oracle, [part], np.eye(1), observed, state, H, T0, np.array([STEPS]), 7), means


def enumerated(rule, sde, start, law, q, nodes, monomials=(), flow=sde_flow):
    """Return E e and E psi(x_k) - E psi(X_t) over all 2^7 paths of two-point noise with probability q."""
    known = moments_of(rule, sde, start, monomials, flow is not sde_flow)
    (program, inputs), means = local_program(rule, known, law, nodes, flow)
    noise, weights = naive.two_point_paths(STEPS, q)
    paths = np.array([python.trajectory(program, inputs, 0, path[:, None])[0][0, :, 0] for path in noise])
    states, errors = paths[:, : len(start)].copy(), paths[:, len(start) :]
    states[:, list(known.probe.autonomous)] -= known.path.at(np.ones(1))
    return weights @ errors, weights @ known.basis.of(states)[:, 1:] - means[-1]
