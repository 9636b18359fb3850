"""Whether a user's function is the derivative of another: a Loss is held to it when it is made.

On short intervals of many scales, f(b) - f(a) against Lobatto's rule of six points for the integral of f'.
Where its higher differences say that a function is rough (a kink, a fast wave, what rounding has left) nothing is said.
Nothing depends on the units of theta or of the loss.

Seen are mistakes of the whole function: a factor, a sign, a missing term. Not seen is what is wrong on a third or less
of the intervals that tell, of 36 (one for each decade of |theta| from 1e-9 to 1e8 and each sign): a term that counts on
few scales, another branch on a part of the axis, anything between the intervals, which are a sixteenth of |theta| wide.
"""

import itertools
import numbers
from types import SimpleNamespace

import numpy as np

from ngos_sim.oracles import joint
from ngos_sim.validation import described

_SCALES = 1.3717 * 10.0 ** np.arange(-9.0, 9.0)  # |theta|; no number at which one would put a kink
_WIDTH = 1.0 / 16.0  # of an interval, of its theta
_NODES = np.array([-1.0, -0.7650553239294647, -0.2852315164806451, 0.2852315164806451, 0.7650553239294647, 1.0])
_WEIGHTS = np.array([0.03333333333333333, 0.1892374781489235, 0.2774291885177432])[[0, 1, 2, 2, 1, 0]]
_AGREE = 1e-5
_TELLING = 0.05  # roughness beyond this part of the difference says nothing
_LOST = 1e-3  # of the largest |f|: a smaller change may be lost to rounding altogether
_SHARE = 1.0 / 3.0  # of the intervals that tell: so many disagree before it is a mistake
_ROWS, _FEW = 64, 4  # sets of parameters that are tried, and of those about a start


def _divided_differences():
    """Return the divided differences of order 5, and of order 4 of the first and of the last five nodes: (6, 3)."""
    columns = []
    for some in (range(6), range(5), range(1, 6)):
        gaps = [np.prod([_NODES[i] - _NODES[j] for j in some if j != i]) for i in some]
        columns.append(np.zeros(6))
        columns[-1][list(some)] = 2.0 / np.array(gaps)
    return np.array(columns).T


_DIFFERENCES = _divided_differences()
_ABOUT = np.array([0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0])  # times a start


def _intervals(begins):
    """Return the nodes of intervals, shape (intervals, 6)."""
    return begins[:, None] * (1.0 + _WIDTH * 0.5 * (1.0 + _NODES))


_POINTS = _intervals(np.concatenate([_SCALES, -_SCALES]))


def check_about(start, owner, function, derivative, parameters):
    """Raise ValueError unless one function is the derivative of the other where a study starts: `check_derivative`.

    On seven intervals from a quarter of the start, a number that is not 0, to twice it.
    """
    check_derivative(owner, function, derivative, parameters, _intervals(start * _ABOUT), _FEW)


def check_derivative(owner, function, derivative, parameters, points=_POINTS, most=None):
    """Raise ValueError unless one function is the derivative of the other.

    Parameters
    ----------
    owner : str
        What messages begin with.
    function, derivative : (str, function (theta, p) -> float)
        Each with its name.
    parameters : mapping of str to float or tuple of float
        What p holds: one number, or one a coordinate.
    points : ndarray, shape (intervals, 6)
    most : int, optional
        Sets of parameters that are tried; _ROWS by default.
    """
    chosen = coordinates(parameters)
    for j, p in itertools.islice(chosen.items(), most):
        found = _disagreement(points, *(_sampled(owner, *each, p, points) for each in (function, derivative)))
        if found is not None:
            at, expected, slope = found
            theta = points[at].mean()
            of = f" of coordinate {j}" if len(chosen) > 1 else ""
            raise ValueError(
                f"{owner}: {derivative[0]}{of} is {slope:.5g} at theta={theta:.5g}, "
                f"but the derivative of {function[0]} is {expected:.5g} there"
            )


def check_gradient(owner, value, gradient, parameters, dimension):
    """Raise ValueError unless the function `gradient` of all of theta is that of the function `value`.

    Held in every coordinate, on the intervals of `check_derivative` along its axis. The other coordinates stand still,
    each at a size of its own: in two rounds at the scale of the interval, in a third near 1.

    Parameters
    ----------
    owner : str
        What messages begin with.
    value : function (theta, p) -> float
    gradient : function (theta, p) -> tuple of float
    parameters : mapping of str to float
        What p holds.
    dimension : int

    Raises
    ------
    ValueError, TypeError
        They disagree: the message names the coordinate. Or one returns something else, or reads what p has not.
    """
    p, rest = SimpleNamespace(**parameters), np.arange(dimension)
    scales = np.abs(_POINTS[:, :1])
    rounds = [sizes * _irregular(rest, turn) for turn, sizes in enumerate((scales, scales, np.ones_like(scales)))]
    for j in range(dimension):
        for standing in rounds:
            points = np.repeat(standing[:, None, :], _POINTS.shape[1], axis=1)
            points[:, :, j] = _POINTS
            rows = [[tuple(theta) for theta in row] for row in points.tolist()]
            with np.errstate(all="ignore"):
                f = _everywhere(joint.number, owner, "value", value, rows, p)
                slope = _everywhere(joint.vector, owner, "gradient", gradient, rows, p)
            found = _disagreement(_POINTS, f, slope if slope.ndim == 2 else slope[:, :, j])
            if found is not None:
                at, expected, own = found
                where = joint.shown(points[at].mean(axis=0))
                raise ValueError(
                    f"{owner}: gradient of coordinate {j} is {own:.5g} at theta={where}, "
                    f"but the derivative of value is {expected:.5g} there"
                )


def _irregular(rest, turn):
    """Return a factor a coordinate, of either sign and of size .4 to 1.6, another one each turn."""
    spread = np.modf((rest + 1.0) * (0.6180339887 + 0.3 * turn))[0]
    return np.where((rest + turn) % 2, -1.0, 1.0) * (0.4 + 1.2 * spread)


def _everywhere(how, owner, name, function, rows, p):
    """Return what a function of all of theta says at points, row by row; NaN where it is not defined."""
    found = [[joint.defined(how, owner, name, function, theta, p) for theta in row] for row in rows]
    like = next((one for row in found for one in row if one is not None), np.nan)
    return np.array([[like * np.nan if one is None else one for one in row] for row in found])


def coordinates(parameters):
    """Return {coordinate: what its p holds} of those whose parameters differ, at most 64 of them.

    parameters : mapping of str to float or tuple of float
    """
    length = max((np.size(value) for value in parameters.values()), default=1)
    columns = [np.broadcast_to(value, length).tolist() for value in parameters.values()]
    rows = {row: j for j, row in reversed(list(enumerate(zip(*columns, strict=True))))} if columns else {(): 0}
    chosen = sorted(rows.items(), key=lambda item: item[1])[:: max(1, -(-len(rows) // _ROWS))]
    return {j: SimpleNamespace(**dict(zip(parameters, row, strict=True))) for row, j in chosen}


def _sampled(owner, name, function, p, points):
    """Return a function at the points, NaN where it is not defined."""
    with np.errstate(all="ignore"):
        return np.array([[value_at(owner, name, function, theta, p) for theta in row] for row in points.tolist()])


def value_at(owner, name, function, theta, p):
    """Return a function of one coordinate as a float, NaN where it is not defined.

    Raises
    ------
    ValueError, TypeError
        It reads what p has not, fails otherwise, or returns no number.
    """
    try:
        value = function(theta, p)
    except (ArithmeticError, ValueError):
        return np.nan
    except AttributeError as error:
        held = ", ".join(vars(p)) or "none"
        raise ValueError(f"{owner}: {name} reads {error.name!r}; its parameters are: {held}") from error
    except Exception as error:
        raise TypeError(f"{owner}: {name} fails at theta={theta:g}: {error}") from error
    if isinstance(value, complex):
        return np.nan
    if not isinstance(value, numbers.Real):
        raise TypeError(f"{owner}: {name} returns {described(value)} at theta={theta:g}; a number is needed")
    return float(value)


def _disagreement(points, f, slope):
    """Return an interval, the difference quotient of f and the mean slope where they disagree, None if they do not."""
    width = points[:, -1] - points[:, 0]
    with np.errstate(all="ignore"):
        change, integral = f[:, -1] - f[:, 0], width * (slope @ _WEIGHTS)
        rough = np.abs(f @ _DIFFERENCES).max(axis=1) + np.abs(width[:, None] * (slope @ _DIFFERENCES)).max(axis=1)
        size, off = np.abs(change) + np.abs(integral), np.abs(change - integral)
        largest = np.max(np.abs(f), where=np.isfinite(f), initial=0.0)
        flat = np.all(f == f[:, :1], axis=1) & (np.abs(integral) <= _LOST * largest)
        telling = np.isfinite(off) & (size > 0.0) & (rough < _TELLING * size) & ~flat
        wrong = telling & (off > _AGREE * size + rough)
    if wrong.sum() <= _SHARE * telling.sum():
        return None
    at = min(np.flatnonzero(wrong).tolist(), key=lambda i: (abs(np.log(abs(points[i, 0]))), i))
    return at, change[at] / width[at] + 0.0, integral[at] / width[at] + 0.0  # -0 is 0
