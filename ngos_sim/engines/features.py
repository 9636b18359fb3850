"""Features: functions of the state beside the slots, which test functions are made of; the oracle's and a user's.

`estimators.assembly` puts them into a Program; engines evaluate them at the records.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ngos_sim.engines.observation import height, named, slope


@dataclass(frozen=True)
class Feature:
    """A function of the state beside the slots: g(x, pull, spread, a, s), of one coordinate or summed over all.

    coordinate is -1 for the sum; root says whether the square root of the result is taken.
    over : "coordinate", or "theta" for a function g(theta, a) of all of theta, a tuple
    sample : a function (margin, y) of a sample whose mean over all data is added, or None
    reads : what it reads of data: "pull" and "spread", and "minimiser" of the loss's numbers
    """

    function: Callable
    coordinate: int
    root: bool
    over: str = "coordinate"
    sample: Callable | None = None
    reads: tuple[str, ...] = ()


def oracle_feature(name, oracle):
    """Return the Feature of a test function's word: loss, trace(Sigma) or norm(grad)."""
    gradient, value, variance = slope(oracle), oracle.loss.value, oracle.variance
    loss_numbers = named("Loss", oracle.loss.parameters)
    variance_numbers = named("Covariance", oracle.variance_parameters)
    if name == "loss" and oracle.loss.joint:
        return Feature(lambda theta, a: value(theta, loss_numbers(*a)), -1, False, over="theta")
    if name == "trace(Sigma)" and variance is None:
        return Feature(lambda x, pull, spread, a, s: spread, -1, False)
    value = height(oracle)

    def loss(x, pull, spread, a, s):
        return value(x[0], pull, loss_numbers(*a))

    def trace(x, pull, spread, a, s):
        return variance(x[0], variance_numbers(*s))

    def squared_gradient(x, pull, spread, a, s):
        return gradient(x[0], pull, loss_numbers(*a)) ** 2

    functions = {"loss": loss, "trace(Sigma)": trace, "norm(grad)": squared_gradient}
    return Feature(functions[name], -1, name == "norm(grad)")


def state_feature(function, coordinate):
    """Return the Feature of a user's g(x) at one coordinate."""

    def g(x, pull, spread, a, s):
        return function(x)

    return Feature(g, coordinate, False)
