"""Work against precision: how long each estimator takes to know a weak error to so many per cent.

`benchmarks/work_precision.py` measures it.
"""

from dataclasses import dataclass

import numpy as np

import ngos_sim.reporting.figures.names as names
import ngos_sim.reporting.figures.style as style
from ngos_sim.reporting.figures.canvas import drawing


@dataclass(frozen=True, eq=False, kw_only=True)
class Runs:
    """Runs of one estimator.

    seconds, precision : ndarray, shape (runs,); the standard error over |weak error|
    projected : seconds to the precision that is aimed at, by projection from the runs
    """

    name: str
    seconds: np.ndarray
    precision: np.ndarray
    projected: float = np.nan


def work_precision(runs, axes=None, target=0.01, seconds="seconds"):
    """Draw the relative standard error against seconds, and dotted the way to the target.

    Parameters
    ----------
    runs : sequence of Runs
    axes : matplotlib Axes, optional
    target : float
        The precision that is aimed at.
    seconds : str
        What stands below the horizontal axis.

    Returns
    -------
    matplotlib Axes
    """
    with drawing(axes) as axes:
        entries = []
        for place, each in enumerate(runs):
            look = style.look(place, place)
            axes.plot(each.seconds, each.precision, **look.points, ls=look.dash, lw=1.2)
            if np.isfinite(each.projected) and each.precision[-1] > target:
                way = [each.seconds[-1], each.projected], [each.precision[-1], target]
                axes.plot(*way, color=look.color, ls=(0, (1, 2)), lw=1.0)
                axes.plot(
                    each.projected, target, look.marker, color=look.color, mfc=axes.get_facecolor(), ms=style.SIZE
                )
            entries.append(style.Entry(look.sign(), names.literal(each.name)))
        axes.axhline(target, color=style.GUIDE, lw=0.8, zorder=1)
        words = {"color": style.GUIDE, "fontsize": "small", "textcoords": "offset points"}
        place = {"xycoords": ("axes fraction", "data"), "ha": "left", "va": "bottom"}
        axes.annotate(style.percent(f"{100.0 * target:g}"), (0.0, target), (3, 2), **place, **words)
        axes.set(xscale="log", yscale="log", xlabel=seconds, ylabel="relative standard error")
        style.grid(axes)
        style.legend_below(axes, entries)
    return axes
