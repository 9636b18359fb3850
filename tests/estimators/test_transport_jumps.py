"""Weak errors that are computed where a step jumps or has kinks in the noise: signs, clipping, Lion."""

import math

import numpy as np
import pytest
from scipy.special import ndtr

import ngos_sim as ns
from ngos_sim.estimators.transport_answer import KINKED_BY_JUMPS, answers
from ngos_sim.estimators.transport_places import AT_ATOMS, JUMPS
from ngos_sim.studies.problems import problems
from tests.support import signs

COS = ns.TestFunction("cos", lambda x: math.cos(x[0]))
THREE = ("theta[0]", "theta[0]^2", COS)
SIGMA, CURVATURE, THETA = 0.8, 0.9, 1.2


def study(optimizer, sde, steps, loss=None, law=None, functions=THREE, estimator="coupled", end=1.0, **start):
    """Return the study at the step size 1 / steps."""
    return ns.ConvergenceStudy(
        ns.NGOS(loss or ns.quadratic(CURVATURE), 1.0, law or ns.gaussian()),
        optimizer=optimizer,
        sde=sde,
        initial={"theta": THETA, **start},
        horizon=end,
        test_functions=list(functions),
        estimator=estimator,
        **{optimizer.clock: [1.0 / steps]},
    )


def computed(*given, **settings):
    """Return the Answers of a `study`, or why there is none, test function by test function."""
    (problem,) = problems(study(*given, **settings))
    found = answers(problem, [each.sde for each in problem.opponents], range(len(problem.test_functions)))
    return list(found.values())


@pytest.mark.parametrize("steps", [8, 16, 64])
def test_signsgd_by_its_lattice_law_and_its_sde_by_kolmogorovs_equation(steps):
    """Errors too; both references share no code with the estimator."""
    places, chances = signs.lattice(
        lambda theta: 2.0 * ndtr(CURVATURE * theta / SIGMA) - 1.0, THETA, 1.0 / steps, steps
    )
    functions, sde = [lambda x: x, np.square, np.cos], ns.signsgd_sde()
    coefficients = signs.coefficients(sde, 1.0 / steps, SIGMA, CURVATURE, 1.0)
    references = signs.backward(*coefficients, functions, THETA, 1.0, reach=4.5)
    found = computed(ns.signsgd(SIGMA), sde, steps)
    for answer, g, reference in zip(found, functions, references, strict=True):
        exact = float(np.sum(chances * g(places)))
        assert abs(answer.optimizer[-1] - exact) <= answer.of_optimizer[-1] + 1e-9
        assert abs(answer.error[-1] - (exact - reference)) <= answer.of_error[-1] < 0.02 * abs(answer.error[-1])


def test_signsgd_has_order_one_and_a_wrong_sde_has_not():
    def drift(x, o, c, p):
        return (-1.05 * math.erf(math.sqrt(0.5) * o.gradient / p.sigma),)

    right = ns.signsgd_sde()
    for sde, power in ((right, 4.0), (ns.SDE("off", drift, right.diffusion, ("theta",)), 1.0)):
        coarse, fine = (computed(ns.signsgd(SIGMA), sde, steps, ns.log_cosh(1.0))[1].error[-1] for steps in (32, 128))
        assert 0.85 * power < coarse / fine < 1.15 * power


def nested(step, places, state, steps):
    """Return states after steps from one state, and weights: Gauss-Legendre's rule of the normal, cut at known places.

    step(state, z) -> state, of arrays; places(state) -> where it is not smooth in z, ascending
    """
    nodes, shares = np.polynomial.legendre.leggauss(20)
    states, weights = np.array(state)[:, None], np.ones(1)
    for _ in range(steps):
        edges = np.clip(
            np.stack([np.full(states.shape[1], -8.0), *places(states), np.full(states.shape[1], 8.0)]), -8.0, 8.0
        )
        low, high = edges[:-1, :, None], edges[1:, :, None]
        z = low + 0.5 * (high - low) * (nodes + 1.0)
        mass = 0.5 * (high - low) * shares * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        every = np.broadcast_to(states[:, None, :, None], (len(states), *z.shape)).reshape(len(states), -1)
        states, weights = step(every, z.ravel()), (weights[None, :, None] * mass).ravel()
    return states, weights


def test_clipping_by_nested_quadrature():
    """Three steps of size 1/8: two kinks each, which lie where |f' + sigma z| = 1."""
    h, limit = 0.125, 1.0

    def clip(x, o, z, c, p):
        return (x[0] - p.eta * min(max(o.gradient + p.sigma * z, -p.limit), p.limit),)

    optimizer = ns.Optimizer("clipped", clip, ("theta",), clock="eta", sigma=SIGMA, limit=limit)
    found = computed(optimizer, ns.sgd_sde(), 8, ns.log_cosh(1.0), end=3 * h)
    (theta,), weights = nested(
        lambda x, z: x - h * np.clip(np.tanh(x) + SIGMA * z, -limit, limit),
        lambda x: [(side - np.tanh(x[0])) / SIGMA for side in (-limit, limit)],
        [THETA],
        3,
    )
    for answer, values in zip(found, (theta, theta**2, np.cos(theta)), strict=True):
        exact = float(np.sum(values * weights))
        assert abs(answer.optimizer[-1] - exact) <= answer.of_optimizer[-1] + 1e-9
        assert abs(answer.optimizer[-1] - exact) < 1e-6


def test_clipped_rmsprop_by_nested_quadrature():
    """Theta and u, a lattice: u is fed by the clipped gradient's square."""
    h, limit, c2 = 1.0 / 16.0, 1.1, 1.3

    def schedule(k, h, p):
        return h, math.sqrt(h)

    def step(x, o, z, c, p):
        theta, u = x
        g = min(max(c[1] / p.sigma0 * o.gradient + z, -p.limit), p.limit)
        return theta - c[1] * g / math.sqrt(u), u + p.c2 * c[0] * (g * g - u)

    optimizer = ns.Optimizer("clipped", step, ("theta", "u"), schedule, sigma0=SIGMA, eps0=0.0, limit=limit, c2=c2)
    found = computed(optimizer, ns.rmsprop_sde(), 16, ns.log_cosh(1.0), functions=[*THREE, "u[0]"], end=3 * h, u=1.0)
    root = math.sqrt(h)

    def clipped(x, z):
        g = np.clip(root / SIGMA * np.tanh(x[0]) + z, -limit, limit)
        return np.stack([x[0] - root * g / np.sqrt(x[1]), x[1] + c2 * h * (g * g - x[1])])

    sides = (-limit, limit)
    (theta, u), weights = nested(
        clipped, lambda x: [side - root / SIGMA * np.tanh(x[0]) for side in sides], [THETA, 1.0], 3
    )
    for answer, values in zip(found, (theta, theta**2, np.cos(theta), u), strict=True):
        exact = float(np.sum(values * weights))
        assert abs(answer.optimizer[-1] - exact) <= answer.of_optimizer[-1] + 1e-9
        assert abs(answer.optimizer[-1] - exact) < 1e-4


def test_lion_by_nested_quadrature_and_its_sde_by_its_moments():
    h, beta1, c2, m = 1.0 / 16.0, 0.9, 1.3, 0.1
    b, rho, root = beta1 / (1.0 - beta1), math.sqrt(2.0 / math.pi), math.sqrt(h)
    names = ["theta[0]", "theta[0]^2", "theta[0]*m[0]"]
    optimizer = ns.lion(sigma0=SIGMA, beta1=beta1, c2=c2)
    found = computed(optimizer, ns.lion_sde(), 16, functions=names, end=3 * h, m=m)

    def step(x, z):
        pull, noise = CURVATURE * x[0], root * SIGMA * z
        sign = np.sign(h * (pull + b * x[1]) + noise)
        return np.stack([x[0] - root * sign, x[1] + c2 * (h * (pull - x[1]) + noise)])

    states, weights = nested(step, lambda x: [-(root / SIGMA) * (CURVATURE * x[0] + b * x[1])], [THETA, m], 3)
    values = states[0], states[0] ** 2, states[0] * states[1]
    matrix = np.array([[-rho / SIGMA * CURVATURE, -rho / SIGMA * b], [c2 * CURVATURE, -c2]])
    noise = np.array([[-rho, -math.sqrt(1.0 - rho**2)], [c2 * SIGMA, 0.0]])
    mean, square, _, _, mixed = signs.linear_moments(matrix, np.zeros(2), noise, [THETA, m], 3 * h)
    references = mean, square, mixed
    for answer, own, reference in zip(found, values, references, strict=True):
        exact = float(np.sum(own * weights))
        assert abs(answer.optimizer[-1] - exact) <= answer.of_optimizer[-1] + 1e-6
        assert answer.sde[-1] == pytest.approx(reference, abs=answer.of_sde[-1] + 1e-7)
        assert abs(answer.error[-1] - (exact - reference)) <= answer.of_error[-1] < 0.05 * abs(answer.error[-1])


def refusal(*given, **settings):
    """Return why the first test function of a `study` is not computed."""
    return computed(*given, **settings)[0]


def test_what_a_jump_bars():
    signs = ns.signsgd(SIGMA), ns.signsgd_sde(), 16
    assert refusal(*signs, functions=[ns.TestFunction("modulus", lambda x: abs(x[0]))]) == KINKED_BY_JUMPS
    with pytest.warns(ns.StudyWarning, match="derived for gaussian"):
        assert refusal(*signs, law=ns.rademacher()) == AT_ATOMS

    def comb(x, o, z, c, p):
        return (x[0] - p.eta * (1.0 if math.sin(4.0 * z) > 0.0 else -1.0),)

    assert refusal(ns.Optimizer("comb", comb, ("theta",), clock="eta", sigma=SIGMA), ns.sgd_sde(), 16) == JUMPS


def test_atoms_that_meet_no_jump_are_served():
    """Rademacher noise of sigma = .2 and |f'| > .2 all the way: every sign is that of the gradient."""
    with pytest.warns(ns.StudyWarning, match="derived for gaussian"):
        (answer, *_) = computed(ns.signsgd(0.2), ns.signsgd_sde(), 16, law=ns.rademacher(), end=0.25)
    assert answer.optimizer[-1] == pytest.approx(THETA - 0.25, abs=1e-9)


def test_a_study_of_signs_is_computed():
    result = study(
        ns.signsgd(SIGMA), ns.signsgd_sde(), 16, ns.log_cosh(1.0), functions=["theta[0]^2"], estimator="auto"
    ).run(1024, seed=0)
    *_, row = result.table.itertuples()
    assert (row.estimator, row.std_error, row.trajectories) == ("transport", 0.0, 0)
    assert 0.0 < row.numerical < 0.01 * abs(row.error)
