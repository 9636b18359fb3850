"""A Loss's gradient is its value's derivative, its curvature the gradient's: held when it is made, in any units."""

import itertools
import math

import pytest

import ngos_sim as ns


def log1p_exp(theta):
    return max(theta, 0.0) + math.log1p(math.exp(-abs(theta)))


def logistic(theta):
    return 1.0 / (1.0 + math.exp(-theta))


def smooth(theta):
    return math.sqrt(theta * theta + 1e-8)


LOSSES = {  # value, gradient, curvature
    "huber": (
        lambda x: 0.5 * x * x if abs(x) <= 1.0 else abs(x) - 0.5,
        lambda x: max(-1.0, min(1.0, x)),
        lambda x: float(abs(x) <= 1.0),
    ),
    "log cosh": (lambda x: math.log(math.cosh(x)), math.tanh, lambda x: 1.0 - math.tanh(x) ** 2),
    "softplus": (lambda x: math.log(1.0 + math.exp(x)), logistic, lambda x: math.exp(-x) * logistic(x) ** 2),
    "stable softplus": (log1p_exp, logistic, lambda x: logistic(x) * (1.0 - logistic(x))),
    "logistic, label -1": (lambda x: log1p_exp(-x), lambda x: -logistic(-x), None),
    "abs": (abs, lambda x: math.copysign(1.0, x), lambda x: 0.0),
    "relu": (lambda x: max(x, 0.0), lambda x: float(x > 0.0), lambda x: 0.0),
    "hinge": (lambda x: max(0.0, 1.0 - x) ** 2, lambda x: -2.0 * max(0.0, 1.0 - x), lambda x: 2.0 * (x < 1.0)),
    "quartic": (lambda x: 0.25 * x**4, lambda x: x**3, lambda x: 3.0 * x * x),
    "cos": (math.cos, lambda x: -math.sin(x), lambda x: -math.cos(x)),
    "fast wave": (lambda x: math.sin(1e3 * x), lambda x: 1e3 * math.cos(1e3 * x), lambda x: -1e6 * math.sin(1e3 * x)),
    "exp": (math.exp, math.exp, math.exp),
    "bell": (
        lambda x: 1.0 - math.exp(-x * x),
        lambda x: 2.0 * x * math.exp(-x * x),
        lambda x: (2.0 - 4.0 * x * x) * math.exp(-x * x),
    ),
    "double well": (lambda x: 0.25 * (x * x - 1.0) ** 2, lambda x: x**3 - x, lambda x: 3.0 * x * x - 1.0),
    "rastrigin": (
        lambda x: x * x - 10.0 * math.cos(2.0 * math.pi * x),
        lambda x: 2.0 * x + 20.0 * math.pi * math.sin(2.0 * math.pi * x),
        lambda x: 2.0 + 40.0 * math.pi**2 * math.cos(2.0 * math.pi * x),
    ),
    "far away": (lambda x: 0.5 * (x - 1e3) ** 2, lambda x: x - 1e3, lambda x: 1.0),
    "on a hill": (lambda x: 1e6 + 0.5 * x * x, lambda x: x, lambda x: 1.0),
    "log": (math.log, lambda x: 1.0 / x, lambda x: -1.0 / x**2),  # not defined for x <= 0
    "root": (lambda x: x**0.5, lambda x: 0.5 * x**-0.5, None),  # complex there
    "smoothed abs": (smooth, lambda x: x / smooth(x), lambda x: 1e-8 / smooth(x) ** 3),
}
KINKED = {"abs", "relu"}  # of curvature 0: no multiple of it is wrong


def made(value, gradient, curvature=None, width=1.0, height=1.0, **parameters):
    """Return the Loss height f(theta / width)."""
    return ns.Loss(
        "mine",
        lambda x, p: height * gradient(x / width) / width,
        lambda x, p: height * value(x / width),
        curvature and (lambda x, p: height * curvature(x / width) / width / width),
        **parameters,
    )


@pytest.mark.parametrize("name", LOSSES)
def test_right_ones_pass_in_any_units(name):
    for width, height in itertools.product((1.0, 1e-6, 1e6), (1.0, 1e-12, 1e12)):
        made(*LOSSES[name], width, height)


@pytest.mark.parametrize("units", [(1.0, 1.0), (1e-6, 1.0), (1e6, 1e-12)])
@pytest.mark.parametrize("name", LOSSES)
def test_wrong_ones_do_not(name, units):
    value, gradient, curvature = LOSSES[name]
    wrong = [lambda x: 2.0 * gradient(x), lambda x: -gradient(x), lambda x: 1.01 * gradient(x), lambda x: 0.0]
    for each in wrong:
        with pytest.raises(ValueError, match="loss 'mine': gradient is .* at theta=.*the derivative of value is"):
            made(value, each, None, *units)
    with pytest.raises(ValueError, match="the derivative of value is 0 there"):
        made(lambda x: 0.0, gradient, None, *units)
    for factor in (0.0, 2.0) if curvature and name not in KINKED else ():
        with pytest.raises(ValueError, match="loss 'mine': curvature is .* but the derivative of gradient is"):
            made(value, gradient, lambda x, factor=factor: factor * curvature(x), *units)


def test_the_message_has_both_numbers():
    with pytest.raises(ValueError) as caught:
        ns.Loss("steep", lambda x, p: 2.0 * p.a * x, lambda x, p: 0.5 * p.a * x * x, a=3.0)
    assert str(caught.value) == (
        "loss 'steep': gradient is 8.4874 at theta=1.4146, but the derivative of value is 4.2437 there"
    )


def test_every_coordinate_has_its_parameters():
    """The mistake is in the second coordinate's width alone."""

    def gradient(x, p):
        return math.tanh(x / p.width)

    def value(x, p):
        return p.wrong * math.log(math.cosh(x / p.width))

    ns.Loss("mine", gradient, value, width=[1.0, 2.0, 1.0], wrong=[1.0, 2.0, 1.0])
    with pytest.raises(ValueError, match="loss 'mine': gradient of coordinate 1 is"):
        ns.Loss("mine", gradient, value, width=[1.0, 2.0, 1.0], wrong=1.0)


@pytest.mark.parametrize(
    ("gradient", "kind", "message"),
    [
        (lambda x, p: p.b * x, ValueError, "loss 'mine': gradient reads 'b'; its parameters are: a"),
        (lambda x, p: None, TypeError, "loss 'mine': gradient returns None at theta=.*; a number is needed"),
        (lambda x: x, TypeError, "loss 'mine': gradient fails at theta=.*: .* takes 1 positional argument but 2"),
        (3.0, TypeError, "loss 'mine': gradient=3.0 is not a function"),
    ],
)
def test_what_is_no_function_of_theta_and_p_is_named(gradient, kind, message):
    with pytest.raises(kind, match=message):
        ns.Loss("mine", gradient, lambda x, p: 0.5 * x * x, a=1.0)


def test_one_wrong_coordinate_among_many_is_found():
    right, wrong = [float(k) for k in range(1, 10)], [1.0, 2.0, 3.0, 4.0, 5.0, 6.6, 7.0, 8.0, 9.0]
    with pytest.raises(ValueError, match="gradient of coordinate 5 is"):
        ns.Loss("nine", gradient=lambda t, p: p.a * t, value=lambda t, p: 0.5 * p.b * t * t, a=right, b=wrong)


def test_what_the_check_sees_of_a_wrong_branch_is_what_its_docstring_says():
    """A gradient that is wrong on 1 < theta < 1000 alone passes; on all of theta > 0 it does not."""

    def loss(low, high):
        return ns.Loss(
            "mine", lambda theta, p: theta * (1.1 if low < theta < high else 1.0), lambda theta, p: 0.5 * theta * theta
        )

    loss(1.0, 1000.0)
    with pytest.raises(ValueError, match="but the derivative of value is"):
        loss(0.0, math.inf)
