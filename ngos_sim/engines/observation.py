"""What a rule is told of the oracle at a coordinate: `processes.rule.Oracle`, with the fields that are known.

Scalar functions get pull = (H theta)_i and bend = (H grad f)_i of the loss's matrix H; bend is made only where a rule
reads hessian_gradient. Of a joint loss pull is (grad f)_i itself.
"""

import functools
import types
from collections import namedtuple

from ngos_sim.arithmetic import fma
from ngos_sim.engines.compiling.bytecode import names
from ngos_sim.engines.compiling.fingerprint import reads
from ngos_sim.processes.rule import Oracle, oracle_of

DATA_NUMBERS = ("l2", "minimiser")  # the loss's numbers on data, the latter one a coordinate


def named(kind, names):
    """Return the named tuple class for these names (an empty one is not compiled: it gets a filler)."""
    return _named(kind, tuple(names) or ("none",))


_named = functools.cache(namedtuple)  # made by eval, and for each process of each program


def reads_attribute(function, name):
    """Return whether a scalar function, or one that it calls, reads an attribute of this name."""
    pending, seen = [function], set()
    while pending:
        one = pending.pop()
        if isinstance(one, types.FunctionType) and one not in seen:
            seen.add(one)
            if name in names(one.__code__).attributes:
                return True
            pending += reads(one).values()
    return False


def is_bent(rule, oracle):
    """Return whether a rule reads o.hessian_gradient of a matrix Hessian: a product more each step."""
    return oracle.loss.matrix is not None and reads_attribute(rule.step, "hessian_gradient")


def check_known(rule, oracle):
    """Raise ValueError if a rule reads of the oracle what it does not know."""
    loss = oracle.loss
    for name in ("curvature", "hessian_gradient"):
        if name in rule.parameters or not reads_attribute(rule.step, name):
            continue
        if name == "curvature" and loss.matrix is not None:
            raise ValueError(
                f"{rule.name!r} reads o.curvature, but the Hessian of loss {loss.name!r} is a matrix: "
                "the curvature of coordinate i alone is not the Hessian: use o.hessian_gradient"
            )
        if loss.joint:
            raise ValueError(f"{rule.name!r} reads o.{name}, and {loss.coupling}: a joint loss has none")
        if loss.curvature is None:
            raise ValueError(
                f"{rule.name!r} reads o.{name}, but loss {loss.name!r} was given no curvature: ns.Loss(.., curvature=)"
            )


def slope(oracle):
    """Return (grad f)_i as a function (theta, pull, f), f the loss's numbers."""
    if oracle.loss.joint:
        return lambda theta, pull, f: pull  # the field's
    gradient = oracle.loss.gradient
    if oracle.loss.matrix is None:
        return lambda theta, pull, f: gradient(theta, f)
    return lambda theta, pull, f: pull + gradient(theta, f)


def height(oracle):
    """Return a coordinate's part of f as a function (theta, pull, f)."""
    value = oracle.loss.value
    if oracle.loss.matrix is None:
        return lambda theta, pull, f: value(theta, f)
    return lambda theta, pull, f: 0.5 * theta * pull + value(theta, f)


def observed(rule, oracle):
    """Return what a rule is told as a function (theta, pull, bend, f, sigma), sigma its variance."""
    gradient, curvature = slope(oracle), oracle.loss.curvature
    if curvature is None or (oracle.loss.matrix is not None and not is_bent(rule, oracle)):
        little = oracle_of("gradient", "variance")
        return lambda theta, pull, bend, f, sigma: little(gradient(theta, pull, f), sigma)
    if oracle.loss.matrix is not None:
        more = oracle_of("gradient", "variance", "hessian_gradient")

        def coupled(theta, pull, bend, f, sigma):
            g = gradient(theta, pull, f)
            return more(g, sigma, fma(curvature(theta, f), g, bend))

        return coupled

    def alone(theta, pull, bend, f, sigma):
        g, k = gradient(theta, pull, f), curvature(theta, f)
        return Oracle(g, sigma, k, k * g)

    return alone
