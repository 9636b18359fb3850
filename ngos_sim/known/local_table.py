"""The table of the local estimator's rule: what follows a rule's own row, from an SDE's known moments.

M_k, which carries errors over step k, shows in their variance alone; the SDE's moments m_k make their means
(`processes.local_error`). `estimators.pivots` calls `columns`.
"""

import numpy as np

from ngos_sim.known import linear_flow
from ngos_sim.known.step_flow import constants_column, smooth

_STEP_NODES = 5  # Radau's, of each M_k
_SLICE = 4096  # steps whose M_k are held at once: memory


def flow(moments, h, numbers):
    """Return the flow M_k of a Basis and 1 over steps k of size h from t0, shape (steps, n + 1, n + 1).

    numbers : ndarray of int, which steps
    """
    nodes, _ = linear_flow.radau(_STEP_NODES)
    ends = moments.clock(h * np.stack([numbers, numbers + 1]))
    lengths = (ends[1] - ends[0])[:, None]
    rates = lengths[..., None, None] * moments.generator(ends[0][:, None] + nodes * lengths)
    units = linear_flow.scales(rates, moments.basis.of(moments.probe.start))  # y of the size of its slot
    return linear_flow.flows(rates, units=units)[:, -1]


def sde_flow(moments, h, steps):
    """Return the SDE's own flow as a function (first, last) -> M_k of steps first .. last - 1."""
    with np.errstate(over="ignore", invalid="ignore"):  # an exploding problem is reported by its trajectories
        return smooth(lambda numbers: flow(moments, h, numbers), steps)


def columns(out, moments, matrices, h, nodes, weights):
    """Write what follows a rule's own row in the local rule's c, and return the SDE's means.

    Parameters
    ----------
    out : ndarray, shape (steps, columns)
        Gets the path of A at k and k + 1, nodes and weights, and last the rows of (constant, M_k).
    moments : Moments
    matrices : function (first, last) -> ndarray, shape (last - first, n + 1, n + 1)
        M_k on (1, *basis) of steps first .. last - 1.
    h : float
        Of a step, from t0 on.

    Returns
    -------
    ndarray, shape (steps + 1, n)
        m_k = E psi(X_t) at every step; the constant is m_{k+1} - M_k m_k.
    """
    steps, size = len(out), len(moments.basis.exponents)
    since = h * np.arange(steps + 1)
    rows = out[:, out.shape[1] - matrix_size(moments.basis) :]
    with np.errstate(over="ignore", invalid="ignore"):
        means, path = moments.means(since), moments.path.at(moments.clock(since))
        for first in range(0, steps, _SLICE):
            last = min(first + _SLICE, steps)
            found = matrices(first, last)[:, 1:, 1:]
            constants = constants_column(found, means[first : last + 1])
            rows[first:last] = np.concatenate([constants[:, :, None], found], axis=2).reshape(-1, size * (size + 1))
    count = path.shape[1]
    out[:, :count], out[:, count : 2 * count] = path[:-1], path[1:]
    out[:, 2 * count : out.shape[1] - rows.shape[1]] = np.concatenate([nodes, weights])
    return means


def matrix_size(basis):
    """Return how many numbers the rows of (constant, M_k) are."""
    return len(basis.exponents) * (len(basis.exponents) + 1)


def width_of(basis, nodes):
    """Return how many columns `columns` writes for a rule of so many nodes."""
    return 2 * len(basis.autonomous) + 2 * nodes + matrix_size(basis)
