"""The noisy gradient oracle with scale parameter (NGOS)."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ngos_sim.identity import Value
from ngos_sim.oracles import joint
from ngos_sim.oracles.empirical_risk import EmpiricalRisk, SampleCovariance
from ngos_sim.oracles.losses import diagonal_of
from ngos_sim.oracles.minibatches import Minibatches
from ngos_sim.oracles.noises import Noise, gaussian
from ngos_sim.oracles.objective import CoupledCovariance, Objective, each_of
from ngos_sim.oracles.variances import Variance
from ngos_sim.validation import broadcastable, described, known_keywords, of_kind, symmetric_matrix


def _constant_variance(theta, p):
    return p.covariance


def _of_theta(function):
    """Return a covariance that is a plain function; raise TypeError unless it can be called with theta alone."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions that C provides have none
        return function
    try:
        signature.bind(0.0)
    except TypeError:
        allowed = "a function of theta alone is allowed; ns.Variance(name, function, ..) takes one of (theta, p)"
        taken = ", ".join(signature.parameters)
        raise TypeError(f"covariance={described(function)} is a function of ({taken}); {allowed}") from None
    return function


@known_keywords(
    sigma="it is the optimizer's: ns.rmsprop(sigma0=..), ns.sgd(sigma=..)",
    sigma0="it is the optimizer's: ns.rmsprop(sigma0=..)",
)
@dataclass(frozen=True, eq=False)
class NGOS(Value):
    """The triple (f, Sigma, Z_sigma): a query at theta returns grad f(theta) + sigma z.

    z = Sigma(theta)^(1/2) zeta. Definition 2.3 of arXiv 2205.10287.

    Parameters
    ----------
    loss : Loss
        f.
    covariance : float, sequence of float, shape (d,), matrix, shape (d, d), Variance, function or Covariance
        Sigma at unit noise scale: one number on its diagonal, its diagonal, or all of it, symmetric and
        positive semi-definite. A Variance, or a plain function theta_i -> Sigma_ii, is a diagonal that depends on the
        state, a Covariance all of a Sigma that does; the theorems ask that its root be bounded, Lipschitz and smooth.
    noise : Noise
        Law of zeta.

    Raises
    ------
    ValueError, TypeError
        A negative variance, a matrix that is not a covariance, or a length that disagrees with the loss.

    Examples
    --------
    >>> import ngos_sim as ns
    >>> ns.NGOS(ns.quadratic([0.9, 2.0]), covariance=[1.0, 0.5]).dimension
    2
    >>> ns.NGOS(ns.quadratic([0.9, 2.0]), covariance=-1.0)
    Traceback (most recent call last):
    ...
    ValueError: covariance=-1.0 must not be negative
    """

    loss: Objective
    covariance: ArrayLike | Variance | CoupledCovariance | Callable = 1.0
    noise: Noise = field(default_factory=gaussian)
    table = None  # of a study file, that named its data: what study.json writes

    def __post_init__(self):
        self._check_data()
        of_kind("loss", self.loss, Objective, "a Loss", "ns.quadratic(hessian=..)")
        of_kind("noise", self.noise, Noise, "a Noise", "ns.gaussian()")
        if isinstance(self.covariance, CoupledCovariance):
            self._check_length(self.covariance.dimension)
            return
        if self.is_state_dependent:
            self._check_length(self.diagonal.dimension)
            return
        matrix = symmetric_matrix("covariance", self.covariance)
        diagonal = None if matrix is None else diagonal_of(matrix)
        values = broadcastable("covariance", self.covariance if matrix is None else np.diag(matrix))
        if np.min(values) < 0.0:
            raise ValueError(f"covariance={described(self.covariance)} must not be negative")
        if matrix is not None and diagonal is None:
            least, *_, most = np.linalg.eigvalsh(matrix)
            if least < -1e-12 * most:
                raise ValueError(f"covariance has the eigenvalue {least:.6g}; a covariance has none below 0")
        self._check_length(np.size(values) if np.ndim(values) else None)
        full = matrix is not None and diagonal is None
        object.__setattr__(self, "covariance", tuple(map(tuple, matrix.tolist())) if full else values)

    def _check_data(self):
        """Raise TypeError where some of the three parts are those of a data set, but not all of them of one."""
        parts = ((self.loss, EmpiricalRisk), (self.covariance, SampleCovariance), (self.noise, Minibatches))
        of_data = [isinstance(part, kind) for part, kind in parts]
        if any(of_data) and not (all(of_data) and self.covariance.risk is self.loss):
            raise TypeError("loss, covariance and noise of data go together; ns.finite_data(..) makes the oracle")

    @property
    def data(self) -> EmpiricalRisk | None:
        """The EmpiricalRisk whose minibatches the gradients are of; None where they are not of data."""
        return self.loss if isinstance(self.loss, EmpiricalRisk) else None

    def _check_length(self, own):
        its = self.loss.dimension
        if None not in (own, its) and own != its:
            allowed = f"a number or a length of {its} is allowed, as loss {self.loss.name!r} has {its} coordinates"
            raise ValueError(f"covariance has length {own}; {allowed}")

    @property
    def is_state_dependent(self) -> bool:
        """Whether Sigma depends on theta."""
        return isinstance(self.covariance, Variance | CoupledCovariance) or callable(self.covariance)

    @property
    def coupling(self) -> str:
        """As a clause, what couples coordinates otherwise than by a constant matrix; "" if nothing does."""
        own = self.covariance.coupling if isinstance(self.covariance, CoupledCovariance) else ""
        return self.loss.coupling or own

    @functools.cached_property
    def diagonal(self) -> Variance | None:
        """The Variance that the diagonal of Sigma is, whatever `covariance` was given as; None of one that couples."""
        given = self.covariance
        if isinstance(given, CoupledCovariance):
            return None
        if isinstance(given, Variance):
            return given
        if callable(given):
            return Variance(described(_of_theta(given)), lambda theta, p: given(theta))
        values = np.diag(given).tolist() if np.ndim(given) == 2 else given
        return Variance("constant", _constant_variance, covariance=values)

    @property
    def dimension(self) -> int | None:
        """Number of coordinates that loss and covariance fix; None if all are scalars."""
        own = self.covariance.dimension if self.diagonal is None else self.diagonal.dimension
        return own if self.loss.dimension is None else self.loss.dimension

    @functools.cached_property
    def root(self) -> np.ndarray | None:
        """The symmetric root of a covariance that is a matrix, shape (d, d), by LAPACK; None where it is a diagonal."""
        given: Any = self.covariance
        if self.is_state_dependent or np.ndim(given) < 2:
            return None
        values, vectors = np.linalg.eigh(np.array(given))
        return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T

    @property
    def is_dense(self) -> bool:
        """Whether coordinates depend on each other: by a Hessian or covariance that is a matrix, or by `coupling`."""
        return self.loss.matrix is not None or self.root is not None or bool(self.coupling)

    @property
    def variance(self) -> Callable | None:
        """Sigma_ii as a scalar function (theta, p), p holding `variance_parameters` by name; None if Sigma couples."""
        return None if self.diagonal is None else self.diagonal.function

    @property
    def variance_parameters(self) -> Mapping:
        """Parameters of `variance` by name: a number, or a tuple of one a coordinate; else those of the covariance."""
        return (self.diagonal or self.covariance).parameters

    def value_at(self, theta: ArrayLike) -> float:
        """Return f(theta), a float; theta : a number a coordinate, or one where the oracle does not fix how many."""
        return self.loss.value_at(joint.at(theta, self.dimension))

    def gradient_at(self, theta: ArrayLike) -> np.ndarray:
        """Return grad f(theta), shape (d,); theta : as for `value_at`."""
        return self.loss.gradient_at(joint.at(theta, self.dimension))

    def covariance_at(self, theta: ArrayLike) -> np.ndarray:
        """Return Sigma(theta) at unit noise scale, shape (d, d); theta : as for `value_at`.

        Examples
        --------
        >>> import ngos_sim as ns
        >>> ns.NGOS(ns.linear(0.7), ns.lorentz_variance(2.0, 1.0)).covariance_at([0.0, 1.0])
        array([[5., 0.],
               [0., 3.]])
        """
        x, given = joint.at(theta, self.dimension), self.covariance
        if isinstance(given, CoupledCovariance):
            return given.covariance_at(x)
        if self.root is not None:
            return np.array(given)
        variance: Any = self.variance
        return np.diag(list(map(variance, x, each_of(self.variance_parameters, len(x)))))
