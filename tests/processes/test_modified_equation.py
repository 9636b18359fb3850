"""The generic equation of order 2 against those derived by hand, at states, on paths and by its order."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.processes.rule import Oracle
from tests.support import momentum, programs

P = dict(sigma=0.5, mu=0.9, c=1.7, eps=0.1, scale=0.8)
STATES = [(0.7, 1.3), (-1.1, 1.0), (0.2, 2.5)]


def pull(x, o, c, p):
    return x[1], -(p.mu * x[1] + o.gradient)


def pushed(x, o, c, p):
    """b1 of heavy ball: theta' = theta + h v', so h b1 of theta is the change of v."""
    return -(p.mu * x[1] + o.gradient), 0.0


def ahead(x, o, c, p):
    """b1 of Nesterov's: the gradient ahead as well."""
    return -(p.mu * x[1] + o.gradient), -o.curvature * x[1]


def ballistic(x, o, c, p):
    theta, v = x
    return -o.gradient / (math.sqrt(v) + p.eps), p.c * (o.gradient**2 + p.sigma**2 * o.variance - v)


def nothing(x, o, c, p):
    return 0.0, 0.0


def ballistic_by_hand(x, o, c, p):
    """theory of arXiv 2509.21614 with d(1 / (sqrt v + eps)) / dv = -phi^2 / (2 sqrt v), not -phi^3 / 2."""
    theta, v = x
    phi, w = 1.0 / (math.sqrt(v) + p.eps), o.gradient**2 + p.sigma**2 * o.variance - v
    first = o.curvature * o.gradient * phi**2 + p.c * phi**2 / (2.0 * math.sqrt(v)) * o.gradient * w
    second = 2.0 * p.c * o.gradient**2 * o.curvature * phi + p.c**2 * w
    return -phi * o.gradient - 0.5 * p.h * first, p.c * w + 0.5 * p.h * second


def sign(x, o, c, p):
    return (-math.erf(o.gradient / (math.sqrt(2.0) * p.scale)),)


def sign_by_hand(x, o, c, p):
    """-b - (h / 2) b b' with b = erf: arXiv 2411.15958's drift in Li, Tai and E's equation."""
    y = o.gradient / (math.sqrt(2.0) * p.scale)
    slope = 2.0 / math.sqrt(math.pi) * math.exp(-y * y) * o.curvature / (math.sqrt(2.0) * p.scale)
    return (-math.erf(y) - 0.5 * p.h * math.erf(y) * slope,)


CASES = {
    "sgd": (lambda x, o, c, p: (-o.gradient,), lambda x, o, c, p: (0.0,), ns.sgd_sde(order=2).drift),
    "heavy-ball": (pull, pushed, ns.heavy_ball_sde(order=2).drift),
    "nesterov": (pull, ahead, ns.nesterov_sde(order=2).drift),
    "signsgd": (sign, lambda x, o, c, p: (0.0,), sign_by_hand),
    "ballistic rmsprop": (ballistic, nothing, ballistic_by_hand),
}


def made(name, **changes):
    b0, b1, _ = CASES[name]
    slots = ("theta", "v") if name not in ("sgd", "signsgd") else ("theta",)
    noise = (lambda x, o, c, p: (-p.sigma,)) if len(slots) == 1 else (lambda x, o, c, p: (0.0, -p.sigma))
    return ns.modified_equation(name, b0, b1, noise, slots, **changes)


@pytest.mark.parametrize("h", [0.0, 1 / 64, 1 / 8])
@pytest.mark.parametrize("name", CASES)
def test_drifts_are_those_derived_by_hand(name, h):
    """On a loss whose gradient bends, f'' (not f''') entering: to 1e-9 at h = 1 / 8."""
    sde, p = made(name), SimpleNamespace(**P, h=h)
    for theta, v in STATES:
        gradient, curvature = math.sin(theta) + theta, math.cos(theta) + 1.0
        o, x = Oracle(gradient, 1.4, curvature, curvature * gradient), (theta, v)[: len(sde.slots)]
        expected = CASES[name][2](x, o, (), p)
        np.testing.assert_allclose(sde.drift(x, o, (), p), expected, rtol=0, atol=1e-8 * h + 1e-13)


def test_a_drift_that_depends_on_time():
    """d_t b0 enters as (b0 . grad) b0 does: theta' = theta - h a(t) f', a(t) = 1 + t^2."""
    equation = ns.modified_equation(
        "own",
        lambda x, o, c, p: (-c[0] * o.gradient + c[1],),
        lambda x, o, c, p: (0.0,),
        lambda x, o, c, p: (-p.sigma * c[0],),
        ("theta",),
        schedule=lambda t, p: (1.0 + t * t, math.sin(t)),
    )
    p, t, o = SimpleNamespace(**P, h=0.125), 0.6, Oracle(0.9, 1.0, 1.3, 1.17)
    a, drift = 1.0 + t * t, -(1.0 + t * t) * 0.9 + math.sin(t)
    expected = drift - 0.5 * p.h * (-2.0 * t * 0.9 + math.cos(t) - a * 1.3 * drift)
    c = equation.schedule(t, p)
    assert equation.drift((0.7,), o, c, p)[0] == pytest.approx(expected, rel=0, abs=1e-11)
    assert equation.diffusion((0.7,), o, c, p)[0] == pytest.approx(-0.5 * a * math.sqrt(0.125), rel=1e-14)


def test_two_brownian_motions():
    noise = lambda x, o, c, p: ((-p.sigma, 0.1 * x[1]), (0.0, p.c))  # noqa: E731
    equation = ns.modified_equation("own", ballistic, nothing, noise, ("theta", "v"), channels=2)
    p, o = SimpleNamespace(**P, h=0.25), Oracle(0.9, 1.0, 1.3, 1.17)
    np.testing.assert_allclose(equation.diffusion((0.7, 2.0), o, (), p), [(-0.25, 0.1), (0.0, 0.85)], rtol=1e-15)


@pytest.mark.parametrize("name", CASES)
def test_paths_are_those_of_the_equations_by_hand(name):
    """By Euler-Maruyama on one stream, trajectory by trajectory; the longest drift compiled, the others by Python."""
    generic = made(name)
    by_hand = ns.SDE("by hand", CASES[name][2], generic.diffusion, generic.slots)
    rule = ns.Optimizer("any", lambda x, o, z, c, p: x, generic.slots, clock="eta", **P)
    parts = [(euler_maruyama(each, rule), ns.gaussian(), 1) for each in (generic, by_hand)]
    start = [[1.2, 1.0][: len(generic.slots)]]
    functions = ["theta[0]", *["v[0]"] * (len(generic.slots) - 1)]
    program, inputs = programs.build(ns.NGOS(ns.quadratic(1.3)), parts, functions, start, 2.0**-4, 16)
    if name == "ballistic rmsprop":
        paths = cpu.Kernel(program, inputs, "f64").block(0)
    else:
        paths = np.stack([python.trajectory(program, inputs, lane)[0] for lane in range(16)], axis=-1)
    first, second = np.moveaxis(paths[0], 1, 0)
    assert np.all(np.std(first, axis=-1) > 0.005)
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-10)


def test_probing_serves_it():
    tables = [
        momentum.study("heavy-ball", sde=each, steps=[16], estimator="local").run(1024, seed=4).table
        for each in (ns.heavy_ball_sde(order=2), made("heavy-ball"))
    ]
    np.testing.assert_allclose(*(table.error for table in tables), rtol=0, atol=1e-10)


def test_order_one_is_the_first_drift():
    p, o = SimpleNamespace(**P, h=0.25), Oracle(0.9, 1.0, 1.3, 1.17)
    equation = made("heavy-ball", order=1)
    assert equation.name == "heavy-ball order 1"
    assert equation.drift((0.7, 2.0), o, (), p) == pull((0.7, 2.0), o, (), p)
    assert equation.diffusion((0.7, 2.0), o, (), p) == (0.0, -0.25)


WRONG = {
    "an order": (lambda: made("sgd", order=3), "sgd: order=3; allowed: 1, 2"),
    "a curvature": (
        lambda: momentum.study(
            "sgd",
            sde=ns.modified_equation(
                "own",
                lambda x, o, c, p: (-o.curvature * x[0],),
                lambda x, o, c, p: (0.0,),
                lambda x, o, c, p: (-p.sigma,),
                ("theta",),
            ),
            steps=4,
        ),
        "'own order 2': drift fails: 'OracleOfB0' object has no attribute 'curvature'",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused(case):
    call, message = WRONG[case]
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == message


def test_a_matrix_is_refused_and_a_covariance_of_the_state_doubted():
    oracle = ns.NGOS(ns.quadratic([[2.0, 1.0], [1.0, 2.0]]))
    with pytest.raises(ValueError, match="^'sgd order 2' reads o.curvature, but the Hessian of loss 'quadratic' is"):
        momentum.study("sgd", sde=made("sgd"), steps=4, oracle=oracle)
    with pytest.warns(ns.StudyWarning, match="^sde 'sgd order 2' is derived for a covariance that does not depend on"):
        momentum.study("sgd", sde=made("sgd"), steps=4, oracle=ns.NGOS(ns.quadratic(1.0), lambda theta: 2.0))


def test_a_schedule_is_compiled():
    """A row of five times as many numbers: the CPU's trajectories are those of plain Python."""
    equation = ns.modified_equation(
        "own",
        lambda x, o, c, p: (-c[0] * o.gradient + c[1],),
        lambda x, o, c, p: (c[1],),
        lambda x, o, c, p: (-p.sigma * c[0],),
        ("theta",),
        schedule=lambda t, p: (1.0 + t * t, math.sin(t)),
    )
    study = momentum.study("sgd", sde=equation, steps=[1], test_functions=["theta[0]"])
    assert programs.alike(study)
