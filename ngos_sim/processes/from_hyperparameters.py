"""An optimizer out of hyperparameters as practitioners have them."""

import math
import warnings
from collections.abc import Callable, Sequence

from ngos_sim.errors import StudyWarning
from ngos_sim.processes.hyperparameters import Hyperparameters
from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.processes.rmsprop_adam import adam, rmsprop
from ngos_sim.validation import described, known_keywords, number


@known_keywords()
def from_hyperparameters(
    kind: str,
    *,
    lr: float,
    betas: float | Sequence[float],
    eps: float,
    batch_size: float | None = None,
    sigma: float | None = None,
    weight_decay: float = 0.0,
    **conventions: str | bool,
) -> tuple[Optimizer, float]:
    """Return (optimizer, eta2) for hyperparameters as practitioners have them.

    Parameters
    ----------
    kind : "rmsprop" or "adam"
    lr, eps : float
        eta and eps.
    betas : float or tuple of float
        beta, or (beta1, beta2) for adam.
    batch_size, sigma : float
        One of the two; sigma = 1 / sqrt(batch_size), the covariance being one sample's, so that sigma0 =
        lr / sqrt(batch_size) (docs/theory.md, "Minibatches of data").
    weight_decay : float
        Decoupled, as torch.optim.AdamW's: w0 = weight_decay / lr.
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
    >>> optimizer.parameters["sigma0"]
    6.25e-05

    On `finite_data` a study with this optimizer takes `batch_size=256`, which is eta2=eta2, and with it
    `reference=ns.scaling_rule(2)` compares batches of 512.
    """
    if (batch_size is None) == (sigma is None):
        raise ValueError(
            f"give batch_size or sigma, got batch_size={described(batch_size)} and sigma={described(sigma)}"
        )
    if sigma is None:
        sigma = 1.0 / math.sqrt(number("batch_size", batch_size, "a positive number", above=0.0))
    rates: tuple = tuple(betas) if isinstance(betas, (list, tuple)) else (betas,)
    hyperparameters = Hyperparameters(kind, lr, rates, eps, sigma, weight_decay=weight_decay)
    if len(rates) == 2 and rates[0] > rates[1]:
        warnings.warn(f"betas={betas}: beta1 > beta2; did you swap them?", StudyWarning, stacklevel=3)
    factories: dict[str, Callable[..., Optimizer]] = {"rmsprop": rmsprop, "adam": adam}
    return factories[kind](**hyperparameters.constants, **conventions), lr * lr
