"""Which of two SDEs is closer to the optimizer, over h: the ratio of their errors.

`studies.figure` makes the Duels of a Ranking's table.
"""

from dataclasses import dataclass

import numpy as np

import ngos_sim.reporting.figures.names as names
import ngos_sim.reporting.figures.style as style
from ngos_sim.reporting.figures.canvas import drawing

_ASIDE = 0.25  # octaves of h from the first point to the last of those at one h
_MOST = 2.0**14  # the largest ratio that the axis shows


@dataclass(frozen=True, eq=False, kw_only=True)
class Duel:
    """Errors of two SDEs of one test function at several h.

    sde_a, sde_b, test_function : names
    h, error_a, error_b : ndarray, shape (points,)
    half_width : ndarray, shape (points,); half of the interval of |error_a| - |error_b|
    resolved : ndarray of bool, shape (points,); whether it is known which error is smaller
    eta2 : of an SVAG series over ell; else None
    """

    sde_a: str
    sde_b: str
    test_function: str
    h: np.ndarray
    error_a: np.ndarray
    error_b: np.ndarray
    half_width: np.ndarray
    resolved: np.ndarray
    eta2: float | None = None

    def ratio(self):
        """Return |a| / |b| and the ends of its interval at a fixed |a| + |b|, 0 and infinity where it holds none."""
        a, b = np.abs(self.error_a), np.abs(self.error_b)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.array([a - b, a - b - self.half_width, a - b + self.half_width]) / (a + b)
            return (1.0 + np.clip(share, -1.0, 1.0)) / (1.0 - np.clip(share, -1.0, 1.0))


def ranking(duels, axes=None, step="$h$"):
    """Draw |error of a| / |error of b| against h, below 1 where a is closer to the optimizer.

    Colour and dashes tell the pair, the marker the test function; hollow: not resolved.

    Parameters
    ----------
    duels : sequence of Duel
    axes : matplotlib Axes, optional
    step : str
        What stands below the horizontal axis: `names.step_label`.

    Returns
    -------
    matplotlib Axes
    """
    duels = list(duels)
    pairs = style.places((each.sde_a, each.sde_b, each.eta2) for each in duels)
    functions = style.places(each.test_function for each in duels)
    with drawing(axes) as axes:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        low, high = 0.6, 1.6
        for number, each in enumerate(duels):
            look = style.look(pairs[each.sde_a, each.sde_b, each.eta2], functions[each.test_function])
            aside = 2.0 ** (_ASIDE * (number - 0.5 * (len(duels) - 1)) / max(len(duels) - 1, 1))  # bars side by side
            smallest, largest = _draw(axes, each, look, aside)
            low, high = min(low, smallest), max(high, largest)
        low, high = max(low, 1.0 / _MOST), min(high, _MOST)
        margin = 1.2 * (high / low) ** 0.05
        axes.set_ylim(low / margin, high * margin)
        _halves(axes)
        axes.set(xlabel=step, ylabel="$|$error of a$|$ $/$ $|$error of b$|$")
        axes.yaxis.set_major_formatter(_ratio)
        style.grid(axes)
        entries = [style.Entry(style.look(place, 0).swatch(), _pair(*pair)) for pair, place in pairs.items()]
        entries += [style.Entry(style.grey(place), names.written(name)) for name, place in functions.items()]
        if not all(each.resolved.all() for each in duels):
            entries.append(style.Entry(style.grey(0, mfc="none"), "not resolved"))
        style.legend_below(axes, entries)
    return axes


def _draw(axes, duel, look, aside):
    """Draw one Duel; return its smallest and largest ratio."""
    ratio, low, high = duel.ratio()
    low, high = np.maximum(low, 1e-9), np.minimum(high, 1e9)
    seen = np.isfinite(ratio) & (ratio > 0.0)
    for chosen, face in ((seen & duel.resolved, look.color), (seen & ~duel.resolved, axes.get_facecolor())):
        if chosen.any():
            bars = np.array([ratio - low, high - ratio])[:, chosen]
            axes.errorbar(
                (duel.h * aside)[chosen], ratio[chosen], bars, **look.points, ls="", mfc=face, capsize=2, elinewidth=1.0
            )
    order = np.argsort(duel.h)[seen[np.argsort(duel.h)]]
    axes.plot((duel.h * aside)[order], ratio[order], color=look.color, ls=look.dash, lw=0.8, zorder=2)
    return np.min(ratio[seen], initial=1.0), np.max(ratio[seen], initial=1.0)


def _halves(axes):
    """Draw the line at 1, and say beside the axes which SDE is closer above and below it."""
    axes.axhline(1.0, color=style.GUIDE, lw=1.0, zorder=1)
    place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "rotation": 270, "ha": "left"}
    words = {"color": style.GUIDE, "fontsize": "small", "annotation_clip": False}
    axes.annotate("a closer", (1.0, 1.0), (4, -4), va="top", **place, **words)
    axes.annotate("b closer", (1.0, 1.0), (4, 4), va="bottom", **place, **words)


def _ratio(value, _):
    """Return a number or, below 1, a fraction in words."""
    return f"{value:g}" if value >= 1.0 else f"1/{1.0 / value:g}"


def _pair(sde_a, sde_b, eta2):
    words = f"{names.literal(sde_a)} (a), {names.literal(sde_b)} (b)"
    return words if eta2 is None else rf"{words}, $\eta^2$ = {eta2:g}"
