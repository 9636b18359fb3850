"""SDEs with a second Brownian motion in a study: problem P1 with noise on u, refusals, and messages."""

import math

import numpy as np
import pytest

import ngos_sim as ns

G, S0, C = 0.7, 0.8, 1.3  # problem P1: gradient, sigma0, c2; Sigma = u0 = 1, eps0 = 0
FUNCTIONS = ("theta[0]", "theta[0]^2", "u[0]", "u[0]^2", "theta[0]*u[0]")


def drift(x, o, c, p):
    theta, u = x
    return -o.gradient / (p.sigma0 * math.sqrt(u)), p.c2 * (o.variance - u)


def diffusion(x, o, c, p):
    theta, u = x
    return (-1.0 / math.sqrt(u), 0.0), (0.0, p.c2 * math.sqrt(2.0 * p.eta2))


def noisy_u(diffusion=diffusion, name="noisy u", **settings):
    return ns.SDE(name, drift, diffusion, ("theta", "u"), **{"channels": 2, **settings})


def study(sde, **changes):
    settings = dict(sde=sde, initial=dict(theta=0.0, u=1.0), eta2=[1 / 64, 1 / 128, 1 / 256, 1 / 512], horizon=1.0)
    settings |= dict(times=[1.0], test_functions=list(FUNCTIONS)) | changes
    return ns.ConvergenceStudy(ns.NGOS(ns.linear(G)), ns.rmsprop(sigma0=S0, eps0=0.0, c2=C), **settings)


def expected(t, noisy):
    """Return the constants of FUNCTIONS at time t, by hand.

    With S = theta, phi(u) = 1 / (s0 sqrt(u)): phi = 1 / s0, phi' = -1 / (2 s0), phi'' = 3 / (4 s0) at u = 1. A step's
    u has mean 1 + h D and Cov(u_q, u_r) = h V_q e^(-c (r - q)), D = (1 - e^(-c t)) g^2 / s0^2, V = c (1 - e^(-2 c t));
    so has that of du = c (1 - u) dt + c sqrt(2 h) dB, with D = 0: what V adds to means of functions of u is the same.
    What stays are D, and the correlation of theta with u through the gradient, 2 c g phi e^(-c (r - q)).
    """
    slope, bend, m = -0.5 / S0, 0.75 / S0, -G * t / S0
    one, two = (1.0 - math.exp(-C * t)) / C, (1.0 - math.exp(-2.0 * C * t)) / (2.0 * C)
    d, v = G**2 / S0**2 * C * one, 2.0 * C * C * two
    sum_d, sum_v = G**2 / S0**2 * (t - one), C * (t - two)
    pairs, pairs_v = (t - one) / C, t - 2.0 * one + two  # int over q < r < t of e^(-c (r - q)), and of V_q times it
    last_v = (C * one) ** 2  # int over q of V_q e^(-c (t - q))
    theta = -G * slope * sum_d
    square = 2.0 * m * theta + S0**2 * 2.0 / S0 * slope * sum_d + 4.0 * C * G**2 / S0 * slope * pairs
    product = m * d + theta - 2.0 * C * G / S0 * one
    if not noisy:
        more = -0.5 * G * bend * sum_v
        square += 2.0 * m * more + S0**2 * (bend / S0 + slope**2) * sum_v + 2.0 * G**2 * slope**2 * pairs_v
        product += more - G * slope * last_v
        theta += more
    return dict(zip(FUNCTIONS, (theta, square, d, 2.0 * d + (0.0 if noisy else v), product), strict=True))


def test_by_hand_is_the_theory_where_u_is_known():
    """Constants of P1 with a deterministic u, as derived from the generator of the expansion of a step."""
    known = (-0.127166, 0.138788, 0.556968, 2.317380, -1.656053)
    np.testing.assert_allclose(list(expected(1.0, noisy=False).values()), known, rtol=0, atol=2e-6)


@pytest.mark.parametrize("estimator", ["coupled", "independent"])
def test_constants_of_p1_with_noise_on_u(estimator):
    trajectories = {"coupled": 2**17, "independent": 2**15}[estimator]
    result = study(noisy_u(), estimator=estimator, eta2=[1 / 64, 1 / 128, 1 / 256]).run(trajectories, seed=3)
    found = result.order()
    found = found[found.norm == "final"].set_index("test_function")
    by_hand, without = expected(1.0, noisy=True), expected(1.0, noisy=False)
    for name, row in found.iterrows():
        assert abs(row.constant - by_hand[name]) < 3.0 * row.constant_std_error, name
        assert row.ci_low <= 1.0 <= row.ci_high or math.isnan(row.order), name
    if estimator == "coupled":
        for name in ("theta[0]", "theta[0]^2", "u[0]^2"):  # the noise of u is seen
            assert abs(found.constant[name] - without[name]) > 4.0 * found.constant_std_error[name], name
        assert (found.constant_std_error < 0.5 * np.abs(list(by_hand.values()))).all()
        assert (found.std_error[["theta[0]^2", "theta[0]*u[0]"]] < 0.3).all()


SECOND = "has a second Brownian motion \\(channels=2\\), which transport, coupled and independent serve"


@pytest.mark.parametrize("estimator", ["local", "control_variate"])
def test_estimators_that_do_not_serve_say_so(estimator):
    message = rf"^estimator='{estimator}' cannot measure 'theta\[0\]' against 'noisy u': sde 'noisy u' {SECOND}$"
    with pytest.raises(ValueError, match=message):
        study(noisy_u(), estimator=estimator)


def test_auto_computes_it_and_says_why():
    for sde in (noisy_u(), noisy_u(pivot=ns.rmsprop_sde())):
        made = study(sde, eta2=[1 / 64], test_functions=["u[0]"])
        assert [choice.estimator.name for choice in made.served.values()] == ["transport"]
        (why,) = made.why.values()
        assert why.startswith(
            "transport: it is computed, not sampled; not local, as sde 'noisy u' has a second Brownian"
        )


def test_constants_that_are_computed():
    """Extrapolated from two steps."""
    table = study(noisy_u(), estimator="transport", eta2=[1 / 64, 1 / 128]).run(1024, seed=3).table
    last = table[table.time == table.time.max()]
    for name, constant in expected(1.0, noisy=True).items():
        coarse, fine = (last[(last.test_function == name) & (last.h == h)].error.item() / h for h in (1 / 64, 1 / 128))
        assert 2.0 * fine - coarse == pytest.approx(constant, abs=5e-3), name


def with_pivot_of_two():
    return ns.SDE("one", drift, lambda x, o, c, p: diffusion(x, o, c, p)[0], ("theta", "u"), pivot=noisy_u())


def test_a_pivot_of_two_channels_is_refused():
    with pytest.raises(ValueError, match=rf"against 'one': sde 'noisy u' {SECOND}$"):
        study(with_pivot_of_two(), estimator="local")


ROWS = (-0.8, 0.0), (0.0, 0.5)
NEEDED = r"a tuple of 2 rows, one a channel, each a tuple of 2 numbers, one for each of \('theta', 'u'\), is needed"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (ROWS[0], rf"diffusion returns \(-0.8, 0.0\); {NEEDED}$"),
        ((*ROWS, ROWS[0]), rf"diffusion returns .*; {NEEDED}$"),
        ((ROWS[0], (0.0,)), rf"diffusion returns .*\(0.0,\)\); {NEEDED}$"),
        (list(ROWS), rf"diffusion returns \[.*\]; {NEEDED}$"),
        (None, rf"diffusion returns None \(is there a return\?\); {NEEDED}$"),
        ((ROWS[0], (0.0, math.nan)), "diffusion returns .* finite numbers are needed$"),
    ],
)
def test_rows_that_are_not_those_of_the_channels(value, message):
    with pytest.raises(ValueError, match=rf"^'noisy u': {message}"):
        study(noisy_u(lambda x, o, c, p: value))


def test_two_rows_of_an_sde_of_one_channel():
    message = (
        r"^'noisy u': diffusion returns \(\(-0.8, 0.0\), \(0.0, 0.5\)\) \(a row for each of two Brownian motions\? "
        r"then channels=2\); a tuple of 2 numbers, one for each of \('theta', 'u'\), is needed$"
    )
    with pytest.raises(ValueError, match=message):
        study(noisy_u(lambda x, o, c, p: ROWS, channels=1))


@pytest.mark.parametrize("channels", [0, 3, True, "2", 1.5])
def test_channels_are_1_or_2(channels):
    with pytest.raises(ValueError, match=rf"^noisy u: channels={channels!r}; allowed: 1, 2$"):
        noisy_u(channels=channels)


def test_channels_are_visible_and_described():
    assert (noisy_u().channels, ns.rmsprop_sde().channels, ns.rmsprop(sigma0=1.0, eps0=0.0, c2=1.0).channels) == (
        2,
        1,
        1,
    )
