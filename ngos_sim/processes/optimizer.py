"""The constructor of an optimizer, a user's or a built-in one, and the step sizes that it allows."""

import copy
import math

from ngos_sim.processes.hyperparameters import Hyperparameters
from ngos_sim.processes.rule import Rule
from ngos_sim.validation import known_keywords, number


@known_keywords()
class Optimizer(Rule):
    """A discrete optimizer, given by one step of one coordinate.

    The contract, which is longer in `ngos_sim.processes.rule`: step(x, o, z, c, p) -> x is plain Python on floats and
    tuples, without arrays, loops, random numbers or globals that change. It is compiled as it is, and
    `device="python"` calls it uncompiled.

        x   the coordinate's slots, a tuple of floats: (theta, u) for slots=("theta", "u")
        o   what the oracle says here: o.gradient, o.variance (Sigma_ii), o.curvature (f''_i), o.hessian_gradient
        z   the noise of this step, (Sigma^(1/2) zeta)_i without sigma: the noisy gradient is o.gradient + sigma z
        c   the row that schedule(k, h, p) gives for step k, a tuple of floats
        p   the parameters by name, and p.h, the time of one step, and p.eta, the learning rate

    Parameters
    ----------
    name : str
        What tables call it.
    step : function (x, o, z, c, p) -> x
    slots : sequence of str
        Names of x; the first is "theta".
    schedule : function (k, h, p) -> tuple of float, optional
        What depends on the step's number k, counted from time 0, such as bias corrections; run on the host. By default
        (h, sqrt(h) sigma0, sqrt(h) / sigma0) with the clock "eta2", an empty row with "eta".
    clock : "eta2" or "eta"
        Whether step k is at time t = k eta^2 (RMSprop, Adam) or t = k eta (SGD); h is eta^2 or eta.
    **parameters : float
        A parameter named c1 or c2 is a rate: 1 - c h must be positive. With the clock "eta2" a parameter
        sigma0 = sigma eta says that the oracle's noise scale is sigma0 / eta; with the clock "eta" a parameter sigma is
        that scale. A parameter w0 says to the built-in SDEs that the step has decoupled weight decay, - h w0 theta.

    Raises
    ------
    ValueError, TypeError
        One of these is not as described; the message names it, its value and what is allowed.

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

        ratio : the time of one of its steps over that of one of this one's, above 0
        """
        if self.clock == "eta2" or ratio == 1.0 or "sigma" not in self.parameters:
            return self
        other = copy.copy(self)
        scaled = {**self.parameters, "sigma": self.parameters["sigma"] / math.sqrt(ratio)}
        object.__setattr__(other, "parameters", scaled)
        return other

    def noise_scale(self, eta: float) -> float:
        """Return the oracle's sigma at a learning rate: sigma0 / eta, by the clock "eta" sigma; NaN if not given.

        eta : the learning rate, whatever the clock
        """
        if self.clock == "eta":
            return self.parameters.get("sigma", math.nan)
        return self.parameters.get("sigma0", math.nan) / eta

    def at(self, eta2: float, u: float = 0.0) -> Hyperparameters:
        """Return the hyperparameters at this eta2: lr, betas, eps, sigma, v0 = u sigma^2 and weight decay w0 eta.

        Parameters
        ----------
        eta2 : float
            The square of the learning rate.
        u : float
            v / sigma^2 at the start.

        Returns
        -------
        Hyperparameters

        Raises
        ------
        ValueError
            A beta would not be positive, or the optimizer is neither RMSprop nor Adam.

        Examples
        --------
        >>> import ngos_sim as ns
        >>> made = ns.rmsprop(sigma0=0.5, eps0=0.0, c2=1.0).at(eta2=0.25)
        >>> made.lr, made.betas, made.sigma
        (0.5, (0.75,), 1.0)
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
