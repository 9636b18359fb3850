"""Which estimator serves which test function under which SDE, and why."""

from collections import Counter

import numpy as np

from ngos_sim.estimators import moment_flow
from ngos_sim.estimators.test_functions import TestFunction, parse
from ngos_sim.oracles.losses import affine_gradient


def against_local(oracle, rule, sde, start):
    """Return why the local estimator cannot measure an optimizer against an SDE, or None if it can.

    start : ndarray, shape (d, slots), u last
    """
    pivot = sde.pivot or sde
    if moment_flow.basis_of(pivot) is None:
        return f"no moment flow is known for sde {pivot.name!r}, and it names no pivot"
    if pivot.slots != rule.slots:
        return f"its pivot has slots {pivot.slots}"
    if affine_gradient(oracle.loss) is None:
        return f"loss {oracle.loss.name!r} is neither linear nor quadratic"
    if callable(oracle.covariance):
        return "the covariance depends on the state"
    missing = [name for name in moment_flow.constants_of(pivot) if name not in rule.parameters]
    if missing:
        return f"optimizer {rule.name!r} has no constant {missing[0]!r}"
    if np.any(start[:, -1] < 0.01 * np.max(oracle.covariance)):
        return "u starts below a hundredth of the covariance, too near the root's singularity"
    return None


def local_terms(function, oracle, sde, dimension):
    """Return a test function as [(factor, coordinate, powers of the slots)], or None outside the span.

    Every term of the span is a monomial of the basis in one coordinate; `loss` is written out.
    """
    if isinstance(function, TestFunction):
        return None
    terms = []
    if any(powers["loss"] > 1 for _, powers in parse(function, sde.slots, dimension)):
        return None
    for factor, powers in _written_out(parse(function, sde.slots, dimension), oracle, dimension):
        coordinates = {variable[1] for variable in powers if isinstance(variable, tuple)}
        if len(coordinates) > 1 or any(isinstance(variable, str) for variable in powers):
            return None
        coordinate = min(coordinates, default=0)
        monomial = tuple(powers[slot, coordinate] for slot in range(len(sde.slots)))
        if not moment_flow.in_span(sde.pivot or sde, monomial):
            return None
        terms.append((factor, coordinate, monomial))
    return terms


def _written_out(terms, oracle, dimension):
    """Replace each factor `loss` by its sum over coordinates, sum_j hessian_j theta_j^2 / 2 + slope_j theta_j."""
    hessian, slope = (each * (dimension if len(each) == 1 else 1) for each in affine_gradient(oracle.loss))
    pending, done = list(terms), []
    while pending:
        factor, powers = pending.pop()
        if not powers["loss"]:
            done.append((factor, powers))
            continue
        rest = powers - Counter(["loss"])
        for j in range(dimension):
            for value, power in ((0.5 * hessian[j], 2), (slope[j], 1)):
                if value:
                    pending.append((factor * value, rest + Counter({(0, j): power})))
    return done
