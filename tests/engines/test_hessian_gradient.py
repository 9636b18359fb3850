"""o.hessian_gradient, (H grad f)_i of all coordinates: an order-2 equation on a matrix, engines, refusals."""

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.observation import reads_attribute
from tests.support import programs

HESSIAN, THETA, SIGMA0 = np.array([[0.9, 0.6], [0.6, 1.5]]), np.array([1.2, -0.5]), 0.3


def sgd():
    """SGD with learning rate h = p.eta2: theta' = theta - h grad f - sqrt(h) sigma0 z."""

    def step(x, o, z, c, p):
        return (x[0] - c[0] * o.gradient - c[1] * z,)

    def schedule(k, h, p):
        return h, math.sqrt(h) * p.sigma0

    return ns.Optimizer("sgd", step, ("theta",), schedule, sigma0=SIGMA0)


def bent(gradient, hessian_gradient):
    """A helper: what it reads counts as read by who calls it."""
    return gradient.gradient + hessian_gradient


def modified(name="modified"):
    """The modified equation of SGD, whose mean is right to order 2: d theta = -(1 + h H / 2) grad f dt + .."""

    def drift(x, o, c, p):
        return (-bent(o, 0.5 * p.eta2 * o.hessian_gradient),)

    return ns.SDE(name, drift, lambda x, o, c, p: (-p.sigma0,), ("theta",))


def study(loss, sde, **changes):
    settings = dict(initial=dict(theta=THETA), eta2=[2.0**-2, 2.0**-3, 2.0**-4], horizon=1.0, times=[1.0])
    settings |= dict(test_functions=["theta[0]", "theta[1]"], estimator="coupled") | changes
    return ns.ConvergenceStudy(ns.NGOS(loss), sgd(), sde, **settings)


def test_the_modified_equation_of_sgd_is_right_to_order_two():
    """E theta_k = (1 - h H)^k theta_0, E X_t = exp(-t (H + h H^2 / 2)) theta_0; the diagonal alone gives order 1."""
    table = study(ns.quadratic(HESSIAN), modified()).run(65_536).table
    for h, rows in table.groupby("eta2"):
        chain = np.linalg.matrix_power(np.eye(2) - h * HESSIAN, round(1.0 / h)) @ THETA
        exact = chain - scipy.linalg.expm(-HESSIAN - 0.5 * h * HESSIAN @ HESSIAN) @ THETA
        wrong = chain - scipy.linalg.expm(-HESSIAN - 0.5 * h * np.diag(np.diag(HESSIAN)) @ HESSIAN) @ THETA
        allowed = 5.0 * rows.std_error.to_numpy() + 0.1 * h**3  # Euler-Maruyama, extrapolated: order 3
        assert (np.abs(rows.error - exact) < allowed).all()
        assert (np.abs(rows.error - wrong) > 3.0 * allowed).any()
        assert (np.abs(exact) < h**2).all()


def test_a_coordinate_wise_loss_has_it_too():
    """One coordinate with Hessian 0.9: curvature * gradient; and a diagonal Hessian is no matrix."""

    def drift(x, o, c, p):
        return (-o.gradient - 0.5 * p.eta2 * o.curvature * o.gradient,)

    mine = ns.SDE("by hand", drift, lambda x, o, c, p: (-p.sigma0,), ("theta",))
    table = study(ns.quadratic([0.9, 1.5]), [modified(), mine]).run(1024, precision="f64").table
    one, two = (rows.error.to_numpy() for _, rows in table.groupby("sde"))
    np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)


PROGRAMS = {"beside an SDE": programs.bent, "local": lambda: programs.local(programs.own_rule(), ns.rmsprop_sde())}


@pytest.mark.parametrize("name", PROGRAMS)
def test_engines_are_equal_bit_for_bit(name):
    program, inputs = PROGRAMS[name]()
    assert all(process.slope for process in program.processes)
    lanes = cpu.Kernel(program, inputs, "f64").block(0)
    for lane in (0, 77):
        found, finite = python.trajectory(program, inputs, lane)
        assert finite
        np.testing.assert_array_equal(found, lanes[..., lane])


def test_it_is_h_times_the_gradient_of_all_coordinates():
    """The rule's first step by NumPy, H = matrix + diag(height cos theta), grad f = matrix theta + height sin theta."""
    program, inputs = programs.bent()
    (process, *_), (numbers, *_) = program.processes, inputs.processes
    theta, (height,) = numbers.start[:, 0], numbers.loss
    matrix = inputs.hessian
    gradient = matrix @ theta + height * np.sin(theta)
    expected = (matrix + np.diag(height * np.cos(theta))) @ gradient
    pull, noise = matrix @ theta, np.zeros((2, 3))
    slopes = [process.slope((t,), q, 0.0, (h,), (1.0,)) for t, q, h in zip(theta, pull, height, strict=True)]
    np.testing.assert_allclose(slopes, gradient)
    (ends,), _ = python.trajectory(program, _one_step(inputs), 0, noise)
    h = 2.0**-4
    moved = theta[0] - h * (gradient + 0.5 * h * expected)[0]
    assert ends[0, 0] == pytest.approx(moved, rel=1e-12)


def _one_step(inputs):
    return replace(inputs, records=np.array([2]), term_coefficient=inputs.term_coefficient[:1])


def test_what_does_not_read_it_pays_nothing():
    program, inputs = programs.beside_its_sde(
        programs.matrices(2),
        programs.own_rule(),
        ns.rmsprop_sde(),
        ns.gaussian(),
        [[1.2, 1.4], [0.1, 1.0]],
        ["theta[0]"],
    )
    assert [process.slope is not None for process in program.processes] == [True, False]
    pull, bend, slopes, *_ = cpu.Kernel(program, inputs, "mix")._workspace()[0].pulls
    assert pull is not bend is not slopes
    program, inputs = programs.alone(ns.rmsprop(**programs.RMSPROP), 2, oracle=programs.matrices(2))
    pull, bend, slopes, *_ = cpu.Kernel(program, inputs, "mix")._workspace()[0].pulls
    assert pull is bend is slopes


def test_what_a_rule_reads_is_found_through_helpers_and_closures():
    drift = modified().drift
    assert reads_attribute(drift, "hessian_gradient")
    assert reads_attribute(lambda x, o: drift(x, o, (), None), "hessian_gradient")
    assert reads_attribute(drift, "gradient")  # in the helper alone
    assert not reads_attribute(drift, "curvature")
    assert reads_attribute(lambda o: (lambda: bent(o, 0.0))(), "gradient")  # by a function inside the function


def reading(name):
    if name == "curvature":
        return ns.SDE("mine", lambda x, o, c, p: (-o.curvature * o.gradient,), lambda x, o, c, p: (0.0,), ("theta",))
    return modified("mine")


@pytest.mark.parametrize(
    ("loss", "name", "message"),
    [
        (
            ns.quadratic(HESSIAN),
            "curvature",
            "'mine' reads o.curvature, but the Hessian of loss 'quadratic' is a matrix: "
            "the curvature of coordinate i alone is not the Hessian: use o.hessian_gradient",
        ),
        *(
            (
                ns.Loss("bare", lambda theta, p: theta, lambda theta, p: 0.5 * theta * theta, **more),
                name,
                f"'mine' reads o.{name}, but loss 'bare' was given no curvature: ns.Loss(.., curvature=)",
            )
            for name, more in (
                ("curvature", {}),
                ("hessian_gradient", {}),
                ("hessian_gradient", dict(matrix=HESSIAN)),
            )
        ),
    ],
)
def test_what_is_not_known_is_refused_by_name(loss, name, message):
    with pytest.raises(ValueError) as caught:
        study(loss, reading(name))
    assert str(caught.value) == message
