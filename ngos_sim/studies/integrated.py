"""Where an integrator limits what a table says, not the trajectories: what `ConvergenceStudy.run` adds to `why`."""

import numpy as np

from ngos_sim.studies.series import headline

_EXPLODED, _LEFT = 1e3, 0.1  # of a mean, and of what an integrator leaves of it, where that is unstable


def unstable(table):
    """Return {(sde, test function): where its integrator is unstable, in words}.

    There the SDE's mean has grown a thousandfold from its first recorded time on, beyond the optimizer's means, and
    what the integrator leaves is a tenth of it or more: coarse steps that are stable leave much, but of what decays.
    """
    found = {}
    for key, rows in table.groupby(["sde", "test_function"], sort=False):
        means, by = rows[["optimizer_mean", "sde_mean"]].abs(), rows.h
        before = np.maximum(means.optimizer_mean.groupby(by).cummax(), means.sde_mean.groupby(by).transform("first"))
        explodes = (means.sde_mean > _EXPLODED * before) & (rows.integrator_residual > _LEFT * means.sde_mean)
        largest = rows.h[explodes].max()
        if largest > 0.0:
            found[key] = f"the integrator of the SDE is unstable at h = {largest:g}: smaller h is needed"
    return found


def limited(why, table):
    """Return `why` with a clause where the integrator leaves more than the standard error at the time of norm = max."""
    found = dict(why)
    for (sde, name), rows in headline(table).groupby(["sde", "test_function"], sort=False):
        least = rows.h[rows.integrator_residual > rows.std_error].min()
        if least > 0.0:
            text = f"at h >= {least:g} what the integrator leaves exceeds the standard error"
            found[sde, name] = f"{found[sde, name]}; {text}"
    return found
