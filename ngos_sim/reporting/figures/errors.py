"""Weak errors against h, the time of one optimizer step: points with intervals, fitted lines, what theory predicts.

`studies.figure` makes the ErrorSeries of a result's table.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import ngos_sim.reporting.figures.names as names
import ngos_sim.reporting.figures.style as style
from ngos_sim.reporting.figures.canvas import drawing

_CURVE = 65  # points of a line
_LEFT, _WIDTH, _WORDS = (0.6, 0.3, 0.05), 0.22, 0.4  # where the triangle may begin along the axis of h, as parts of it
_BELOW = 0.45  # how far below the lowest point it lies, as a factor


@dataclass(frozen=True, eq=False, kw_only=True)
class ErrorSeries:
    """The signed errors of one SDE and test function at several h.

    sde, test_function : names
    eta2 : of an SVAG series over ell; else None
    h, error, half_width : ndarray, shape (points,); half of the error's interval
    resolved : ndarray of bool, shape (points,); whether the error exceeds what noise alone may make
    order, ci_low, ci_high : what was fitted, and its 95 % interval; NaN where nothing is
    line, predicted : functions of h, shape (n,), or None: the fitted error, and the leading term that theory predicts
    """

    sde: str
    test_function: str
    h: np.ndarray
    error: np.ndarray
    half_width: np.ndarray
    resolved: np.ndarray
    eta2: float | None = None
    order: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    line: Callable | None = None
    predicted: Callable | None = None

    def finite(self):
        """Return the places of finite points, ascending in h."""
        places = np.flatnonzero(np.isfinite(self.error) & np.isfinite(self.half_width))
        return places[np.argsort(self.h[places])]


def errors(series, axes=None, theorem=1.0, step="$h$"):
    """Draw |error| against h on logarithmic axes.

    Colour and dashes tell the SDE, the marker the test function; hollow points are not resolved, a minus in a point
    says that its error is negative; thin dashed lines are predicted, the triangle has the theorem's order as its slope.

    Parameters
    ----------
    series : sequence of ErrorSeries
    axes : matplotlib Axes, optional
    theorem : float
        The order that the errors are held to.
    step : str
        What stands below the horizontal axis: `names.step_label`.

    Returns
    -------
    matplotlib Axes
    """
    series = list(series)
    with drawing(axes) as axes:
        axes.set(xlabel=step, ylabel="$|$weak error$|$")
        looks = _looks(series)
        for each in series:
            _draw(axes, each, looks[id(each)])
        found = [each for each in series if len(each.finite())]
        if any(np.any(np.abs(each.error) + each.half_width > 0.0) for each in found):  # else nothing has a scale
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            _limits(axes, found)
            _triangle(axes, found, theorem)
        style.grid(axes)
        _legend(axes, series, looks)
    return axes


def _looks(series):
    """Return {id of a series: its Look}."""
    colour = style.places((each.sde, each.eta2) for each in series)
    marker = style.places(each.test_function for each in series)
    return {id(each): style.look(colour[each.sde, each.eta2], marker[each.test_function]) for each in series}


def _draw(axes, series, look):
    """Draw one series."""
    order = series.finite()
    h, error, half, resolved = (each[order] for each in (series.h, series.error, series.half_width, series.resolved))
    size, background = np.abs(error), axes.get_facecolor()
    for chosen, face, minus in ((resolved, look.color, background), (~resolved, background, look.color)):
        if chosen.any():
            bars = [np.minimum(half, 0.999999 * size)[chosen], half[chosen]]
            axes.errorbar(
                h[chosen], size[chosen], bars, **look.points, ls="", mfc=face, capsize=2, elinewidth=1.0, zorder=3
            )
        if (below := chosen & (error < 0.0)).any():
            axes.plot(h[below], size[below], **style.minus(minus), zorder=4)
    for steps, values, how in _curves(series, look):
        axes.plot(steps, values, **how)


def _curves(series, look):
    """Yield the lines of a series: steps, what is expected there, and how it is drawn."""
    h = series.h[series.finite()]
    if len(h) > 1:
        steps = np.geomspace(h[0], h[-1], _CURVE)
        if series.line is not None:
            yield steps, np.abs(series.line(steps)), look.line
        if series.predicted is not None:
            yield steps, np.abs(series.predicted(steps)), style.predicted()


def _limits(axes, series):
    """Fit the vertical axis to the points; noise near 0 does not stretch it."""
    top = max(np.max(np.abs(each.error[each.finite()]) + each.half_width[each.finite()]) for each in series)
    seen = [np.maximum(np.abs(each.error), 0.1 * each.half_width)[each.finite()] for each in series]
    low = min((each[each > 0.0].min() for each in seen if np.any(each > 0.0)), default=0.0)
    beside = [each for each in axes.get_shared_y_axes().get_siblings(axes) if each is not axes and each.has_data()]
    theirs = np.array([each.get_ylim() for each in beside]).T if beside else [[np.inf], [0.0]]
    if 0.0 < low < np.inf and 0.0 < top < np.inf:
        axes.set_ylim(min(0.5 * low, *theirs[0]), max(1.6 * top, *theirs[1]))


def _triangle(axes, series, theorem):
    """Draw a triangle of the theorem's slope below all points and lines, where that takes least room."""
    steps = np.concatenate([each.h[each.finite()] for each in series])
    sizes = np.concatenate([np.abs(each.error[each.finite()]) for each in series])
    low, high = axes.get_ylim()
    if theorem <= 0.0 or steps.min() == steps.max() or not low > 0.0:
        return
    curves = [each[:2] for one in series for each in _curves(one, style.look(0, 0))]
    at = np.concatenate([steps, *(each for each, _ in curves)])
    above = np.concatenate([np.maximum(sizes, low), *(values for _, values in curves)])
    begin, length = steps.min(), steps.max() / steps.min()
    floors = {}
    for left in _LEFT:
        near = (at >= begin * length ** (left - 0.02)) & (at <= begin * length ** (left + _WORDS))
        place = begin * length**left
        floors[place] = _BELOW * np.min((above / (at / place) ** theorem)[near]) if near.any() else low
    left = max(floors, key=lambda place: min(floors[place] / low, 2.0))  # the first of those for which there is room
    right = left * length**_WIDTH
    y = floors[left] * np.array([1.0, (right / left) ** theorem])
    axes.plot([left, right, right, left], [y[0], y[0], y[1], y[0]], color=style.GUIDE, lw=0.9, zorder=2)
    words = {"color": style.GUIDE, "fontsize": "small", "textcoords": "offset points"}
    axes.annotate(f"slope {theorem:g}", (right, np.sqrt(y[0] * y[1])), (4, 0), ha="left", va="center", **words)
    axes.set_ylim(min(low, 0.7 * y[0]), high)


def _legend(axes, series, looks):
    """Say below what is drawn: every series with its order, or where these are too many SDEs and test functions.

    What all series have in common stands in the legend's title.
    """
    sdes = list(dict.fromkeys((each.sde, each.eta2) for each in series))
    functions = list(dict.fromkeys(each.test_function for each in series))
    alone = {"sde": len({sde for sde, _ in sdes}) == 1, "function": len(functions) == 1 and len(series) > 1}
    every = [style.Entry(looks[id(each)].sign(each.line), _label(each, **alone)) for each in series]
    colours = [
        style.Entry(style.look(i, 0).swatch(), names.series(sde, "", eta2)) for i, (sde, eta2) in enumerate(sdes)
    ]
    markers = [style.Entry(style.grey(i), names.written(each)) for i, each in enumerate(functions)]
    common = names.series(sdes[0][0] if alone["sde"] else "", functions[0] if alone["function"] else "")
    title = f"{common}{': ' * bool(common)}order [{style.percent(95)} interval]"
    signs = _signs(series, axes.get_facecolor())
    style.legend_below(axes, every + signs, title, colours + markers + signs)


def _label(series, sde, function):
    """Return the legend's words for one series: its name, and the order with its 95 % interval.

    sde, function : whether all series have the same
    """
    name = names.series("" if sde else series.sde, "" if function else series.test_function, series.eta2)
    name += ": " * bool(name or not function)
    if not len(series.finite()):
        return f"{name}not finite"
    if np.isnan(series.order):
        return f"{name}unresolved"
    return f"{name}{names.interval(series.order, series.ci_low, series.ci_high)}"


def _signs(series, background):
    """Return the Entries of what stands on points and lines, as far as it is there."""
    from matplotlib.lines import Line2D

    found = []
    if any(each.predicted is not None for each in series):
        found.append(style.Entry(Line2D([], [], **style.predicted()), "predicted"))
    if any((each.error[each.finite()] < 0.0).any() for each in series):
        found.append(style.Entry((style.grey(0), Line2D([], [], **style.minus(background))), "negative error"))
    if any((~each.resolved[each.finite()]).any() for each in series):
        found.append(style.Entry(style.grey(0, mfc="none"), "not resolved"))
    return found
