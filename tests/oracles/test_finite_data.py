"""Finite data as an oracle: its formulas against finite differences and against every minibatch, and its minimiser."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

import ngos_sim as ns
from ngos_sim.oracles.margins import MODELS
from ngos_sim.oracles.svag import svag_law

FEATURES = np.array([[1.0, -0.3], [0.4, 1.2], [-0.8, 0.5]])
TARGETS = {"logistic": [0, 1, 1], "least_squares": [0.7, -1.1, 0.4]}
THETA = np.array([0.6, -0.9])
L2 = 0.3
BOTH = pytest.mark.parametrize("model", TARGETS)


def made(model, **changes):
    return ns.finite_data(FEATURES, TARGETS[model], model, **({"l2": L2} | changes))


def one_loss(model, i, theta):
    """The loss of one sample in exact words, nothing of the package's."""
    margin = sum(a * b for a, b in zip(FEATURES[i].tolist(), theta, strict=True))
    if model == "least_squares":
        return (margin - TARGETS[model][i]) ** 2 / 2
    chance = 1.0 / (1.0 + math.exp(-margin))
    return -math.log(chance if TARGETS[model][i] else 1.0 - chance)


def differences(function, theta, width=1e-5):
    """Central differences of a function of theta, the coordinates first."""
    steps = width * np.eye(len(theta))
    return np.array([(np.asarray(function(theta + s)) - function(theta - s)) / (2.0 * width) for s in steps])


@BOTH
def test_value_gradient_and_hessian(model):
    risk = made(model).loss
    value = np.mean([one_loss(model, i, THETA) for i in range(3)]) + 0.5 * L2 * THETA @ THETA
    assert risk.value_at(THETA) == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(risk.gradient_at(THETA), differences(risk.value_at, THETA), rtol=1e-8)
    np.testing.assert_allclose(risk.hessian_at(THETA), differences(risk.gradient_at, THETA), rtol=1e-8)


def minibatch_gradients(model, size):
    """The gradient of every minibatch of `size` samples, drawn with replacement, by differences of losses."""
    each = [differences(lambda theta, i=i: one_loss(model, i, theta), THETA) for i in range(3)]
    return np.array([np.mean([each[i] for i in batch], axis=0) for batch in itertools.product(range(3), repeat=size)])


@BOTH
@pytest.mark.parametrize("size", [1, 2, 4])
def test_covariance_is_that_of_every_minibatch(model, size):
    """sigma^2 Sigma with sigma = 1 / sqrt(B): equation (1); l2 shifts the mean and adds nothing to it."""
    oracle = made(model)
    drawn = minibatch_gradients(model, size)
    np.testing.assert_allclose(drawn.mean(axis=0) + L2 * THETA, oracle.loss.gradient_at(THETA), rtol=1e-9)
    np.testing.assert_allclose(np.cov(drawn.T, bias=True) * size, oracle.covariance_at(THETA), rtol=1e-8)


@BOTH
def test_skewness_of_minibatches_falls_like_sigma(model):
    """E z^3 = mu3 / sqrt(B) = sigma mu3 (docs/theory.md, "Minibatches of data")."""
    thirds = []
    for size in (1, 4):
        drawn = minibatch_gradients(model, size)
        z = math.sqrt(size) * (drawn - drawn.mean(axis=0))
        thirds.append(np.mean(z**3, axis=0))
    np.testing.assert_allclose(2.0 * thirds[1], thirds[0], rtol=1e-6)


@BOTH
def test_root_needs_no_matrix_root(model):
    covariance = made(model).covariance
    root = covariance.root_at(THETA)
    assert root.shape == (2, 3)
    np.testing.assert_allclose(root.sum(axis=1), 0.0, atol=1e-15)
    np.testing.assert_allclose(root @ root.T, covariance.covariance_at(THETA), rtol=1e-14)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
@pytest.mark.parametrize("y", [-1.0, 1.0])
def test_scalar_functions_are_derivatives_at_every_margin(model, y):
    for margin in (-40.0, -3.0, -0.1, 0.0, 0.1, 3.0, 40.0):
        width = 1e-6
        for function, derivative in ((model.phi, model.slope), (model.slope, model.bend)):
            found = (function(margin + width, y) - function(margin - width, y)) / (2.0 * width)
            assert derivative(margin, y) == pytest.approx(found, rel=1e-7, abs=1e-8)


def test_logistic_far_out():
    """No overflow, and every digit of a small slope."""
    model = MODELS["logistic"]
    assert [model.phi(margin, 1.0) for margin in (1e4, -1e4)] == [0.0, 1e4]
    assert [model.slope(margin, 1.0) for margin in (1e4, -1e4)] == [0.0, -1.0]
    assert model.bend(1e300, -1.0) == 0.0
    assert model.slope(50.0, 1.0) == pytest.approx(-math.exp(-50.0), rel=1e-14)
    assert math.isnan(model.slope(math.nan, 1.0))


@BOTH
def test_minimiser(model):
    risk = made(model).loss
    assert np.max(np.abs(risk.gradient_at(risk.minimiser))) < 1e-15
    assert np.linalg.eigvalsh(risk.hessian_at(risk.minimiser)).min() > L2 * 0.99


def test_minimiser_of_least_squares_is_the_normal_equations():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)) * [1.0, 1e3, 1e-3, 1.0], rng.normal(size=30)
    found = ns.finite_data(x, y, "least_squares").loss.minimiser
    np.testing.assert_allclose(found, np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-9)


def test_minimiser_where_data_are_fitted_exactly():
    x, theta = np.random.default_rng(1).normal(size=(5, 5)), np.arange(1.0, 6.0)
    np.testing.assert_allclose(ns.finite_data(x, x @ theta, "least_squares").loss.minimiser, theta)


@pytest.mark.parametrize("l2", [1e-8, 1e-3])
def test_minimiser_of_nearly_separable_classes(l2):
    risk = ns.finite_data([[-1.0], [1.0], [2.0]], [0, 1, 1], l2=l2).loss
    assert abs(risk.gradient_at(risk.minimiser)[0]) < 1e-16


SEPARABLE = {
    "separable": ([[-1.0], [1.0], [2.0]], [0, 1, 1]),
    "touching": ([[-1.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, 1.0]], [0, 0, 1, 1]),
}


@pytest.mark.parametrize("name", SEPARABLE)
def test_separable_classes_have_no_minimiser(name):
    with pytest.raises(ValueError, match=r"^loss 'logistic' with l2=0 has no minimiser .*; l2 > 0 gives one$"):
        _ = ns.finite_data(*SEPARABLE[name]).loss.minimiser


def test_collinear_features_have_no_unique_minimiser():
    x = np.column_stack([FEATURES, FEATURES.sum(axis=1)])
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    for model, targets in TARGETS.items():
        assert ns.finite_data(frame, targets, model).loss.dependent == (2,)
        with pytest.raises(ValueError, match="has no unique minimiser: .* 'c' is a combination of those before"):
            _ = ns.finite_data(frame, targets, model).loss.minimiser
        assert len(ns.finite_data(frame, targets, model, l2=0.1).loss.minimiser) == 3


def test_an_intercept_is_no_collinear_feature():
    ones = np.ones((4, 1))
    x = np.column_stack([ones, 1e6 + np.arange(4.0)])  # far from 0, but no constant
    assert ns.finite_data(x, [0, 1, 0, 1]).loss.dependent == ()
    assert ns.finite_data(np.column_stack([x, 3.0 * ones]), [0, 1, 0, 1]).loss.dependent == (2,)


def test_doubts():
    """Words, and no refusal: errors of such data are what they are."""
    x = np.column_stack([FEATURES, 2.0 * FEATURES[:, 0], np.zeros(3)])
    (said,) = ns.finite_data(x, [0, 1, 1]).loss.doubts
    assert said == (
        "the loss has no unique minimiser: features '2', '3' are combinations of those before, with l2=0; "
        "l2 > 0 gives one"
    )
    assert ns.finite_data(x, [0, 1, 1], l2=0.1).loss.doubts == ()
    (said,) = ns.finite_data(pd.DataFrame(FEATURES * [1e4, 1.0], columns=["a", "b"]), [0, 1, 1]).loss.doubts
    assert said == (
        "feature 'a' is 1.0e+04 times as large as 'b', and so are their gradients; "
        "(x - mean) / std standardises features"
    )


def test_an_oracle_of_data():
    oracle = made("logistic")
    assert oracle.dimension == 2
    assert oracle.is_state_dependent
    assert oracle.data is oracle.loss
    assert ns.NGOS(ns.quadratic(1.0)).data is None
    assert oracle.loss.features.flags.writeable is False


@pytest.mark.parametrize("part", ["loss", "covariance", "noise"])
def test_parts_of_data_go_together(part):
    oracle = made("logistic")
    parts = dict(loss=ns.quadratic(1.0), covariance=1.0, noise=ns.gaussian()) | {part: getattr(oracle, part)}
    with pytest.raises(TypeError, match=r"of data go together; ns.finite_data\(..\) makes the oracle"):
        ns.NGOS(**parts)


def test_data_of_other_data_is_refused():
    one, other = made("logistic"), made("logistic")
    with pytest.raises(TypeError, match="go together"):
        ns.NGOS(one.loss, other.covariance, one.noise)


def test_what_scikit_learn_returns():
    datasets = pytest.importorskip("sklearn.datasets")
    bunch, frame = datasets.load_breast_cancer(), datasets.load_breast_cancer(as_frame=True)
    x, y = datasets.load_breast_cancer(return_X_y=True)
    made = [ns.finite_data(bunch), ns.finite_data(frame), ns.finite_data(x, y)]
    assert {oracle.loss.sha256 for oracle in made} == {made[0].loss.sha256}
    assert made[1].loss.columns[0] == "mean radius"
    (said,) = made[1].loss.doubts
    assert said.startswith("feature 'worst area' is 2.")
    diabetes = ns.finite_data(datasets.load_diabetes(), model="least_squares").loss
    assert np.max(np.abs(diabetes.gradient_at(diabetes.minimiser))) < 1e-10


@pytest.mark.parametrize("ell", [1.0, 2.0, 8.0])
def test_svag_draws_two_minibatches(ell):
    law = svag_law(made("logistic").noise, ell)
    assert sum(law.weights) == pytest.approx(1.0)
    assert sum(weight * weight for weight in law.weights) == pytest.approx(ell * ell)
