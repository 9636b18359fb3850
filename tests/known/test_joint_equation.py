"""The joint linear equation read off SDEs, against what is written out here; the laws, by matrix exponentials."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import ngos_sim as ns
from ngos_sim.known.gaussian_law import companion_law, sde_law
from ngos_sim.known.joint_equation import JointEquation
from ngos_sim.known.joint_problem import JointProblem
from ngos_sim.known.probing import NoMoments
from ngos_sim.processes.integrators import euler_maruyama
from tests.support import linear

C = dict(sigma0=0.8, eps0=0.1, c2=1.3)
SLOPE = np.array([0.3, -0.7, 0.1])
THETA, M, U, V = (np.array(each) for each in ([1.2, -0.3, 0.5], [0.2, 0.1, -0.4], [1.1, 0.7, 1.6], [0.3, -0.2, 0.1]))


def problem(start, constants, d=3, t0=0.0, end=1.0, h=0.01, diagonal=False):
    """Return a JointProblem with a matrix Hessian, or the diagonal of one, and a correlated covariance."""
    H, S = linear.random_matrices(d)
    return JointProblem(
        np.diag(H) if diagonal else H, SLOPE[:d], S, np.array(start)[:, :d], t0, end, dict(constants), h
    )


def u_at(each, t):
    """Return U_t of RMSprop's and Adam's SDE."""
    S = np.diag(each.covariance)
    return S + (U[: len(S)] - S) * math.exp(-C["c2"] * (t - each.t0))


@pytest.mark.parametrize("correct", [False, True])
def test_rmsprops_drift_and_noise_are_definition_4_1(correct):
    rule = ns.rmsprop(bias_correction=correct, **C)
    each = problem((THETA, U), rule.parameters, t0=0.2, end=1.4)
    equation = JointEquation(ns.rmsprop_sde(), each)
    assert (equation.linear, equation.autonomous) == ((0,), (1,))
    for t in (0.21, 0.8, 1.4):
        root = math.sqrt(1.0 - math.exp(-1.3 * t)) if correct else 1.0
        D = np.diag(root / (0.8 * np.sqrt(u_at(each, t)) + 0.1 * root))
        drift, power = equation.at(equation.clock(t))
        np.testing.assert_allclose(drift[:, :-1], -D @ each.hessian, atol=3e-14)
        np.testing.assert_allclose(drift[:, -1], -D @ SLOPE, atol=3e-14)
        np.testing.assert_allclose(power, 0.64 * D @ each.covariance @ D, atol=3e-14)


def test_adams_drift_and_noise_are_definition_4_4():
    each = problem((THETA, M, U), ns.adam(c1=2.0, bias_correction=True, **C).parameters, t0=0.5, end=1.5)
    equation = JointEquation(ns.adam_sde(), each)
    for t in (0.51, 0.9, 1.5):
        first, root = 1.0 - math.exp(-2.0 * t), math.sqrt(1.0 - math.exp(-1.3 * t))
        D = np.diag(root / first / (0.8 * np.sqrt(u_at(each, t)) + 0.1 * root))
        drift, power = equation.at(equation.clock(t))
        zero = np.zeros((3, 3))
        np.testing.assert_allclose(
            drift[:, :-1], np.block([[zero, -D], [2.0 * each.hessian, -2.0 * np.eye(3)]]), atol=1e-13
        )
        np.testing.assert_allclose(drift[:, -1], [0, 0, 0, *(2.0 * SLOPE)], atol=1e-13)
        np.testing.assert_allclose(power, np.block([[zero, zero], [zero, 1.6**2 * each.covariance]]), atol=1e-13)


def sgd_drift(x, o, c, p):
    return (-o.gradient,)


def sgd_noise(x, o, c, p):
    return (-math.sqrt(p.eta2) * p.sigma0,)


def ball_drift(x, o, c, p):
    theta, v = x
    return v, -o.gradient - p.mu * v


def ball_noise(x, o, c, p):
    return 0.0, -p.sigma0


def second_drift(x, o, c, p):
    return (-o.gradient - 0.5 * p.eta2 * o.hessian_gradient,)


SGD = ns.SDE("sgd", sgd_drift, sgd_noise, ("theta",))
SECOND = ns.SDE("sgd 2", second_drift, sgd_noise, ("theta",))
BALL = ns.SDE("heavy ball", ball_drift, ball_noise, ("theta", "v"), mu=0.9)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("diagonal", [False, True])
def test_laws_without_an_autonomous_slot_by_van_loan(d, diagonal):
    """SGD, its SDE of order 2 with (H grad f)_i, and the heavy ball."""
    for sde, start in ((SGD, (THETA,)), (SECOND, (THETA,)), (BALL, (THETA, V))):
        each = problem(start, dict(sigma0=0.8), d, h=0.1, diagonal=diagonal)
        H, S, slope = (np.diag(each.hessian) if diagonal else each.hessian), each.covariance, SLOPE[:d]
        equation = JointEquation(sde, each)
        assert equation.autonomous == ()
        if sde is BALL:
            zero, one = np.zeros((d, d)), np.eye(d)
            A, b = np.block([[zero, one], [-H, -0.9 * one]]), np.concatenate([np.zeros(d), -slope])
            power = np.block([[zero, zero], [zero, 0.64 * S]])
        else:
            bent = np.eye(d) + (0.05 * H if sde is SECOND else 0.0)
            A, b, power = -bent @ H, -bent @ slope, 0.064 * S
        law = sde_law(equation, np.array([0.4, 1.0]))
        for at, t in enumerate((0.4, 1.0)):
            mean, covariance = linear.law(A, b, power, each.start.ravel(), t)
            np.testing.assert_allclose(law.mean[at], mean, atol=2e-12)
            np.testing.assert_allclose(law.covariance[at], covariance, atol=2e-12)


def test_the_companion_of_an_sde_without_an_autonomous_slot():
    each, h = problem((THETA, V), dict(sigma0=0.8), h=0.1), 0.1
    optimizer = ns.Optimizer("ball", lambda x, o, z, c, p: x, ("theta", "v"), **each.constants)
    law = companion_law(euler_maruyama(BALL, optimizer), each, (0, 1), h, np.array([2, 7]))
    zero, one = np.zeros((3, 3)), np.eye(3)
    A, b = np.block([[zero, one], [-each.hessian, -0.9 * one]]), np.concatenate([np.zeros(3), -SLOPE])
    power = np.block([[zero, zero], [zero, 0.64 * each.covariance]])
    for at, steps in enumerate((2, 7)):
        mean, covariance = linear.recursion(np.eye(6) + h * A, h * b, h * power, each.start.ravel(), steps)
        np.testing.assert_allclose(law.mean[at], mean, atol=1e-14)
        np.testing.assert_allclose(law.covariance[at], covariance, atol=1e-14)


def test_slots_have_no_places():
    """Adam's SDE with u before m: the same law."""

    def turned(function):
        def own(x, o, c, p):
            theta, m, u = function((x[0], x[2], x[1]), o, c, p)
            return theta, u, m

        return own

    known, rule = ns.adam_sde(), ns.adam(c1=2.0, **C)
    own = ns.SDE("turned", turned(known.drift), turned(known.diffusion), ("theta", "u", "m"), known.schedule)
    times = np.array([0.8, 1.5])
    first, other = (
        sde_law(JointEquation(sde, problem(start, rule.parameters, t0=0.5, end=1.5)), times)
        for sde, start in ((known, (THETA, M, U)), (own, (THETA, U, M)))
    )
    assert (other.linear, other.autonomous) == ((0, 2), (1,))
    for name in ("mean", "covariance", "path"):
        np.testing.assert_allclose(getattr(other, name), getattr(first, name), atol=1e-12)


def test_two_brownian_motions():
    """A second row of the diffusion is a noise of each coordinate by itself, of variance 1."""

    def noise(x, o, c, p):
        return (-p.sigma0,), (0.5,)

    each = problem((THETA,), dict(sigma0=0.8))
    _, power = JointEquation(ns.SDE("two", sgd_drift, noise, ("theta",)), each).at(0.5)
    np.testing.assert_allclose(power, 0.64 * each.covariance + 0.25 * np.eye(3), atol=1e-14)


def squared_drift(x, o, c, p):
    theta, u = x
    return -o.gradient / (p.sigma0 * math.sqrt(u) + p.eps0), p.c2 * (o.variance + p.eta2 * o.gradient**2 - u)


def growing_noise(x, o, c, p):
    return (0.3 * x[0],)


def curved_drift(x, o, c, p):
    return (-o.gradient - 0.5 * p.eta2 * o.curvature * o.gradient,)


def bent_drift(x, o, c, p):
    return (-math.tanh(o.gradient),)


@pytest.mark.parametrize(
    ("drift", "noise", "slots", "words"),
    [
        (squared_drift, lambda x, o, c, p: (-p.sigma0, 0.0), ("theta", "u"), "u is not autonomous"),
        (sgd_drift, growing_noise, ("theta",), "the diffusion of theta of sde 'own' depends on theta: its law is not"),
        (curved_drift, sgd_noise, ("theta",), "reads o.curvature, but the Hessian is a matrix"),
        (bent_drift, sgd_noise, ("theta",), "the drift of theta of sde 'own' is not affine in o.gradient"),
    ],
)
def test_refusals(drift, noise, slots, words):
    each = problem((THETA, U)[: len(slots)], ns.rmsprop(**C).parameters)
    with pytest.raises(NoMoments, match=words):
        sde_law(JointEquation(ns.SDE("own", drift, noise, slots), each), np.array([1.0]))


def test_the_curvature_is_known_where_the_hessian_is_diagonal():
    each = problem((THETA,), dict(sigma0=0.8), h=0.1, diagonal=True)
    drift, _ = JointEquation(ns.SDE("own", curved_drift, sgd_noise, ("theta",)), each).at(0.5)
    np.testing.assert_allclose(drift[:, :-1], -np.diag(each.hessian * (1.0 + 0.05 * each.hessian)), atol=1e-14)


def test_a_law_at_many_times_in_many_coordinates():
    """Adam in 8 coordinates by short steps of another solver: interpolation between long steps was 1e-8 off."""
    H, S = linear.random_matrices(8)
    theta, u = np.linspace(-1.0, 1.0, 8), 1.2 * np.diag(S)
    constants = ns.adam(c1=2.0, bias_correction=False, **C).parameters
    each = JointProblem(H, np.zeros(8), S, np.array([theta, 0.1 * theta, u]), 0.5, 2.5, dict(constants), 0.01)
    zero, power = np.zeros((8, 8)), 1.6**2 * S
    power = np.block([[zero, zero], [zero, power]])

    def field(t, y):
        U = np.diag(S) * (1.0 + 0.2 * math.exp(-1.3 * (t - 0.5)))
        A = np.block([[zero, -np.diag(1.0 / (0.8 * np.sqrt(U) + 0.1))], [2.0 * H, -2.0 * np.eye(8)]])
        product = A @ y[16:].reshape(16, 16)
        return np.concatenate([A @ y[:16], (product + product.T + power).ravel()])

    times = np.linspace(0.75, 2.5, 8)
    law = sde_law(JointEquation(ns.adam_sde(), each), times)
    y, begin = np.concatenate([theta, 0.1 * theta, np.zeros(256)]), 0.5
    for at, t in enumerate(times.tolist()):
        y = solve_ivp(field, (begin, t), y, method="DOP853", rtol=1e-13, atol=1e-16, max_step=0.02).y[:, -1]
        begin = t
        np.testing.assert_allclose(law.mean[at], y[:16], rtol=0, atol=1e-12)
        np.testing.assert_allclose(law.covariance[at].ravel(), y[16:], rtol=0, atol=5e-12)


@pytest.mark.parametrize("schedule", [lambda t, p: (1.0 if t < 0.37 else 0.5,), lambda t, p: (math.sin(1e6 * t),)])
def test_what_is_not_smooth_in_time_is_refused(schedule):
    """A jump, which a solver would step over with an error of 4e-8, and what turns too often."""
    sde = ns.SDE("rough", lambda x, o, c, p: (-c[0] * o.gradient,), sgd_noise, ("theta",), schedule)
    with pytest.raises(NoMoments, match="drift and diffusion of sde 'rough' are not smooth in time"):
        sde_law(JointEquation(sde, problem((THETA,), dict(sigma0=0.8))), np.array([1.0]))


def test_a_root_that_begins_near_zero():
    """RMSprop's D is as steep as 1 / s there; where u starts at 1e-12 of the covariance."""
    each = problem((THETA, 1e-12 * U), ns.rmsprop(**C).parameters)
    drift, _ = JointEquation(ns.rmsprop_sde(), each).at(0.003)
    u = np.diag(each.covariance) * -math.expm1(-1.3 * 0.003**2) + 1e-12 * U * math.exp(-1.3 * 0.003**2)
    np.testing.assert_allclose(drift[:, :-1], -each.hessian / (0.8 * np.sqrt(u) + 0.1)[:, None], rtol=1e-9)
