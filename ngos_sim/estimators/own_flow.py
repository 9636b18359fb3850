"""The flows M_k of an optimizer's own step: what its expectation makes of a Basis, projected back on it.

The carried errors have the right means whatever M_k is (`known.moments`); their variance is least where M_k is the
optimizer's own one-step operator: the least squares of E[psi(x') | x] on (1, psi) over the law of x. What the span of
the basis holds, it carries without noise; the rest is the closure's error alone. (docs/theory.md, "The own flow".)
The local estimator takes M_k from here or from `known.moments`, whichever costs less.
"""

import math
from itertools import product
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import scipy

from ngos_sim.engines.compiling.bind import quick
from ngos_sim.known.step_nodes import after_step

_KNOTS = 24  # steps at which the operator is projected, a spline between
_REACH = 2.5  # standard deviations about the mean out to which the grid of states goes
_FLOOR = 0.1  # of a slot's size over the root of the steps: the least standard deviation
_GROWN = 100.0  # times psi: what the terms of M psi may be: their roundings are below `estimators.rounding.bound`
_NARROW = 0.2  # of an autonomous slot's path: the widest standard deviation about it
_LOOSE = 1e-2  # added to the correlations: the law's principal axes are known no better


class Law(NamedTuple):
    """Mean, shape (slots,), and covariance of all slots before a step, about as the SDE has them."""

    mean: np.ndarray
    spread: np.ndarray


class OwnStep:
    """A rule's step in one coordinate, in plain Python, and the law of its noise.

    Parameters
    ----------
    rule : Rule
    coordinate : Coordinate
    h : float
        Of a step.
    parameters : dict
        What p shows it: `processes.rule.parameters`.
    rows : ndarray, shape (steps, columns)
        The rule's schedule, a row a step.
    nodes, weights : ndarray, shape (nodes,)
        Of the noise, of unit variance: its Gauss rule.
    """

    def __init__(self, rule, coordinate, h, parameters, rows, nodes, weights):
        self.coordinate, self.h, self.rows, self.nodes, self.weights = coordinate, h, rows, nodes, weights
        self._step, self._p = quick(rule.step), SimpleNamespace(**parameters)

    def moved(self, k, states):
        """Return the slots after step k from each state at every node: `step_nodes.after_step`."""
        return after_step(self._step, self.coordinate, states, self.nodes, tuple(self.rows[k].tolist()), self._p)


def flows(step, moments):
    """Return the flow of an optimizer's own steps as a function (first, last) -> M_k of steps first .. last - 1.

    M_k acts on (1, *basis), shape (last - first, n + 1, n + 1). None where the step cannot be projected, or where u has
    a law so wide that polynomials about its path do not reach: 1 / sqrt(u) has none beyond u = 0, and in the tails the
    variance would be larger than with the SDE's flow.

    Parameters
    ----------
    step : OwnStep
    moments : Moments
        Of the SDE: its path of the autonomous slots is what y is counted from; where its law is, states are chosen.
    """
    count = len(step.rows)
    share = (np.arange(_KNOTS) / (_KNOTS - 1)) ** 2
    numbers = np.unique([0, *np.round(1 + max(0, count - 2) * share).astype(int)])
    numbers = numbers[numbers < count]
    after = moments.path.at(moments.clock(step.h * (numbers + 1)))
    grid = _grid(moments.basis)
    known, autonomous = laws(step, moments, numbers), list(moments.basis.autonomous)
    if any(np.any(np.diag(law.spread)[autonomous] > (_NARROW * law.mean[autonomous]) ** 2) for law in known):
        return None
    found, grown = [], []
    for k, path, law in zip(numbers, after, known, strict=True):
        matrix, by = _projected(step, moments, k, path, law, grid)
        found.append(matrix)
        grown.append(by)
    if not np.sqrt(np.mean(np.square(grown))) <= _GROWN:  # True for NaN
        return None
    if count <= 2:
        return lambda first, last: np.array(found)[first:last]
    alone = np.array(found[:1])
    # Bias corrections make another step of the first.
    spline = scipy.interpolate.CubicSpline(np.sqrt(numbers[1:]), found[1:])

    def matrices(first, last):
        return np.concatenate([alone[first:last], spline(np.sqrt(np.arange(max(1, first), last)))])

    return matrices


def _grid(basis):
    """Return a product grid of Chebyshev points of unit scale, shape (points, slots), and its Gaussian weights."""
    side = 2 + max(map(max, basis.exponents))
    points = _REACH * np.cos(np.pi * (np.arange(side) + 0.5) / side)
    grid = np.array(list(product(points, repeat=basis.slots)))
    return grid, np.exp(-0.25 * (grid**2).sum(axis=1))


def laws(step, moments, numbers):
    """Return the Law before each of some steps.

    Of the slots without noise it is that of their own linear equation: u follows the SDE's path with the rates F, and
    the steps' noise drives it. A step's share in a variance is all that is used of it.
    """
    probe, basis, h = moments.probe, moments.basis, step.h
    autonomous, linear, size = list(basis.autonomous), list(basis.linear), len(basis.autonomous)
    means, path = moments.means(h * numbers), moments.path.at(moments.clock(h * numbers))
    rates = probe.derivatives(probe.time(moments.clock(h * numbers)), path)[1]
    one = np.eye(basis.slots, dtype=int)
    spread, before, found = np.zeros((size, size)), 0, []
    for k, known, U, F in zip(numbers, means, path, rates, strict=True):
        mean, covariance = np.empty(basis.slots), np.zeros((basis.slots, basis.slots))
        mean[linear] = [known[basis.places[tuple(one[i])] - 1] for i in linear]
        mean[autonomous] = U
        second = [[known[basis.places[tuple(one[i] + one[j])] - 1] for j in linear] for i in linear]
        covariance[np.ix_(linear, linear)] = np.array(second).reshape(2 * [len(linear)]) - np.outer(
            mean[linear], mean[linear]
        )
        own = step.moved(k, mean[None])[0, :, autonomous].T
        off = own - step.weights @ own
        F = F.T * h * (k - before)
        grown = np.eye(size**2) - np.kron(F, np.eye(size)) - np.kron(np.eye(size), F)
        source = (k - before) * np.einsum("q,qi,qj->ij", step.weights, off, off)
        spread, before = np.linalg.solve(grown, (spread + source).ravel()).reshape(size, size), k
        covariance[np.ix_(autonomous, autonomous)] = spread
        found.append(Law(mean, covariance))
    return found


def _projected(step, moments, k, path, law, grid):
    """Return the matrix that takes (1, psi)(x) nearest to its expectation after step k, by weighted least squares.

    And how many times psi the terms of its product with psi are; NaN where too few states are inside the step's domain.

    path : (autonomous,), of A after the step; law : Law, before it
    """
    basis, (mean, spread), (points, weights) = moments.basis, law, grid
    autonomous = list(basis.autonomous)
    spread = spread + np.diag((_FLOOR * moments.probe.reach) ** 2 / len(step.rows))
    scale = np.sqrt(np.diag(spread))
    root = np.linalg.cholesky(spread / np.outer(scale, scale) + _LOOSE * np.eye(basis.slots))
    standard = points @ root.T
    moved = step.moved(k, mean + standard * scale)
    moved[..., autonomous] -= path
    with np.errstate(over="ignore", invalid="ignore"):
        expected = np.einsum("q,xqe->xe", step.weights, basis.of(moved))
    inside = np.isfinite(expected).all(axis=1)
    if np.count_nonzero(inside) <= len(basis.places):
        return np.full((len(basis.places),) * 2, np.nan), math.nan
    weight = weights[inside, None]
    fit = np.linalg.lstsq(weight * basis.of(standard[inside]), weight * expected[inside], rcond=None)[0]
    centre = np.where(np.isin(range(basis.slots), autonomous), 0.0, mean)
    matrix = (_unscaled(basis, centre, scale) @ fit).T
    size = basis.of(np.abs(centre) + _REACH * scale)
    return matrix, float(np.max(np.abs(matrix) @ size / size))


def _unscaled(basis, mean, scale):
    """Return the matrix whose columns are the monomials of (x - mean) / scale in those of x."""
    matrix = np.zeros((len(basis.places),) * 2)
    for e, column in basis.places.items():
        for f, row in basis.places.items():
            if all(map(int.__ge__, e, f)):
                terms = zip(e, f, mean.tolist(), scale.tolist(), strict=True)
                matrix[row, column] = math.prod(math.comb(a, b) * (-m) ** (a - b) / s**a for a, b, m, s in terms)
    return matrix
