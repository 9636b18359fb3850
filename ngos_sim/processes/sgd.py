"""SGD, heavy ball and Nesterov's method in the clock t = k eta, each with its SDEs of orders 1 and 2.

The noise of a step is of the size of h = eta and enters the SDEs as sqrt(h): p.sigma is the noise scale of the
gradient g = f' + sigma z. Studies and files name what is here (`studies.kinds`).
(docs/theory.md, "SGD and momentum".)
"""

import math

from ngos_sim.arithmetic import fma
from ngos_sim.identity import built_in
from ngos_sim.processes.conventions import OF_MOMENTUM, OF_SDES, OF_SGD
from ngos_sim.processes.domain import Domain, within
from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.processes.sde import SDE
from ngos_sim.validation import known_keywords, number, order_among

_THETA, _THETA_V = ("theta",), ("theta", "v")


def _checked(**constants):
    """Return constants; raise ValueError for a sigma that is not positive or a mu that is negative."""
    number("sigma", constants["sigma"], "positive", above=0.0)
    if "mu" in constants:
        number("mu", constants["mu"], "non-negative", least=0.0)
    return constants


def _of_order(order, first, second):
    """Return what an SDE of this order has; raise ValueError for an order that there is not."""
    return first if order_among(order, (1, 2)) == 1 else second


def _sgd(x, o, z, c, p):
    return (fma(-p.h, fma(p.sigma, z, o.gradient), x[0]),)


@built_in
@known_keywords(**OF_SGD)
def sgd(sigma: float) -> Optimizer:
    """Stochastic gradient descent (arXiv 1811.01558).

        theta' = theta - eta g
        g = f' + sigma z

    Parameters
    ----------
    sigma : float
        The noise scale of a gradient.

    Raises
    ------
    ValueError
        sigma is not positive.

    Examples
    --------
    >>> sgd(sigma=0.5).clock
    'eta'
    """
    return Optimizer("sgd", _sgd, _THETA, clock="eta", **_checked(sigma=sigma))


def _sgd_drift(x, o, c, p):
    return (-o.gradient,)


def _sgd_drift_of_order_two(x, o, c, p):
    return (-fma(0.5 * p.h, o.hessian_gradient, o.gradient),)


def _flipped_drift(x, o, c, p):
    return (fma(0.5 * p.h, o.hessian_gradient, -o.gradient),)


def _sgd_diffusion(x, o, c, p):
    return (-p.sigma * math.sqrt(p.h),)


@built_in
@known_keywords(**OF_SDES)
def sgd_sde(order: int = 1) -> SDE:
    """The SDE of SGD, of order 1 or 2 (arXiv 1511.06251 and 1811.01558; docs/theory.md, "SGD and momentum").

        order 1: d theta = -f' dt + sqrt(eta) sigma Sigma^(1/2) dW
        order 2: d theta = -(f' + (eta / 2) H f') dt + sqrt(eta) sigma Sigma^(1/2) dW

    The drift of order 2 is -grad(f + (eta / 4) |grad f|^2), the modified equation.

    The clock is t = k eta. For eta to 0 order 2 degenerates to order 1, and that to the gradient flow, which is of
    order 1 as well: a slope of 1 does not test the noise. Order 2 serves Hessians that are matrices too.

    Parameters
    ----------
    order : 1 or 2
        Of its weak error, in eta.

    Raises
    ------
    ValueError
        order is neither 1 nor 2.

    Examples
    --------
    >>> sgd_sde(order=2).name, sgd_sde(order=2).slots
    ('sgd order 2', ('theta',))
    """
    drift = _of_order(order, _sgd_drift, _sgd_drift_of_order_two)
    return SDE(f"sgd order {order}", drift, _sgd_diffusion, _THETA, refinement=order)


@built_in
@known_keywords(**OF_SDES)
def flipped_sgd_sde() -> SDE:
    """The SDE of SGD with the sign of order 2 flipped (arXiv 2506.00181; docs/theory.md, "SGD and momentum").

        d theta = -(f' - (eta / 2) H f') dt + sqrt(eta) sigma Sigma^(1/2) dW

    Made to show the limit of the step size. In the clock t = k eta it is of order 1, with exactly twice the constant of
    `sgd_sde(order=1)`, to which it degenerates for eta to 0.

    Examples
    --------
    >>> flipped_sgd_sde().slots
    ('theta',)
    """
    return SDE("flipped-sgd", _flipped_drift, _sgd_diffusion, _THETA)


def _moved(x, p, g):
    """Return theta' and v' of a momentum step with the noisy gradient g."""
    theta, v = x
    v = fma(-p.h, fma(p.mu, v, g), v)
    return fma(p.h, v, theta), v


def _heavy_ball(x, o, z, c, p):
    return _moved(x, p, fma(p.sigma, z, o.gradient))


@built_in
@known_keywords(**OF_MOMENTUM)
def heavy_ball(sigma: float, mu: float) -> Optimizer:
    """SGD with heavy-ball momentum (Polyak 1964; scaled as in arXiv 1511.06251).

        v' = v - eta (mu v + g)
        theta' = theta + eta v'
        g = f' + sigma z

    That is momentum 1 - mu eta at the learning rate
    eta^2, v = -eta times the buffer that practitioners keep.

    Parameters
    ----------
    sigma : float
        The noise scale of a gradient.
    mu : float
        The friction, (1 - momentum) / eta.

    Raises
    ------
    ValueError
        sigma is not positive or mu is negative.

    Examples
    --------
    >>> heavy_ball(sigma=0.5, mu=0.9).slots
    ('theta', 'v')
    """
    return Optimizer("heavy-ball", _heavy_ball, _THETA_V, clock="eta", **_checked(sigma=sigma, mu=mu))


def _nesterov(x, o, z, c, p):
    ahead = p.h * fma(-p.h, p.mu, 1.0) * x[1]
    return _moved(x, p, fma(p.sigma, z, fma(o.curvature, ahead, o.gradient)))


@built_in
@known_keywords(**OF_MOMENTUM)
def nesterov(sigma: float, mu: float) -> Optimizer:
    """SGD with Nesterov's momentum (arXiv 1811.01558; scaled as `heavy_ball`).

        v' = v - eta (mu v + g)
        theta' = theta + eta v'
        g = f'(theta + eta (1 - mu eta) v) + sigma z

    The gradient is taken ahead, at theta plus the momentum's own step. It is computed as f'(theta) + f''(theta) eta (1
    - mu eta) v, which is exact for linear and for diagonal quadratic losses: a study on any other loss is refused.

    Parameters
    ----------
    sigma, mu : float
        As for `heavy_ball`.

    Raises
    ------
    ValueError
        sigma is not positive or mu is negative.

    Examples
    --------
    >>> nesterov(sigma=0.5, mu=1.0).slots
    ('theta', 'v')
    """
    made = Optimizer("nesterov", _nesterov, _THETA_V, clock="eta", **_checked(sigma=sigma, mu=mu))
    return within(Domain(separable_quadratic=True), made)


def _momentum_drift(x, o, c, p):
    return x[1], -fma(p.mu, x[1], o.gradient)


def _momentum_drift_of_order_two(x, o, p, bend):
    """Return the drift of order 2; bend is H v for heavy ball, -H v for Nesterov."""
    pull, half = fma(p.mu, x[1], o.gradient), 0.5 * p.h
    return fma(-half, pull, x[1]), -fma(half, fma(p.mu, pull, -bend), pull)


def _heavy_ball_drift_of_order_two(x, o, c, p):
    return _momentum_drift_of_order_two(x, o, p, o.curvature * x[1])


def _nesterov_drift_of_order_two(x, o, c, p):
    return _momentum_drift_of_order_two(x, o, p, -o.curvature * x[1])


def _momentum_diffusion(x, o, c, p):
    return 0.0, -p.sigma * math.sqrt(p.h)


@built_in
@known_keywords(**OF_SDES)
def heavy_ball_sde(order: int = 1) -> SDE:
    """The SDE of heavy ball, of order 1 or 2 (arXiv 1511.06251; docs/theory.md, "SGD and momentum").

        order 1: d theta = v dt
        order 1: dv = -(mu v + f') dt + sqrt(eta) sigma Sigma^(1/2) dW
        order 2: d theta = (v - (eta / 2) (mu v + f')) dt
        order 2: dv = -(mu v + f' + (eta / 2) (mu^2 v + mu f' - H v)) dt + sqrt(eta) sigma Sigma^(1/2) dW

    The clock is t = k eta. For eta to 0 order 2 degenerates to order 1, and that to the damped Hamiltonian flow.
    Order 2 reads H v as f''_i v_i: it serves losses that are sums over coordinates.

    Parameters
    ----------
    order : 1 or 2
        Of its weak error, in eta.

    Raises
    ------
    ValueError
        order is neither 1 nor 2.

    Examples
    --------
    >>> heavy_ball_sde(order=2).name
    'heavy-ball order 2'
    """
    drift = _of_order(order, _momentum_drift, _heavy_ball_drift_of_order_two)
    return SDE(f"heavy-ball order {order}", drift, _momentum_diffusion, _THETA_V, refinement=order)


@built_in
@known_keywords(**OF_SDES)
def nesterov_sde(order: int = 1) -> SDE:
    """The SDE of Nesterov's method, of order 1 or 2 (derived in docs/theory.md, "SGD and momentum").

        order 1: d theta = v dt
        order 1: dv = -(mu v + f') dt + sqrt(eta) sigma Sigma^(1/2) dW
        order 2: d theta = (v - (eta / 2) (mu v + f')) dt
        order 2: dv = -(mu v + f' + (eta / 2) (mu^2 v + mu f' + H v)) dt + sqrt(eta) sigma Sigma^(1/2) dW

    Order 1 is that of heavy ball. The clock is t = k eta. Order 2 is heavy ball's but for the sign of H v; for eta to 0
    it degenerates to order 1. It serves losses that are sums over coordinates.

    Parameters
    ----------
    order : 1 or 2
        Of its weak error, in eta.

    Raises
    ------
    ValueError
        order is neither 1 nor 2.

    Examples
    --------
    >>> nesterov_sde().name
    'nesterov order 1'
    """
    drift = _of_order(order, _momentum_drift, _nesterov_drift_of_order_two)
    return SDE(f"nesterov order {order}", drift, _momentum_diffusion, _THETA_V, refinement=order)
