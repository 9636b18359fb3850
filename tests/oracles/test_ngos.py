"""Losses and the oracle: derivatives, shapes, refusals."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import ngos_sim as ns


@pytest.mark.parametrize(("loss", "p"), [(ns.quadratic(0.9), dict(hessian=0.9)), (ns.linear(0.7), dict(slope=0.7))])
def test_gradient_and_curvature_are_derivatives(loss, p):
    p, h = SimpleNamespace(**p), 1e-4
    for theta in (-1.3, 0.0, 0.4):
        slope = (loss.value(theta + h, p) - loss.value(theta - h, p)) / (2 * h)
        bend = (loss.gradient(theta + h, p) - loss.gradient(theta - h, p)) / (2 * h)
        assert loss.gradient(theta, p) == pytest.approx(slope, abs=1e-8)
        assert loss.curvature(theta, p) == pytest.approx(bend, abs=1e-8)


def test_a_diagonal_matrix_is_its_diagonal():
    assert ns.quadratic(np.diag([0.9, 2.0])).parameters == ns.quadratic([0.9, 2.0]).parameters
    oracle = ns.NGOS(ns.quadratic(1.0), np.diag([1.0, 0.5]))
    assert oracle.covariance == (1.0, 0.5)
    assert not oracle.is_dense


def test_the_root_is_symmetric():
    oracle = ns.NGOS(ns.quadratic(1.0), [[2.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, 1.0]])
    assert oracle.dimension == 3
    np.testing.assert_allclose(oracle.root @ oracle.root, oracle.covariance, atol=1e-14)
    np.testing.assert_allclose(oracle.root, oracle.root.T, atol=1e-15)
    assert oracle.variance_parameters == {"covariance": (2.0, 2.0, 1.0)}


def test_dimension():
    assert ns.NGOS(ns.quadratic(0.9)).dimension is None
    assert ns.NGOS(ns.quadratic(0.9), [1.0, 2.0]).dimension == 2
    assert ns.NGOS(ns.quadratic([0.9, 1.0, 2.0])).dimension == 3
    assert ns.NGOS(ns.quadratic([0.9])).dimension == ns.NGOS(ns.quadratic(0.9), [2.0]).dimension == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ns.quadratic([[1.0, 0.2], [0.3, 1.0]]), r"hessian is not symmetric: \[0, 1\] is 0.2, \[1, 0\] is 0.3"),
        (lambda: ns.quadratic([[1.0, 0.2]]), "hessian is a 1x2 matrix; a square one is needed"),
        (lambda: ns.quadratic([[[1.0]]]), "hessian=.* is a 1x1x1 array; .* square matrix is allowed"),
        (lambda: ns.quadratic([[1.0, math.nan], [math.nan, 1.0]]), "hessian=.* must hold finite numbers"),
        (lambda: ns.linear([[1.0, 0.2], [0.2, 1.0]]), "slope=.* is a 2x2 array; a number or a vector is allowed"),
        (
            lambda: ns.NGOS(ns.quadratic(1.0), [[1.0, 2.0], [2.0, 1.0]]),
            "covariance has the eigenvalue -1; a covariance",
        ),
        (lambda: ns.NGOS(ns.quadratic(1.0), [[1.0, 0.0], [0.0, -1.0]]), "covariance=.* must not be negative"),
        (
            lambda: ns.NGOS(ns.quadratic([1.0, 2.0, 3.0]), [[2.0, 1.0], [1.0, 2.0]]),
            "covariance has length 2; a number or",
        ),
        (lambda: ns.Loss("one", None, None, matrix=[1.0, 2.0]), "matrix=.* is not a matrix of numbers"),
        (lambda: ns.Loss("one", None, None, matrix=np.eye(2), a=[1.0, 2.0, 3.0]), "parameters differ in length"),
        (lambda: ns.NGOS(ns.quadratic(1.0), [1.0, -0.5]), r"covariance=\[1.0, -0.5\] must not be negative"),
        (
            lambda: ns.NGOS(ns.quadratic([1.0, 2.0]), [1.0, 1.0, 1.0]),
            "covariance has length 3; a number or a length of 2 is",
        ),
        (lambda: ns.quadratic(float("inf")), "hessian=inf must hold finite numbers"),
        (lambda: ns.quadratic([]), "must hold finite numbers"),
        (lambda: ns.Loss("two", None, None, a=[1.0, 2.0], b=[1.0, 2.0, 3.0]), "parameters differ in length"),
        (lambda: ns.Loss("two", None, None, a=[1.0], b=[1.0, 2.0]), "parameters differ in length: {'a': 1, 'b': 2}"),
        (lambda: ns.NGOS(ns.quadratic([1.0, 2.0]), [1.0]), "covariance has length 1; a number or a length of 2 is"),
        (lambda: ns.NGOS(ns.quadratic([1.0]), [1.0, 2.0]), "covariance has length 2; a number or a length of 1 is"),
    ],
)
def test_bad_oracles(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_wrong_types():
    with pytest.raises(TypeError, match="hessian='steep' is not a number"):
        ns.quadratic("steep")
    with pytest.raises(TypeError, match="loss=1.0 is not a Loss"):
        ns.NGOS(1.0)
    with pytest.raises(TypeError, match="is not a Noise"):
        ns.NGOS(ns.quadratic(1.0), noise="gaussian")
