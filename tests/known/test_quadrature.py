"""Gauss rules of noise laws against known rules and moments."""

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.known.quadrature import gauss_rule, law_rule
from ngos_sim.oracles.svag import svag_law

LAWS = [
    ns.gaussian(),
    ns.uniform(),
    ns.skewed(skewness=1.2),
    svag_law(ns.uniform(), 2.0),
    svag_law(ns.skewed(skewness=0.5), 3.0),
]


@pytest.mark.parametrize("nodes", [3, 5, 9])
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_moments_are_exact_to_twice_the_nodes(law, nodes):
    many, by = law.rule(8.0)
    values, weights = law_rule(law, 8.0, nodes)
    for power in range(2 * nodes):
        exact = by @ many**power
        assert weights @ values**power == pytest.approx(exact, rel=1e-9, abs=1e-10 * (by @ np.abs(many) ** power))


def test_gauss_hermite_is_found():
    values, weights = np.polynomial.hermite_e.hermegauss(7)
    found, by = law_rule(ns.gaussian(), 8.0, 7)
    np.testing.assert_allclose(found, values, atol=1e-12)
    np.testing.assert_allclose(by, weights / weights.sum(), atol=1e-13)


@pytest.mark.parametrize(("law", "atoms"), [(ns.rademacher(), 2), (svag_law(ns.two_point(skewness=1.5), 2.0), 4)])
def test_atoms_are_found_and_no_more(law, atoms):
    values, weights = law_rule(law, 8.0, 9)
    exact, by = law.rule(8.0)
    order = np.argsort(exact)
    assert len(values) == atoms
    np.testing.assert_allclose(values, exact[order], atol=1e-11)
    np.testing.assert_allclose(weights, by[order], atol=1e-11)
    padded, padded_weights = law_rule(law, 8.0, 9, size=9)
    assert len(padded) == 9
    assert padded_weights[atoms:].tolist() == [0.0] * (9 - atoms)


def test_one_node_is_the_mean():
    values, weights = gauss_rule(np.array([1.0, 4.0]), np.array([0.25, 0.75]), 1)
    assert values == pytest.approx([3.25])
    assert weights == pytest.approx([1.0])
