"""Figures: weak errors against the effective step."""

import numpy as np

from ngos_sim.estimators import order as orders
from ngos_sim.estimators.chunks import normal_quantile


def error_plot(groups, axes=None):
    """Draw |error| against eta_e on logarithmic axes.

    Points carry 95 % bars and are hollow where they do not exceed 3 standard errors; lines are the
    fitted C x^p (1 + D x); dotted guides have slopes 1/2 and 1; the grey band reaches to 3 standard
    errors of the noisiest series.

    Parameters
    ----------
    groups : sequence of (dict, DataFrame, float)
        Names of a series; its rows: one a point, with eta_e, error and uncertainty; the widening of its fit.
    axes : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    import matplotlib.pyplot as plt

    if axes is None:
        _, axes = plt.subplots(figsize=(8.0, 4.8), layout="constrained")
    several = len({keys["sde"] for keys, *_ in groups}) > 1
    noise, smallest, largest = {}, np.inf, 0.0
    for at, (keys, rows, widening) in enumerate(groups):
        rows = rows.sort_values("eta_e")
        x, error, std_error = (rows[name].to_numpy() for name in ("eta_e", "error", "uncertainty"))
        _series(axes, at, x, error, std_error, widening, keys, several)
        smallest = min(smallest, np.maximum(np.abs(error), std_error).min())
        largest = max(largest, np.abs(error).max())
        for one, se in zip(x, std_error, strict=True):
            noise[one] = max(noise.get(one, 0.0), orders.RESOLVED * se)
    axes.set_xscale("log", base=2)
    axes.set(yscale="log", xlabel=r"effective step $\eta_e$", ylabel="|weak error|")
    steps = np.array(sorted(noise))
    _guides(axes, steps, np.array([noise[one] for one in steps]), 0.7 * smallest, 1.3 * largest)
    axes.grid(True, which="major", lw=0.3)
    axes.legend(fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return axes


def _series(axes, at, x, error, std_error, widening, keys, several):
    """Draw one series: points, hollow where unresolved, and the fitted line."""
    fit = orders.fit(x, error, std_error, widening=widening)
    size, solid = np.abs(error), np.abs(error) > orders.RESOLVED * std_error
    bar = normal_quantile(0.95) * std_error
    color, label = f"C{at % 10}", _label(keys, fit, several)
    for chosen, face, name in ((solid, color, label), (~solid, "none", None if solid.any() else label)):
        if chosen.any():
            bars = [np.minimum(bar, 0.999 * size)[chosen], bar[chosen]]
            style = {"fmt": "osD^vP*X"[at % 8], "color": color, "mfc": face, "ms": 5, "capsize": 2, "lw": 1}
            axes.errorbar(x[chosen], size[chosen], bars, label=name, **style)
    if fit.resolved_points >= 3:
        at_steps = np.geomspace(x[0], x[-1], 100)
        axes.plot(at_steps, np.abs(orders.curve(fit, x, error, std_error, at_steps)), color=color, lw=1)


def _guides(axes, steps, noise, low, top):
    """Draw slopes 1/2 and 1 from `top` at the largest step, and the noise floor; fit the axis to them."""
    if not 0.0 < low < top < np.inf:
        return
    if len(steps) > 1:
        low = min(low, top * steps[0] / steps[-1] / 1.2)
        for slope, dots in ((0.5, (0, (1, 3))), (1.0, (0, (1, 1)))):
            axes.plot(steps, top * (steps / steps[-1]) ** slope, color="0.4", lw=1, ls=dots, label=f"slope {slope:g}")
    if (noise > low).any():
        style = {"color": "0.5", "alpha": 0.12, "lw": 0, "label": "3 SE, noisiest series"}
        axes.fill_between(steps, noise, low, where=noise > low, **style)
    axes.set_ylim(low, 1.2 * top)


def _label(keys, fit, several):
    """Return the legend's words for one series: its names, and the order with its 95 % interval."""
    name = keys["test_function"] + (f", {keys['sde']}" if several else "")
    if np.isfinite(keys.get("eta2", np.nan)):
        name += f", $\\eta^2$={keys['eta2']:g}"
    if fit.resolved_points < 3:
        return f"{name}: unresolved"
    return f"{name}: order {fit.order:.2f} [{fit.ci_low:.2f}, {fit.ci_high:.2f}]"
