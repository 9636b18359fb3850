"""Programs for engine tests of the families with weight decay."""

import ngos_sim as ns
from tests.support.programs import RMSPROP, beside_its_sde


def cases():
    """Return {name: program and inputs} of RMSpropW and AdamW beside their SDEs."""
    rmsprop = ns.rmsprop(w0=0.6, second_moment="updated", **RMSPROP)
    adam, quadratic = ns.adam(c1=2.0, w0=0.6, **RMSPROP), ns.NGOS(ns.quadratic(0.9))
    near, moving = ns.rmsprop_sde().beside(rmsprop), ns.adam_sde().beside(adam)
    functions, start = ["theta[0]", "theta[0]^2"], [[1.2, -0.4, 1.4]]
    return {
        "rmspropw": beside_its_sde(quadratic, rmsprop, near, ns.gaussian(), [[1.2, 1.4]], functions),
        "adamw": beside_its_sde(quadratic, adam, moving, ns.uniform(), start, functions),
    }
