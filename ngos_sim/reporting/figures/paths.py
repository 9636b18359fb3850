"""A test function over time: its mean and spread for an optimizer and its SDEs, and sample paths on one stream.

`studies.figure` makes the Bundles of a study's trajectories.
"""

from dataclasses import dataclass

import numpy as np

import ngos_sim.reporting.figures.names as names
import ngos_sim.reporting.figures.style as style
from ngos_sim.reporting.figures.canvas import drawing

_DOTS = 80  # steps, up to which those of the optimizer are dots


@dataclass(frozen=True, eq=False, kw_only=True)
class Bundle:
    """A test function of one process over time.

    name : of the process
    times, mean, deviation : ndarray, shape (times,); the standard deviation over trajectories
    path_times, paths : ndarray, shapes (path times,) and (n, path times); sample paths
    """

    name: str
    times: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    path_times: np.ndarray
    paths: np.ndarray


def paths(bundles, axes=None, test_function="", h=None):
    """Draw of each process the mean, one standard deviation about it, and sample paths.

    The first is the optimizer, whose steps are dots. Path i of all processes is driven by the same Gaussians.

    Parameters
    ----------
    bundles : sequence of Bundle
    axes : matplotlib Axes, optional
    test_function : str
        Its name.
    h : float, optional
        The time of one step.

    Returns
    -------
    matplotlib Axes
    """
    with drawing(axes) as axes:
        entries = []
        for place, bundle in enumerate(bundles):
            look = style.look(place, 0)
            axes.fill_between(
                bundle.times, bundle.mean - bundle.deviation, bundle.mean + bundle.deviation,
                color=look.color, alpha=0.1, lw=0,
            )  # fmt: skip
            for edge in (bundle.mean - bundle.deviation, bundle.mean + bundle.deviation):
                axes.plot(bundle.times, edge, color=look.color, ls=look.dash, lw=0.5, alpha=0.8)
            dots = {"marker": ".", "ms": 3.5} if place == 0 and len(bundle.path_times) <= _DOTS else {}
            axes.plot(bundle.path_times, bundle.paths.T, color=look.color, lw=0.6, alpha=0.8, **dots)
            axes.plot(bundle.times, bundle.mean, color=look.color, ls=look.dash, lw=1.8, zorder=3)
            entries.append(style.Entry(look.swatch(), names.literal(bundle.name)))
        axes.set(xlabel="time $t$", ylabel=names.written(test_function))
        axes.margins(x=0.02)
        style.grid(axes)
        title = "mean \xb1 standard deviation; thin: sample paths on one stream"
        title += "" if h is None else f", {names.step(h)}"
        style.legend_below(axes, entries, title)
    return axes
