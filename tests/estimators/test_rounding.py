"""What rounding may leave: noise-free studies against exact decimal recursions."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.estimators import rounding

SIGMA, EPS, C2, SLOPE, RATE = (Decimal(value) for value in (0.8, 0.1, 1.3, 0.7, 0.9))  # the floats, exactly
EXACT = {
    "theta[0]": lambda theta, u: theta,
    "theta[0]^2": lambda theta, u: theta * theta,
    "u[0]": lambda theta, u: u,
    "theta[0]*u[0]": lambda theta, u: theta * u,
}


def gradient(theta, linear):
    return SLOPE if linear else RATE * theta


def chain(theta, u, h, steps, linear, eps=EPS):
    """Return theta and u of noise-free RMSprop."""
    for _ in range(steps):
        f = gradient(theta, linear)
        theta, u = theta - h * f / (SIGMA * u.sqrt() + eps), u + C2 * h * (h * f * f / SIGMA**2 - u)
    return theta, u


def euler(theta, u, h, steps, linear, level):
    """Return theta and u of its noise-free SDE by Euler's method, `level` steps of h / level a step."""
    for _ in range(steps * level):
        f = gradient(theta, linear)
        theta, u = theta - h / level * f / (SIGMA * u.sqrt() + EPS), u - C2 * h / level * u
    return theta, u


def true_errors(start, eta2, steps, linear):
    """Return by test function the error of the chain against extrapolated Euler, to 40 digits."""
    with localcontext() as context:
        context.prec = 60
        given = (*map(Decimal, start), Decimal(eta2), steps, linear)
        one, levels = chain(*given), [euler(*given, level) for level in (1, 2, 4)]
        return {
            name: float(g(*one) - (g(*levels[0]) - 6 * g(*levels[1]) + 8 * g(*levels[2])) / 3)
            for name, g in EXACT.items()
        }


def noise_free(start, eta2, steps, linear, eps=float(EPS), **changes):
    loss = ns.linear(float(SLOPE)) if linear else ns.quadratic(float(RATE))
    return ns.ConvergenceStudy(
        ns.NGOS(loss, 0.0),
        ns.rmsprop(float(SIGMA), eps, float(C2)),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=start[0], u=start[1]),
        eta2=eta2,
        horizon=steps * eta2,
        test_functions=list(EXACT),
        **({"estimator": "coupled", "times": [steps * eta2]} | changes),
    )


@pytest.mark.filterwarnings("ignore:horizon=.*hardly anything happens")
@pytest.mark.parametrize("precision", ["f64", "mix"])
@pytest.mark.parametrize("steps", [1, 3, 8, 500])
@pytest.mark.parametrize(
    ("start", "linear"), [((1.2, 1.8), False), ((1.2, 1.0), False), ((1e9, 1.8), True), ((0.0, 1.3), True)]
)
@pytest.mark.parametrize("eta2", [2.0**-27, 2.0**-9])
def test_noise_free_errors_are_within_their_standard_errors(precision, steps, start, linear, eta2):
    """Without rounding standard errors are 0 here, and at eta2 = 2^-27 errors of 1e-17 come out as 1e-14, resolved."""
    true = true_errors(start, eta2, steps, linear)
    table = noise_free(start, eta2, steps, linear).run(1024, precision=precision, threads=1).table
    for row in table.itertuples():
        off = abs(row.error - true[row.test_function])
        assert off <= 3.0 * row.std_error
        assert not (row.resolved and abs(true[row.test_function]) < off)
        if eta2 > 1e-6 and start[0] < 1e6 and steps > 1:
            assert row.std_error < (1e-3 if precision == "f64" else 0.1) * abs(
                row.error
            )  # and it stays far below what is measured


def test_noise_drowns_rounding(problem):
    table = problem("P2", test_functions=["theta[0]", "u[0]^2"]).run(100_000, seed=1).table
    assert (table.rounding > 0.0).all()
    assert (table.rounding < 1e-2 * table.std_error).all()


@pytest.mark.filterwarnings("ignore:horizon=.*hardly anything happens")
@pytest.mark.parametrize("precision", ["f64", "mix"])
@pytest.mark.parametrize(("eta2", "steps"), [(2.0**-27, 8), (2.0**-10, 256), (2.0**-4, 16)])
def test_a_control_variate_has_rounding_and_the_accuracy_of_its_means(precision, eta2, steps):
    """Noise-free, eps0 = 0: theta_t = theta_0 exp(-lambda I), I = 2 (exp(c t / 2) - 1) / (c sigma0 sqrt(u_0))."""
    study = noise_free((1.2, 1.8), eta2, steps, False, 0.0, estimator="control_variate")
    row = study.run(1024, precision=precision, threads=1).table.set_index("test_function").loc["theta[0]"]
    with localcontext() as context:
        context.prec = 60
        theta, u, h = map(Decimal, (1.2, 1.8, eta2))
        integral = 2 * ((C2 * steps * h / 2).exp() - 1) / (C2 * SIGMA * u.sqrt())
        true = float(chain(theta, u, h, steps, False, 0)[0] - theta * (-RATE * integral).exp())
    assert abs(row.error - true) < 3.0 * row.std_error
    assert eta2 < 1e-6 or row.std_error < 1e-2 * abs(true)


def test_the_scale_of_a_test_function_at_the_start():
    state, slots = np.array([[3.0, 1.0], [-2.0, 0.5]]), ("theta", "u")
    assert rounding.at_start("theta[0]^2*u[1] - 2*theta[1]", slots, state) == (8.5, 17.5)
    wave = ns.TestFunction("sin", lambda x: math.sin(1e3 * x[0]), coordinate=1)
    value, change = rounding.at_start(wave, slots, state)
    assert value == math.sin(-2e3)
    assert change == pytest.approx(abs(2e3 * math.cos(2e3)), rel=1e-2)
    assert np.isnan(rounding.at_start("loss + theta[0]", slots, state)).all()
    assert np.isnan(rounding.at_start(ns.TestFunction("log", lambda x: math.log(x[0]), 1), slots, state)).all()


def test_the_bound_goes_with_the_units_of_g():
    mean, steps = np.array([0.5, 0.3, 0.4]), np.array([1, 20, 300])
    for precision in ("f64", "mix", "f32"):
        usual = rounding.bound((1.0, 2.0), mean, steps, precision)
        np.testing.assert_allclose(rounding.bound((1e9, 2e9), 1e9 * mean, steps, precision), 1e9 * usual, rtol=1e-12)
        assert (np.diff(usual) > 0.0).all()
