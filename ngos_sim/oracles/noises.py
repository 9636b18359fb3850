"""A law of the noise zeta (mean 0, variance 1): a sampler as a function of Gaussians, a quadrature, what it knows.

Each law is the image of one standard normal xi (the Brownian direction), so that a chain and its
SDE can be driven by the same numbers; the SVAG law (`oracles.svag`) takes a second, independent one.
The built-in laws are in `oracles.laws` and `oracles.heavy_laws`.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace

import numpy as np

from ngos_sim.identity import Value, built_in
from ngos_sim.oracles import tails
from ngos_sim.validation import checked_function, checked_name, described, known_keywords, number

_CUMULANT_NODES = 32
_ROUNDING = 1e-13  # of a sum of magnitudes: what is below it is what rounding leaves of 0
_LARGE = 2.0**20  # a sigma at which a law's moments show how they go on to their limits
_LIMIT = 1e-9  # an E zeta^3 below what two such sigma tell from 0


@known_keywords()
@dataclass(frozen=True, eq=False)
class Noise(Value):
    """A law of zeta: mean 0, variance 1, independent over coordinates and steps.

    Parameters
    ----------
    name : str
        What tables and study files call it.
    sample : function (xi, p) -> float, or (xi, extra, p) -> float with gaussians=2
        zeta as a function of independent standard normals; increasing in xi couples best.
    quadrature : function (nodes, p) -> (values, weights)
        Atoms of the law, or a rule with `nodes` nodes, each an array of shape (nodes,).
    parameters : mapping of str to float or function of sigma
        What `p` holds by name. A function is called with the oracle's noise scale sigma.
    gaussians : 1 or 2
        How many standard normals `sample` takes.
    moments : int or infinity
        The highest order n with E |zeta|^n finite. A study refuses what needs more, and a law that has
        fewer than it says, where `oracles.law_check` sees it. Where it is not given, a study refuses what rests on
        the far end of a tail like a power's too, as `oracles.tails` sees it: then say it.

    Raises
    ------
    ValueError
        `moments` is below 2, as the variance must be 1, or `gaussians` neither 1 nor 2.
    TypeError
        A function cannot be called as it is described, or a parameter is neither a number nor a function.

    Examples
    --------
    >>> import math
    >>> from ngos_sim import Noise
    >>> three = Noise(
    ...     "three-point",
    ...     sample=lambda xi, p: 0.0 if abs(xi) < 0.6744897501960817 else math.copysign(math.sqrt(2.0), xi),
    ...     quadrature=lambda nodes, p: ([-math.sqrt(2), 0.0, math.sqrt(2)], [0.25, 0.5, 0.25]),
    ... )
    >>> [round(k, 12) for k in three.cumulants(sigma=8.0)]
    [0.0, 1.0, 0.0, -1.0]
    """

    name: str
    sample: Callable
    quadrature: Callable
    parameters: Mapping[str, float | Callable[[float], float]] = field(default_factory=dict)
    gaussians: int = 1
    moments: float = math.inf

    def __post_init__(self):
        owner = f"noise {checked_name('Noise', self.name)!r}"
        if self.gaussians not in (1, 2):
            raise ValueError(f"{owner}: gaussians={described(self.gaussians)}; allowed: 1, 2")
        _check_call(owner, "sample", self.sample, ("xi", "p") if self.gaussians == 1 else ("xi", "extra", "p"))
        _check_call(owner, "quadrature", self.quadrature, ("nodes", "p"))
        if not isinstance(self.parameters, Mapping):
            raise TypeError(f"{owner}: parameters={described(self.parameters)} must be a mapping, of names to numbers")
        for name, value in self.parameters.items():
            if not callable(value):
                number(f"{owner}: {name}", value, "a finite number or a function of sigma")
        count = self.moments
        if isinstance(count, bool) or not isinstance(count, (int, float)) or not count >= 2 or count % 1.0 > 0.0:
            raise ValueError(f"{owner}: moments={described(count)} must be an integer of at least 2, or math.inf")

    def numbers(self, sigma: float) -> dict[str, float]:
        """Return the parameters by name, as floats; sigma : the oracle's noise scale."""
        return {name: float(value(sigma) if callable(value) else value) for name, value in self.parameters.items()}

    @property
    def is_gaussian(self) -> bool:
        """Whether zeta is the Gaussian xi itself."""
        return self.sample is _gaussian

    @cached_property
    def moments_seen(self) -> float:
        """How many moments the tails show to be finite as sigma -> infinity: `tails.moments_seen`."""
        return tails.moments_seen(self, _LARGE)

    def rule(self, sigma: float, nodes: int = _CUMULANT_NODES) -> tuple[np.ndarray, np.ndarray]:
        """Return values and weights of the atoms, or of a rule with `nodes` nodes.

        Parameters
        ----------
        sigma : float
            The oracle's noise scale.
        nodes : int

        Returns
        -------
        values, weights : ndarray, shape (n,) float64

        Raises
        ------
        ValueError
            The law's quadrature fails, or gives something else.
        """
        p = SimpleNamespace(**self.numbers(sigma))
        try:
            values, weights = (np.asarray(each, dtype=np.float64) for each in self.quadrature(nodes, p))
        except AttributeError as error:
            held = ", ".join(vars(p)) or "none"
            raise ValueError(
                f"noise {self.name!r}: quadrature reads {error.name!r}; its parameters are: {held}"
            ) from error
        except (TypeError, ValueError, LookupError) as error:
            raise ValueError(f"noise {self.name!r}: quadrature gives no values and weights: {error}") from error
        if values.ndim != 1 or values.shape != weights.shape:
            raise ValueError(
                f"noise {self.name!r}: quadrature gives values of shape {values.shape} and weights of shape "
                f"{weights.shape}; two vectors of one length are needed"
            )
        return values, weights

    def cumulants(self, sigma: float) -> tuple[float, float, float, float]:
        """Return the first four cumulants (0, 1, skewness, excess kurtosis); sigma : the oracle's noise scale.

        What rounding leaves of a 0 is 0: products and exact sums cancel in pairs on every machine where a
        rule is symmetric, and below 1e-13 of the magnitudes summed nothing counts.
        """
        values, weights = self.rule(sigma)
        mean = _total(values * weights)
        centred = values - mean
        squares = centred * centred
        variance = _total(squares * weights)
        third, fourth = _total(squares * centred * weights), _total(squares * squares * weights)
        excess = fourth - 3.0 * variance * variance
        return mean, variance, third, excess if abs(excess) > _ROUNDING * fourth else 0.0

    def at_large_sigma(self) -> tuple[float, float, float]:
        """Return a, b and E zeta^4 with E zeta^3 = a + b / sigma + .., as sigma -> infinity.

        b = 0 without a parameter that depends on sigma, a = 0 where the skewness is low (Definition 2.6
        of arXiv 2205.10287); both by the values at two large sigma where parameters are functions.
        """
        (*_, near, _), (*_, far, excess) = (self.cumulants(sigma) for sigma in (_LARGE, 2.0 * _LARGE))
        limit, rate = 2.0 * far - near, 2.0 * _LARGE * (near - far)
        return limit if abs(limit) > _LIMIT else 0.0, rate, 3.0 + excess


def _check_call(owner, role, function, arguments):
    """Raise TypeError unless a function can be called with so many arguments."""
    checked_function(owner, role, function)
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions that C provides have none
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        raise TypeError(f"{owner}: {role} takes {signature}; it is called with ({', '.join(arguments)})") from None


def _total(terms):
    """Return the sum of terms, rounded once; 0 where it is below the rounding of the terms."""
    terms = terms.tolist()
    total = math.fsum(terms)
    return total if abs(total) > _ROUNDING * math.fsum(map(abs, terms)) else 0.0


def mirrored(values, weights):
    """Return a symmetric rule, ascending, without what rounding adds: each pair is +-value of one weight."""
    return 0.5 * (values - values[::-1]), 0.5 * (weights + weights[::-1])


def gauss_hermite(nodes):
    """Return the Gauss rule of the standard normal law."""
    values, weights = mirrored(*np.polynomial.hermite_e.hermegauss(nodes))
    return values, weights / weights.sum()


def _gaussian(xi, p):
    return xi


@built_in
def gaussian() -> Noise:
    """Standard normal noise: zeta = xi.

    Examples
    --------
    >>> [round(each, 12) for each in gaussian().cumulants(sigma=1.0)]
    [0.0, 1.0, 0.0, 0.0]
    """
    return Noise("gaussian", _gaussian, lambda nodes, p: gauss_hermite(nodes))
