"""RMSprop and Adam in scaled variables, each with its SDE.

With h = eta^2 and u = v / sigma^2 the definitions of arXiv 2205.10287 become, exactly,

    d  = h f' + sqrt(h) sigma0 z           (h times the noisy gradient)
    w  = z + sqrt(h) f' / sigma0           (the noisy gradient over sigma)
    u' = u + c2 h (w^2 - u)

(docs/theory.md, "Scaled variables" and, for the SDEs, "The SDEs".) Steps and drifts named rmspropw and adamw have
decoupled weight decay (docs/theory.md, "Weight decay").
"""

import math

from ngos_sim.arithmetic import fma, preconditioner
from ngos_sim.identity import built_in
from ngos_sim.processes.conventions import OF_SDES, UNSCALED, checked
from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.processes.rule import has_bias_correction, with_expansion_of
from ngos_sim.processes.sde import SDE, with_decay
from ngos_sim.processes.weight_decay import decayed, decaying, has_weight_decay
from ngos_sim.validation import known_keywords


def _corrections(k, h, p, c1=0.0):
    """Return (sqrt(G2), G1) after k gradients, G_i = 1 - beta_i^k (m has one more); (1, 1) without correction."""
    if not has_bias_correction(vars(p)):
        return 1.0, 1.0
    first = -math.expm1((k + 1) * math.log1p(-c1 * h)) if c1 else 1.0
    return math.sqrt(-math.expm1((k + p.updated) * math.log1p(-p.c2 * h))), first


def _eps(root, p):
    """Return eps0 sqrt(G2); at G2 = 0, where the step is zero whatever it is, eps0: no 0/0 at u = 0."""
    return p.eps0 * root if root > 0.0 else p.eps0


def _step(parameters, previous, updated, decayed_previous, decayed_updated):
    """Return the step of an optimizer's convention, with weight decay where it has w0."""
    if has_weight_decay(parameters):
        return decayed_updated if parameters["updated"] else decayed_previous
    return updated if parameters["updated"] else previous


def _rmsprop_schedule(k, h, p):
    """Return sqrt(G2) (h, sqrt(h) sigma0), sqrt(h)/sigma0, c2 h, eps0 sqrt(G2)."""
    root, _ = _corrections(k, h, p)
    eta = math.sqrt(h)
    return root * h, root * eta * p.sigma0, eta / p.sigma0, p.c2 * h, _eps(root, p)


def _rmsprop_previous(x, o, z, c, p):
    theta, u = x
    d = fma(c[0], o.gradient, c[1] * z)
    w = fma(c[2], o.gradient, z)
    return fma(-d, preconditioner(u, p.sigma0, c[4]), theta), fma(c[3], fma(w, w, -u), u)


def _rmsprop_updated(x, o, z, c, p):
    theta, u = x
    d = fma(c[0], o.gradient, c[1] * z)
    w = fma(c[2], o.gradient, z)
    u = fma(c[3], fma(w, w, -u), u)
    return fma(-d, preconditioner(u, p.sigma0, c[4]), theta), u


def _rmspropw_previous(x, o, z, c, p):
    return decayed(_rmsprop_previous(x, o, z, c, p), x, p)


def _rmspropw_updated(x, o, z, c, p):
    return decayed(_rmsprop_updated(x, o, z, c, p), x, p)


@built_in
@known_keywords(**UNSCALED)
def rmsprop(
    sigma0: float,
    eps0: float,
    c2: float,
    w0: float = 0.0,
    *,
    second_moment: str = "previous",
    bias_correction: bool = False,
) -> Optimizer:
    """RMSprop (Definition 2.1 of arXiv 2205.10287), scaled.

        theta' = theta - d / (sigma0 sqrt(u) + eps0)
        u' = (1 - c2 h) u + c2 h w^2
        d = h f' + sqrt(h) sigma0 z
        w = z + sqrt(h) f' / sigma0

    eps is outside the root. With w0 theta' has - h w0 theta as well, decoupled weight decay: RMSpropW.

    Parameters
    ----------
    sigma0, eps0 : float
        sigma eta and eps eta.
    c2 : float
        (1 - beta) / eta^2, a rate per unit of time t = k eta^2.
    w0 : float
        w / eta of a weight decay w, theta <- theta (1 - eta w): a rate per unit of time.
    second_moment : "previous" or "updated"
        Divide by the root of v_k (the paper) or of v_{k+1} (PyTorch, Optax; the paper's footnote 2).
    bias_correction : bool
        Divide v by 1 - beta^k ("updated": 1 - beta^(k+1)). With "previous" the step k = 0 then moves u
        but not theta.

    Raises
    ------
    ValueError
        An unknown convention or a constant out of range.

    Examples
    --------
    >>> rmsprop(sigma0=0.8, eps0=0.0, c2=1.3).at(2**-6).betas
    (0.9796875,)
    """
    parameters = checked(second_moment, bias_correction, sigma0=sigma0, eps0=eps0, c2=c2, w0=w0)
    step = _step(parameters, _rmsprop_previous, _rmsprop_updated, _rmspropw_previous, _rmspropw_updated)
    return with_expansion_of("rmsprop", Optimizer("rmsprop", step, ("theta", "u"), _rmsprop_schedule, **parameters))


def _rmsprop_sde_schedule(t, p):
    """Return sqrt(g2) and eps0 sqrt(g2) (eps0 where g2 = 0), g2 = 1 - exp(-c2 t); without correction 1 and eps0."""
    root = math.sqrt(-math.expm1(-p.c2 * t)) if has_bias_correction(vars(p)) else 1.0
    return root, p.eps0 * root if root > 0.0 else p.eps0


def _rmsprop_drift(x, o, c, p):
    theta, u = x
    return -o.gradient * c[0] * preconditioner(u, p.sigma0, c[1]), p.c2 * (o.variance - u)


def _rmspropw_drift(x, o, c, p):
    return decaying(_rmsprop_drift(x, o, c, p), x, p)


def _rmsprop_diffusion(x, o, c, p):
    theta, u = x
    return -p.sigma0 * c[0] * preconditioner(u, p.sigma0, c[1]), 0.0


@built_in
@known_keywords(**OF_SDES)
def rmsprop_sde() -> SDE:
    """The SDE of RMSprop (Definition 4.1 of arXiv 2205.10287).

        d theta = -P^-1 (f' dt + sigma0 Sigma^(1/2) dW)
        du = c2 (diag Sigma - u) dt
        P = sigma0 diag(u)^(1/2) + eps0 I

    Constants, and whether there is bias correction (then sqrt(g2) P^-1 with eps0 sqrt(g2), g2 = 1 - exp(-c2 t)), come
    from the optimizer; an optimizer without a parameter `bias_correction` has none. Where the optimizer has a parameter
    w0, d theta has - w0 theta dt as well (docs/theory.md, "Weight decay"). Clock eta^2, order 1; with u at rest, u =
    Sigma, it is gradient descent with a constant preconditioner and noise.

    Examples
    --------
    >>> rmsprop_sde().slots
    ('theta', 'u')
    """
    sde = SDE("rmsprop", _rmsprop_drift, _rmsprop_diffusion, ("theta", "u"), _rmsprop_sde_schedule)
    return with_decay(with_expansion_of("rmsprop", sde), _rmspropw_drift)


def _adam_schedule(k, h, p):
    """Return c1 h, c1 sqrt(h) sigma0, sqrt(h)/sigma0, c2 h, h sqrt(G2)/G1, eps0 sqrt(G2)."""
    root, first = _corrections(k, h, p, p.c1)
    eta = math.sqrt(h)
    return p.c1 * h, p.c1 * eta * p.sigma0, eta / p.sigma0, p.c2 * h, h * root / first, _eps(root, p)


def _adam_previous(x, o, z, c, p):
    theta, m, u = x
    m = fma(c[0], o.gradient - m, fma(c[1], z, m))
    w = fma(c[2], o.gradient, z)
    theta = fma(-c[4] * m, preconditioner(u, p.sigma0, c[5]), theta)
    return theta, m, fma(c[3], fma(w, w, -u), u)


def _adam_updated(x, o, z, c, p):
    theta, m, u = x
    m = fma(c[0], o.gradient - m, fma(c[1], z, m))
    w = fma(c[2], o.gradient, z)
    u = fma(c[3], fma(w, w, -u), u)
    return fma(-c[4] * m, preconditioner(u, p.sigma0, c[5]), theta), m, u


def _adamw_previous(x, o, z, c, p):
    return decayed(_adam_previous(x, o, z, c, p), x, p)


def _adamw_updated(x, o, z, c, p):
    return decayed(_adam_updated(x, o, z, c, p), x, p)


@built_in
@known_keywords(**UNSCALED)
def adam(
    sigma0: float,
    eps0: float,
    c1: float,
    c2: float,
    w0: float = 0.0,
    *,
    second_moment: str = "previous",
    bias_correction: bool = True,
) -> Optimizer:
    """Adam (Definition 2.2 of arXiv 2205.10287), scaled.

        m' = m + c1 (h (f' - m) + sqrt(h) sigma0 z)
        u' = (1 - c2 h) u + c2 h (z + sqrt(h) f' / sigma0)^2
        theta' = theta - h q m'
        q = sqrt(G2) / (G1 (sigma0 sqrt(u) + eps0 sqrt(G2)))
        G1 = 1 - beta1^(k + 1), G2 = 1 - beta2^k

    "updated": G2 with beta2^(k+1), and u' for u. With "previous" the step k = 0 moves m and u but not theta
    (G2 = 0), as the authors' code does. With w0 theta' has - h w0 theta as well, at every step: AdamW.

    Parameters
    ----------
    sigma0, eps0, w0, second_moment
        As for `rmsprop`.
    c1, c2 : float
        (1 - beta_i) / eta^2, rates per unit of time t = k eta^2.
    bias_correction : bool
        False: G1 = G2 = 1.

    Raises
    ------
    ValueError
        An unknown convention or a constant out of range.

    Examples
    --------
    >>> adam(sigma0=0.8, eps0=0.1, c1=2.0, c2=1.3).slots
    ('theta', 'm', 'u')
    """
    parameters = checked(second_moment, bias_correction, sigma0=sigma0, eps0=eps0, c1=c1, c2=c2, w0=w0)
    step = _step(parameters, _adam_previous, _adam_updated, _adamw_previous, _adamw_updated)
    return with_expansion_of("adam", Optimizer("adam", step, ("theta", "m", "u"), _adam_schedule, **parameters))


def _adam_sde_schedule(t, p):
    """Return sqrt(g2)/g1 and eps0 sqrt(g2), g_i = 1 - exp(-c_i t); 1 and eps0 without bias correction."""
    if not has_bias_correction(vars(p)):
        return 1.0, p.eps0
    if not t > 0.0:
        raise ValueError(
            f"t0={t:g}: the Adam SDE starts at t0 > 0 (Theorem 4.5); only the local estimator takes t0 = 0"
        )
    root = math.sqrt(-math.expm1(-p.c2 * t))
    return root / -math.expm1(-p.c1 * t), p.eps0 * root


def _adam_drift(x, o, c, p):
    theta, m, u = x
    speed = -c[0] * m * preconditioner(u, p.sigma0, c[1])
    return speed, p.c1 * (o.gradient - m), p.c2 * (o.variance - u)


def _adamw_drift(x, o, c, p):
    return decaying(_adam_drift(x, o, c, p), x, p)


def _adam_diffusion(x, o, c, p):
    return 0.0, p.c1 * p.sigma0, 0.0


@built_in
@known_keywords(**OF_SDES)
def adam_sde() -> SDE:
    """The SDE of Adam (Definition 4.4 of arXiv 2205.10287), from a time t0 > 0.

        d theta = -(sqrt(g2) / g1) P^-1 m dt
        dm = c1 (f' - m) dt + c1 sigma0 Sigma^(1/2) dW
        du = c2 (diag Sigma - u) dt
        P = sigma0 diag(u)^(1/2) + eps0 sqrt(g2) I
        g_i = 1 - exp(-c_i t)

    Constants, and whether there is bias correction (g_i = 1 without), come from the optimizer; one
    without a parameter `bias_correction` has none. An optimizer of a user's that corrects in a schedule
    of its own says so to this SDE: ns.Optimizer(.., bias_correction=True). Where the optimizer has a parameter w0,
    d theta has - w0 theta dt as well (docs/theory.md, "Weight decay"). Clock eta^2, order 1; as c1 -> infinity it is
    `rmsprop_sde` with bias correction.
    """
    sde = SDE("adam", _adam_drift, _adam_diffusion, ("theta", "m", "u"), _adam_sde_schedule)
    return with_decay(with_expansion_of("adam", sde), _adamw_drift)
