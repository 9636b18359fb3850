"""A figure's words where they are drawn: on the canvas or not, on each other or not."""

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from ngos_sim.reporting.figures import canvas


def draw(function, width=6.8):
    """Return the Axes of a figure as `figures.png` prints it, drawn with function(axes)."""
    kept = []
    with canvas._own_figure(lambda axes: kept.append(function(axes)), width):
        return kept[0]


def sketch(function):
    """Return the Axes of a figure that function(axes) has drawn on and nobody has printed: for what lines hold."""
    axes = FigureCanvasAgg(Figure(layout="constrained")).figure.add_subplot()
    return function(axes)


def words(axes):
    """Return every word that is drawn of a figure, with its box in pixels."""
    axes.figure.draw_without_rendering()
    of_ticks, shown = set(), []
    for axis in (axes.xaxis, axes.yaxis):
        of_ticks |= {label for tick in axis.majorTicks + axis.minorTicks for label in (tick.label1, tick.label2)}
        low, high = sorted(axis.get_view_interval())
        at = "xy".index(axis.axis_name)
        labels = axis.get_ticklabels() + axis.get_ticklabels(minor=True)
        shown += [label for label in labels if low <= label.get_position()[at] <= high]
    legend = axes.get_legend()
    shown += [each for each in axes.findobj(Text) + (legend.findobj(Text) if legend else []) if each not in of_ticks]
    return {each: each.get_window_extent() for each in shown if each.get_visible() and each.get_text().strip()}


def assert_legible(axes):
    """Every word is on the canvas, and none on another; the legend takes at most a third of the canvas."""
    boxes, canvas = words(axes), axes.figure.bbox
    assert len(boxes) > 5
    for text, box in boxes.items():
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= canvas.width + 0.5 and box.y1 <= canvas.height + 0.5
        assert inside, (text.get_text(), box, canvas)
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        gap_x, gap_y = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert gap_x <= 0.5 or gap_y <= 0.15 * min(a.height, b.height), (one.get_text(), other.get_text())
    assert axes.get_legend().get_window_extent().height <= 0.36 * canvas.height
