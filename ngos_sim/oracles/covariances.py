"""Covariances that couple coordinates and depend on the state: Sigma(theta) = R(theta) R(theta)^T, R given by rows.

`oracles.ngos.NGOS` takes one as its covariance.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ngos_sim.oracles import joint
from ngos_sim.oracles.objective import CoupledCovariance
from ngos_sim.validation import checked_function, checked_name, keep, known_keywords, named_numbers

_POINTS = 1.3717 * 10.0 ** np.arange(-8.0, 9.0, 2.0)  # sizes of theta at which a root is tried


@known_keywords()
@dataclass(frozen=True, init=False, eq=False)
class Covariance(CoupledCovariance):
    """A covariance that couples coordinates and depends on the state, Sigma(theta) = R(theta) R(theta)^T.

    The noise of a query is z = R(theta) zeta. Of Gaussian zeta its law is that of the symmetric root; of any other it
    depends on R itself. Definition 2.5 of arXiv 2205.10287 asks that the root be bounded, Lipschitz and smooth.

    Parameters
    ----------
    name : str
        What tables and `study.json` call it.
    root : function (theta, p) -> tuple of tuple of float
        The rows of R, d of d numbers each; theta is a tuple of d floats, and p holds the parameters by name.
    dimension : int
        d, 2 to 16.
    **parameters : float
        Its own numbers.

    Raises
    ------
    ValueError, TypeError
        A parameter is not a finite number, or the function does not return d rows of d numbers.

    Examples
    --------
    >>> import math, ngos_sim as ns
    >>> leaning = ns.Covariance(
    ...     "leaning",
    ...     lambda theta, p: ((1.0, 0.0), (p.lean * math.tanh(theta[0]), 1.0)),
    ...     dimension=2,
    ...     lean=0.5,
    ... )
    >>> leaning.covariance_at([0.0, 1.0])
    array([[1., 0.],
           [0., 1.]])
    """

    name: str
    root: Callable
    dimension: int
    parameters: Mapping[str, float]

    def __init__(self, name: str, root: Callable, dimension: int, **parameters: float) -> None:
        owner = f"covariance {checked_name('Covariance', name)!r}"
        dimension, held = joint.checked_dimension(owner, dimension), named_numbers(owner, parameters)
        checked_function(owner, "root", root)
        spread = 1.0 + 0.3 * np.arange(dimension)
        for sign, size in ((sign, size) for size in (0.0, *_POINTS.tolist()) for sign in (1.0, -1.0)):
            joint.defined(joint.matrix, owner, "root", root, tuple((sign * size * spread).tolist()), held)
        keep(self, name=name, root=root, dimension=dimension, parameters=held)

    @property
    def coupling(self) -> str:  # type: ignore[override]
        """Why no moments are known of it, as a clause."""
        return f"covariance {self.name!r} couples coordinates and depends on the state"

    def covariance_at(self, theta: ArrayLike) -> np.ndarray:
        """Return Sigma(theta), shape (d, d); theta : a number a coordinate."""
        root = joint.matrix(
            f"covariance {self.name!r}", "root", self.root, joint.at(theta, self.dimension), self.parameters
        )
        return root @ root.T
