"""The flow of a linear equation x' = A(s) x in a few numbers x, by collocation at Radau's nodes.

Radau IIA (Hairer and Wanner 1996, Solving Ordinary Differential Equations II, section IV.5) with n nodes is of order
2 n - 1 and L-stable: a rate that is fast beside a step needs no smaller ones. Its accuracy is judged against
|X(s)| |x(0)|, the size of the terms that x(s) is a sum of (or 1e-12 of the largest so far, where x has died out): no
unit of x or of time is in that. `moments` and
`joint_flow` take from here the SDE's moments, and what carries errors over a step.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial.legendre import legvander
from scipy.special import roots_jacobi

ACCURACY = 1e-12  # of what `solved` returns
_NODES = 10
_INTERVALS = tuple(2**k for k in range(2, 14))  # of a solution: doubled until it stands still
_AT_ONCE = 64  # intervals: memory
_TIMES_AT_ONCE = 4096


@cache
def radau(nodes):
    """Return Radau's nodes in (0, 1], the last of them 1, and the matrix of the integrals of what is known at them.

    integral from 0 to node i = sum_j matrix[i, j] value at node j, exact for polynomials of degree < nodes.
    """
    inside, _ = roots_jacobi(nodes - 1, 1.0, 0.0)
    at = np.append(0.5 * (1.0 + inside), 1.0)
    values = legvander(2.0 * at - 1.0, nodes)
    k = np.arange(1, nodes)
    integrals = np.column_stack([at, (values[:, 2:] - values[:, :-2]) / (2.0 * (2.0 * k + 1.0))])
    return at, integrals @ np.linalg.inv(values[:, :nodes])


def scales(rates, start):
    """Return a power of 2 for each number in x, shape (n,), of the size that it has or is driven to.

    rates : ndarray, shape (.., n, n); start : (n,). In these units a solver's pivots are its large entries.
    """
    largest = np.abs(rates).reshape(-1, *rates.shape[-2:]).max(axis=0)
    driven = largest / (1.0 + np.diag(largest)[:, None])
    size = np.abs(start)
    for _ in range(len(start)):
        size = np.maximum(size, (driven * size).max(axis=1))
    usable = np.isfinite(size) & (size > 0.0)
    return np.exp2(np.round(np.log2(np.where(usable, size, 1.0))))


def flows(rates, forces=None, units=None):
    """Return X at Radau's nodes of intervals of length 1: X' = A X + F, where each begins X = 1, with forces X = 0.

    Parameters
    ----------
    rates : ndarray, shape (intervals, nodes, n, n)
        A at the nodes. What is not finite gives NaN.
    forces : ndarray, shape (intervals, nodes, n, m), optional
        F there; none is 0.
    units : ndarray, shape (n,), optional
        See `scales`: those in which the numbers are solved for.

    Returns
    -------
    ndarray, shape (intervals, nodes, n, m), without forces m = n
        The last node is the end.
    """
    count, nodes, n, _ = rates.shape
    _, integral = radau(nodes)
    units = np.ones(n) if units is None else units
    rates = rates * (units / units[:, None])
    system = np.eye(nodes * n) - np.einsum("ij,pjab->piajb", integral, rates).reshape(count, nodes * n, nodes * n)
    if forces is None:
        right = np.tile(np.diag(1.0 / units), (nodes, 1))
    else:
        right = np.einsum("ij,pjam->piam", integral, forces / units[:, None]).reshape(count, nodes * n, -1)
    if not (np.all(np.isfinite(system)) and np.all(np.isfinite(right))):
        return np.full((count, nodes, n, right.shape[-1]), np.nan)
    return units[:, None] * np.linalg.solve(system, right).reshape(count, nodes, n, -1)


@dataclass(frozen=True)
class Solution:
    """x(s), 0 <= s <= 1, in equal intervals.

    values : ndarray, shape (intervals, 1 + nodes, n), x where an interval begins and at its nodes
    """

    values: np.ndarray

    def at(self, s):
        """Return x at ascending s, shape (times, n)."""
        count, width, _ = self.values.shape
        known = np.linalg.inv(legvander(2.0 * np.append(0.0, radau(width - 1)[0]) - 1.0, width - 1))
        found = []
        for part in np.array_split(s, -(-len(s) // _TIMES_AT_ONCE)):
            which = np.minimum((part * count).astype(int), count - 1)
            weights = legvander(2.0 * (part * count - which) - 1.0, width - 1) @ known
            x = np.einsum("kj,kjn->kn", weights, self.values[which])
            found.append(np.where(part[:, None] > 0.0, x, self.values[0, 0]))
        return np.concatenate(found)


def _in(count, rate, start):
    """Return the Solution in `count` intervals, x where they begin and end, and |X| |x(0)| there."""
    nodes, _ = radau(_NODES)
    s = (np.arange(count)[:, None] + nodes) / count
    parts, few = np.array_split(s, -(-count // _AT_ONCE)), slice(None, None, max(1, count // 8))
    rates = rate(s) if len(parts) == 1 else None  # once: where they are a user's functions they take the time
    units = scales(rate(s[few]) if rates is None else rates[few], start)
    each = map(rate, parts) if rates is None else (rates,)
    inside = np.concatenate([flows(rates / count, units=units) for rates in each])
    ends, sizes, total = [start], [np.abs(start)], np.eye(len(start))
    for flow in inside[:, -1]:
        total = flow @ total
        ends.append(flow @ ends[-1])
        sizes.append(np.abs(total) @ sizes[0])
    ends = np.array(ends)
    values = np.concatenate([ends[:-1, None], np.einsum("pjab,pb->pja", inside, ends[:-1])], axis=1)
    return Solution(values), ends, np.array(sizes)


def solved(rate, start):
    """Return the Solution of x' = A(s) x, 0 <= s <= 1, to a relative ACCURACY, or None where none is found.

    Parameters
    ----------
    rate : function (s) -> ndarray, shapes (...) -> (..., n, n)
        A, which need not be finite at s = 0.
    start : ndarray, shape (n,)
    """
    before = None
    with np.errstate(all="ignore"):  # what is not finite is not found
        for count in _INTERVALS:
            solution, ends, sizes = _in(count, rate, start)
            if before is not None:
                misses = np.abs(before.at(np.arange(count + 1) / count) - ends)
                if np.all(misses <= ACCURACY * np.maximum(sizes, ACCURACY * np.maximum.accumulate(sizes))) and np.all(
                    np.isfinite(sizes)
                ):
                    return solution
            before = solution
    return None
