"""Users' optimizers and SDEs, plain functions, at the local estimator without a pivot: exact errors and constants."""

import math

import pytest
from scipy.integrate import quad, solve_ivp

import ngos_sim as ns
from ngos_sim.known import constants
from ngos_sim.known.coordinate import Coordinate
from ngos_sim.statistics import order as orders
from tests.support import users
from tests.support.sdes import squared_gradient_sde

STEPS = [16, 32, 64, 128, 256]


def study(rule, sde, oracle, functions, **settings):
    """Return a study that the local estimator serves without a pivot."""
    made = ns.ConvergenceStudy(oracle, rule, sde, test_functions=functions, estimator="local", **settings)
    assert all(why.startswith("local") for why in made.why.values())
    return made


def fitted(table, function, power=1):
    """Return the fit of error / h^(power - 1) of one test function: its constant is that of h^power."""
    rows = table[table.test_function == function]
    scale = rows.eta_e.to_numpy() ** (power - 1)
    return orders.fit(rows.eta_e.to_numpy(), rows.error.to_numpy() / scale, rows.std_error.to_numpy() / scale)


def test_multiplicative_noise():
    """Diffusion affine in theta, which multiplies the noise."""
    rule, sde = users.multiplicative()
    settings = dict(initial=dict(theta=1.0), steps=STEPS, times=[1.0])
    functions = ["theta[0]", "theta[0]^2"]
    table = study(rule, sde, ns.NGOS(ns.quadratic(0.9)), functions, **settings).run(20_480, seed=1).table
    for row in table.itertuples():
        exact = users.multiplicative_errors(row.eta_e, 0.9, 1.0, 1.0)[functions.index(row.test_function)]
        assert abs(row.error - exact) < 4.5 * row.std_error


def rmspropw_constant(weight, sigma0, eps0, c2, hessian=0.9, theta0=1.2, u0=1.4):
    """Return C of E theta at time 1, Gaussian noise: the integral of E2 (docs/theory.md, "Step expansion")."""

    def phi(u):
        return 1.0 / (sigma0 * math.sqrt(u) + eps0)

    def U(t, u=u0):
        return 1.0 + (u - 1.0) * math.exp(-c2 * t)

    def m(s, u):
        return math.exp(-quad(lambda r: hessian * phi(U(r - s, u)) + weight, s, 1.0, epsabs=1e-13)[0])

    def law(t, y):
        rate = hessian * phi(U(t)) + weight
        return [-rate * y[0], -2.0 * rate * y[1] + (sigma0 * phi(U(t))) ** 2]

    path = solve_ivp(law, (0.0, 1.0), [theta0, 0.0], rtol=1e-11, atol=1e-13, dense_output=True).sol

    def integrand(s):
        (mean, spread), u, d = path(s), U(s), 1e-3
        below, here, above = m(s, u - d), m(s, u), m(s, u + d)
        first, second = (above - below) / (2.0 * d), (above - 2.0 * here + below) / d**2
        slope, pull, rate = -0.5 * phi(u) ** 2 * sigma0 / math.sqrt(u), c2 * (1.0 - u), hessian * phi(u) + weight
        third = mean**3 + 3.0 * mean * spread
        found = -0.5 * (rate**2 - pull * hessian * slope) * mean * here + c2 * hessian**2 / sigma0**2 * third * first
        found += 0.5 * c2 * pull * mean * first - 2.0 * c2 * phi(u) * hessian * mean * first
        return found + c2 * c2 * second * mean

    return quad(integrand, 0.0, 1.0, epsabs=1e-8)[0]


@pytest.mark.parametrize("adam", [False, True], ids=["rmspropw", "adamw"])
def test_decoupled_weight_decay(adam):
    """Of E theta the order is 1, and the constant RMSpropW's integral's, AdamW's the expansion's of a step."""
    numbers = dict(sigma0=0.8, eps0=0.1, c2=1.3, **(dict(c1=2.0) if adam else {}))
    rule, sde = users.with_decay(adam, 0.6, **numbers)
    start = dict(theta=1.2, u=1.4, **(dict(m=-0.4) if adam else {}))
    settings = dict(initial=start, steps=STEPS, times=[1.0])
    table = (
        study(rule, sde, ns.NGOS(ns.quadratic(0.9)), ["theta[0]", "theta[0]^2"], **settings).run(40_960, seed=1).table
    )
    found = fitted(table, "theta[0]")
    assert abs(found.order - 1.0) < max(4.0 * found.std_error, 0.02)
    if adam:
        problem = Coordinate(0.9, 0.0, 1.0, (1.2, -0.4, 1.4), 0.0, 1.0, numbers | dict(w0=0.6), 0.0)
        exact = constants.leading(problem, momentum=True, times=[1.0], fourth=3.0, degree=1)[1, 0, 0].first[0]
    else:
        exact = rmspropw_constant(0.6, 0.8, 0.1, 1.3)
    assert abs(found.constant - exact) < 3.0 * found.constant_std_error + 5e-4
    assert found.constant_std_error < 0.01 * abs(exact)


def test_the_predicted_constant_of_rmspropw_is_the_integral():
    numbers = dict(sigma0=0.8, eps0=0.1, c2=1.3, w0=0.6)
    problem = Coordinate(0.9, 0.0, 1.0, (1.2, 1.4), 0.0, 1.0, numbers, 0.0)
    found = constants.leading(problem, momentum=False, times=[1.0], fourth=3.0, degree=1)[1, 0]
    assert found.first[0] == pytest.approx(rmspropw_constant(0.6, 0.8, 0.1, 1.3), abs=2e-5)


def test_through_the_limit_at_step_zero():
    """On a quadratic loss u needs theta: its limit at step 0 serves, bit for bit like a named pivot."""
    rule, settings = ns.rmsprop(0.8, 0.0, 1.3), dict(initial=dict(theta=1.2, u=1.0), steps=[64, 256], times=[1.0])
    own, named = (
        study(rule, squared_gradient_sde(pivot), ns.NGOS(ns.quadratic(0.9)), ["theta[0]", "u[0]"], **settings)
        for pivot in (None, ns.rmsprop_sde())
    )
    said = own.why["squared gradient", "theta[0]"]
    assert "through its limit at step 0, as the drift of u of sde 'squared gradient' is not affine in theta" in said
    assert named.why["squared gradient", "theta[0]"] == said
    table = own.run(20_480, seed=1).table
    direct = study(rule, ns.rmsprop_sde(), ns.NGOS(ns.quadratic(0.9)), ["theta[0]", "u[0]"], **settings)
    assert (table.sde_mean != direct.run(20_480, seed=1).table.sde_mean).any()
    found = fitted(table, "theta[0]")
    assert abs(found.constant + 0.5721) < 4.0 * found.constant_std_error + 2e-3
    assert abs(fitted(table, "u[0]").constant) < 4.0 * fitted(table, "u[0]").constant_std_error + 1e-3


def test_on_a_linear_loss_it_is_served_itself():
    rule, sde = ns.rmsprop(0.8, 0.0, 1.3), squared_gradient_sde(None)
    settings = dict(initial=dict(theta=0.0, u=1.0), steps=STEPS, times=[1.0])
    made = study(rule, sde, ns.NGOS(ns.linear(0.7)), ["theta[0]", "u[0]"], **settings)
    assert "through" not in made.why["squared gradient", "theta[0]"]
    table = made.run(40_960, seed=1).table
    found = fitted(table, "theta[0]")
    assert abs(found.constant + 0.2747) < 3.0 * found.constant_std_error + 3e-4
    of_u = table[table.test_function == "u[0]"]
    assert (of_u.error.abs() < 4.5 * of_u.std_error + 0.3 * of_u.eta_e**2).all()
