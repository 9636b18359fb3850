"""Predicted constants of a linear loss against another derivation (docs/theory.md, "Closed forms")."""

import math

import pytest
from scipy.integrate import dblquad, quad

from tests.support.expansions import adam, rmsprop


class Linear:
    """RMSprop on slope theta with eps0 > 0 and Sigma != 1, by quadrature: docs/theory.md, "Closed forms"."""

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
