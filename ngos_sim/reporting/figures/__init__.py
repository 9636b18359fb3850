"""Figures for a paper: each a function that takes data and Axes, draws, and returns the Axes.

`studies.figure` hands them what a Result knows; `png` and `svg` make bytes of what they draw, without a backend.
"""

from ngos_sim.reporting.figures.canvas import png, svg
from ngos_sim.reporting.figures.names import interval, step_label, written

__all__ = ["interval", "png", "step_label", "svg", "written"]
