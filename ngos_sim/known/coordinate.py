"""One coordinate of a study with an affine gradient and a constant diagonal Sigma: what is known of it is found there.

`studies.problems` makes them; `known.probing` and `known.constants` take them.
"""

from dataclasses import dataclass

from ngos_sim.processes.rule import Oracle


@dataclass(frozen=True)
class Coordinate:
    """One coordinate of a study: gradient hessian theta + slope, variance Sigma_ii, start and time, constants by name.

    h : the time of one step of the optimizer, which coefficients may read
    """

    hessian: float
    slope: float
    variance: float
    start: tuple[float, ...]
    t0: float
    end: float
    constants: dict[str, float]
    h: float

    @property
    def span(self):
        """The time, in words."""
        return f"from t={self.t0:g} to {self.end:g}"

    def oracle(self, theta):
        """Return the Oracle at theta."""
        gradient = self.hessian * theta + self.slope
        return Oracle(gradient, self.variance, self.hessian, self.hessian * gradient)
