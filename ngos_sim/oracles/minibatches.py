"""The noise of minibatches of data: drawn by engines as samples, not as numbers with a law of their own."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ngos_sim.oracles.noises import Noise


def _none(xi, p):
    return 0.0


def _refused(nodes, p):
    raise ValueError("noise 'minibatch' is drawn from data: it has no law of a single coordinate")


@dataclass(frozen=True, eq=False)
class Minibatches(Noise):
    """The noise of a gradient that is a mean over samples drawn from data; sigma = 1 / sqrt(batch size).

    Equation (1) of arXiv 2205.10287. Engines draw the samples and put the minibatch's gradient in the place of
    o.gradient; z is 0, and `sample` says so.

    Parameters
    ----------
    weights : tuple of float
        Of the minibatches of a step, whose gradients are summed with them: one of weight 1, under SVAG two.
    replacement : bool
        Whether each sample is drawn from all of them; if not, an epoch takes each once, in an order of its own.
    """

    name: str = "minibatch"
    sample: Callable = _none
    quadrature: Callable = _refused
    weights: tuple[float, ...] = (1.0,)
    replacement: bool = True

    @property
    def moments_seen(self):
        """All: a data set is finite."""
        return math.inf
