"""What the figures have in common: colours, markers and dashes that survive a grey print, and the legend below.

Colours are the user's where `axes.prop_cycle` is set, else those of Tol's high-contrast scheme, whose greys differ too
(https://sronpersonalpages.nl/~pault, colour-blind safe).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from ngos_sim.reporting.figures.names import literal

SIZE = 5.5  # of a marker, points
MARKERS = "osD^vPX*"
DASHES = ("-", (0, (5, 1, 1, 1)), (0, (1, 1)), (0, (7, 1, 1, 1, 1, 1)), (0, (3, 1)))
GUIDE = "0.45"  # the grey of what is no data
_COLOURS = ("#004488", "#BB5566", "#DDAA33", "#000000", "#009988", "#999999")
GAP = 0.06  # inches between the words of an axis and the legend
_COLUMNS = 4  # of a legend, at most
_MOST = 0.5  # of the canvas without it: a third of the canvas with it


class Entry(NamedTuple):
    """A line of a legend: an artist, or several on each other, and its words."""

    handle: Any
    words: str


def colours():
    """Return the colours of a cycle."""
    import matplotlib

    cycle = matplotlib.rcParams["axes.prop_cycle"]
    own = cycle.by_key().get("color")
    return tuple(own) if own and cycle != matplotlib.rcParamsDefault["axes.prop_cycle"] else _COLOURS


def at(sequence, place):
    """Return an entry of a cycle."""
    return sequence[place % len(sequence)]


def places(names):
    """Return {name: place} in the order in which names come first."""
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


@dataclass(frozen=True)
class Look:
    """How a series is drawn: its colour, its dashes, its marker."""

    color: Any
    dash: Any
    marker: str

    @property
    def points(self):
        """What `errorbar` and `plot` take for points."""
        return {"marker": self.marker, "ms": SIZE, "color": self.color, "mew": 1.0}

    @property
    def line(self):
        """What `plot` takes for a line."""
        return {"color": self.color, "ls": self.dash, "lw": 1.2, "zorder": 2.5}

    def sign(self, line=True):
        """Return what stands for a series in a legend, without its line where that is None."""
        from matplotlib.lines import Line2D

        return Line2D([], [], **self.points, ls="" if line is None else self.dash, lw=1.2)

    def swatch(self):
        """Return what stands for the colour alone in a legend."""
        from matplotlib.lines import Line2D

        return Line2D([], [], color=self.color, ls=self.dash, lw=1.8)


def look(colour, marker):
    """Return the Look of two places in the cycles."""
    return Look(at(colours(), colour), at(DASHES, colour), at(MARKERS, marker))


def grey(marker, **changes):
    """Return what stands for a marker alone in a legend."""
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], **{"marker": at(MARKERS, marker), "ms": SIZE, "color": GUIDE, "ls": "", "mew": 1.0, **changes}
    )


def predicted():
    """Return what `plot` takes for a line that theory predicts."""
    from matplotlib import rcParams

    return {"ls": (0, (4, 3)), "lw": 0.9, "color": rcParams["text.color"], "zorder": 2.6}


def minus(color):
    """Return what `plot` takes for the minus in the point of a negative number."""
    return {"marker": "_", "ls": "", "color": color, "ms": 0.5 * SIZE, "mew": 1.1}


def shades(number):
    """Return colours of an ordered quantity, from dark to light, the lightest dark enough on white."""
    from matplotlib import colormaps

    return [colormaps["viridis"](0.82 * place / max(number - 1, 1)) for place in range(number)]


def grid(axes):
    """Draw a grid that is fainter than any data."""
    axes.grid(True, which="major", lw=0.3, alpha=0.6)
    axes.set_axisbelow(True)


def lay_out(figure):
    """Give the axes of a figure their place, where it has a layout."""
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)


def legend_below(axes, entries, title="", instead=()):
    """Draw a legend below the axes, in as many columns as fit; what does not fit is broken or smaller.

    Parameters
    ----------
    entries : sequence of Entry
    title : str
    instead : sequence of Entry
        Shorter ones, for where the others would take more than a third of the canvas.
    """
    if axes.get_legend() is not None:
        axes.get_legend().remove()
    if not entries:
        return
    figure = axes.figure
    lay_out(figure)
    below = (axes.bbox.y0 - axes.get_tightbbox().y0) / figure.dpi + GAP
    for chosen, heading in ((entries, title), (instead or entries, "" if instead else title)):
        for number, shown, words in _ways(chosen, heading):
            size = (legend := _legend(axes, shown, words, number, below)).get_window_extent()
            if size.width <= axes.bbox.width:
                break
        else:  # a long name
            for text in legend.get_texts():
                text.set_fontsize(text.get_fontsize() * 0.9 * axes.bbox.width / size.width)
        if size.height <= _MOST * figure.bbox.height:
            return


def _ways(entries, title):
    """Yield in which ways a legend may be drawn: columns, Entries and title, from wide to narrow."""
    columns = range(min(len(entries), _COLUMNS), 0, -1)
    yield from ((number, entries, title) for number in columns)
    broken = title.replace("; ", "\n")
    yield from ((number, entries, broken) for number in columns)
    yield 1, [each._replace(words=each.words.replace(": ", ":\n")) for each in entries], broken


def _legend(axes, entries, title, columns, below):
    from matplotlib.transforms import ScaledTranslation

    words = [f" {each.words}" if each.words[:1] == "_" else each.words for each in entries]  # "_": left out
    return axes.legend(
        [each.handle for each in entries],
        words,
        title=title or None,
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=axes.transAxes + ScaledTranslation(0.0, -below, axes.figure.dpi_scale_trans),
        ncols=columns,
        fontsize="small",
        title_fontsize="small",
        alignment="left",
        frameon=False,
        borderpad=0.0,
        borderaxespad=0.0,
        handlelength=2.4,
        columnspacing=1.4,
        labelspacing=0.3,
    )


def percent(number):
    """Return so many per cent in words that LaTeX takes as well."""
    return literal(f"{number} %")
