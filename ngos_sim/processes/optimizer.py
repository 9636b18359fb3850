"""The constructor of an optimizer, a user's or a built-in one, and the step sizes that it allows."""

import math

from ngos_sim.oracles.losses import is_number
from ngos_sim.processes.hyperparameters import Hyperparameters
from ngos_sim.processes.rule import Rule


class Optimizer(Rule):
    """A discrete optimizer in scaled variables; see `processes.rule` for the contract.

    Parameters
    ----------
    name, step, slots, schedule, **parameters
        As in `Rule`. A parameter named c1 or c2 is a rate: 1 - c h must be positive.

    Examples
    --------
    >>> import ngos_sim as ns
    >>> def step(x, o, z, c, p):
    ...     theta, m = x
    ...     m = m + p.c1 * (c[0] * (o.gradient - m) + c[1] * z)
    ...     return theta - c[0] * m, m
    >>> ns.Optimizer("momentum", step, slots=("theta", "m"), sigma0=1.0, c1=2.0).slots
    ('theta', 'm')
    """

    def at(self, eta2, u=0.0):
        """Return the hyperparameters at this eta2: lr, betas, eps, sigma and v0 = u sigma^2.

        Raises
        ------
        ValueError
            A beta would not be positive, or the optimizer is not a built-in one.
        """
        check_admissible(self.parameters, eta2)
        eta, p = math.sqrt(eta2), self.parameters
        betas = tuple(1.0 - p[c] * eta2 for c in ("c1", "c2") if c in p)
        sigma = p.get("sigma0", math.nan) / eta
        return Hyperparameters(self.name, eta, betas, p.get("eps0", 0.0) / eta, sigma, u * sigma * sigma)


def check_admissible(constants, eta2, where="eta2"):
    """Raise ValueError unless eta2 > 0 and every beta_i = 1 - c_i eta2 is positive."""
    if not is_number(eta2) or eta2 <= 0.0:
        raise ValueError(f"{where}={eta2!r} must be a positive number")
    for name, value in constants.items():
        if name in ("c1", "c2") and value * eta2 >= 1.0:
            hint = "; eta2 is eta^2: did you give eta?" if where == "eta2" and value * eta2 > 1.0 else ""
            raise ValueError(
                f"{where}={eta2:g} gives beta={1.0 - value * eta2:g}; "
                f"with {name}={value:g} it must be below {1.0 / value:g}{hint}"
            )
