"""What RMSprop and Adam are given: scaled constants and conventions, checked; and hints to who gives others.

`rmsprop_adam` calls `checked`. The hints are those of constructors' `validation.known_keywords`: `UNSCALED` of
`rmsprop_adam`, `OF_SGD` of `sgd` and `sign`, and so on.
"""

from ngos_sim.validation import choice, number, switch

CONVENTIONS = ("previous", "updated")
_LARGEST = 1e100  # of a constant
UNSCALED = dict.fromkeys(
    ("lr", "learning_rate", "eta", "beta", "betas", "beta1", "beta2", "eps", "sigma", "batch_size", "alpha"),
    "ns.from_hyperparameters takes lr, betas, eps and batch_size or sigma",
) | {"weight_decay": "ns.from_hyperparameters takes weight_decay; w0 is weight_decay / lr"}

_STUDYS = "the study takes it: ns.ConvergenceStudy(.., eta=..)"
OF_SGD = dict.fromkeys(("lr", "learning_rate", "eta"), _STUDYS) | {
    "batch_size": "sigma is the noise of a gradient, on data 1 / sqrt(batch size)",
    "sigma0": "by the clock 'eta' it is sigma that is fixed: give sigma=",
}
OF_MOMENTUM = OF_SGD | dict.fromkeys(("beta", "momentum"), "mu = (1 - beta) / eta")
OF_SDES = dict.fromkeys(
    ("sigma", "sigma0", "eps", "eps0", "c1", "c2", "beta", "beta1", "mu", "w0"), "constants are the optimizer's"
)
OF_BALLISTIC = dict.fromkeys(
    ("sigma0", "eps0", "lr", "learning_rate", "eta", "beta", "betas", "beta1", "beta2", "batch_size"),
    "sigma and eps are those of the definition, and c_i = (1 - beta_i) / eta",
)
OF_LION = dict.fromkeys(
    ("lr", "learning_rate", "eta", "beta2", "betas", "sigma", "weight_decay", "batch_size"),
    "lion takes sigma0 = sigma eta, beta1, c2 = (1 - beta2) / eta^2 and w0 = weight_decay / eta; the study eta2=",
)


def checked(second_moment, bias_correction, **constants):
    """Return an optimizer's parameters, w0 = 0 left out; raise ValueError for a convention or constant out of range."""
    bias_correction = switch("bias_correction", bias_correction)
    choice("second_moment", second_moment, CONVENTIONS)
    for name, value in constants.items():
        if name in ("eps0", "w0"):
            number(name, value, "non-negative", least=0.0)
        else:
            number(name, value, "positive", above=0.0)
        if value > _LARGEST or 0.0 < value < 1.0 / _LARGEST:
            raise ValueError(f"{name}={value!r} has squares and cubes beyond floating point; allowed: 1e-100 to 1e100")
    if not constants["w0"]:
        del constants["w0"]
    return {**constants, "updated": float(second_moment == "updated"), "bias_correction": float(bias_correction)}
