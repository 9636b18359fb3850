"""Errors of published text and code on RMSprop, Adam and their SDEs, each put in: every one is seen.

The code is that of arXiv 2509.21614, whose batch-equivalent regime is this scaling; the text is arXiv 2205.10287,
sections 4 and 5. Lemma C.57 of arXiv 2411.15958 is in `test_stationary_laws`, the Hessian's part in the diffusion of an
SDE that is run in `tests/studies/test_no_order_two.py`.
"""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.known import constants, step_expansion
from ngos_sim.known.coordinate import Coordinate
from tests.support import naive
from tests.support.expansions import ADAM

SEEN = 1e-3  # `test_constants_all_paths` allows 4e-4 of this constant, problem P4's 1e-5


def predicted(momentum):
    """Return C by powers, on the problem of `test_constants_all_paths`: with eps0, slope, bias correction."""
    start = (1.2, -0.4, 1.4) if momentum else (1.2, 1.4)
    numbers = dict(ADAM, eps0=0.1, bias_correction=1.0)
    problem = Coordinate(0.9, 0.3, 1.1, start, 0.4, math.nan, numbers, 0.0)
    found = constants.leading(problem, momentum=momentum, times=[0.8], fourth=3.25, degree=2)
    return {powers: each.first[0] for powers, each in found.items()}


def with_speed(monkeypatch, alter):
    """Let the Speed of the step expansion be altered(Speed, constants, t)."""
    whole = step_expansion.speed

    def altered(problem, t, momentum, updated, corrected):
        return alter(whole(problem, t, momentum, updated, corrected), problem.constants, t)

    monkeypatch.setattr(step_expansion, "speed", altered)


def with_remainder(monkeypatch, name, alter):
    """Let E2's terms be those that alter makes of each (coefficient, polynomial, derivatives), by their derivatives."""
    whole = getattr(step_expansion, name)

    def altered(problem, updated, fourth):
        generator, remainder, skew = whole(problem, updated, fourth)
        return generator, [term for each in remainder for term in alter(each, problem)], skew

    monkeypatch.setattr(step_expansion, name, altered)


def root_of_g2(s, p, t):
    """Return d/dt of 1 / (sigma0 sqrt(u) + eps0 sqrt(g2)) at fixed u, times sqrt(g2) / g1: a part of d_t q."""
    g2 = -math.expm1(-p["c2"] * t)
    moved = p["eps0"] * p["c2"] * math.exp(-p["c2"] * t) / (2.0 * math.sqrt(g2))
    return -s.q * moved / (p["sigma0"] * np.sqrt(s.U) + p["eps0"] * math.sqrt(g2))


def wrong_sign(s, p, t):
    return s._replace(along=s.along - 2.0 * root_of_g2(s, p, t))


def without_eps(s, p, t):
    return s._replace(along=s.along + (1.0 / p["eps0"] - 1.0) * root_of_g2(s, p, t))


def slope_of_phi(s, p, t):
    """- phi^3 / 2 in place of - phi^2 / (2 sqrt(v)), the derivative by v of 1 / (sqrt(v) + eps)."""
    return s._replace(q_u=s.q_u * s.q * p["sigma0"] * np.sqrt(s.U))


def times_c(term, problem):
    """The Hessian's part of theta's diffusion times c2."""
    coefficient, polynomial, derivatives = term
    if derivatives != (2, 0, 0):
        return [term]
    p, noise = problem.constants, problem.constants["sigma0"] ** 2 * problem.variance
    more = 0.5 * (p["c2"] - 1.0) * noise * problem.hessian
    return [term, (lambda s: more * s.q**3, polynomial, derivatives)]


def without_noise_of_m(term, problem):
    """No correction 1/2 h c1^2 Sigma^(1/2) of the noise of m."""
    return [] if term[2] == (0, 2, 0) else [term]


@pytest.mark.parametrize(
    ("momentum", "put_in", "powers"),
    [
        (True, lambda patch: with_speed(patch, wrong_sign), (1, 0, 0)),
        (True, lambda patch: with_speed(patch, without_eps), (1, 0, 0)),
        (False, lambda patch: with_speed(patch, slope_of_phi), (1, 0)),
        (False, lambda patch: with_remainder(patch, "rmsprop", times_c), (2, 0)),
        (True, lambda patch: with_remainder(patch, "adam", without_noise_of_m), (0, 2, 0)),
    ],
    ids=["d_t of the root's sign", "its eps", "d phi / dv", "c in the diffusion", "noise of m"],
)
def test_errors_of_code_move_constants(monkeypatch, momentum, put_in, powers):
    right = predicted(momentum)[powers]
    put_in(monkeypatch)
    assert abs(predicted(momentum)[powers] - right) > SEEN


def enumerated(build, h, steps, functions, slope=0.0):
    """Return means of RMSprop over all paths of two-point noise (q = .2: E z^4 = 3.25), from theta 0 and u = 1."""
    noise, weights = naive.two_point_paths(steps, 0.2)
    rule = ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3)
    made = build(ns.NGOS(ns.linear(slope)), [(rule, ns.gaussian(), 1)], functions, [[0.0, 1.0]], h, steps)
    return python.expectation(*made, noise[:, :, None], weights)[0, :, 0]


def test_the_second_moment_moves_by_the_root_of_1_minus_beta(build):
    """Section 4.1 has std(v_k) = O((1 - beta) sigma^2): it is O(sqrt(1 - beta) sigma^2), Var u a term of order h."""
    spreads = []
    for h, steps in ((0.1, 2), (0.025, 8)):
        mean, square = enumerated(build, h, steps, ["u[0]", "u[0]^2"])
        kept = (1.0 - 1.3 * h) ** 2
        spreads.append(square - mean * mean)
        assert spreads[-1] == pytest.approx((1.3 * h) ** 2 * (3.25 - 1.0) * (1.0 - kept**steps) / (1.0 - kept))
    assert spreads[0] / spreads[1] == pytest.approx(4.0, rel=0.1)  # 16 as the text has it


def test_theta_goes_down_the_gradient(build):
    """Section 4.1 has E(theta_{k+1} - theta_k) = + (eta / sigma) times the gradient: its sign is -."""
    h, slope = 2.0**-4, 0.7
    (mean,) = enumerated(build, h, 1, ["theta[0]"], slope)
    assert mean == pytest.approx(-h * slope / 0.8, rel=1e-12)


def test_sigma_is_of_the_size_of_1_over_eta():
    """Section 4.2 says sigma ~ 1 / eta^2; Remark 4.3 and Definition 4.1 have sigma eta fixed."""
    optimizer = ns.adam(sigma0=0.8, eps0=0.1, c1=2.0, c2=1.3)
    assert [optimizer.at(eta2).sigma for eta2 in (0.01, 0.04)] == pytest.approx([8.0, 4.0])


def test_both_batch_sizes_start_at_the_same_time():
    """Theorem 5.3 (2) has kappa B start at step ceil(kappa t0 / eta^2), kappa^2 times too late: t0 / (kappa eta^2)."""
    numbers = dict(initial=dict(theta=0.0, m=-0.4, u=1.4, t0=0.5), horizon=1.5, times=[1.5], estimator="local")
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.linear(0.6)), ns.adam(sigma0=0.8, eps0=0.0, c1=2.0, c2=1.3), reference=ns.scaling_rule(2),
        steps=[96, 192, 384], test_functions=["theta[0]"], **numbers,
    )  # fmt: skip
    orders = study.run(4096, seed=1).order()
    found = orders[orders.norm == "final"].iloc[0]
    assert found.constant_std_error < 0.02
    assert abs(found.constant - 0.530152) < 4.0 * found.constant_std_error + 1e-3  # (1 - kappa) C of P3
