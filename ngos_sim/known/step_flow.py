"""Flows over the steps of an optimizer: what `local_table` and `joint_flow` make of an SDE's generator.

M_k, which carries errors over step k, shows in their variance alone; the SDE's moments m_k make their means
(docs/theory.md, "The local estimator").
"""

import numpy as np
import scipy

from ngos_sim.known import linear_flow

_STEP_NODES = 5  # Radau's, of each M_k
_KNOTS = 1024
_AT_ONCE = 64  # of them: memory


def step_clock(problem, h, numbers):
    """Return the times at Radau's nodes of steps of size h, those since a step began, and the clock's speed there.

    numbers : ndarray of int, which steps; all of shape (steps, nodes)

    The first step is taken in the clock t - t0 = h s^2, 0 < s <= 1: bias corrections begin like a root of t, and
    where u begins near 0 its root does.
    """
    nodes, _ = linear_flow.radau(_STEP_NODES)
    first = (numbers == 0)[:, None]
    passed = h * np.where(first, nodes**2, nodes)
    return problem.t0 + h * numbers[:, None] + passed, passed, h * np.where(first, 2.0 * nodes, 1.0)


def smooth(found_at, steps):
    """Return a function (first, last) -> what found_at gives for steps first .. last - 1.

    Where there are many steps it is a spline through some of them, the denser the nearer to the start. (Whatever M_k
    is, the errors have the right means: it shows in their variance.)
    """
    knots = np.round((np.arange(_KNOTS + 1) / _KNOTS) ** 2 * (steps - 1)).astype(int)
    numbers = np.arange(steps) if steps <= _KNOTS else np.unique(knots)
    parts = np.array_split(numbers, -(-len(numbers) // _AT_ONCE))
    found = np.concatenate([found_at(part) for part in parts])
    if len(numbers) == steps or not np.all(np.isfinite(found)):
        return lambda first, last: found[np.searchsorted(numbers, np.arange(first, last), "right") - 1]
    spline = scipy.interpolate.CubicSpline(numbers, found)
    return lambda first, last: spline(np.arange(first, last))


def constants_column(matrices, means):
    """Return m_{k+1} - M_k m_k, shape (steps, n): with it the errors' means are E psi(x_k) - m_k whatever M_k is.

    matrices : (steps, n, n); means : (steps + 1, n). In higher precision, as what is left is of the size of h.
    """
    exact = matrices.astype(np.longdouble), means.astype(np.longdouble)
    return (exact[1][1:] - np.einsum("kij,kj->ki", exact[0], exact[1][:-1])).astype(np.float64)
