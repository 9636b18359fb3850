"""A figure's words where they are drawn: on the canvas or not, on each other or not."""

from itertools import combinations

from matplotlib.text import Text

from ngos_sim.reporting import figures


def draw(function, width=6.8):
    """Return the Axes of a figure that `figures.png` has drawn with function(axes)."""
    kept = []
    assert figures.png(lambda axes: kept.append(function(axes)), width).startswith(b"\x89PNG")
    return kept[0]


def words(axes):
    """Return every word of a figure with its box in pixels."""
    axes.figure.canvas.draw()
    legend = axes.get_legend()
    found = [*axes.findobj(Text), *(legend.findobj(Text) if legend else [])]
    shown = [each for each in dict.fromkeys(found) if each.get_visible() and each.get_text().strip()]
    low, high = axes.get_window_extent().get_points()
    boxes = {each: each.get_window_extent() for each in shown}
    return {each: box for each, box in boxes.items() if not _is_tick_beyond(axes, each, box, low, high)}


def _is_tick_beyond(axes, text, box, low, high):
    """Return whether a text is the label of a tick outside the limits, which is not drawn."""
    for axis, at in ((axes.xaxis, 0), (axes.yaxis, 1)):
        ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        if any(text in (tick.label1, tick.label2) for tick in ticks):
            middle = 0.5 * (box.get_points()[0][at] + box.get_points()[1][at])
            return not low[at] - 1.0 <= middle <= high[at] + 1.0
    return False


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
