"""Models of finite data: the loss of one sample as a function of its margin x . theta and its target y.

Scalar functions of the contract in `processes.rule`, of arithmetic, exp and log alone, so that they vectorise and have
the same bits on every engine. `oracles.empirical_risk` sums them over samples, and engines compile them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """The loss phi(margin, y) of one sample, and its first and second derivative in the margin.

    name : what study files and tables call it
    phi, slope, bend : function (margin, y) -> float
    classes : whether targets are two classes, -1 and +1, and not numbers
    bounded : whether slope is bounded, and so the root of Sigma too (Definition 2.5 of arXiv 2205.10287)
    """

    name: str
    phi: Callable
    slope: Callable
    bend: Callable
    classes: bool
    bounded: bool


def _logistic(margin, y):
    s = y * margin
    return 0.5 * (abs(s) - s) + math.log(1.0 + math.exp(-abs(s)))


def _logistic_slope(margin, y):
    s = y * margin
    e = math.exp(-abs(s))
    return -y * (e if s > 0.0 else 1.0) / (1.0 + e)


def _logistic_bend(margin, y):
    e = math.exp(-abs(y * margin))
    return e / ((1.0 + e) * (1.0 + e))


def _square(margin, y):
    residual = margin - y
    return 0.5 * residual * residual


def _square_slope(margin, y):
    return margin - y


def _square_bend(margin, y):
    return 1.0


MODELS = {
    "logistic": Model("logistic", _logistic, _logistic_slope, _logistic_bend, classes=True, bounded=True),
    "least_squares": Model("least_squares", _square, _square_slope, _square_bend, classes=False, bounded=False),
}
