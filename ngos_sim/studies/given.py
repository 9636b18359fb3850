"""Whether what a study is given is of the kind that it takes, and goes together; if not, one line says what does."""

from collections.abc import Mapping

from ngos_sim.oracles.ngos import NGOS
from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.processes.sde import SDE
from ngos_sim.processes.variations import SVAG, ScalingRule, check_scales
from ngos_sim.validation import of_kind

_KINDS = {
    "oracle": (NGOS, "an NGOS", "ns.NGOS(loss, covariance=..)"),
    "optimizer": ((Optimizer, SVAG), "an optimizer", "ns.rmsprop(sigma0=.., eps0=.., c2=..)"),
    "reference": ((ScalingRule, type(None)), "a scaling rule", "ns.scaling_rule(kappa=..)"),
    "initial": (Mapping, "a mapping of slots to values", "dict(theta=.., u=..)"),
    "sde": (SDE, "an SDE", "ns.rmsprop_sde()"),
}


def check(name, value):
    """Raise TypeError unless a value is of the kind that the study's argument `name` takes."""
    of_kind(name, value, *_KINDS[name])


def sdes(value):
    """Return sde= as a tuple of SDEs; raise TypeError for what is none."""
    if value is None:
        return ()
    each = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    for one in each:
        check("sde", one)
    return each


def check_together(study, sdes):
    """Raise ValueError where a study's optimizer, SDEs, reference and oracle do not go together."""
    if bool(sdes) == (study.reference is not None):
        which = "both" if sdes else "neither"
        raise ValueError(f"give sde= or reference=: exactly one of them, got {which}")
    if study.reference is not None:
        if isinstance(study.optimizer, SVAG):
            raise ValueError("reference=scaling_rule does not go with svag")
        check_scales("reference=scaling_rule", study.rule)
        if study.oracle.noise.gaussians != 1:
            raise ValueError(f"noise {study.oracle.noise.name!r} takes two Gaussians: reference=scaling_rule needs one")
    for sde in sdes:
        if sde.slots != study.rule.slots:
            raise ValueError(
                f"sde {sde.name!r} has slots {sde.slots}; optimizer {study.rule.name!r} has {study.rule.slots}"
            )
    for kind, process in (("optimizer", study.rule), *(("sde", sde) for sde in sdes)):
        if reason := process.domain.refusal(study.oracle):
            raise ValueError(f"{kind} {process.name!r}: {reason}")
    names = [sde.name for sde in sdes]
    if len(set(names)) < len(names):
        twice = max(names, key=names.count)
        raise ValueError(f"two SDEs have the same name, {twice!r}; tables could not tell them apart")
