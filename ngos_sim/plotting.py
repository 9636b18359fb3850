"""Figures: weak errors against the effective step."""

import numpy as np

from ngos_sim.estimators import order as orders
from ngos_sim.estimators.chunks import normal_quantile


def error_plot(groups, axes=None):
    """Draw |error| against eta_e on logarithmic axes.

    Points carry 95 % bars and are hollow where they do not exceed 3 standard errors; lines are the
    fitted C x^p (1 + D x); dotted guides have slopes 1/2 and 1; the grey band is the noise floor, the
    largest error that could be noise (3 standard errors) of the noisiest series.

    Parameters
    ----------
    groups : sequence of (dict, DataFrame)
        Names of a series, and its rows: one a point, with eta_e, error and std_error.
    axes : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    import matplotlib.pyplot as plt

    if axes is None:
        _, axes = plt.subplots(figsize=(8.0, 4.8), layout="constrained")
    z = normal_quantile(0.95)
    several = len({keys["sde"] for keys, _ in groups}) > 1
    floor, tops = {}, []
    for at, (keys, rows) in enumerate(groups):
        rows = rows.sort_values("eta_e")
        x, error, std_error = (rows[name].to_numpy() for name in ("eta_e", "error", "std_error"))
        fit = orders.fit(x, error, std_error)
        color, marker = f"C{at % 10}", "osD^vP*X"[at % 8]
        size, solid = np.abs(error), np.abs(error) > orders.RESOLVED * std_error
        label = _label(keys, fit, several)
        lower = np.minimum(z * std_error, 0.999 * size)
        for chosen, face, name in ((solid, color, label), (~solid, "none", None if solid.any() else label)):
            if chosen.any():
                bars = [lower[chosen], z * std_error[chosen]]
                style = {"fmt": marker, "color": color, "mfc": face, "ms": 5, "capsize": 2, "lw": 1}
                axes.errorbar(x[chosen], size[chosen], bars, label=name, **style)
        if fit.resolved_points >= 3:
            curve = np.geomspace(x[0], x[-1], 100)
            axes.plot(curve, np.abs(orders.curve(fit, x, error, std_error, curve)), color=color, lw=1)
            tops.append((x[-1], size[-1]))
        for one, se in zip(x, std_error, strict=True):
            floor[one] = max(floor.get(one, 0.0), orders.RESOLVED * se)
    axes.set_xscale("log", base=2)
    axes.set(yscale="log", xlabel=r"effective step $\eta_e$", ylabel="|weak error|")
    low, high = axes.get_ylim()
    steps = np.array(sorted(floor))
    noise = np.array([floor[one] for one in steps])
    if (noise > low).any():
        axes.fill_between(
            steps, noise, low, where=noise > low, color="0.5", alpha=0.12, lw=0, label="3 SE, noisiest series"
        )
    if tops and len(steps) > 1:
        top = max(size for _, size in tops) * 1.3
        high = max(high, 1.2 * top)
        for slope, style in ((0.5, (0, (1, 3))), (1.0, (0, (1, 1)))):
            axes.plot(steps, top * (steps / steps[-1]) ** slope, color="0.4", lw=1, ls=style, label=f"slope {slope:g}")
    axes.set_ylim(low, high)
    axes.grid(True, which="major", lw=0.3)
    handles, labels = axes.get_legend_handles_labels()
    series_first = sorted(range(len(labels)), key=lambda i: not hasattr(handles[i], "has_xerr"))
    style = {"fontsize": "small", "frameon": False, "loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
    axes.legend([handles[i] for i in series_first], [labels[i] for i in series_first], **style)
    return axes


def _label(keys, fit, several):
    """Return the legend's words for one series: its names, and the order with its 95 % interval."""
    name = keys["test_function"] + (f", {keys['sde']}" if several else "")
    if np.isfinite(keys.get("eta2", np.nan)):
        name += f", $\\eta^2$={keys['eta2']:g}"
    if fit.resolved_points < 3:
        return f"{name}: unresolved"
    return f"{name}: order {fit.order:.2f} [{fit.ci_low:.2f}, {fit.ci_high:.2f}]"
