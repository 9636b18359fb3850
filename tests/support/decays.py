"""Programs for engine tests of what has weight decay, and of Compagnoni's SDEs."""

import ngos_sim as ns
from tests.support.programs import RMSPROP, beside_its_sde


def cases():
    """Return {name: program and inputs} of RMSpropW and AdamW beside Malladi's SDEs, and beside Compagnoni's."""
    rmsprop = ns.rmsprop(w0=0.6, second_moment="updated", **RMSPROP)
    adam, quadratic = ns.adam(c1=2.0, w0=0.6, **RMSPROP), ns.NGOS(ns.quadratic(0.9))
    functions, two, three = ["theta[0]", "theta[0]^2"], [[1.2, 1.4]], [[1.2, -0.4, 1.4]]
    pairs = {
        "rmspropw": (rmsprop, ns.rmsprop_sde(), two),
        "adamw": (adam, ns.adam_sde(), three),
        "compagnoni-rmsprop": (rmsprop, ns.compagnoni_rmsprop_sde(), two),
        "compagnoni-adam": (adam, ns.compagnoni_adam_sde(), three),
    }
    return {
        name: beside_its_sde(quadratic, rule, sde.beside(rule), ns.gaussian(), start, functions)
        for name, (rule, sde, start) in pairs.items()
    }
