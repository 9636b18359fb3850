"""The noisy gradient oracle with scale parameter (NGOS)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ngos_sim.oracles.losses import Loss, coordinate_values
from ngos_sim.oracles.noises import Noise, gaussian


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
    covariance : float, sequence of float, shape (d,), or function theta_i -> Sigma_ii
        Diagonal of Sigma at unit noise scale; a function makes it depend on the state. The
        theorems ask that its root be bounded, Lipschitz and smooth.
    noise : Noise
        Law of zeta.

    Raises
    ------
    ValueError, TypeError
        A full matrix, a negative variance, or a length that disagrees with the loss.

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
    covariance: float | tuple[float, ...] | Callable = 1.0
    noise: Noise = field(default_factory=gaussian)

    def __post_init__(self):
        for name, kind in (("loss", Loss), ("noise", Noise)):
            if not isinstance(getattr(self, name), kind):
                raise TypeError(f"{name}={getattr(self, name)!r} is not a {kind.__name__}")
        if callable(self.covariance):
            return
        values = coordinate_values("covariance", self.covariance)
        if min(values) < 0.0:
            raise ValueError(f"covariance={self.covariance!r} must not be negative")
        if len(values) > 1 and self.loss.dimension not in (None, len(values)):
            raise ValueError(
                f"covariance has {len(values)} coordinates but the loss {self.loss.name!r} has {self.loss.dimension}"
            )
        object.__setattr__(self, "covariance", values)

    @property
    def dimension(self):
        """Number of coordinates that loss and covariance fix; None if all are scalars."""
        if self.loss.dimension is None and not callable(self.covariance) and len(self.covariance) > 1:
            return len(self.covariance)
        return self.loss.dimension

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
        """Parameters of `variance` by name: tuples of one number, or of one a coordinate."""
        return {} if callable(self.covariance) else {"covariance": self.covariance}
