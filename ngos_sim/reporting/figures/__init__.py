"""Figures for a paper: each a function that takes data and Axes, draws, and returns the Axes.

`studies.figure` hands them what a Result knows; `png` and `svg` make bytes of what they draw, without a backend.
"""

from ngos_sim.reporting.figures.canvas import png, svg
from ngos_sim.reporting.figures.collapse import Curve, collapse
from ngos_sim.reporting.figures.errors import ErrorSeries, errors
from ngos_sim.reporting.figures.names import interval, literal, step_label, written
from ngos_sim.reporting.figures.paths import Bundle, paths
from ngos_sim.reporting.figures.ranking import Duel, ranking
from ngos_sim.reporting.figures.work_precision import Runs, work_precision

__all__ = [
    "Bundle",
    "Curve",
    "Duel",
    "ErrorSeries",
    "Runs",
    "collapse",
    "errors",
    "interval",
    "literal",
    "paths",
    "png",
    "ranking",
    "step_label",
    "svg",
    "work_precision",
    "written",
]
