"""The SDEs of RMSprop and Adam by Compagnoni and others (arXiv 2411.15958), in scaled variables.

With h = eta^2 their V is sigma^2 u and their rho_i is c_i eta, so that their Theorem 3.12 is Malladi's SDE and terms of
order h: (grad f)^2 in the drift of u, and f' - m in that of theta. Both are of order 1, with other constants
(docs/theory.md, "Compagnoni's SDEs"). Their optimizers are those of `rmsprop_adam`.
"""

from ngos_sim.arithmetic import preconditioner
from ngos_sim.identity import built_in
from ngos_sim.processes.conventions import OF_SDES
from ngos_sim.processes.rmsprop_adam import adam_sde, rmsprop_sde
from ngos_sim.processes.rule import with_expansion_of
from ngos_sim.processes.sde import SDE, with_decay
from ngos_sim.processes.weight_decay import decaying
from ngos_sim.validation import known_keywords


def _second_moment_drift(o, u, p):
    """Return c2 (Sigma + h f'^2 / sigma0^2 - u): a step's E w^2 drives u."""
    return p.c2 * (o.variance + p.h * o.gradient * o.gradient / (p.sigma0 * p.sigma0) - u)


def _rmsprop_drift(x, o, c, p):
    theta, u = x
    return -o.gradient * c[0] * preconditioner(u, p.sigma0, c[1]), _second_moment_drift(o, u, p)


def _rmspropw_drift(x, o, c, p):
    return decaying(_rmsprop_drift(x, o, c, p), x, p)


@built_in
@known_keywords(**OF_SDES)
def compagnoni_rmsprop_sde() -> SDE:
    """The SDE of RMSprop by Compagnoni and others (arXiv 2411.15958, RMSpropW), scaled.

        d theta = -P^-1 (f' dt + sigma0 Sigma^(1/2) dW)
        du = c2 (diag Sigma + h (f')^2 / sigma0^2 - u) dt
        P = sigma0 diag(u)^(1/2) + eps0 I

    With - w0 theta dt in d theta where the optimizer has w0, and bias correction where it has that (`rmsprop_sde`).
    Clock eta^2, order 1; at h = 0 it is `rmsprop_sde`.

    Examples
    --------
    >>> compagnoni_rmsprop_sde().slots
    ('theta', 'u')
    """
    near = rmsprop_sde()
    sde = SDE("compagnoni-rmsprop", _rmsprop_drift, near.diffusion, near.slots, near.schedule)
    return with_decay(with_expansion_of("compagnoni-rmsprop", sde), _rmspropw_drift)


def _adam_drift(x, o, c, p):
    theta, m, u = x
    pull = p.c1 * (o.gradient - m)
    speed = -c[0] * (m + p.h * pull) * preconditioner(u, p.sigma0, c[1])
    return speed, pull, _second_moment_drift(o, u, p)


def _adamw_drift(x, o, c, p):
    return decaying(_adam_drift(x, o, c, p), x, p)


@built_in
@known_keywords(**OF_SDES)
def compagnoni_adam_sde() -> SDE:
    """The SDE of Adam by Compagnoni and others (arXiv 2411.15958, Theorem 3.12, AdamW), scaled, from a time t0 > 0.

        d theta = -(sqrt(g2) / g1) P^-1 (m + h c1 (f' - m)) dt
        dm = c1 (f' - m) dt + c1 sigma0 Sigma^(1/2) dW
        du = c2 (diag Sigma + h (f')^2 / sigma0^2 - u) dt
        P = sigma0 diag(u)^(1/2) + eps0 sqrt(g2) I
        g_i = 1 - exp(-c_i t)

    g_i = 1 without bias correction; with - w0 theta dt in d theta where the optimizer has w0. Clock eta^2, order 1; at
    h = 0 it is `adam_sde`.

    Examples
    --------
    >>> compagnoni_adam_sde().slots
    ('theta', 'm', 'u')
    """
    near = adam_sde()
    sde = SDE("compagnoni-adam", _adam_drift, near.diffusion, near.slots, near.schedule)
    return with_decay(with_expansion_of("compagnoni-adam", sde), _adamw_drift)
