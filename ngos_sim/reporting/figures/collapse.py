"""Weak errors over h^p against time, with their simultaneous bands: where a theorem of order p holds, curves collapse.

`studies.figure` makes the Curves of a result's table.
"""

from dataclasses import dataclass

import numpy as np

import ngos_sim.reporting.figures.names as names
import ngos_sim.reporting.figures.style as style
from ngos_sim.reporting.figures.canvas import drawing

_MARKS = 9  # markers on a curve, about
_WIDE = 1.0  # a band enters the limits of the axis up to so much of what the errors themselves span


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """The signed errors of one SDE and test function at one h.

    time, error, low, high : ndarray, shape (times,); low and high of the band that holds all times at once
    """

    h: float
    time: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray


def collapse(curves, axes=None, power=1.0, sde="", test_function="", eta2=None, predicted=None):
    """Draw error / h^power against time, a line and a band for every h, the finest darkest.

    Parameters
    ----------
    curves : sequence of Curve
    axes : matplotlib Axes, optional
    power : float
        The order p that the errors are held to.
    sde, test_function : str
        Names of what is shown.
    eta2 : float, optional
        Of an SVAG series over ell.
    predicted : (ndarray, ndarray), optional
        Times, and what theory predicts there for h -> 0.

    Returns
    -------
    matplotlib Axes
    """
    curves = sorted(curves, key=lambda curve: curve.h)
    with drawing(axes) as axes:
        entries = []
        for place, (curve, color) in enumerate(zip(curves, style.shades(len(curves)), strict=True)):
            scale, marker = curve.h**power, style.at(style.MARKERS, place)
            axes.fill_between(curve.time, curve.low / scale, curve.high / scale, color=color, alpha=0.15, lw=0)
            how = {"color": color, "marker": marker, "ms": 0.8 * style.SIZE, "lw": 1.2}
            every = max(len(curve.time) // _MARKS, 1)
            begin = place * every // max(len(curves), 1)  # not all at the same times, where curves collapse
            (line,) = axes.plot(curve.time, curve.error / scale, **how, markevery=(begin, every))
            entries.append(style.Entry(line, names.step(curve.h)))
        if predicted is not None:
            (line,) = axes.plot(*predicted, **style.predicted())
            entries.append(style.Entry(line, "predicted"))
        axes.axhline(0.0, color=style.GUIDE, lw=0.6, zorder=1)
        axes.set(xlabel="time $t$", ylabel=f"weak error $/$ {names.power_of_h(power)}")
        axes.margins(x=0.02)
        _limits(axes, curves, power)
        style.grid(axes)
        what = names.series(sde, test_function, eta2)
        band = f"{style.percent(95)} band over all times shaded"
        style.legend_below(axes, entries, f"{what}; {band}" if what else band)
    return axes


def _limits(axes, curves, power):
    """Fit the vertical axis to the errors and to bands that are not much wider: noise does not hide the curves."""
    scaled = [(each.error, each.low, each.high) for each in curves]
    scaled = [np.array(each) / curve.h**power for each, curve in zip(scaled, curves, strict=True)]
    finite = np.concatenate([each[0][np.isfinite(each[0])] for each in scaled] + [[0.0]])
    low, high = finite.min(), finite.max()
    room = _WIDE * (high - low)
    if room > 0.0:
        bands = np.concatenate([each[:, np.isfinite(each).all(axis=0)] for each in scaled], axis=1)
        low = max(min(low, bands[1].min(initial=low)), low - room)
        high = min(max(high, bands[2].max(initial=high)), high + room)
        axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
