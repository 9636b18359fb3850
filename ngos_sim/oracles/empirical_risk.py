"""Loss and covariance of finite data: f is a mean over samples, Sigma(theta) belongs to the gradient of one sample.

Equation (1) of arXiv 2205.10287. `oracles.finite_data` makes them of arrays that are checked; engines read the arrays
and the model's scalar functions; the NumPy formulas here are for first looks, tests and the minimiser.
"""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy import optimize

from ngos_sim.oracles.margins import Model
from ngos_sim.oracles.objective import CoupledCovariance, Objective

_NO_NUMBERS: Mapping[str, float] = MappingProxyType({})
_COUPLING = "gradients come from minibatches of data"
_STEPS = 200  # of the trust region, which takes 10 or so where there is a minimiser
_FLAT = 1e-9  # a gradient, in units of f(0) and of its curvature there, from which Newton's method takes it to rounding
_LAST = 50  # such steps, 3 or so where classes are not nearly separable: each takes margins there on by 1
_STILL = 1e-9  # margins that a step moves by less are those of the minimiser, as the next would move by the square
_UNLIKE = 1e3  # how often the smallest feature is in the largest
_RANK = 1e-10  # of a column's length: what is left of it beside others, where it is a combination of them


@dataclass(frozen=True, eq=False)
class EmpiricalRisk(Objective):
    """f(theta) = (1/n) sum_i phi(x_i . theta, y_i) + l2/2 |theta|^2 over the samples of a data set.

    A joint loss: its coordinates are coupled. `finite_data` makes it.

    Parameters
    ----------
    model : Model
        phi.
    features : ndarray, shape (n, d) float64
        x_i, read-only.
    targets : ndarray, shape (n,) float64
        y_i, read-only; of two classes -1 and +1.
    l2 : float
    columns : tuple of str
        What messages call the features.
    classes : tuple
        The labels that are -1 and +1; empty where targets are numbers.
    """

    model: Model
    features: np.ndarray
    targets: np.ndarray
    l2: float
    columns: tuple[str, ...]
    classes: tuple
    joint = True
    matrix = None
    gradient = None  # of one coordinate
    value = None
    curvature = None
    parameters = _NO_NUMBERS
    coupling = _COUPLING

    @property
    def name(self):
        """What tables call it: the model's name."""
        return self.model.name

    @property
    def samples(self):
        """n."""
        return len(self.targets)

    @property
    def dimension(self):
        """d."""
        return self.features.shape[1]

    @property
    def slope(self):
        """phi' of one sample as a scalar function (margin, y)."""
        return self.model.slope

    @functools.cached_property
    def sha256(self):
        """The hexadecimal sha256 of the arrays' bytes, features first, as little-endian float64 in C order."""
        found = hashlib.sha256()
        for array in (self.features, self.targets):
            found.update(array.astype("<f8").tobytes())
        return found.hexdigest()

    def _each(self, function, theta):
        """Return a scalar function (margin, y) of every sample, shape (n,)."""
        margins = self.features @ np.asarray(theta, dtype=np.float64)
        return np.array([function(*each) for each in zip(margins.tolist(), self.targets.tolist(), strict=True)])

    def value_at(self, theta):
        """Return f(theta)."""
        return float(np.mean(self._each(self.model.phi, theta)) + 0.5 * self.l2 * np.dot(theta, theta))

    def sample_gradients_at(self, theta):
        """Return the gradients phi'(x_i . theta, y_i) x_i of the single samples, shape (n, d); l2 is not in them."""
        return self._each(self.model.slope, theta)[:, None] * self.features

    def gradient_at(self, theta):
        """Return grad f(theta), shape (d,)."""
        return self.sample_gradients_at(theta).mean(axis=0) + self.l2 * np.asarray(theta, dtype=np.float64)

    def hessian_at(self, theta):
        """Return the Hessian of f, (1/n) sum_i phi''(x_i . theta, y_i) x_i x_i^T + l2, shape (d, d)."""
        bends = self._each(self.model.bend, theta)
        return self.features.T @ (bends[:, None] * self.features) / self.samples + self.l2 * np.eye(self.dimension)

    @functools.cached_property
    def dependent(self):
        """The columns, by index, that are a combination of the others before them; l2 aside, f is flat along these.

        By Gram-Schmidt, twice over, on columns of length 1: a column is dependent where less than 1e-10 is left of it.
        """
        basis, found = np.zeros((self.dimension, self.samples)), []
        for j, column in enumerate(self.features.T):
            left, others = column / (np.linalg.norm(column) or 1.0), basis[: j - len(found)]
            for _ in range(2):
                left = left - (others @ left) @ others
            size = np.linalg.norm(left)
            if size < _RANK:
                found.append(j)
            else:
                basis[len(others)] = left / size
        return tuple(found)

    @functools.cached_property
    def minimiser(self):
        """The theta at which f is smallest, shape (d,): SciPy's trust region from 0, and a few last steps of Newton's.

        Raises
        ------
        ValueError
            There is none, as the classes are separable, or more than one, as features are collinear; l2 > 0 gives one.
        """
        if self.dependent and not self.l2:
            raise ValueError(f"loss {self.name!r} has no unique minimiser: {self._said_of_dependent()}")
        found = optimize.minimize(**self._scaled(), method="trust-exact", options={"gtol": _FLAT, "maxiter": _STEPS})
        theta = found.x * self._unit
        for _ in range(_LAST):  # to rounding, which f itself does not show
            step = self._newton(theta)
            theta, moved = theta + step, np.max(np.abs(self.features @ step))
            if moved < _STILL:
                return theta
        if self.l2:
            return theta
        raise ValueError(
            f"loss {self.name!r} with l2={self.l2:g} has no minimiser that Newton's method finds: the classes can be "
            "separated, or nearly so, and the loss falls for ever; l2 > 0 gives one"
        )

    @functools.cached_property
    def _unit(self):
        """Of each coordinate: with it the Hessian at 0, over f(0), has ones on its diagonal."""
        zero = np.zeros(self.dimension)
        diagonal = np.maximum(np.diag(self.hessian_at(zero)), np.finfo(np.float64).tiny)
        return np.sqrt((self.value_at(zero) or 1.0) / diagonal)

    def _scaled(self):
        """Return f over f(0), its gradient and Hessian in these units, as `scipy.optimize.minimize` takes them."""
        unit, size = self._unit, self.value_at(np.zeros(self.dimension)) or 1.0
        return {
            "fun": lambda z: self.value_at(unit * z) / size,
            "x0": np.zeros(self.dimension),
            "jac": lambda z: unit * self.gradient_at(unit * z) / size,
            "hess": lambda z: unit[:, None] * self.hessian_at(unit * z) * unit / size,
        }

    def _newton(self, theta):
        """Return Newton's step at theta, solved with ones on the Hessian's diagonal."""
        gradient, hessian = self.gradient_at(theta), self.hessian_at(theta)
        scale = 1.0 / np.sqrt(np.maximum(np.diag(hessian), np.finfo(np.float64).tiny))
        return -scale * np.linalg.lstsq(scale[:, None] * hessian * scale, scale * gradient, rcond=None)[0]

    @property
    def doubts(self):
        """What is odd in the data, a line each: features that are collinear with l2 = 0, or of different sizes."""
        found = []
        if self.dependent and not self.l2:
            found.append(f"the loss has no unique minimiser: {self._said_of_dependent()}")
        sizes = np.sqrt(np.mean(self.features**2, axis=0))
        most, least = int(np.argmax(sizes)), int(np.argmin(np.where(sizes > 0.0, sizes, np.inf)))
        if sizes[most] > _UNLIKE * sizes[least]:
            found.append(
                f"feature {self.columns[most]!r} is {sizes[most] / sizes[least]:.1e} times as large as "
                f"{self.columns[least]!r}, and so are their gradients; (x - mean) / std standardises features"
            )
        return tuple(found)

    def _said_of_dependent(self):
        """Return in words which features are combinations of others."""
        names = ", ".join(repr(self.columns[j]) for j in self.dependent[:4]) + ", .." * (len(self.dependent) > 4)
        one = len(self.dependent) == 1
        what = f"feature {names} is a combination" if one else f"features {names} are combinations"
        return f"{what} of those before, with l2={self.l2:g}; l2 > 0 gives one"


@dataclass(frozen=True, eq=False)
class SampleCovariance(CoupledCovariance):
    """Sigma(theta) = (1/n) sum_i (grad phi_i - grad f)(grad phi_i - grad f)^T, of a gradient of one sample.

    Equation (1) of arXiv 2205.10287; a minibatch of B samples with replacement has Sigma / B. l2 adds nothing to it.
    """

    risk: EmpiricalRisk
    name = "minibatch"
    parameters = _NO_NUMBERS
    coupling = _COUPLING

    @property
    def dimension(self):
        """d."""
        return self.risk.dimension

    def root_at(self, theta):
        """Return R, shape (d, n), with R R^T = Sigma: centred gradients of the samples over sqrt(n)."""
        each = self.risk.sample_gradients_at(theta)
        return (each - each.mean(axis=0)).T / np.sqrt(self.risk.samples)

    def covariance_at(self, theta):
        """Return Sigma(theta), shape (d, d)."""
        root = self.root_at(theta)
        return root @ root.T
