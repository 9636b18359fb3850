"""Lion and its SDE, in the clock t = k eta^2.

With h = eta^2 and sigma = sigma0 / eta, sign(beta1 m + (1 - beta1) g) is the sign of h (f' + b m) + sqrt(h) sigma0 z,
b = beta1 / (1 - beta1), exactly (docs/theory.md, "Signs").
"""

import math

from ngos_sim.arithmetic import fma, sign
from ngos_sim.identity import built_in
from ngos_sim.oracles.noises import gaussian
from ngos_sim.processes.conventions import OF_LION, OF_SDES
from ngos_sim.processes.domain import Domain, within
from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.processes.sde import SDE
from ngos_sim.validation import described, known_keywords, number

_RHO = math.sqrt(2.0 / math.pi)  # E |zeta|, and twice the density of zeta at 0: of Gaussian noise the same
_REST = math.sqrt(1.0 - 2.0 / math.pi)


def _schedule(k, h, p):
    """Return h, sqrt(h) sigma0, beta1 / (1 - beta1)."""
    return h, math.sqrt(h) * p.sigma0, p.beta1 / (1.0 - p.beta1)


def _step(x, o, z, c, p):
    theta, m = x
    noise = c[1] * z
    s = sign(fma(c[0], fma(c[2], m, o.gradient), noise))
    theta = fma(-p.eta, s, fma(-p.w0 * c[0], theta, theta))
    return theta, fma(p.c2, fma(c[0], o.gradient - m, noise), m)


@built_in
@known_keywords(**OF_LION)
def lion(sigma0: float, beta1: float, c2: float, w0: float = 0.0) -> Optimizer:
    """Lion with fixed beta1, scaled (arXiv 2302.06675, Algorithm 2).

        theta' = theta - sqrt(h) sign(h (f' + beta1 / (1 - beta1) m) + sqrt(h) sigma0 z) - h w0 theta
        m' = m + c2 (h (f' - m) + sqrt(h) sigma0 z)

    Lion's update of theta is by the old m. Slots (theta, m), clock "eta2".

    Parameters
    ----------
    sigma0 : float
        sigma eta.
    beta1 : float
        The weight of m in the sign, from 0 to below 1; it does not move with eta.
    c2 : float
        (1 - beta2) / eta^2, a rate per unit of time t = k eta^2.
    w0 : float
        Decoupled weight decay over eta, so that theta decays by the rate w0 per unit of time.

    Raises
    ------
    ValueError
        A constant is out of range.

    Examples
    --------
    >>> lion(sigma0=0.8, beta1=0.9, c2=1.3).slots
    ('theta', 'm')
    """
    constants = dict(
        sigma0=number("sigma0", sigma0, "positive", above=0.0),
        beta1=number("beta1", beta1, "from 0 to below 1", least=0.0),
        c2=number("c2", c2, "positive", above=0.0),
        w0=number("w0", w0, "non-negative", least=0.0),
    )
    if beta1 >= 1.0:
        raise ValueError(f"beta1={described(beta1)} must be from 0 to below 1")
    return Optimizer("lion", _step, ("theta", "m"), _schedule, **constants)


def _drift(x, o, c, p):
    theta, m = x
    pull = fma(c[0], m, o.gradient)
    return -_RHO * pull / (p.sigma0 * math.sqrt(o.variance)) - p.w0 * theta, p.c2 * (o.gradient - m)


def _diffusion(x, o, c, p):
    return (-_RHO / math.sqrt(o.variance), p.c2 * p.sigma0), (-_REST, 0.0)


def _sde_schedule(t, p):
    return (p.beta1 / (1.0 - p.beta1),)


@built_in
@known_keywords(**OF_SDES)
def lion_sde() -> SDE:
    """The SDE of Lion (derived in docs/theory.md, "Signs").

        d theta = -(rho / (sigma0 s) (f' + b m) + w0 theta) dt - rho dW - sqrt(1 - rho^2) dB
        dm = c2 (f' - m) dt + c2 sigma0 s dW
        rho = sqrt(2 / pi), b = beta1 / (1 - beta1)

    s = Sigma^(1/2) of the coordinate. Clock "eta2", order 1, two Brownian motions: what a sign shares with the noise of
    m is rho of it. For Gaussian noise that is independent in each coordinate: of another law the drift has twice its
    density at 0 for rho, the noise E |zeta|. Constants come from the optimizer; at c2 = 0 and m = 0 it would be the SDE
    of SignSGD at sigma = sigma0 / eta, d theta = -rho / (sigma0 s) f' dt - dW.

    Examples
    --------
    >>> lion_sde().slots, lion_sde().channels
    (('theta', 'm'), 2)
    """
    sde = SDE("lion", _drift, _diffusion, ("theta", "m"), _sde_schedule, channels=2)
    return within(Domain(gaussian(), independent=True), sde)
