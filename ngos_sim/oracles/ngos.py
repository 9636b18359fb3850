"""The noisy gradient oracle with scale parameter (NGOS)."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ngos_sim.oracles.losses import Loss, diagonal_of
from ngos_sim.oracles.noises import Noise, gaussian
from ngos_sim.validation import broadcastable, of_kind, symmetric_matrix


def _constant_variance(theta, p):
    return p.covariance


@dataclass(frozen=True)
class NGOS:
    """The triple (f, Sigma, Z_sigma): a query at theta returns grad f(theta) + sigma z.

    z = Sigma(theta)^(1/2) zeta. Definition 2.3 of arXiv 2205.10287.

    Parameters
    ----------
    loss : Loss
        f.
    covariance : float, sequence of float, shape (d,), matrix, shape (d, d), or function theta_i -> Sigma_ii
        Sigma at unit noise scale: one number on its diagonal, its diagonal, or all of it, symmetric and
        positive semi-definite. A function is a diagonal that depends on the state; the theorems ask that
        its root be bounded, Lipschitz and smooth.
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

    loss: Loss
    covariance: float | tuple[float, ...] | tuple[tuple[float, ...], ...] | Callable = 1.0
    noise: Noise = field(default_factory=gaussian)

    def __post_init__(self):
        for name, kind, made_by in (("loss", Loss, "ns.quadratic(hessian=..)"), ("noise", Noise, "ns.gaussian()")):
            of_kind(name, getattr(self, name), kind, f"a {kind.__name__}", made_by)
        if callable(self.covariance):
            return
        matrix = symmetric_matrix("covariance", self.covariance)
        diagonal = None if matrix is None else diagonal_of(matrix)
        values = broadcastable("covariance", self.covariance if matrix is None else np.diag(matrix))
        if np.min(values) < 0.0:
            raise ValueError(f"covariance={self.covariance!r} must not be negative")
        if matrix is not None and diagonal is None:
            least, *_, most = np.linalg.eigvalsh(matrix)
            if least < -1e-12 * most:
                raise ValueError(f"covariance has the eigenvalue {least:.6g}; a covariance has none below 0")
        own, its = np.size(values), self.loss.dimension
        if np.ndim(values) and its not in (None, own):
            allowed = f"a number or a length of {its} is allowed, as loss {self.loss.name!r} has {its} coordinates"
            raise ValueError(f"covariance has length {own}; {allowed}")
        full = matrix is not None and diagonal is None
        object.__setattr__(self, "covariance", tuple(map(tuple, matrix.tolist())) if full else values)

    @property
    def dimension(self):
        """Number of coordinates that loss and covariance fix; None if all are scalars."""
        if self.loss.dimension is None and not callable(self.covariance) and np.ndim(self.covariance):
            return len(self.covariance)
        return self.loss.dimension

    @functools.cached_property
    def root(self):
        """The symmetric root of a covariance that is a matrix, shape (d, d), by LAPACK; None where it is a diagonal."""
        if callable(self.covariance) or np.ndim(self.covariance) < 2:
            return None
        values, vectors = np.linalg.eigh(np.array(self.covariance))
        return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T

    @property
    def is_dense(self):
        """Whether the Hessian or the covariance is a matrix that is not diagonal."""
        return self.loss.matrix is not None or self.root is not None

    @property
    def variance(self):
        """Sigma_ii as a scalar function (theta, p), p holding `variance_parameters` by name."""
        function = self.covariance
        if not callable(function):
            return _constant_variance

        def variance(theta, p):
            return function(theta)

        return variance

    @property
    def variance_parameters(self):
        """Parameters of `variance` by name: a number, or a tuple of one a coordinate."""
        if callable(self.covariance):
            return {}
        return {"covariance": self.covariance if self.root is None else tuple(np.diag(self.covariance).tolist())}
