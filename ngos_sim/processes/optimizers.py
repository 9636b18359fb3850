"""RMSprop and Adam in scaled variables, and the constructor for any other optimizer.

With h = eta^2 and u = v / sigma^2 the definitions of arXiv 2205.10287 become, exactly,

    d  = h f' + sqrt(h) sigma0 z           (sigma0 eta times the noisy gradient)
    w  = z + sqrt(h) f' / sigma0           (the noisy gradient over sigma)
    u' = u + c2 h (w^2 - u)
"""

import math
import warnings

from ngos_sim.arguments import known_keywords
from ngos_sim.arithmetic import fma, preconditioner
from ngos_sim.errors import StudyWarning
from ngos_sim.oracles.losses import is_number
from ngos_sim.processes.rule import Rule, has_bias_correction
from ngos_sim.processes.scaling import Hyperparameters, check_admissible

CONVENTIONS = ("previous", "updated")
_LARGEST = 1e100  # of a constant
_UNSCALED = dict.fromkeys(
    ("lr", "learning_rate", "eta", "beta", "betas", "beta1", "beta2", "eps", "sigma", "batch_size", "alpha"),
    "ns.from_hyperparameters takes lr, betas, eps and batch_size or sigma",
)


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


def _corrections(k, h, p, c1=0.0):
    """Return (sqrt(G2), G1) after k gradients, G_i = 1 - beta_i^k (m has one more); (1, 1) without correction."""
    if not has_bias_correction(vars(p)):
        return 1.0, 1.0
    first = -math.expm1((k + 1) * math.log1p(-c1 * h)) if c1 else 1.0
    return math.sqrt(-math.expm1((k + p.updated) * math.log1p(-p.c2 * h))), first


def _eps(root, p):
    """Return eps0 sqrt(G2); at G2 = 0, where the step is zero whatever it is, eps0: no 0/0 at u = 0."""
    return p.eps0 * root if root > 0.0 else p.eps0


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


def _checked(second_moment, bias_correction, **constants):
    """Raise ValueError for a convention or a constant outside its range."""
    if not isinstance(bias_correction, bool):
        raise ValueError(f"bias_correction={bias_correction!r}; allowed: true, false")
    if second_moment not in CONVENTIONS:
        raise ValueError(f"second_moment={second_moment!r}; allowed: {', '.join(CONVENTIONS)}")
    for name, value in constants.items():
        if not is_number(value) or value < 0.0 or (value == 0.0 and name != "eps0"):
            raise ValueError(f"{name}={value!r} must be {'non-negative' if name == 'eps0' else 'positive'}")
        if value > _LARGEST or 0.0 < value < 1.0 / _LARGEST:
            raise ValueError(f"{name}={value!r} has squares and cubes beyond floating point; allowed: 1e-100 to 1e100")


@known_keywords(**_UNSCALED)
def rmsprop(sigma0, eps0, c2, *, second_moment="previous", bias_correction=False):
    """RMSprop (Definition 2.1 of arXiv 2205.10287), scaled.

    theta' = theta - d / (sigma0 sqrt(u) + eps0), u' = (1 - c2 h) u + c2 h w^2; eps is outside the root.

    Parameters
    ----------
    sigma0, eps0 : float
        sigma eta and eps eta.
    c2 : float
        (1 - beta) / eta^2, a rate per unit of time t = k eta^2.
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
    _checked(second_moment, bias_correction, sigma0=sigma0, eps0=eps0, c2=c2)
    updated = second_moment == "updated"
    return Optimizer(
        "rmsprop",
        _rmsprop_updated if updated else _rmsprop_previous,
        ("theta", "u"),
        _rmsprop_schedule,
        sigma0=sigma0,
        eps0=eps0,
        c2=c2,
        updated=float(updated),
        bias_correction=float(bias_correction),
    )


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


@known_keywords(**_UNSCALED)
def adam(sigma0, eps0, c1, c2, *, second_moment="previous", bias_correction=True):
    """Adam (Definition 2.2 of arXiv 2205.10287), scaled.

    m' = m + c1 (h (f' - m) + sqrt(h) sigma0 z), u' as RMSprop,
    theta' = theta - h q m', q = sqrt(G2)/G1 / (sigma0 sqrt(u) + eps0 sqrt(G2)), G1 = 1 - beta1^(k+1) and
    G2 = 1 - beta2^k ("updated": beta2^(k+1), and u' for u). With "previous" the step k = 0 moves m and
    u but not theta (G2 = 0), as the authors' code does.

    Parameters
    ----------
    sigma0, eps0, second_moment
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
    _checked(second_moment, bias_correction, sigma0=sigma0, eps0=eps0, c1=c1, c2=c2)
    updated = second_moment == "updated"
    return Optimizer(
        "adam",
        _adam_updated if updated else _adam_previous,
        ("theta", "m", "u"),
        _adam_schedule,
        sigma0=sigma0,
        eps0=eps0,
        c1=c1,
        c2=c2,
        updated=float(updated),
        bias_correction=float(bias_correction),
    )


POLYNOMIAL_STEPS = (_rmsprop_previous, _adam_previous)  # theta' is linear and u' quadratic in the noise


def is_built_in(rule):
    """Return whether a rule is what `rmsprop` or `adam` makes."""
    kinds = {_rmsprop_schedule: (_rmsprop_previous, _rmsprop_updated), _adam_schedule: (_adam_previous, _adam_updated)}
    return rule.step in kinds.get(rule.schedule, ())


def from_hyperparameters(kind, *, lr, betas, eps, batch_size=None, sigma=None, **conventions):
    """Return (optimizer, eta2) for hyperparameters as practitioners have them.

    Parameters
    ----------
    kind : "rmsprop" or "adam"
    lr, eps : float
        eta and eps.
    betas : float or tuple of float
        beta, or (beta1, beta2) for adam.
    batch_size, sigma : float
        One of the two; sigma = 1 / sqrt(batch_size), the covariance being one sample's.
    **conventions
        second_moment, bias_correction, as for `rmsprop` and `adam`.

    Raises
    ------
    ValueError
        A value out of range, or neither or both of batch_size and sigma.

    Warns
    -----
    StudyWarning
        beta1 > beta2.

    Examples
    --------
    >>> optimizer, eta2 = from_hyperparameters("adam", lr=1e-3, betas=(0.9, 0.999), eps=1e-8, batch_size=256)
    >>> optimizer.parameters["c2"], eta2
    (1000.0000000000009, 1e-06)
    """
    if (batch_size is None) == (sigma is None):
        raise ValueError(f"give batch_size or sigma, got batch_size={batch_size!r} and sigma={sigma!r}")
    if sigma is None:
        if not is_number(batch_size) or not batch_size > 0:
            raise ValueError(f"batch_size={batch_size!r} must be a positive number")
        sigma = 1.0 / math.sqrt(batch_size)
    betas = tuple(betas) if isinstance(betas, (list, tuple)) else (betas,)
    hyperparameters = Hyperparameters(kind, lr, betas, eps, sigma)
    if len(betas) == 2 and betas[0] > betas[1]:
        warnings.warn(f"betas={betas}: beta1 > beta2; did you swap them?", StudyWarning, stacklevel=2)
    factory = {"rmsprop": rmsprop, "adam": adam}[kind]
    return factory(**hyperparameters.constants, **conventions), lr * lr
