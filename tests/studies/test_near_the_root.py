"""u starts near 0, where its root is singular: the control variate is exact there, and coupled says what it is not."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import quad

import ngos_sim as ns
from tests.support import naive

RMSPROP = dict(sigma0=0.8, eps0=0.1, c2=1.3)
SLOPE, THETA = 0.7, 0.3


def study(u, rule=None, t0=0.0, noise=None, **changes):
    settings = dict(eta2=[2.0**-3], horizon=t0 + 0.5, test_functions=["theta[0]", "theta[0]^2"]) | changes
    oracle = ns.NGOS(ns.linear(SLOPE), noise=noise or ns.rademacher())
    start = dict(theta=THETA, u=u, t0=t0)
    return ns.ConvergenceStudy(oracle, rule or ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), initial=start, **settings)


def sde_means(u, t0, t, corrected):
    """Return E theta and E theta^2 by quadrature in s, t = t0 + s^2, where the root is smooth."""

    def speed(s):
        root = math.sqrt(-math.expm1(-1.3 * (t0 + s * s))) if corrected else 1.0
        U = u * math.exp(-1.3 * s * s) - math.expm1(-1.3 * s * s)
        return root / (0.8 * math.sqrt(U) + 0.1 * root)

    settings = dict(epsabs=0.0, epsrel=1e-12, limit=400)
    first, second = (quad(lambda s, n=n: 2 * s * speed(s) ** n, 0, math.sqrt(t), **settings)[0] for n in (1, 2))
    mean = THETA - SLOPE * first
    return mean, mean**2 + 0.64 * second


@pytest.mark.parametrize("u", [0.0, 1e-6, 1e-3])
@pytest.mark.parametrize(("corrected", "t0"), [(False, 0.0), (False, 0.25), (True, 0.0)])
def test_the_control_variate_is_exact(u, corrected, t0):
    """Four steps of Rademacher noise: all 16 paths give the optimizer's means, quadrature the SDE's."""
    rule = ns.rmsprop(bias_correction=corrected, second_moment="updated" if corrected else "previous", **RMSPROP)
    result = study(u, rule, t0, times=[t0 + 0.5]).run(2**17, seed=2)
    table, h = result.table, 2.0**-3
    assert table.estimator.unique().tolist() == ["control_variate"]
    assert f"u starts at {u:.3g} of the covariance, below 0.01 of it" in result.why["rmsprop", "theta[0]"]
    paths, weights = naive.two_point_paths(4, 0.5)
    p, ends = SimpleNamespace(**rule.parameters), []
    for path in paths:
        x = (THETA, u)
        for k, z in enumerate(path.tolist()):
            c = rule.schedule(round(t0 / h) + k, h, p)
            x = rule.step(x, SimpleNamespace(gradient=SLOPE, variance=1.0, curvature=0.0), z, c, p)
        ends.append(x[0])
    for row, power, mean in zip(table.itertuples(), (1, 2), sde_means(u, t0, 0.5, corrected), strict=True):
        assert row.sde_mean == pytest.approx(mean, rel=1e-9)
        exact = weights @ np.array(ends) ** power - mean
        assert abs(row.error - exact) < 4.0 * row.std_error
        assert row.std_error < 5e-3


def test_coupled_says_what_is_not_assured():
    doubt = (
        "u starts at 0.001 of the covariance, below 0.01 of it, too near the root's singularity: "
        "the powers of the extrapolation are not assured there, see integrator_residual"
    )
    kink = ns.TestFunction("kink", lambda x: abs(x[0]))
    made = study(1e-3, noise=ns.gaussian(), test_functions=[kink])
    assert made.why["rmsprop", "kink"].startswith("coupled")
    assert made.why["rmsprop", "kink"].endswith(doubt)
    assert study(1e-3, estimator="coupled").why["rmsprop", "theta[0]"].endswith(doubt)
    assert "extrapolation" not in study(0.5, estimator="coupled").why["rmsprop", "theta[0]"]


def test_each_coordinate_is_held_against_its_own_covariance():
    oracle = ns.NGOS(ns.linear([SLOPE, SLOPE]), covariance=[1.0, 1e-6])
    settings = dict(eta2=[2.0**-3], test_functions=["theta[0]", "theta[1]"])
    for u, estimator in (([1.0, 1e-6], "local"), ([1.0, 1e-9], "control_variate")):
        start = dict(theta=THETA, u=u)
        made = ns.ConvergenceStudy(oracle, ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), initial=start, **settings)
        assert {choice.estimator.name for choice in made.served.values()} == {estimator}


def test_a_law_that_is_not_found_is_refused_in_words():
    loss, rule = ns.quadratic(1e7), ns.rmsprop(**RMSPROP)
    settings = dict(initial=dict(theta=THETA, u=1e-3), eta2=[2.0**-3], test_functions=["theta[0]"])
    made = ns.ConvergenceStudy(ns.NGOS(loss), rule, ns.rmsprop_sde(), **settings)
    assert (
        "not local nor control_variate, as sde 'rmsprop' is not followed from t=0 to 1: rates too fast"
        in made.why["rmsprop", "theta[0]"]
    )


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_the_law_has_no_units(unit):
    """theta in `unit`, time in its square, the gradient as it was: by which sigma0, eps0 grow."""
    means = []
    for size in (1.0, unit):
        rule = ns.rmsprop(sigma0=0.8 * size, eps0=0.1 * size, c2=1.3 / size**2)
        oracle = ns.NGOS(ns.linear(SLOPE))
        settings = dict(eta2=[2.0**-3 * size**2], horizon=size**2, times=[size**2], test_functions=["theta[0]^2"])
        start = dict(theta=THETA * size, u=1e-3)
        made = ns.ConvergenceStudy(
            oracle, rule, ns.rmsprop_sde(), initial=start, estimator="control_variate", **settings
        )
        means.append(made.run(1024).table.sde_mean.iloc[0] / size**2)
    assert means[1] == pytest.approx(means[0], rel=1e-10)


def test_a_matrix_without_noise_from_u_0_is_not_measured_by_local():
    """0 is not below a hundredth of 0: local was chosen, and all was NaN."""
    oracle = ns.NGOS(ns.quadratic([[1.0, 0.4], [0.4, 2.0]]), covariance=0.0)
    made = ns.ConvergenceStudy(
        oracle,
        ns.rmsprop(sigma0=1.0, eps0=1.0, c2=1.0),
        sde=ns.rmsprop_sde(),
        initial={"theta": 1.0, "u": 0.0},
        eta2=[1 / 8],
        test_functions=["theta[0]"],
    )
    table = made.run(1024).table
    assert "local" not in set(table.estimator)
    assert np.isfinite(table.error).all()
