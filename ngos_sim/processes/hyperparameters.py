"""Scaled constants (sigma0, eps0, c1, c2, w0, u) <-> practitioners' (lr, betas, eps, weight decay, sigma, v0).

With h = eta^2: sigma = sigma0/eta, eps = eps0/eta, beta_i = 1 - c_i h, weight decay = w0 eta, v = sigma^2 u.
"""

import math
from dataclasses import dataclass, replace

from ngos_sim.validation import described, is_number, known_keywords, number, of_kind


@known_keywords()
@dataclass(frozen=True)
class Hyperparameters:
    """An optimizer as practitioners have it.

    Parameters
    ----------
    kind : str
        "rmsprop" or "adam".
    lr : float
        eta.
    betas : tuple of float
        (beta,) for rmsprop, (beta1, beta2) for adam.
    eps : float
        Added outside the root: theta -= lr g / (sqrt(v) + eps).
    sigma : float
        Noise scale of a gradient, 1 / sqrt(batch size) in units of one sample's noise.
    v0 : float
        Starting second moment, in units of squared gradients.
    weight_decay : float
        Decoupled: theta <- theta (1 - lr weight_decay) at every step, as torch.optim.AdamW.

    Raises
    ------
    ValueError
        The kind is another, the number of betas is not its, or a number is out of range.

    Examples
    --------
    >>> made = Hyperparameters("adam", lr=0.5, betas=(0.5, 0.75), eps=1e-8, sigma=2.0)
    >>> made.constants
    {'sigma0': 1.0, 'eps0': 5e-09, 'w0': 0.0, 'c1': 2.0, 'c2': 1.0}
    """

    kind: str
    lr: float
    betas: tuple[float, ...]
    eps: float
    sigma: float
    v0: float = 0.0
    weight_decay: float = 0.0

    def __post_init__(self):
        names = {"rmsprop": ("c2",), "adam": ("c1", "c2")}
        if not isinstance(self.kind, str) or self.kind not in names:
            raise ValueError(f"optimizer {described(self.kind)} is unknown; allowed: {', '.join(names)}")
        if len(self.betas) != len(names[self.kind]):
            raise ValueError(f"betas={described(self.betas)}: {self.kind} takes {len(names[self.kind])}")
        for name in ("lr", "sigma"):
            number(name, getattr(self, name), "a positive number", above=0.0)
        for name in ("eps", "v0", "weight_decay"):
            number(name, getattr(self, name), "a number of at least 0", least=0.0)
        for beta in self.betas:
            if not is_number(beta) or not 0.0 < beta < 1.0:
                raise ValueError(f"betas={described(self.betas)} must be numbers between 0 and 1")

    @property
    def constants(self) -> dict[str, float]:
        """The scaled constants sigma0, eps0, c2 (adam: c1, c2): Definitions 4.1 and 4.4; and w0 = weight_decay / lr."""
        rates = [(1.0 - beta) / (self.lr * self.lr) for beta in self.betas]
        names = ("c2",) if self.kind == "rmsprop" else ("c1", "c2")
        scaled = {"sigma0": self.sigma * self.lr, "eps0": self.eps * self.lr, "w0": self.weight_decay / self.lr}
        return scaled | dict(zip(names, rates, strict=True))

    @property
    def u0(self) -> float:
        """The scaled start u0 = v0 / sigma^2."""
        return self.v0 / (self.sigma * self.sigma)


@known_keywords()
def scale_batch(hyperparameters: Hyperparameters, kappa: float) -> Hyperparameters:
    """Return the hyperparameters for batch size kappa B under the square-root scaling rule.

    lr sqrt(kappa), 1 - kappa (1 - beta), eps / sqrt(kappa): Definitions 5.1 and 5.2 of
    arXiv 2205.10287; sigma / sqrt(kappa) is the larger batch's. v0 / kappa keeps u0, without which
    the start differs by O(1) and there is no convergence (docs/theory.md, "The scaling rule"). Weight decay
    times sqrt(kappa) keeps w0 (arXiv 2411.15958, Lemma 3.13; docs/theory.md, "Weight decay").

    Parameters
    ----------
    hyperparameters : Hyperparameters
        Of the batch size B, as `Optimizer.at` returns them.
    kappa : float
        How many times as large the batch becomes.

    Raises
    ------
    ValueError
        kappa is not positive, or some 1 - kappa (1 - beta) is not.

    Examples
    --------
    >>> small = Hyperparameters("rmsprop", lr=1e-3, betas=(0.99,), eps=1e-8, sigma=0.1)
    >>> large = scale_batch(small, 4)
    >>> large.lr, round(large.betas[0], 12), large.eps, large.sigma
    (0.002, 0.96, 5e-09, 0.05)
    """
    made_by = "ns.rmsprop(..).at(eta2)"
    of_kind("hyperparameters", hyperparameters, Hyperparameters, "a Hyperparameters", made_by)
    number("kappa", kappa, "positive", above=0.0)
    return replace(
        hyperparameters,
        lr=hyperparameters.lr * math.sqrt(kappa),
        betas=tuple(1.0 - kappa * (1.0 - beta) for beta in hyperparameters.betas),
        eps=hyperparameters.eps / math.sqrt(kappa),
        sigma=hyperparameters.sigma / math.sqrt(kappa),
        v0=hyperparameters.v0 / kappa,
        weight_decay=hyperparameters.weight_decay * math.sqrt(kappa),
    )
