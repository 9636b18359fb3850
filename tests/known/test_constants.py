"""Predicted constants against closed forms, the theory notes' numbers, all noise paths, and the local estimator."""

import math

import numpy as np
import pytest
from scipy.integrate import dblquad, quad

import ngos_sim as ns
from ngos_sim.known import constants
from ngos_sim.known.coordinate import Coordinate
from tests.support import naive

RMSPROP = dict(sigma0=0.8, eps0=0.0, c2=1.3)
ADAM = dict(RMSPROP, c1=2.0)


def rmsprop(hessian, slope, start, variance=1.0, t0=0.0, eps0=0.0, times=(1.0,), bias_correction=0.0, **law):
    """Return the Expansions of RMSprop on the constants of P1 and P2."""
    numbers = dict(RMSPROP, eps0=eps0, bias_correction=bias_correction)
    problem = Coordinate(hessian, slope, variance, start, t0, math.nan, numbers, 0.0)
    return constants.leading(problem, momentum=False, times=times, **law)


def adam(hessian, slope, start, variance=1.0, t0=0.5, eps0=0.0, times=(1.5,), **law):
    """Return the Expansions of Adam on the constants of P3 and P4."""
    problem = Coordinate(hessian, slope, variance, start, t0, math.nan, dict(ADAM, eps0=eps0, bias_correction=1.0), 0.0)
    return constants.leading(problem, momentum=True, times=times, **law)


# theory.md 7.7: an error in any term of E2 or G, or in U, moves one of these by more than its last digit
P1 = [(1, 0), (2, 0), (0, 1), (0, 2), (1, 1)]
P2 = [(1, 0), (2, 0), (0, 1), (0, 2), (1, 1), (4, 0)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (dict(u0=1.0, fourth=3.0), [-0.127166, 0.138788, 0.556968, 2.317380, -1.656053]),
        (dict(u0=1.8, fourth=3.0), [-0.003202, -0.214814, 0.372736, 2.111449, -1.210364]),
        (dict(u0=0.5, fourth=3.0, eps0=0.3, variance=1.2), [-0.206140, 0.533170, 0.718170, 3.182555, -1.680269]),
        (dict(u0=1.4, fourth=1.8), [0.063765, -0.630760, 0.464852, 1.512432, -1.390646]),
        (dict(u0=1.5, fourth=1.0), [0.132382, -0.909648, 0.441823, 1.004057, -1.336096]),
        (dict(u0=1.0, fourth=3.0, second_moment="updated"), [1.010334]),
        (dict(u0=1.8, fourth=3.0, eps0=0.2, second_moment="updated"), [0.368208]),
    ],
)
def test_problem_p1(settings, expected):
    found = rmsprop(0.0, 0.7, (0.0, settings.pop("u0")), **settings)
    assert [found[powers].first[0] for powers in P1[: len(expected)]] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("u0", "fourth", "expected"),
    [
        (1.0, 3.0, [-0.4027, 0.0721, 0.6974, 2.5982, -0.4341, 0.6964]),
        (1.6, 3.0, [-0.2935, -0.0259, 0.5712, 2.5327, -0.4384, 0.3999]),
        (1.0, 1.8, [-0.3376, -0.1922, 0.6974, 1.8761, -0.4386, -0.2982]),
        (1.3, 1.0, [-0.2533, -0.3185, 0.6334, 1.3704, -0.4438, -0.7830]),
    ],
)
def test_problem_p2(u0, fourth, expected):
    found = rmsprop(0.9, 0.0, (1.2, u0), fourth=fourth)
    assert [found[powers].first[0] for powers in P2] == pytest.approx(expected, abs=6e-5)


def test_problems_p3_and_p4():
    linear = [
        adam(0.0, 0.6, (0.0, -0.4, 1.4), fourth=3.0),
        adam(0.0, 0.6, (0.0, -0.4, 1.4), fourth=3.0, eps0=0.3, variance=1.2),
        adam(0.0, 0.6, (0.0, -0.4, 1.0), fourth=1.0),
    ]
    expected = [-0.530152, -0.439413, -0.450546]
    assert [found[1, 0, 0].first[0] for found in linear] == pytest.approx(expected, abs=1e-6)
    quadratic = adam(0.9, 0.0, (1.2, -0.4, 1.4), fourth=3.0, eps0=0.1)
    assert quadratic[1, 0, 0].first[0] == pytest.approx(-0.34126, abs=1e-5)
    assert quadratic[2, 0, 0].first[0] == pytest.approx(-0.77760, abs=1e-5)


def test_a_wrong_kurtosis_is_seen():
    """The negative control of the tables above: 1 % of E zeta^4 is 10 to 100 times their tolerance."""
    right, wrong = (rmsprop(0.9, 0.0, (1.2, 1.0), fourth=fourth) for fourth in (3.0, 3.03))
    assert min(abs(right[powers].first[0] - wrong[powers].first[0]) for powers in [(1, 0), (2, 0), (0, 2)]) > 5e-4


class Linear:
    """RMSprop on slope theta with eps0 > 0 and Sigma != 1, by quadrature: theory.md 7.3."""

    slope, sigma0, eps0, c, S, u0, fourth = 0.7, 0.8, 0.2, 1.3, 1.2, 1.8, 2.1

    def U(self, t):
        return self.S + (self.u0 - self.S) * math.exp(-self.c * t)

    def phi(self, t, derivative=0):
        root = math.sqrt(self.U(t))
        value = 1 / (self.sigma0 * root + self.eps0)
        first = -(value**2) * self.sigma0 / (2 * root)
        second = value**2 * self.sigma0 / (4 * root**3) + 2 * value**3 * (self.sigma0 / (2 * root)) ** 2
        return (value, first, second)[derivative]

    def D(self, t):
        decay = math.exp(-self.c * t)
        return -(self.c**2) * t / 2 * decay * (self.u0 - self.S) + (1 - decay) * self.slope**2 / self.sigma0**2

    def V(self, t):
        return self.c / 2 * (1 - math.exp(-2 * self.c * t)) * (self.fourth - 1) * self.S**2

    def bend(self, t):
        return self.phi(t, 1) * self.D(t) + 0.5 * self.phi(t, 2) * self.V(t)

    def nested(self, integrand):
        """Integrate integrand(q, r) exp(-c (r - q)) over 0 < q < r < 1."""
        return dblquad(lambda q, r: integrand(q, r) * math.exp(-self.c * (r - q)), 0, 1, 0, lambda r: r)[0]

    def constants(self, updated=False):
        g, s2 = self.slope, self.sigma0**2 * self.S
        mean = -g * quad(self.phi, 0, 1)[0]
        theta = -g * (-0.5 * (self.phi(1) - self.phi(0)) + quad(self.bend, 0, 1)[0])
        if updated:
            late = quad(lambda r: self.phi(r, 1) * self.c * (3 * self.S - self.U(r)), 0, 1)[0]
            return {(1, 0): theta - g * late}
        slow = quad(lambda r: 2 * self.phi(r) * self.bend(r) + self.phi(r, 1) ** 2 * self.V(r), 0, 1)[0]
        square = 2 * mean * theta + s2 * (-0.5 * (self.phi(1) ** 2 - self.phi(0) ** 2) + slow)
        square += 2 * g**2 * self.nested(lambda q, r: self.phi(r, 1) * self.phi(q, 1) * self.V(q))
        square += 4 * self.c * g**2 * self.S * self.nested(lambda q, r: self.phi(q) * self.phi(r, 1))
        lag = quad(lambda q: self.phi(q) * math.exp(-self.c * (1 - q)), 0, 1)[0]
        cross = mean * self.D(1) + theta * self.U(1) - 2 * self.c * g * self.S * lag
        cross -= g * quad(lambda q: self.phi(q, 1) * self.V(q) * math.exp(-self.c * (1 - q)), 0, 1)[0]
        spread = 2 * self.U(1) * self.D(1) + self.V(1)
        return {(1, 0): theta, (2, 0): square, (1, 1): cross, (0, 1): self.D(1), (0, 2): spread}

    def skew(self):
        """Return the coefficients of sqrt(h) E zeta^3; (1, 0) is that of v_{k+1}."""
        k3 = self.S**1.5 * self.sigma0 * self.c
        lag = quad(lambda q: self.phi(q) * math.exp(-self.c * (1 - q)), 0, 1)[0]
        return {
            (1, 0): -k3 * quad(lambda r: self.phi(r, 1), 0, 1)[0],
            (2, 0): 2 * k3 * self.slope * self.nested(lambda q, r: self.phi(q) * self.phi(r, 1)),
            (1, 1): -k3 * lag,
        }


def test_closed_forms_of_rmsprop():
    """Another derivation (7.3): fails if a term of E2 is wrong, or the flow off y = 0, which P1 shows at eps0 = 0."""
    exact = Linear()
    settings = dict(variance=exact.S, eps0=exact.eps0, fourth=exact.fourth)
    found = rmsprop(0.0, exact.slope, (0.0, exact.u0), third=0.7, **settings)
    without = rmsprop(0.0, exact.slope, (0.0, exact.u0), **settings)
    for powers, value in exact.constants().items():
        assert without[powers].first[0] == pytest.approx(value, abs=1e-8)
    late = rmsprop(0.0, exact.slope, (0.0, exact.u0), third=0.7, second_moment="updated", **settings)
    for powers, value in exact.skew().items():
        assert (late if powers == (1, 0) else found)[powers].root[0] == pytest.approx(0.7 * value, abs=1e-8)
    assert abs(found[1, 0].root[0]) < 1e-12
    plain = rmsprop(0.0, exact.slope, (0.0, exact.u0), second_moment="updated", **settings)
    assert plain[1, 0].first[0] == pytest.approx(exact.constants(updated=True)[1, 0], abs=1e-8)


def test_closed_forms_of_adam():
    """Another derivation (7.4) of E theta on a linear loss, q1 and d_t q included, and its skew constant."""
    g, s0, eps0, c1, c2, m0, u0, t0, fourth = 0.6, 0.8, 0.3, 2.0, 1.3, -0.4, 1.4, 0.5, 2.1

    def q(t, u, gap=0.0):
        """Return the factor of m, with G_i as they are in the step of size gap (0: in the SDE)."""
        G1 = 1 - math.exp(-c1 * t) + gap * (c1 + c1**2 * t / 2) * math.exp(-c1 * t)
        G2 = 1 - math.exp(-c2 * t) + gap * c2**2 * t / 2 * math.exp(-c2 * t)
        return math.sqrt(G2) / G1 / (s0 * math.sqrt(u) + eps0 * math.sqrt(G2))

    def U(t):
        return 1 + (u0 - 1) * math.exp(-c2 * (t - t0))

    def mean(t):
        return g + (m0 - g) * math.exp(-c1 * (t - t0))

    def slope_of(f, x, d=1e-3):
        return (8 * (f(x + d) - f(x - d)) - f(x + 2 * d) + f(x - 2 * d)) / (12 * d)

    def q_u(t, u):
        return slope_of(lambda v: q(t, v), u)

    def integrand(t):
        tau, u = t - t0, U(t)
        decay = math.exp(-c2 * tau)
        D = -(c2**2) * tau / 2 * decay * (u0 - 1) + (1 - decay) * g**2 / s0**2
        V = c2 / 2 * (1 - decay**2) * (fourth - 1)
        M1 = -(m0 - g) * math.exp(-c1 * tau) * (c1 + c1**2 * tau / 2)
        bend = q_u(t, u) * D + 0.5 * slope_of(lambda v: q_u(t, v), u) * V
        late = 2 * c1 * c2 * g * q_u(t, u) * (1 - math.exp(-(c1 + c2) * tau)) / (c1 + c2)
        return (slope_of(lambda gap: q(t, u, gap), 0.0) + bend) * mean(t) + q(t, u) * M1 + late

    ends = q(1.5, U(1.5)) * mean(1.5) - q(t0, u0) * m0
    skew = quad(lambda t: q_u(t, U(t)) * (1 - math.exp(-(c1 + c2) * (t - t0))) / (c1 + c2), t0, 1.5)[0]
    law = dict(eps0=eps0, fourth=fourth)
    found = adam(0.0, g, (0.0, m0, u0), **law)[1, 0, 0].first[0]
    assert found == pytest.approx(0.5 * ends - quad(integrand, t0, 1.5)[0], abs=1e-8)
    root = adam(0.0, g, (0.0, m0, u0), third=0.7, **law)[1, 0, 0].root[0]
    assert root == pytest.approx(-0.7 * c1 * c2 * s0 * skew, abs=1e-8)


def test_means_are_the_ode_solvers():
    found = rmsprop(0.9, 0.3, (1.2, 1.4), variance=0.5, fourth=3.0, eps0=0.1)
    exact = naive.rmsprop_sde_moments(1.0, 1.2, 1.4, slope=0.3, hessian=0.9, variance=0.5, **dict(RMSPROP, eps0=0.1))
    assert [found[1, 0].mean[0], found[2, 0].mean[0]] == pytest.approx(exact, abs=1e-9)
    found = adam(0.9, 0.0, (1.2, -0.4, 1.4), fourth=3.0, eps0=0.1)
    exact = naive.adam_sde_moments(0.5, 1.5, 1.2, -0.4, 1.4, 0.8, 0.1, 2.0, 1.3, 0.9)
    assert [found[1, 0, 0].mean[0], found[2, 0, 0].mean[0]] == pytest.approx(exact, abs=1e-9)


def test_rates_are_the_slopes_of_means():
    d = 1e-3
    for expansion in (
        *rmsprop(0.9, 0.3, (1.2, 1.4), fourth=3.0, times=(1.0 - d, 1.0, 1.0 + d), degree=3).values(),
        *adam(0.9, 0.3, (1.2, -0.4, 1.4), fourth=3.0, times=(1.0 - d, 1.0, 1.0 + d), degree=3).values(),
    ):
        before, _, after = expansion.mean
        assert expansion.rate[1] == pytest.approx((after - before) / (2 * d), abs=3e-5 * (1 + abs(expansion.rate[1])))


SLOPE, HESSIAN, VARIANCE, EPS0, START = 0.3, 0.9, 1.1, 0.1, (1.2, -0.4, 1.4)
SKEWED = dict(third=1.5, fourth=3.25)  # of the two-point law with p = 0.2


def path_moments(h, steps, k0, momentum, updated, corrected, p=0.2, sign=1.0):
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
        theta = theta - eta * numerator / (np.sqrt(used / (1 - beta2 ** (k + updated) if corrected else 1.0)) + eps)
        v = following
    u = v / sigma**2
    grid = [(i, j, n) for i in range(5) for j in range(5 if momentum else 1) for n in range(4) if i + j <= 4]
    return {(i, j, n): weights @ (theta**i * np.asarray(m) ** j * u**n) for i, j, n in grid}


def predicted(momentum, updated, corrected, t0, t, **law):
    """Return the Expansions of the problem of `path_moments`, always by (i, j, n)."""
    numbers = dict(ADAM, eps0=EPS0, bias_correction=float(corrected))
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


def test_svag_limits():
    """theory.md 10, A5: ell^2 times the error at eta2 = 0.1 tends to these (the chain at ell = 16 is within 0.3 %)."""
    law = constants.svag_limit(third=1.5, fourth=3.25, eta2=0.1)
    found = rmsprop(0.0, 0.7, (0.0, 1.3), **law)
    assert 0.1 * found[2, 0].first[0] == pytest.approx(-0.2098, abs=1e-4)
    assert 0.1 * found[1, 1].first[0] == pytest.approx(-0.6297, abs=1e-4)
    base = rmsprop(0.0, 0.7, (0.0, 1.3), third=1.5, fourth=3.25)
    assert 0.1 * base[2, 0].first[0] != pytest.approx(-0.2098, rel=0.1)
    ell = 50.0
    draws, weights = naive.two_point_paths(2, 0.2)
    z = naive.svag_gradient(*draws.T, ell) / ell  # Definition 6.1
    assert ell * (weights @ z**3) == pytest.approx(law["third_rate"] * 0.1**0.5, rel=1e-3)
    assert weights @ z**4 == pytest.approx(law["fourth"], rel=1e-3)


def test_product_of_coordinates():
    """The product's expansion is the product of the expansions as polynomials in sqrt(h), cut at h."""
    one = rmsprop(0.9, 0.3, (1.2, 1.4), third=0.7, fourth=2.0)[2, 1]
    two = rmsprop(0.4, 0.0, (-0.7, 0.9), third=-0.2, fourth=2.0)[1, 1]
    polynomials = [np.concatenate([each.mean, each.root, each.first]) for each in (one, two, one.product(two))]
    assert polynomials[2] == pytest.approx(np.polynomial.polynomial.polymul(*polynomials[:2])[:3])
    assert np.all(np.abs(np.array(polynomials)) > 1e-3)
    assert one.product(two).rate[0] == pytest.approx((one.rate * two.mean + one.mean * two.rate)[0])


@pytest.mark.parametrize("momentum", [False, True])
def test_several_problems_at_once_are_each_alone(momentum):
    """Of problems as far apart as these each keeps its accuracy, whose error is averaged over all by the solver."""
    hessian, slope, variance = np.array([0.9, 0.0, 40.0]), np.array([0.0, 0.7, 1.0]), np.array([1.0, 0.5, 30.0])
    start = tuple(np.array([[1.2, 0.0, 1e-3], [-0.4, 0.1, 5.0], [1.4, 0.6, 20.0]]))[:: 1 if momentum else 2]
    settings = dict(momentum=momentum, times=[0.7, 1.0], fourth=1.8, third=0.5, third_rate=0.2)
    numbers = dict(ADAM, eps0=0.1, bias_correction=1.0)
    together = constants.leading(Coordinate(hessian, slope, variance, start, 0.25, math.nan, numbers, 0.0), **settings)
    for at in range(3):
        own = [float(each[at]) for each in (hessian, slope, variance)]
        problem = Coordinate(*own, tuple(float(slot[at]) for slot in start), 0.25, math.nan, numbers, 0.0)
        for powers, alone in constants.leading(problem, **settings).items():
            for name in ("mean", "rate", "root", "first"):
                found, expected = (getattr(each, name) for each in (together[powers].of(at), alone))
                np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9 * max(1.0, abs(expected).max()))


def test_times_and_start():
    """At t0 there is no error yet, and what holds at a time does not depend on the other times asked for."""
    several = rmsprop(0.9, 0.3, (1.2, 1.4), fourth=3.0, third=0.5, times=(0.0, 0.3, 1.0))[2, 1]
    alone = rmsprop(0.9, 0.3, (1.2, 1.4), fourth=3.0, third=0.5)[2, 1]
    assert (several.first[0], several.root[0], several.mean[0]) == (0.0, 0.0, pytest.approx(1.2**2 * 1.4))
    assert several.first[2] == pytest.approx(alone.first[0], rel=1e-8)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (adam, dict(start=(0.0, 0.0, 1.0), t0=0.0), "t0=0; with bias correction it must be positive"),
        (rmsprop, dict(start=(0.0, 1.0), bias_correction=True), "t0=0; with bias correction it must be positive"),
        (rmsprop, dict(start=(0.0, 0.0)), "u=0.0 at the start must be positive"),
        (rmsprop, dict(start=(0.0, 0.0, 1.0)), "start=(0.0, 0.0, 1.0) must be ('theta', 'u')"),
        (rmsprop, dict(start=(0.0, 1.0), second_moment="next"), "second_moment='next'; allowed: previous, updated"),
        (rmsprop, dict(start=(0.0, 1.0), times=(1.0, 0.5)), "times=[1.0, 0.5] must increase from t0=0"),
        (rmsprop, dict(start=(0.0, 1.0), times=(0.0,)), "times=[0.0] must increase from t0=0"),
        (rmsprop, dict(start=(0.0, 1.0), times=()), "times=[] must increase from t0=0"),
        (rmsprop, dict(start=(0.0, 1.0), t0=2.0), "times=[1.0] must increase from t0=2"),
    ],
)
def test_what_is_not_covered_raises(kind, settings, message):
    with pytest.raises(ValueError) as raised:
        kind(0.9, 0.0, fourth=3.0, **settings)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("momentum", [False, True])
def test_local_estimator_measures_the_constant(momentum):
    """The library's own steps and SDE, v_{k+1} and bias correction from t0 = 0.5, to 3 standard errors below 1 %."""
    conventions = dict(second_moment="updated", bias_correction=True)
    numbers = dict(ADAM if momentum else RMSPROP, eps0=0.1)
    rule, sde = (ns.adam, ns.adam_sde) if momentum else (ns.rmsprop, ns.rmsprop_sde)
    start = dict(theta=1.2, m=-0.4, u=1.4) if momentum else dict(theta=1.2, u=1.4)
    names = ["theta[0]", "theta[0]^2", "u[0]", "u[0]^2"]
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9), noise=ns.uniform()),
        rule(**numbers, **conventions),
        sde=sde(),
        initial=dict(start, t0=0.5),
        eta2=[2**-3, 2**-4, 2**-5, 2**-6],
        horizon=1.5,
        times=[1.5],
        test_functions=names,
        estimator="local",
    )
    fits = study.run(trajectories=150_000, seed=11).order().query("norm == 'final'").set_index("test_function")
    problem = Coordinate(0.9, 0.0, 1.0, tuple(start.values()), 0.5, math.nan, numbers | dict(bias_correction=1.0), 0.0)
    settings = dict(times=[1.5], fourth=1.8, degree=2, second_moment="updated")
    found = constants.leading(problem, momentum=momentum, **settings)
    for name, powers in zip(names, [(1, 0), (2, 0), (0, 1), (0, 2)], strict=True):
        exact = found[(powers[0], 0, powers[1]) if momentum else powers].first[0]
        measured, spread = fits.loc[name, ["constant", "constant_std_error"]]
        assert spread < 0.01 * max(abs(exact), 0.1), (name, spread, exact)
        assert abs(measured - exact) < 3.0 * spread, (name, measured, spread, exact)
