"""RMSprop and Adam at a noise scale that stays (arXiv 2509.21614's ballistic regime), each with its SDEs.

sigma, eps and c_i = (1 - beta_i) / eta are held fixed as eta -> 0, and v is not scaled. The clock is "eta": step k is
at time t = k eta, h = eta, and the noise enters the SDEs at sqrt(h) (docs/theory.md, "Ballistic RMSprop and Adam").

`studies.kinds` names what is here; tests hold it to the optimizers' exact one-step moments.
"""

import math

from ngos_sim.arithmetic import fma, preconditioner
from ngos_sim.identity import built_in
from ngos_sim.processes.conventions import OF_BALLISTIC, OF_SDES
from ngos_sim.processes.domain import EVERYWHERE, Domain, within
from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.processes.sde import SDE
from ngos_sim.validation import known_keywords, number, order_among

_SAME = 1e-6  # of the least fourth moment: by so much a rounded one may be below it


def _checked(eps, **positive):
    """Return an optimizer's parameters; raise ValueError for one out of its range."""
    eps = number("eps", eps, "non-negative", least=0.0)
    return {**{name: number(name, value, "positive", above=0.0) for name, value in positive.items()}, "eps": eps}


def _rmsprop_step(x, o, z, c, p):
    theta, v = x
    g = fma(p.sigma, z, o.gradient)
    return fma(-p.h * g, preconditioner(v, 1.0, p.eps), theta), fma(p.c2 * p.h, fma(g, g, -v), v)


@built_in
@known_keywords(**OF_BALLISTIC)
def ballistic_rmsprop(sigma: float, eps: float, c2: float) -> Optimizer:
    """RMSprop at a noise scale sigma that stays (arXiv 2509.21614, ballistic regime).

        theta' = theta - eta g / (sqrt(v) + eps)
        v' = v + c2 eta (g^2 - v)
        g = f' + sigma z

    The step divides by the root of v_k, and v is not scaled.

    Parameters
    ----------
    sigma, eps : float
        Noise scale and regulariser, the same at every eta.
    c2 : float
        (1 - beta) / eta, a rate per unit of time t = k eta.

    Examples
    --------
    >>> ballistic_rmsprop(sigma=0.5, eps=0.1, c2=1.3).slots
    ('theta', 'v')
    """
    parameters = _checked(eps, sigma=sigma, c2=c2)
    return Optimizer("ballistic-rmsprop", _rmsprop_step, ("theta", "v"), clock="eta", **parameters)


def _adam_schedule(k, h, p):
    """Return h sqrt(G2) / G1 and eps sqrt(G2), G1 = 1 - beta1^(k+1), G2 = 1 - beta2^k; at G2 = 0 (0, eps)."""
    first = -math.expm1((k + 1) * math.log1p(-p.c1 * h))
    root = math.sqrt(-math.expm1(k * math.log1p(-p.c2 * h)))
    return h * root / first, p.eps * root if root > 0.0 else p.eps


def _adam_step(x, o, z, c, p):
    theta, m, v = x
    speed, floor = c
    g = fma(p.sigma, z, o.gradient)
    m = fma(p.c1 * p.h, g - m, m)
    return fma(-speed * m, preconditioner(v, 1.0, floor), theta), m, fma(p.c2 * p.h, fma(g, g, -v), v)


@built_in
@known_keywords(**OF_BALLISTIC)
def ballistic_adam(sigma: float, eps: float, c1: float, c2: float) -> Optimizer:
    """Adam at a noise scale sigma that stays (arXiv 2509.21614, ballistic regime).

        m' = m + c1 eta (g - m), v' = v + c2 eta (g^2 - v)
        g = f' + sigma z
        theta' = theta - eta (m' / G1) / (sqrt(v / G2) + eps)
        G1 = 1 - beta1^(k + 1), G2 = 1 - beta2^k

    The step divides by the root of v_k, so that the step k = 0 moves m and v but not theta.

    Parameters
    ----------
    sigma, eps : float
        Noise scale and regulariser, the same at every eta.
    c1, c2 : float
        (1 - beta_i) / eta, rates per unit of time t = k eta.

    Examples
    --------
    >>> ballistic_adam(sigma=0.5, eps=0.1, c1=2.0, c2=1.3).slots
    ('theta', 'm', 'v')
    """
    parameters = _checked(eps, sigma=sigma, c1=c1, c2=c2)
    return Optimizer("ballistic-adam", _adam_step, ("theta", "m", "v"), _adam_schedule, clock="eta", **parameters)


def _kept(v):
    """Return v, or 0 where an integrator took it below 0: what is under a root, while v itself is left as it is."""
    return v if v > 0.0 else 0.0


def _bend(phi, v):
    """Return -phi'(v) = phi^2 / (2 sqrt(v)) of phi = 1 / (sqrt(v) + floor); 0 where v is not above 0."""
    return 0.5 * phi * phi / math.sqrt(v) if v > 0.0 else 0.0


def _excess(v, o, p):
    """Return E g^2 - v, which v relaxes by."""
    return o.gradient * o.gradient + p.sigma * p.sigma * o.variance - v


def _of_v(o, p):
    """Return what sqrt(h) c2 Sigma^(1/2) dW and sqrt(h) c2 dB are multiplied by in v.

    g^2 - E g^2 = 2 sigma f' z + sigma^2 (z^2 - S), z^2 - S = sqrt(S) third z + what is uncorrelated with z.
    """
    tilt = p.sigma * p.sigma * math.sqrt(o.variance) * p.third
    remainder = p.sigma * p.sigma * o.variance * math.sqrt(p.fourth - 1.0 - p.third * p.third)
    return 2.0 * p.sigma * o.gradient + tilt, remainder


def _rmsprop_drift(x, o, c, p):
    theta, v = x
    return -o.gradient * preconditioner(_kept(v), 1.0, p.eps), p.c2 * _excess(v, o, p)


def _rmsprop_corrected(x, o, c, p):
    theta, v = x
    phi, w, half = preconditioner(_kept(v), 1.0, p.eps), _excess(v, o, p), 0.5 * p.h
    slide = o.curvature * phi * o.gradient
    bent = phi * slide + p.c2 * w * _bend(phi, v) * o.gradient
    return -phi * o.gradient - half * bent, p.c2 * (w + half * (2.0 * o.gradient * slide + p.c2 * w))


def _rmsprop_still(x, o, c, p):
    return 0.0, 0.0


def _rmsprop_first(x, o, c, p):
    theta, v = x
    return -math.sqrt(p.h) * p.sigma * preconditioner(_kept(v), 1.0, p.eps), 0.0


def _rmsprop_second(x, o, c, p):
    theta, v = x
    size = math.sqrt(p.h)
    line, remainder = _of_v(o, p)
    of_theta = -size * p.sigma * preconditioner(_kept(v), 1.0, p.eps)
    return (of_theta, size * p.c2 * line), (0.0, size * p.c2 * remainder)


def _adam_scale(t, p):
    """Return sqrt(g2) / g1 and eps sqrt(g2), g_i = 1 - exp(-c_i t)."""
    if not t > 0.0:
        raise ValueError(f"t0={t:g}: the SDEs of ballistic Adam start at t0 > 0, as sqrt(g2) / g1 is infinite at t = 0")
    root = math.sqrt(-math.expm1(-p.c2 * t))
    return root / -math.expm1(-p.c1 * t), p.eps * root


def _adam_corrections(t, p):
    """Return `_adam_scale`, and a and b of the drift's h q m (a + b phi): m (q_t / 2 - q1).

    q1 is the term of order h of q at G1 = 1 - beta1^(k+1) and G2 = 1 - beta2^k, t = k h.
    """
    scale, floor = _adam_scale(t, p)
    first, second = (-math.expm1(-c * t) for c in (p.c1, p.c2))
    of_first = 0.5 * p.c1 * math.exp(-p.c1 * t) * (p.c1 * t + 1.0) / first
    of_second = 0.5 * p.c2 * math.exp(-p.c2 * t) * (p.c2 * t - 1.0) / second
    return scale, floor, of_first - 0.5 * of_second, 0.5 * floor * of_second


def _adam_drift(x, o, c, p):
    theta, m, v = x
    scale, floor = c
    return -scale * m * preconditioner(_kept(v), 1.0, floor), p.c1 * (o.gradient - m), p.c2 * _excess(v, o, p)


def _adam_corrected(x, o, c, p):
    theta, m, v = x
    scale, floor, still, moving = c
    phi, w, half = preconditioner(_kept(v), 1.0, floor), _excess(v, o, p), 0.5 * p.h
    speed, gap = scale * phi * m, p.c1 * (o.gradient - m)
    lag = half * scale * (phi * gap + m * p.c2 * w * _bend(phi, v))
    slide = o.curvature * speed
    return (
        -speed + p.h * speed * (still + moving * phi) - lag,
        gap + half * p.c1 * (slide + gap),
        p.c2 * (w + half * (2.0 * o.gradient * slide + p.c2 * w)),
    )


def _adam_still(x, o, c, p):
    return 0.0, 0.0, 0.0


def _adam_first(x, o, c, p):
    return 0.0, math.sqrt(p.h) * p.c1 * p.sigma, 0.0


def _adam_second(x, o, c, p):
    size = math.sqrt(p.h)
    line, remainder = _of_v(o, p)
    return (0.0, size * p.c1 * p.sigma, size * p.c2 * line), (0.0, 0.0, size * p.c2 * remainder)


def _of_order(order, third, fourth):
    """Return which of three equations is asked for, what its SDE has beside its functions, and its Domain."""
    order = order_among(order, (0, 1, 2))
    third = number("third", third, "a finite number")
    least = 1.0 + third * third
    kind = f"at least 1 + third^2 = {least:g}, as that of every law is"
    fourth = max(number("fourth", fourth, kind, least=least * (1.0 - _SAME)), least)
    if order < 2:
        return order, {}, EVERYWHERE
    domain = Domain(moments=(third, fourth), independent=True, constant=True)
    return order, dict(channels=2, refinement=2, third=third, fourth=fourth), domain


@built_in
@known_keywords(**OF_SDES)
def ballistic_rmsprop_sde(order: int = 1, *, third: float = 0.0, fourth: float = 3.0) -> SDE:
    """The SDEs of ballistic RMSprop (arXiv 2509.21614; derived in docs/theory.md, "Ballistic RMSprop and Adam").

        order 0: d theta = -phi f' dt, dv = c2 w dt
        order 1: d theta = -phi f' dt - sqrt(h) phi sigma Sigma^(1/2) dW, dv = c2 w dt
        order 2: d theta = -(phi f' + (h / 2) (phi^2 f'' f' + c2 phi^2 / (2 sqrt(v)) f' w)) dt
            - sqrt(h) phi sigma Sigma^(1/2) dW
        order 2: dv = c2 (w + (h / 2) (2 f'^2 f'' phi + c2 w)) dt
            + sqrt(h) c2 ((2 sigma f' + sigma^2 S^(1/2) third) Sigma^(1/2) dW + sigma^2 S k dB)
        phi = 1 / (sqrt(v) + eps), w = f'^2 + sigma^2 S - v
        order 2: k^2 = fourth - 1 - third^2

    h = eta, the clock being "eta"; S is Sigma_ii, B independent of W. Order 0, the ODE of Ma, Wu and E (arXiv
    2009.06125) with E g^2 for f'^2, has weak order 1 as order 1 has: in this clock the noise is of the order of the
    error. Without its terms of order h and its noise in v order 2 is order 1. An integrator may take v below 0: sqrt(v)
    is then 0, and v is left as it is. At v = 0 the equations of order 2 are singular.

    Parameters
    ----------
    order : 0, 1 or 2
    third, fourth : float
        E zeta^3 and E zeta^4 of the noise law, which order 2 alone reads: a study warns where its law has others, and
        where the covariance is a matrix or a function of theta. A Hessian that is a matrix is refused.

    Raises
    ------
    ValueError
        Another order, or fourth below 1 + third^2, which no law has.

    Examples
    --------
    >>> ballistic_rmsprop_sde(order=2).name, ballistic_rmsprop_sde(order=2).channels
    ('ballistic-rmsprop order 2', 2)
    """
    order, more, domain = _of_order(order, third, fourth)
    drift = (_rmsprop_drift, _rmsprop_drift, _rmsprop_corrected)[order]
    diffusion = (_rmsprop_still, _rmsprop_first, _rmsprop_second)[order]
    return within(domain, SDE(f"ballistic-rmsprop order {order}", drift, diffusion, ("theta", "v"), **more))


@built_in
@known_keywords(**OF_SDES)
def ballistic_adam_sde(order: int = 1, *, third: float = 0.0, fourth: float = 3.0) -> SDE:
    """The SDEs of ballistic Adam (arXiv 2509.21614; derived in docs/theory.md, "Ballistic RMSprop and Adam").

        order 0: d theta = -q m dt, dm = c1 (f' - m) dt, dv = c2 w dt
        order 1: d theta = -q m dt, dm = c1 (f' - m) dt + sqrt(h) c1 sigma Sigma^(1/2) dW, dv = c2 w dt
        order 2: d theta = (-q m + h (-q1 m + (m q_t - q c1 (f' - m) + m q_v c2 w) / 2)) dt
        order 2: dm = c1 ((f' - m) + (h / 2) (f'' q m + c1 (f' - m))) dt + sqrt(h) c1 sigma Sigma^(1/2) dW
        order 2: dv = c2 (w + (h / 2) (2 f' f'' q m + c2 w)) dt
            + sqrt(h) c2 ((2 sigma f' + sigma^2 S^(1/2) third) Sigma^(1/2) dW + sigma^2 S k dB)
        phi = 1 / (sqrt(v) + eps sqrt(g2)), q = phi sqrt(g2) / g1
        g_i = 1 - exp(-c_i t), w = f'^2 + sigma^2 S - v
        order 2: k^2 = fourth - 1 - third^2

    h = eta, the clock being "eta", from a time t0 > 0 on; S is Sigma_ii, B independent of W, and h q1 what q at G1 = 1
    - beta1^(k+1) and G2 = 1 - beta2^k has beyond q. Order 0 is the ODE of Barakat and Bianchi (arXiv 1810.02263) with
    S(theta) = E g^2; it has weak order 1 as order 1 has. Without its terms of order h and its noise in v order 2 is
    order 1.

    Order (0, 1, 2), third, fourth, refusals, warnings and v below 0 are as for `ballistic_rmsprop_sde`.

    Examples
    --------
    >>> ballistic_adam_sde(order=1).name
    'ballistic-adam order 1'
    """
    order, more, domain = _of_order(order, third, fourth)
    drift = (_adam_drift, _adam_drift, _adam_corrected)[order]
    diffusion = (_adam_still, _adam_first, _adam_second)[order]
    schedule = (_adam_scale, _adam_scale, _adam_corrections)[order]
    return within(domain, SDE(f"ballistic-adam order {order}", drift, diffusion, ("theta", "m", "v"), schedule, **more))
