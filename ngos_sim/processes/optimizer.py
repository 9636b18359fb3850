"""The constructor of an optimizer, a user's or a built-in one, and the step sizes that it allows."""

import copy
import math

from ngos_sim.processes.hyperparameters import Hyperparameters
from ngos_sim.processes.rule import Rule
from ngos_sim.validation import number


class Optimizer(Rule):
    """A discrete optimizer; see `processes.rule` for the contract.

    Parameters
    ----------
    name, step, slots, schedule, clock, **parameters
        As in `Rule`. A parameter named c1 or c2 is a rate: 1 - c h must be positive. With the clock "eta2" a
        parameter sigma0 = sigma eta says that the oracle's noise scale is sigma0 / eta; with the clock "eta" a
        parameter sigma is that scale. A parameter w0 says to the built-in SDEs that the step has decoupled weight
        decay, - h w0 theta.

    Examples
    --------
    >>> import ngos_sim as ns
    >>> def step(x, o, z, c, p):
    ...     theta, m = x
    ...     m = m + p.c1 * (c[0] * (o.gradient - m) + c[1] * z)
    ...     return theta - c[0] * m, m
    >>> ns.Optimizer("momentum", step, slots=("theta", "m"), sigma0=1.0, c1=2.0).slots
    ('theta', 'm')
    >>> def sgd(x, o, z, c, p):
    ...     return (x[0] - p.h * (o.gradient + p.sigma * z),)
    >>> ns.Optimizer("sgd", sgd, slots=("theta",), clock="eta", sigma=0.5).clock
    'eta'
    """

    def with_steps(self, ratio: float) -> "Optimizer":
        """Return the optimizer whose steps take `ratio` times the time, at the same point of a study.

        The noise of its SDE stays. By the clock "eta2" sigma0 says that already, and it is the same optimizer. By the
        clock "eta" it is sigma^2 h that stays: sigma becomes sigma / sqrt(ratio) (arXiv 2102.12470).
        """
        if self.clock == "eta2" or ratio == 1.0 or "sigma" not in self.parameters:
            return self
        other = copy.copy(self)
        scaled = {**self.parameters, "sigma": self.parameters["sigma"] / math.sqrt(ratio)}
        object.__setattr__(other, "parameters", scaled)
        return other

    def noise_scale(self, eta: float) -> float:
        """Return the oracle's sigma at a learning rate: sigma0 / eta, by the clock "eta" sigma; NaN if not given."""
        if self.clock == "eta":
            return self.parameters.get("sigma", math.nan)
        return self.parameters.get("sigma0", math.nan) / eta

    def at(self, eta2: float, u: float = 0.0) -> Hyperparameters:
        """Return the hyperparameters at this eta2: lr, betas, eps, sigma, v0 = u sigma^2 and weight decay w0 eta.

        Raises
        ------
        ValueError
            A beta would not be positive, or the optimizer is not a built-in one.
        """
        check_admissible(self.parameters, eta2)
        eta, p = math.sqrt(eta2), self.parameters
        betas = tuple(1.0 - p[c] * eta2 for c in ("c1", "c2") if c in p)
        sigma = self.noise_scale(eta)
        eps, decay = p.get("eps0", 0.0) / eta, p.get("w0", 0.0) * eta
        return Hyperparameters(self.name, eta, betas, eps, sigma, u * sigma * sigma, decay)


def check_admissible(constants, h, where="eta2"):
    """Raise ValueError unless h > 0 and every beta_i = 1 - c_i h is positive; `where` says what h was given as."""
    number(where, h, "a positive number", above=0.0)
    for name, value in constants.items():
        if name in ("c1", "c2") and value * h >= 1.0:
            hint = "; eta2 is eta^2: did you give eta?" if where == "eta2" and value * h > 1.0 else ""
            raise ValueError(
                f"{where}={h:g} gives beta={1.0 - value * h:g}; "
                f"with {name}={value:g} it must be below {1.0 / value:g}{hint}"
            )
