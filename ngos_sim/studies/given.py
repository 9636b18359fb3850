"""Whether what a study is given is of the kind that it takes; if not, one line says which kinds are."""

from ngos_sim.oracles.ngos import NGOS
from ngos_sim.processes.optimizers import Optimizer
from ngos_sim.processes.sdes import SDE
from ngos_sim.processes.variations import SVAG, ScalingRule

_KINDS = {
    "oracle": (NGOS, "ns.NGOS(..)"),
    "optimizer": ((Optimizer, SVAG), "ns.rmsprop(..), ns.adam(..), ns.Optimizer(..), ns.svag(..)"),
    "reference": ((ScalingRule, type(None)), "ns.scaling_rule(..)"),
    "sde": (SDE, "ns.rmsprop_sde(), ns.adam_sde(), ns.SDE(..), or a list of them"),
}


def check(name, value):
    """Raise TypeError unless a value is of the kind that the study's argument `name` takes."""
    kinds, allowed = _KINDS[name]
    if isinstance(value, kinds):
        return
    if callable(value) and hasattr(value, "__name__"):
        raise TypeError(f"{name}={value.__name__} is not called: {value.__name__}(..) is needed; allowed: {allowed}")
    raise TypeError(f"{name}={value!r}; allowed: {allowed}")


def sdes(value):
    """Return sde= as a tuple of SDEs; raise TypeError for what is none."""
    if value is None:
        return ()
    each = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    for one in each:
        check("sde", one)
    return each
