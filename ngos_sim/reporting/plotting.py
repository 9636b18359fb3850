"""Figures: weak errors against h, the time of one optimizer step."""

import contextlib
import io
import os
import sys
import warnings

import numpy as np

from ngos_sim.statistics import order as orders
from ngos_sim.statistics.chunks import normal_quantile

_FIGURE = {"figsize": (8.0, 4.8), "layout": "constrained"}


def error_plot(groups, axes=None, theorem=1.0, step="h"):
    """Draw |error| against h on logarithmic axes.

    Points carry 95 % bars and are hollow where they do not exceed 3 standard errors; lines are the
    fits; dotted guides have the theorem's order as their slope, and half of it; the grey band reaches to 3 standard
    errors of the noisiest series.

    Parameters
    ----------
    groups : sequence of (dict, DataFrame, OrderFit, function)
        Names of a series; its rows: one a point, with h, error and uncertainty; its fit; the fitted line, a
        function of steps.
    axes : matplotlib Axes, optional
    theorem : float
        The order that the errors are held to.
    step : str
        What stands below the horizontal axis: `step_label`.

    Returns
    -------
    matplotlib Axes
    """
    with _plain_words():
        return _drawn(groups, _new_axes() if axes is None else axes, theorem, step)


def step_label(table):
    """Return what h is in a table with the columns h, eta2, eta and ell: eta^2 or eta, under SVAG over ell^2 or ell."""
    svag = np.any(table.ell != 1.0)
    if np.allclose(table.h * table.ell**2, table.eta2, rtol=1e-9, atol=0.0):
        return r"$h = \eta^2 / \ell^2$ (time of one step)" if svag else r"$h = \eta^2$ (time of one step)"
    return r"$h = \eta / \ell$ (time of one step)" if svag else r"$h = \eta$ (time of one step)"


def png(draw):
    """Return a figure as bytes of PNG; draw : function (axes). No backend of the user's has a part in it."""
    with _plain_words():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure, content = Figure(**_FIGURE), io.BytesIO()
        canvas = FigureCanvasAgg(figure)
        draw(figure.add_subplot())
        canvas.print_figure(content, dpi=150, format="png")
    return content.getvalue()


@contextlib.contextmanager
def _plain_words():
    """Draw without LaTeX, which may not be there, and without a word on letters that a font lacks: they are boxes."""
    with _matplotlib().rc_context({"text.usetex": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        yield


def _matplotlib():
    """Return matplotlib; its own import fails where MPLBACKEND names a notebook's that is not installed."""
    named = os.environ.get("MPLBACKEND")
    if "matplotlib" in sys.modules or not named:
        import matplotlib

        return matplotlib
    del os.environ["MPLBACKEND"]
    try:
        import matplotlib
    finally:
        os.environ["MPLBACKEND"] = named
    with contextlib.suppress(ValueError):  # as the import does
        matplotlib.rcParams["backend"] = named
    return matplotlib


def _new_axes():
    """Return axes of a new figure: pyplot's, to be shown, or where its backend does not load one without a screen."""
    try:
        import matplotlib.pyplot as plt

        return plt.figure(**_FIGURE).add_subplot()
    except (ImportError, ValueError):  # of a notebook that runs elsewhere, of a screen that is not there
        from matplotlib.figure import Figure

        return Figure(**_FIGURE).add_subplot()


def _drawn(groups, axes, theorem, step):
    several = len({keys["sde"] for keys, *_ in groups}) > 1
    noise, smallest, largest, names = {}, np.inf, 0.0, []
    for at, (keys, rows, fit, line) in enumerate(groups):
        rows = rows[np.isfinite(rows.error) & np.isfinite(rows.uncertainty)].sort_values("h")
        if rows.empty:
            names += [_name(keys, several) + ": not finite"]
            axes.plot([], [], "x", color=f"C{at % 10}", label=names[-1])
            continue
        x, error, std_error = (rows[name].to_numpy() for name in ("h", "error", "uncertainty"))
        names += [_label(_name(keys, several), fit)]
        _series(axes, at, x, error, std_error, line if fit.resolved_points >= 3 else None, names[-1])
        smallest = min(smallest, np.maximum(np.abs(error), std_error).min())
        largest = max(largest, np.abs(error).max())
        for one, se in zip(x, std_error, strict=True):
            noise[one] = max(noise.get(one, 0.0), orders.RESOLVED * se)
    if noise:  # else nothing is there to scale by
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
    axes.set(xlabel=step, ylabel="|weak error|")
    steps = np.array(sorted(noise))
    _guides(axes, theorem, steps, np.array([noise[one] for one in steps]), 0.7 * smallest, 1.3 * largest)
    axes.grid(True, which="major", lw=0.3)
    legend = axes.legend(fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    for text in legend.get_texts():
        if text.get_text() in names:  # a name is what it is: "cos $t" is no formula
            text.set_parse_math(False)
    return axes


def _series(axes, at, x, error, std_error, line, label):
    """Draw one series: points, hollow where unresolved, and the fitted line."""
    size, solid = np.abs(error), np.abs(error) > orders.RESOLVED * std_error
    bar = normal_quantile(0.95) * std_error
    color = f"C{at % 10}"
    for chosen, face, name in ((solid, color, label), (~solid, "none", None if solid.any() else label)):
        if chosen.any():
            bars = [np.minimum(bar, 0.999 * size)[chosen], bar[chosen]]
            style = {"fmt": "osD^vP*X"[at % 8], "color": color, "mfc": face, "ms": 5, "capsize": 2, "lw": 1}
            axes.errorbar(x[chosen], size[chosen], bars, label=name, **style)
    if line is not None:
        at_steps = np.geomspace(x[0], x[-1], 100)
        axes.plot(at_steps, np.abs(line(at_steps)), color=color, lw=1)


def _guides(axes, theorem, steps, noise, low, top):
    """Draw slopes of the theorem's order and of half of it from `top` at the largest step, and the noise floor.

    The axis is fitted to them.
    """
    if not 0.0 < low < top < np.inf:
        return
    if len(steps) > 1:
        low = min(low, top * (steps[0] / steps[-1]) ** theorem / 1.2)
        for slope, dots in ((0.5 * theorem, (0, (1, 3))), (theorem, (0, (1, 1)))):
            axes.plot(steps, top * (steps / steps[-1]) ** slope, color="0.4", lw=1, ls=dots, label=f"slope {slope:g}")
    if (noise > low).any():
        style = {"color": "0.5", "alpha": 0.12, "lw": 0, "label": "3 SE, noisiest series"}
        axes.fill_between(steps, noise, low, where=noise > low, **style)
    axes.set_ylim(low, 1.2 * top)


def _name(keys, several):
    """Return the legend's words for what a series is."""
    name = keys["test_function"] + (f", {keys['sde']}" if several else "")
    if np.isfinite(keys.get("eta2", np.nan)):
        name += f", \u03b7\u00b2={keys['eta2']:g}"
    return f" {name}" if name.startswith("_") else name  # matplotlib leaves out what begins with an underscore


def _label(name, fit):
    """Return the legend's words for one series: its name, and the order with its 95 % interval."""
    if fit.resolved_points < 3:
        return f"{name}: unresolved"
    return f"{name}: order {fit.order:.2f} [{fit.ci_low:.2f}, {fit.ci_high:.2f}]"
