"""Programs for engine tests: families of optimizers beside their SDEs, curved losses, moving covariances."""

import functools

import numpy as np

import ngos_sim as ns
from ngos_sim.processes.integrators import euler_maruyama
from tests.support import data, joint, momentum, programs
from tests.support.oracles import CURVED
from tests.support.programs import RMSPROP, beside_its_sde, build


def decaying():
    """Return {name: (optimizer, SDE beside it, start)}: RMSpropW and AdamW with Malladi's SDEs and Compagnoni's."""
    rmsprop = ns.rmsprop(w0=0.6, second_moment="updated", **RMSPROP)
    adam, two, three = ns.adam(c1=2.0, w0=0.6, **RMSPROP), [[1.2, 1.4]], [[1.2, -0.4, 1.4]]
    return {
        "rmspropw": (rmsprop, ns.rmsprop_sde().beside(rmsprop), two),
        "adamw": (adam, ns.adam_sde().beside(adam), three),
        "compagnoni-rmsprop": (rmsprop, ns.compagnoni_rmsprop_sde().beside(rmsprop), two),
        "compagnoni-adam": (adam, ns.compagnoni_adam_sde().beside(adam), three),
    }


@functools.cache
def decays():
    """Return {name: program and inputs} of each pair on a quadratic loss."""
    oracle, functions = ns.NGOS(ns.quadratic(0.9)), ["theta[0]", "theta[0]^2"]
    return {
        name: beside_its_sde(oracle, rule, sde, ns.gaussian(), start, functions)
        for name, (rule, sde, start) in decaying().items()
    }


@functools.cache
def ballistic():
    """Return {name: program and inputs} of ballistic RMSprop and Adam beside their SDEs of each order."""
    oracle, gaussian, start = ns.NGOS(ns.quadratic(0.9)), ns.gaussian(), {"theta": 1.2, "m": -0.4, "v": 1.4}
    constants = dict(sigma=0.8, eps=0.1, c2=1.3)
    rmsprop, adam = ns.ballistic_rmsprop(**constants), ns.ballistic_adam(c1=2.0, **constants)
    found = {}
    for rule, make in ((rmsprop, ns.ballistic_rmsprop_sde), (adam, ns.ballistic_adam_sde)):
        orders = [(euler_maruyama(make(order), rule), gaussian, level) for order, level in ((0, 1), (1, 2), (2, 4))]
        state, functions = [start[slot] for slot in rule.slots], ["theta[0]*v[0]"]
        found[rule.name] = build(oracle, [(rule, gaussian, 1), *orders], functions, state, 2.0**-4, 3, t0=0.25)
    return found


@functools.cache
def of_the_clock_eta():
    """Return {name: program and inputs}: SGD and its kin, whose steps have an empty row c, beside all their SDEs."""
    averages = (lambda x, o, c, p: (-o.gradient,), lambda x, o, c, p: (0.0,))
    generic = ns.modified_equation("own", *averages, lambda x, o, c, p: (-p.sigma,), ("theta",))
    oracle, found = ns.NGOS(ns.quadratic([1.3, 0.7]), 0.7), {}
    for kind, (rule, sde) in momentum.MADE.items():
        sdes = [sde(order=1), sde(order=2), *[ns.flipped_sgd_sde(), generic] * (kind == "sgd")]
        parts = [(rule, ns.gaussian(), 1), *((euler_maruyama(each, rule), ns.gaussian(), 2) for each in sdes)]
        start = np.array([[1.5, 0.3], [-0.4, 0.1]])[:, : len(rule.slots)]
        found[kind] = build(oracle, parts, ["theta[0]", "theta[1]^2"], start, 2.0**-4, 4, records=[2, 4])
    return found


@functools.cache
def curved():
    """Return {name: program and inputs} of RMSprop and its SDE on every curved loss and moving covariance, d = 2."""
    settings = ns.gaussian(), [[1.2, 1.4], [-0.3, 0.7]], ["theta[0]", "loss", "trace(Sigma)"]
    rule, sde = ns.rmsprop(**RMSPROP), ns.rmsprop_sde()
    return {name: beside_its_sde(oracle, rule, sde, *settings) for name, oracle in CURVED.items()}


@functools.cache
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
        found[name] = build(ns.NGOS(ns.quadratic(0.9)), parts, functions, state, 2.0**-4, 3)
    return found


@functools.cache
def coupled():
    """Return {name: program and inputs} of losses and covariances of all of theta, and of data."""
    return {**joint.cases(), **data.cases()}


TYPED = (  # what has types of its own at each precision: normals, sums, matrices, features, samples; math's functions
    *("rmsprop", "two channels, groups", "features", "users", "heavy tails", "matrices", "hessian gradient"),
    *("signsgd, student-t", "joint loss and covariance", "minibatches of data", "SDEs of data"),
)
SIMULATED = ("joint loss and covariance", "study of data")  # of those that are coupled


def simulated():
    """Return {name: program and inputs} of what the simulator runs: it is slow."""
    return {**programs.cases(), **{name: coupled()[name] for name in SIMULATED}}


def formulas():
    """Return {name: program and inputs} of what brings formulas, but no features of an engine."""
    return {**decays(), **ballistic(), **of_the_clock_eta(), **curved()}


@functools.cache
def cases():
    """Return {name: program and inputs} of all that the engines must run alike."""
    return {**programs.cases(), **formulas(), **signs(), **coupled()}
