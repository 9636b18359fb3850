"""Programs for engine tests: families of optimizers beside their SDEs of each order."""

import ngos_sim as ns
from ngos_sim.processes.integrators import euler_maruyama
from tests.support import programs


def ballistic():
    """Return {name: program and inputs} of ballistic RMSprop and Adam beside their SDEs."""
    oracle, gaussian, start = ns.NGOS(ns.quadratic(0.9)), ns.gaussian(), {"theta": 1.2, "m": -0.4, "v": 1.4}
    constants = dict(sigma=0.8, eps=0.1, c2=1.3)
    rmsprop, adam = ns.ballistic_rmsprop(**constants), ns.ballistic_adam(c1=2.0, **constants)
    found = {}
    for rule, make in ((rmsprop, ns.ballistic_rmsprop_sde), (adam, ns.ballistic_adam_sde)):
        orders = [(euler_maruyama(make(order), rule), gaussian, level) for order, level in ((0, 1), (1, 2), (2, 8))]
        state, functions = [start[slot] for slot in rule.slots], ["theta[0]*v[0]"]
        found[rule.name] = programs.build(oracle, [(rule, gaussian, 1), *orders], functions, state, 2.0**-4, 3, t0=0.25)
    return found


def cases():
    """Return {name: program and inputs} of `programs` and of all families."""
    return {**programs.cases(), **ballistic()}
