"""The program of one rule alone on a quadratic loss with Gaussian noise: what mix.py and gpu.py run."""

import numpy as np

import ngos_sim as ns
from ngos_sim.estimators.assembly import Part, assemble, observables

_HESSIAN, _KEY = 0.9, 7


def program(rule, start, eta2, steps, functions=("theta[0]",), t0=0.0):
    """Return the program and inputs of `steps` steps from (slots,) `start`, recorded at the last."""
    oracle, records = ns.NGOS(ns.quadratic(_HESSIAN)), np.array([steps])
    part = Part(rule, ns.gaussian(), 1, eta2, rule.parameters["sigma0"] / eta2**0.5)
    observed = observables(oracle, functions, rule.slots, 1, records)
    return assemble(oracle, [part], np.eye(1), observed, np.array([start]), eta2, t0, records, _KEY)
