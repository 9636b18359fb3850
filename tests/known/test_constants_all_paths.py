"""Predicted constants against Definitions 2.1 and 2.2 to the letter, over all paths of two-point noise."""

import math

import numpy as np
import pytest

from ngos_sim.known import constants
from ngos_sim.known.coordinate import Coordinate
from tests.support import naive
from tests.support.expansions import ADAM

SLOPE, HESSIAN, VARIANCE, EPS0, START = 0.3, 0.9, 1.1, 0.1, (1.2, -0.4, 1.4)
SKEWED = dict(third=1.5, fourth=3.25)  # of the two-point law with p = 0.2


def path_moments(h, steps, k0, momentum, updated, corrected, p=0.2, sign=1.0, w0=0.0):
    """Return E theta^i m^j u^n by (i, j, n) over all paths of two-point noise: Definitions 2.1 and 2.2 to the letter.

    theta, m and v move by eta, beta and eps of step k on; u = v / sigma^2, m stays 0 without momentum.
    """
    eta = math.sqrt(h)
    sigma, eps, beta1, beta2 = 0.8 / eta, EPS0 / eta, 1 - 2.0 * h * momentum, 1 - 1.3 * h
    noise, weights = naive.two_point_paths(steps, p)
    theta, m, v = (np.full(len(weights), x) for x in (START[0], START[1] * momentum, START[2] * sigma**2))
    for k in range(k0, k0 + steps):
        g = HESSIAN * theta + SLOPE + sigma * math.sqrt(VARIANCE) * sign * noise[:, k - k0]
        following = beta2 * v + (1 - beta2) * g**2
        m = beta1 * m + (1 - beta1) * g if momentum else 0.0
        numerator = m / (1 - beta1 ** (k + 1)) if momentum and corrected else m if momentum else g
        used = following if updated else v
        theta = theta * (1 - eta * (w0 * eta))
        theta = theta - eta * numerator / (np.sqrt(used / (1 - beta2 ** (k + updated) if corrected else 1.0)) + eps)
        v = following
    u = v / sigma**2
    grid = [(i, j, n) for i in range(5) for j in range(5 if momentum else 1) for n in range(4) if i + j <= 4]
    return {(i, j, n): weights @ (theta**i * np.asarray(m) ** j * u**n) for i, j, n in grid}


def predicted(momentum, updated, corrected, t0, t, w0=0.0, **law):
    """Return the Expansions of the problem of `path_moments`, always by (i, j, n)."""
    numbers = dict(ADAM, eps0=EPS0, bias_correction=float(corrected), w0=w0)
    problem = Coordinate(HESSIAN, SLOPE, VARIANCE, START if momentum else START[::2], t0, math.nan, numbers, 0.0)
    convention = "updated" if updated else "previous"
    found = constants.leading(problem, momentum=momentum, times=[t], second_moment=convention, **law)
    return found if momentum else {(i, 0, n): each for (i, n), each in found.items()}


def leading_coefficient(h, values):
    """Return c_0 of values = c_0 + c_1 h + .. by least squares; good to 2e-4 here."""
    return np.polynomial.Polynomial.fit(h, values, len(h) - 2, domain=[0.0, max(h)], window=[0.0, 1.0]).coef[0]


TOLERANCE = dict(rel=4e-4, abs=4e-4)
CHAIN_SIZES = range(5, 15)


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("updated", [False, True])
@pytest.mark.parametrize("momentum", [False, True])
def test_every_convention_against_all_noise_paths(momentum, updated, corrected):
    """Exact: over the skewed law and its mirror image, the even part is h C + .., the odd part sqrt(h) (R + h ..).

    Fails where a term of E2 or S is missing, also those that P1 to P4 leave out: v_{k+1} of Adam and of theta^2, bias
    correction of RMSprop, the square of the skewness. The last assertions are the negative controls.
    """
    conventions, t = (momentum, updated, corrected), 0.4
    found = predicted(*conventions, t, 2 * t, **SKEWED)
    h = np.array([t / n for n in CHAIN_SIZES])
    chain = [[path_moments(t / n, n, n, *conventions, sign=sign) for n in CHAIN_SIZES] for sign in (1, -1)]
    even, odd = {}, {}
    for powers in chain[0][0]:
        plus, minus = (np.array([each[powers] for each in side]) for side in chain)
        even[powers] = leading_coefficient(h, (0.5 * (plus + minus) - found[powers].mean[0]) / h)
        odd[powers] = leading_coefficient(h, 0.5 * (plus - minus) / np.sqrt(h))
        assert found[powers].first[0] == pytest.approx(even[powers], **TOLERANCE), powers
        assert found[powers].root[0] == pytest.approx(odd[powers], **TOLERANCE), powers
    symmetric = predicted(*conventions, t, 2 * t, third=0.0, fourth=SKEWED["fourth"])
    other = predicted(momentum, not updated, corrected, t, 2 * t, **SKEWED)
    for wrong in (symmetric, other):
        assert max(abs(wrong[powers].first[0] - even[powers]) for powers in even) > 0.05


def test_low_skewness_against_all_noise_paths():
    """E zeta^3 = K sqrt(h) / sigma0: order 1 with a constant that K moves."""
    K, t = 2.0, 0.4
    found = predicted(True, True, False, t, 2 * t, fourth=1.0, third_rate=K / 0.8)
    h = np.array([t / n for n in CHAIN_SIZES])
    chain = []
    for n in CHAIN_SIZES:
        k3 = K * math.sqrt(t / n) / 0.8
        chain.append(path_moments(t / n, n, n, True, True, False, p=0.5 * (1 - k3 / math.sqrt(4 + k3**2))))
    for powers in chain[0]:
        error = np.array([each[powers] for each in chain]) - found[powers].mean[0]
        assert found[powers].first[0] == pytest.approx(leading_coefficient(h, error / h), rel=2e-3, abs=2e-3), powers
        assert found[powers].root[0] == 0.0
    symmetric = predicted(True, True, False, t, 2 * t, fourth=1.0)
    assert abs(symmetric[1, 1, 1].first[0] - found[1, 1, 1].first[0]) > 0.1


@pytest.mark.parametrize(("momentum", "updated", "corrected"), [(False, True, True), (True, False, False)])
def test_weight_decay_against_all_noise_paths(momentum, updated, corrected):
    """RMSpropW and AdamW, theta <- theta (1 - eta w) before the step, w = w0 eta; each term of w0 in G and E2."""
    conventions, t, w0 = (momentum, updated, corrected), 0.4, 0.6
    h = np.array([t / n for n in CHAIN_SIZES])
    chain = [path_moments(t / n, n, n, *conventions, p=0.5, w0=w0) for n in CHAIN_SIZES]
    found, without = (predicted(*conventions, t, 2 * t, fourth=1.0, w0=each) for each in (w0, 0.0))
    for powers in chain[0]:
        error = np.array([each[powers] for each in chain]) - found[powers].mean[0]
        assert found[powers].first[0] == pytest.approx(leading_coefficient(h, error / h), **TOLERANCE), powers
    assert abs(found[2, 0, 0].first[0] - without[2, 0, 0].first[0]) > 0.1


def test_scaling_rule_against_all_noise_paths():
    """Theorem 5.3 at odd k: floor(k / 2) steps of 2 h end a time h earlier, which adds the rate."""
    t, sizes = 0.4, range(5, 16, 2)
    found = predicted(False, False, False, 0.0, t, fourth=1.0)
    h = np.array([t / n for n in sizes])
    pairs = [
        [path_moments(scale * t / n, n // scale, 0, False, False, False, p=0.5) for scale in (1, 2)] for n in sizes
    ]
    for powers in [(1, 0, 0), (2, 0, 0), (1, 0, 1)]:
        measured = leading_coefficient(h, np.array([small[powers] - large[powers] for small, large in pairs]) / h)
        root, first = found[powers].against_batch(2, lag=1)
        assert (root[0], first[0]) == pytest.approx((0.0, measured), rel=5e-3)
        assert found[powers].against_batch(2)[1][0] != pytest.approx(measured, rel=0.2)
