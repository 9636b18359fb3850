"""The SDE of order 2 of a new optimizer of the clock t = k eta, out of what its step is on average.

A user's study, and the tests of the equations that are written by hand, take it beside the optimizer.
(docs/theory.md, "SGD and momentum".)
"""

import math
from collections import namedtuple
from collections.abc import Callable, Sequence

from ngos_sim.arithmetic import fma, slotwise
from ngos_sim.identity import built_in
from ngos_sim.processes.domain import Domain, within
from ngos_sim.processes.sde import SDE, no_schedule
from ngos_sim.validation import checked_function, order_among

OracleOfB0 = namedtuple("OracleOfB0", "gradient variance")  # what b0 is told: their change along it is known
_REACH = 2.0**-7  # of a step: how far ahead b0 is looked at
_NEAR, _FAR = 8.0 / (24.0 * _REACH), 1.0 / (24.0 * _REACH)  # weights of h D b0 / 2, D the change along b0
_AHEAD = (0.0, _REACH, -_REACH, 2.0 * _REACH, -2.0 * _REACH)


def _first(b0):
    """Return the drift of order 1."""
    return lambda x, o, c, p: b0(x, OracleOfB0(o.gradient, o.variance), c, p)


def _second(b0, b1):
    """Return the drift of order 2, b0 + h b1 - h D b0 / 2; a row c has each of its numbers at five times."""

    def moved(x, o, rates, reach, c, p):
        gradient = fma(reach * rates[0], o.curvature, o.gradient)
        return b0(slotwise(rates, reach, x), OracleOfB0(gradient, o.variance), c, p)

    def drift(x, o, c, p):
        rates = b0(x, OracleOfB0(o.gradient, o.variance), c[0::5], p)
        total = slotwise(b1(x, o, c[0::5], p), p.h, rates)
        total = slotwise(moved(x, o, rates, _REACH * p.h, c[1::5], p), -_NEAR, total)
        total = slotwise(moved(x, o, rates, -_REACH * p.h, c[2::5], p), _NEAR, total)
        total = slotwise(moved(x, o, rates, 2.0 * _REACH * p.h, c[3::5], p), _FAR, total)
        return slotwise(moved(x, o, rates, -2.0 * _REACH * p.h, c[4::5], p), -_FAR, total)

    return drift


def _times(row, factor):
    return slotwise(row, factor, slotwise(row, -1.0, row))


def _diffusion(noise, channels, every):
    """Return sqrt(h) times the noise, a row a Brownian motion; of a row c the noise gets one of `every` numbers."""

    def of_one(x, o, c, p):
        return _times(noise(x, o, c[0::every], p), math.sqrt(p.h))

    def of_two(x, o, c, p):
        first, second = noise(x, o, c[0::every], p)
        return _times(first, math.sqrt(p.h)), _times(second, math.sqrt(p.h))

    return of_one if channels == 1 else of_two


def _five_times(schedule):
    """Return the schedule whose rows have each number at the time itself and where b0 is looked at."""

    def five(t, p):
        rows = [schedule(t + reach * p.h, p) for reach in _AHEAD]
        return tuple(number for numbers in zip(*rows, strict=True) for number in numbers)

    return five


@built_in
def modified_equation(
    name: str,
    b0: Callable,
    b1: Callable,
    noise: Callable,
    slots: Sequence[str],
    order: int = 2,
    schedule: Callable | None = None,
    channels: int = 1,
    **parameters: float,
) -> SDE:
    """The SDE of a step, of order 1 or 2 (arXiv 1511.06251; derived in docs/theory.md, "SGD and momentum").

    A step x' = x + h G of the clock "eta" with E G = b0(t, x) + h b1(t, x) + O(h^2) and Cov G = C(t, x) + O(h) has

        order 1   dX = b0 dt + sqrt(h) C^(1/2) dW
        order 2   dX = (b0 + h (b1 - D b0 / 2)) dt + sqrt(h) C^(1/2) dW,   D b0 = d_t b0 + (b0 . grad) b0.

    D b0 is the change of b0 along itself, by central differences of order 4 over h / 128; theta moves the gradient by
    o.curvature times as much. What D b0 misses is (h / 128)^4 / 30 of the fifth derivative of b0 along itself:
    nothing where b0 is affine, and some 1e-10 of D b0 where a step changes b0 by its own size. Rounding moves the drift
    by 1e-14 of itself, in float32 by 6e-6.

    Parameters
    ----------
    name : str
        Tables call it "name order 1" or "name order 2".
    b0, b1, noise : function (x, o, c, p) -> tuple of float
        What the step is to first and second order on average, and what multiplies z in it to first order: of SGD
        -f', 0 and -sigma. noise is a pair of tuples with channels=2, as `SDE` says. b0 reads o.gradient and o.variance
        alone.
    slots : sequence of str
        The optimizer's.
    order : 1 or 2
    schedule : function (t, p) -> tuple of float, optional
        c at time t. It is also called at times up to h / 64 before and after.
    channels, **parameters
        As in `SDE`.

    Raises
    ------
    ValueError
        order is neither 1 nor 2, or what `SDE` raises. A study refuses order 2 beside a Hessian that is a matrix, of
        which a coordinate does not know how its gradient changes along b0, and warns where the covariance depends on
        the state: b0 may read o.variance, whose change is not known.

    Examples
    --------
    >>> import ngos_sim as ns
    >>> ns.modified_equation(
    ...     "sgd",
    ...     b0=lambda x, o, c, p: (-o.gradient,),
    ...     b1=lambda x, o, c, p: (0.0,),
    ...     noise=lambda x, o, c, p: (-p.sigma,),
    ...     slots=("theta",),
    ... ).name
    'sgd order 2'
    """
    for role, function in (("b0", b0), ("b1", b1), ("noise", noise)):
        checked_function(name, role, function)
    order = order_among(order, (1, 2), f"{name}: ")
    schedule = no_schedule if schedule is None else checked_function(name, "schedule", schedule)
    made = SDE(
        f"{name} order {order}",
        _first(b0) if order == 1 else _second(b0, b1),
        _diffusion(noise, channels, 1 if order == 1 else len(_AHEAD)),
        slots,
        schedule if order == 1 else _five_times(schedule),
        channels=channels,
        refinement=order,
        pivot=None,
        **parameters,
    )
    return made if order == 1 else within(Domain(constant=True), made)
