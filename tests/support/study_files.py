"""A good study file, and edits (old, new) of it."""

import pytest

from tests.support.programs import PROBLEM

GOOD = f"""{PROBLEM}
[study]
eta2 = [0.25, 0.125]
horizon = 1.0
test_functions = ["theta[0]"]
trajectories = 1024
"""
LOSS, HESSIAN, COVARIANCE = '{ kind = "quadratic", hessian = [0.9] }', "hessian = [0.9]", "covariance = 1.0"
NOISE, SIGMA0, C2, THETA, U = '{ kind = "gaussian" }', "sigma0 = 0.8", "c2 = 1.3", "theta = [1.2]", "u = 1.0"
SDE, ETA2, HORIZON = '[[sde]]\nkind = "rmsprop"\n', "eta2 = [0.25, 0.125]", "horizon = 1.0"
FUNCTIONS, TRAJECTORIES = 'test_functions = ["theta[0]"]', "trajectories = 1024"
ADAM = (('"rmsprop"', '"adam"'), (C2, "c1 = 2.0\nc2 = 1.3"), (U, "m = 0.0\nu = 1.0\nt0 = 0.25"))
COUPLED = (TRAJECTORIES, f'{TRAJECTORIES}\nestimator = "coupled"')
STUDY_KEYS = (
    "allowed: horizon, test_functions, trajectories, eta2, eta, steps, batch_size, times, estimator, seed, "
    "expect, ell, kappa, precision"
)
NOISES, SQRT8 = "allowed: gaussian, uniform, rademacher, two-point, skewed, laplace, student-t", "must be below 2.828"


def edited(*edits):
    """Return the good file with (old, new) replaced."""
    text = GOOD
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


def after(line, more):
    """Return the edit that adds a line."""
    return line, f"{line}\n{more}"


def noise(text):
    return NOISE, f"{{ kind = {text} }}"


def kappa(text):
    """Return the edits that make the study one of the scaling rule."""
    return (SDE, ""), after(TRAJECTORIES, f"kappa = {text}")


def message_of(load, text):
    """Return the message of the ValueError that `load` raises of a text: one line that names the file."""
    with pytest.raises(ValueError) as caught:
        load(text)
    message = str(caught.value)
    assert "study.toml: " in message
    assert "\n" not in message
    return message
