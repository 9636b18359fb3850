"""Programs for engine tests of what has weight decay, and of Compagnoni's SDEs."""

import ngos_sim as ns
from tests.support.programs import RMSPROP, beside_its_sde


def pairs():
    """Return {name: (optimizer, SDE beside it, start)}: RMSpropW and AdamW with Malladi's SDEs and Compagnoni's."""
    rmsprop = ns.rmsprop(w0=0.6, second_moment="updated", **RMSPROP)
    adam, two, three = ns.adam(c1=2.0, w0=0.6, **RMSPROP), [[1.2, 1.4]], [[1.2, -0.4, 1.4]]
    return {
        "rmspropw": (rmsprop, ns.rmsprop_sde().beside(rmsprop), two),
        "adamw": (adam, ns.adam_sde().beside(adam), three),
        "compagnoni-rmsprop": (rmsprop, ns.compagnoni_rmsprop_sde().beside(rmsprop), two),
        "compagnoni-adam": (adam, ns.compagnoni_adam_sde().beside(adam), three),
    }


def cases():
    """Return {name: program and inputs} of each pair on a quadratic loss."""
    oracle, functions = ns.NGOS(ns.quadratic(0.9)), ["theta[0]", "theta[0]^2"]
    return {
        name: beside_its_sde(oracle, rule, sde, ns.gaussian(), start, functions)
        for name, (rule, sde, start) in pairs().items()
    }
