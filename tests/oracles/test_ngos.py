"""Losses and the oracle: derivatives, shapes, refusals."""

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


def test_unknown_curvature_is_nan():
    loss = ns.Loss("cubic", lambda theta, p: theta**2, lambda theta, p: theta**3 / 3)
    assert np.isnan(loss.curvature(1.0, None))


def test_dimension():
    assert ns.NGOS(ns.quadratic(0.9)).dimension is None
    assert ns.NGOS(ns.quadratic(0.9), [1.0, 2.0]).dimension == 2
    assert ns.NGOS(ns.quadratic([0.9, 1.0, 2.0])).dimension == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ns.quadratic([[1.0, 0.2], [0.2, 1.0]]), "hessian=.* is a 2x2 array"),
        (lambda: ns.NGOS(ns.quadratic(1.0), [[1.0, 0.0], [0.0, 1.0]]), "covariance=.* is a 2x2 array"),
        (lambda: ns.NGOS(ns.quadratic(1.0), [1.0, -0.5]), r"covariance=\[1.0, -0.5\] must not be negative"),
        (lambda: ns.NGOS(ns.quadratic([1.0, 2.0]), [1.0, 1.0, 1.0]), "covariance has 3 coordinates"),
        (lambda: ns.quadratic(float("inf")), "hessian=inf must hold finite numbers"),
        (lambda: ns.quadratic([]), "must hold finite numbers"),
        (lambda: ns.Loss("two", None, None, a=[1.0, 2.0], b=[1.0, 2.0, 3.0]), "parameters differ in length"),
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
