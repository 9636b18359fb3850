"""Functions of all of theta, a tuple: how many coordinates they may have, how they are called, what they must return.

`oracles.losses.Loss` with joint=True and `oracles.covariances.Covariance` have such functions. They are called here in
plain Python, when they are made and where a study looks at them; engines compile the same functions.
"""

import numbers
from types import SimpleNamespace

import numpy as np
from numpy.typing import ArrayLike

from ngos_sim.validation import coordinate_values, described, integer

LEAST, MOST = 2, 16  # coordinates: a lane keeps all of them in registers, and code grows with them


def checked_dimension(owner, dimension):
    """Return the number of coordinates as an int; raise ValueError unless it is one from 2 to 16."""
    if dimension is None:
        raise ValueError(f"{owner}: dimension is missing; a function of all of theta needs it, {LEAST} to {MOST}")
    found = integer(f"{owner}: dimension", dimension)
    if not LEAST <= found <= MOST:
        raise ValueError(f"{owner}: dimension={found}; allowed: {LEAST} to {MOST}")
    return found


def at(theta: ArrayLike, dimension: int | None) -> tuple[float, ...]:
    """Return a point as a tuple of floats, one a coordinate; dimension : None where any number of them will do."""
    values = coordinate_values("theta", theta)
    if dimension is not None and len(values) != dimension:
        raise ValueError(f"theta={described(theta)} has length {len(values)}; {dimension} is needed")
    return values


def number(owner, role, function, theta, p):
    """Return a function's value as a float; see `_called`."""
    value = _called(owner, role, function, theta, p)
    return _real(owner, role, theta, value, value, "a number is needed")


def vector(owner, role, function, theta, p):
    """Return what a function says as an array of one number a coordinate; see `_called`."""
    value, needed = _called(owner, role, function, theta, p), f"a tuple of {len(theta)} numbers is needed"
    return np.array(_tuple(owner, role, theta, value, value, needed))


def matrix(owner, role, function, theta, p):
    """Return what a function says as an array of one row a coordinate; see `_called`."""
    value, d = _called(owner, role, function, theta, p), len(theta)
    needed = f"a tuple of {d} tuples of {d} numbers is needed"
    if not isinstance(value, tuple) or len(value) != d:
        raise TypeError(_returns(owner, role, theta, value, needed))
    return np.array([_tuple(owner, role, theta, row, value, needed) for row in value])


def defined(how, *arguments):
    """Return what `number`, `vector` or `matrix` says, or None where a function is not defined: arithmetic fails."""
    try:
        return how(*arguments)
    except ArithmeticError:
        return None


def _called(owner, role, function, theta, p):
    """Return function(theta, p); what is not its arithmetic is an error of one line.

    Raises
    ------
    ArithmeticError
        It is not defined there.
    ValueError, TypeError
        It reads what is not there, or returns something else.
    """
    try:
        return function(theta, p if isinstance(p, SimpleNamespace) else SimpleNamespace(**p))
    except ArithmeticError:
        raise
    except ValueError as error:
        if "unpack" in str(error):  # of a theta of another length; any other is math's, as of log(-1)
            raise TypeError(f"{owner}: {role} fails at theta={shown(theta)}: {error}") from error
        raise ArithmeticError(str(error)) from error
    except AttributeError as error:
        held = ", ".join(vars(p) if isinstance(p, SimpleNamespace) else p) or "none"
        raise ValueError(f"{owner}: {role} reads {error.name!r}; its parameters are: {held}") from error
    except Exception as error:
        raise TypeError(f"{owner}: {role} fails at theta={shown(theta)}: {error}") from error


def _tuple(owner, role, theta, row, whole, needed):
    """Return a tuple of one number a coordinate as floats."""
    if not isinstance(row, tuple) or len(row) != len(theta):
        raise TypeError(_returns(owner, role, theta, whole, needed))
    return [_real(owner, role, theta, value, whole, needed) for value in row]


def _real(owner, role, theta, value, whole, needed):
    if isinstance(value, complex):
        return np.nan  # of a root of a negative number: not defined
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(_returns(owner, role, theta, whole, needed))
    return float(value)


def _returns(owner, role, theta, value, needed):
    return f"{owner}: {role} returns {described(value)} at theta={shown(theta)}; {needed}"


def shown(theta):
    """Return a point as messages show it."""
    return f"({', '.join(f'{value:.5g}' for value in theta)})"
