"""Losses and covariances that couple coordinates: what they say at a point, and every refusal in one line."""

import math

import numpy as np
import pytest
from scipy.optimize import approx_fprime

import ngos_sim as ns


def gradient(theta, p):
    return p.b * theta[1] * math.cos(theta[0]), p.b * math.sin(theta[0]) + theta[1]


def value(theta, p):
    return p.b * theta[1] * math.sin(theta[0]) + 0.5 * theta[1] * theta[1]


def lean(theta, p):
    return (1.0, 0.0), (p.lean * math.tanh(theta[0]), 1.0)


def loss(gradient=gradient, value=value, dimension=2, **others):
    return ns.Loss("bent", gradient, value, **{"joint": True, "b": 0.7} | others, dimension=dimension)


def covariance(root=lean, dimension=2, **others):
    return ns.Covariance("leaning", root, dimension, **{"lean": 0.5} | others)


def test_at_a_point():
    oracle, theta = ns.NGOS(loss(), covariance()), np.array([0.4, -1.3])
    assert oracle.dimension == 2
    assert oracle.value_at(theta) == pytest.approx(-0.7 * 1.3 * math.sin(0.4) + 0.5 * 1.69)
    assert oracle.gradient_at(theta) == pytest.approx(approx_fprime(theta, oracle.value_at, 1e-7), abs=1e-6)
    root = np.array([[1.0, 0.0], [0.5 * math.tanh(0.4), 1.0]])
    assert oracle.covariance_at(theta) == pytest.approx(root @ root.T)


@pytest.mark.parametrize(
    ("made", "covariance", "gradient", "sigma"),
    [
        (ns.quadratic([2.0, 3.0]), 0.5, [2.0, -3.0], np.diag([0.5, 0.5])),
        (ns.quadratic([[1.0, 0.5], [0.5, 2.0]]), [1.0, 2.0], [0.5, -1.5], np.diag([1.0, 2.0])),
        (ns.linear(0.7), [[1.0, 0.2], [0.2, 1.0]], [0.7, 0.7], [[1.0, 0.2], [0.2, 1.0]]),
        (ns.linear(0.7), lambda theta: 1.0 + theta * theta, [0.7, 0.7], np.diag([2.0, 2.0])),
    ],
)
def test_separable_oracles_at_a_point(made, covariance, gradient, sigma):
    oracle = ns.NGOS(made, covariance)
    assert oracle.coupling == ""
    assert oracle.gradient_at([1.0, -1.0]).tolist() == gradient
    assert oracle.covariance_at([1.0, -1.0]) == pytest.approx(np.array(sigma))
    at = np.array([1.0, -1.0])
    assert approx_fprime(at, oracle.value_at, 1e-7) == pytest.approx(gradient, abs=1e-6)


def test_coupling_says_what_couples():
    assert ns.NGOS(loss()).coupling == "loss 'bent' couples its coordinates"
    text = "covariance 'leaning' couples coordinates and depends on the state"
    assert ns.NGOS(ns.linear(0.7), covariance()).coupling == text
    assert ns.NGOS(ns.linear(0.7), covariance()).is_state_dependent


def short(theta, p):
    return (theta[0],)


def unpacks_two(theta, p):
    x, y = theta
    return (x, y)


REFUSED = {  # what is made, the error's beginning
    "coordinate": (
        lambda: loss(lambda theta, p: (p.b * theta[1] * math.cos(theta[0]), p.b * math.sin(theta[0]))),
        "loss 'bent': gradient of coordinate 1 is ",
    ),
    "factor": (
        lambda: loss(lambda theta, p: (2.0 * p.b * theta[1] * math.cos(theta[0]), gradient(theta, p)[1])),
        "loss 'bent': gradient of coordinate 0 is ",
    ),
    "length": (lambda: loss(short), "loss 'bent': gradient returns ("),
    "list": (lambda: loss(lambda theta, p: [*theta]), "loss 'bent': gradient returns ["),
    "word": (lambda: loss(lambda theta, p: (theta[0], "a")), "loss 'bent': gradient returns ("),
    "no such number": (lambda: loss(b=1.0, gradient=lambda theta, p: (p.c, 0.0)), "loss 'bent': gradient reads 'c'"),
    "no such coordinate": (lambda: loss(lambda theta, p: (theta[2], 0.0)), "loss 'bent': gradient fails at theta=("),
    "unpacking": (lambda: loss(unpacks_two, dimension=3), "loss 'bent': gradient fails at theta=("),
    "no value": (lambda: loss(value=lambda theta, p: None), "loss 'bent': value returns None at theta=("),
    "d = 1": (lambda: loss(dimension=1), "loss 'bent': dimension=1; allowed: 2 to 16"),
    "d = 17": (lambda: loss(dimension=17), "loss 'bent': dimension=17; allowed: 2 to 16"),
    "no d": (lambda: loss(dimension=None), "loss 'bent': dimension is missing"),
    "joint": (lambda: loss(joint=1), "loss 'bent': joint=1; allowed: True, False"),
    "d alone": (lambda: loss(joint=False), "loss 'bent': dimension=2 is that of a joint loss"),
    "vector": (lambda: loss(b=[1.0, 2.0]), "loss 'bent': b=[1.0, 2.0] must be a finite number"),
    "matrix": (lambda: loss(matrix=np.eye(2)), "loss 'bent': a joint loss has no matrix"),
    "curvature": (lambda: loss(curvature=gradient), "loss 'bent': a joint loss has no curvature"),
    "rows": (lambda: covariance(lambda theta, p: (theta, theta), 3), "covariance 'leaning': root returns (("),
    "row": (lambda: covariance(lambda theta, p: 1.0), "covariance 'leaning': root returns 1.0 at theta=(0, 0); a tup"),
    "two lengths": (lambda: ns.NGOS(loss(), [1.0, 1.0, 1.0]), "covariance has length 3; "),
    "a point": (lambda: ns.NGOS(loss()).value_at([1.0]), "theta=[1.0] has length 1; 2 is needed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    make, begins = REFUSED[name]
    with pytest.raises((ValueError, TypeError)) as error:
        make()
    assert str(error.value).startswith(begins)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("d", [2, 3, 16])
def test_a_right_gradient_passes_in_any_units(d):
    weights = [1.0 + j for j in range(d)]

    def mixed(theta, p):
        return sum(w * a * b for w, a, b in zip(weights, theta, (*theta[1:], theta[0]), strict=True)) / p.b

    def slope(theta, p):
        last = len(theta) - 1
        return tuple(
            (weights[j] * theta[j + 1 if j < last else 0] + weights[j - 1] * theta[j - 1]) / p.b for j in range(d)
        )

    for b in (1e-6, 1.0, 1e6):
        assert loss(slope, mixed, d, b=b).dimension == d


def test_what_is_not_defined_everywhere_passes():
    made = loss(
        lambda theta, p: (math.log(theta[1]), theta[0] / theta[1]), lambda theta, p: theta[0] * math.log(theta[1])
    )
    assert made.gradient_at([2.0, 1.0]).tolist() == [0.0, 2.0]
