"""Whether what a study is given is of the kind that it takes; if not, one line says what makes one."""

from collections.abc import Mapping

from ngos_sim.arguments import not_a
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.processes.sde import SDE
from ngos_sim.processes.variations import SVAG, ScalingRule

_KINDS = {
    "oracle": (NGOS, "an NGOS", "ns.NGOS(loss, covariance=..)"),
    "optimizer": ((Optimizer, SVAG), "an optimizer", "ns.rmsprop(sigma0=.., eps0=.., c2=..)"),
    "reference": ((ScalingRule, type(None)), "a scaling rule", "ns.scaling_rule(kappa=..)"),
    "initial": (Mapping, "a mapping of slots to values", "dict(theta=.., u=..)"),
    "sde": (SDE, "an SDE", "ns.rmsprop_sde()"),
}


def check(name, value):
    """Raise TypeError unless a value is of the kind that the study's argument `name` takes."""
    kinds, *words = _KINDS[name]
    if not isinstance(value, kinds):
        raise not_a(name, value, *words)


def sdes(value):
    """Return sde= as a tuple of SDEs; raise TypeError for what is none."""
    if value is None:
        return ()
    each = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    for one in each:
        check("sde", one)
    return each
