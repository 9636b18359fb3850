"""Programs for engine tests: families of optimizers beside their SDEs of each order."""

import ngos_sim as ns
from ngos_sim.processes.integrators import euler_maruyama
from tests.support import programs


def signs():
    """Return {name: program and inputs} of SignSGD, Signum and Lion beside their SDEs; of two laws of the noise."""
    gaussian, heavy, start = ns.gaussian(), ns.student_t(5.0), {"theta": 1.2, "m": -0.4}
    signsgd, signum = ns.signsgd(sigma=0.8), ns.signum(sigma=0.8, beta=0.9)
    lion = ns.lion(sigma0=0.8, beta1=0.9, c2=1.3, w0=0.2)
    made = {
        "signsgd": (signsgd, gaussian, [ns.signsgd_sde(1), ns.signsgd_sde(2)]),
        "signsgd, student-t": (signsgd, heavy, [ns.signsgd_sde(1, nu=5.0), ns.signsgd_sde(2, nu=5.0)]),
        "signum": (signum, gaussian, [ns.signum_sde()]),
        "lion": (lion, gaussian, [ns.lion_sde()]),
    }
    found = {}
    for name, (rule, noise, sdes) in made.items():
        parts = [(rule, noise, 1), *((euler_maruyama(sde, rule), gaussian, 2) for sde in sdes)]
        state, functions = [start[slot] for slot in rule.slots], ["theta[0]^2", f"{rule.slots[-1]}[0]"]
        found[name] = programs.build(ns.NGOS(ns.quadratic(0.9)), parts, functions, state, 2.0**-4, 3)
    return found


def cases():
    """Return {name: program and inputs} of `programs` and of all families."""
    return {**programs.cases(), **signs()}
