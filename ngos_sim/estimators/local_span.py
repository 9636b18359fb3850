"""What the local estimator serves: the oracles, SDEs and test functions that its basis spans.

`local` asks for its own refusals; `control_variate` shares those that concern the SDE alone.
"""

import math

from ngos_sim.estimators.polynomials import MOST_TERMS
from ngos_sim.known import moment_flow
from ngos_sim.oracles.losses import affine_gradient

_MAX_JOINT = 8  # coordinates: a step's work grows with their square, its rows of state too
_OUTSIDE = "it lies outside the span of its basis"
_MATRIX = "the Hessian or the covariance is a matrix"


def pivot_of(rule, opponent):
    """Return the SDE near which errors are measured: the opponent's pivot or itself; of a reference the optimizer's."""
    return moment_flow.pivot_of(rule) if opponent.sde is None else opponent.sde.pivot or opponent.sde


def refusal(problems, opponent):
    """Return why an optimizer cannot be measured near an opponent's pivot, or an empty string if it can."""
    problem = problems[0]
    oracle, rule, pivot = problem.oracle, problem.rule, pivot_of(problem.rule, opponent)
    for sde in (opponent.sde, pivot):
        if sde is not None and sde.channels > 1:
            return f"sde {sde.name!r} has a second Brownian motion (channels=2), which coupled and independent serve"
    if pivot is None:
        return f"no moment flow is known for the slots of optimizer {rule.name!r}"
    if not moment_flow.is_known(pivot):
        return f"no moment flow is known for sde {pivot.name!r}, and it names no pivot"
    if pivot.slots != rule.slots:
        return f"its pivot has slots {pivot.slots}"
    if affine_gradient(oracle.loss, problem.dimension) is None:
        return f"loss {oracle.loss.name!r} is neither linear nor quadratic"
    if callable(oracle.covariance):
        return "the covariance depends on the state"
    missing = [name for name in moment_flow.constants_of(pivot) if name not in rule.parameters]
    if missing:
        return f"optimizer {rule.name!r} has no constant {missing[0]!r}"
    return ""


def spanned(problem, function, pivot):
    """Return the terms of a test function if they lie in the local estimator's span, or why it cannot serve, a str.

    The span holds products over coordinates of monomials that one basis of the pivot spans, and sums of such;
    where matrices couple coordinates, sums of slots.
    """
    terms = problem.polynomial(function)
    if problem.oracle.is_dense:
        return _joint(problem, terms)
    if terms is None:
        return _OUTSIDE
    size = sum(math.prod(powers[-1] + 2 for powers in by.values()) for _, by in terms)
    held = moment_flow.basis_of(pivot, {powers for _, by in terms for powers in by.values()})
    return terms if held is not None and size <= MOST_TERMS else _OUTSIDE


def _joint(problem, terms):
    """Return terms, or why the local estimator cannot serve where the Hessian or the covariance is a matrix."""
    if problem.dimension > _MAX_JOINT:
        return f"{_MATRIX} of more than {_MAX_JOINT} coordinates"
    if not problem.oracle.noise.is_gaussian:
        return f"{_MATRIX} and the noise is not Gaussian"
    if terms is None or any(sum(map(sum, by.values())) > 1 for _, by in terms):
        return f"{_MATRIX} and it is not linear in the slots"
    return terms


def degree(terms):
    """Return the order of the moment of zeta that the means of the carried errors need; see `noise_degree`.

    Beside u alone each holds a factor of theta or m times 1 / (sigma0 sqrt(u) + eps0) less its tangent, which grows
    like u.
    """
    return max(
        (sum(powers[:-1]) + 2 * (powers[-1] + (sum(powers[:-1]) > 0)) for _, by in terms for powers in by.values()),
        default=0,
    )
