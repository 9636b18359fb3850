"""Independent and coupled differences, and the removal of the integrator's own bias.

With EM_m the Euler-Maruyama mean at m steps per step of the optimizer, (EM_1 - 6 EM_2 + 8 EM_4) / 3 has
no bias of order h or h^2 (Talay and Tubaro 1990; Richardson's weights). EM_1 alone shares half of the
optimizer's own discretisation error: it is not the SDE.
"""

import numpy as np

LEVELS = (1, 2, 4)
EXTRAPOLATION = np.array([1.0, -6.0, 8.0]) / 3.0


def coupled(references):
    """Return what to record when everything runs on one stream.

    Processes: the optimizer, then each SDE at each of LEVELS. Observables: the optimizer's g; then for
    each SDE the extrapolated g, the difference optimizer - SDE, and the bias of EM_1.

    Returns
    -------
    combinations : ndarray, shape (1 + 3 references, 1 + 3 references)
    """
    sdes = independent(references)
    rows = [np.eye(1, 1 + sdes.shape[1])]
    for mean, bias in zip(sdes[0::2], sdes[1::2], strict=True):
        padded = np.concatenate([[0.0], mean])
        rows += [[padded], rows[0] - padded, [np.concatenate([[0.0], bias])]]
    return np.concatenate(rows)


def coupled_pair():
    """Return what to record of an optimizer and one exact reference: both g, and their difference."""
    return np.array([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]])


def independent(references):
    """Return what to record of the SDEs alone: for each the extrapolated g and the bias of EM_1.

    Returns
    -------
    combinations : ndarray, shape (2 references, 3 references)
    """
    bias = np.array([1.0, 0.0, 0.0]) - EXTRAPOLATION
    return np.kron(np.eye(references), np.stack([EXTRAPOLATION, bias]))
