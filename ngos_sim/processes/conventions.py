"""What RMSprop and Adam are given: scaled constants and conventions, checked, and words for who gives others.

`rmsprop_adam` calls `checked`; `UNSCALED` are the hints of its constructors.
"""

from ngos_sim.validation import choice, number

CONVENTIONS = ("previous", "updated")
_LARGEST = 1e100  # of a constant
UNSCALED = dict.fromkeys(
    ("lr", "learning_rate", "eta", "beta", "betas", "beta1", "beta2", "eps", "sigma", "batch_size", "alpha"),
    "ns.from_hyperparameters takes lr, betas, eps and batch_size or sigma",
) | {"weight_decay": "ns.from_hyperparameters takes weight_decay; w0 is weight_decay / lr"}


def checked(second_moment, bias_correction, **constants):
    """Return an optimizer's parameters, w0 = 0 left out; raise ValueError for a convention or constant out of range."""
    if not isinstance(bias_correction, bool):
        raise ValueError(f"bias_correction={bias_correction!r}; allowed: true, false")
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
