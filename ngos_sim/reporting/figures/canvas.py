"""The canvas of a figure: bytes of PNG or SVG without a backend, axes of its own, room for the legend.

Every figure of this package opens `drawing`; `png` and `svg` are for whoever writes files or pages.
"""

import contextlib
import hashlib
import io
import os
import re
import shutil
import sys
import warnings

import ngos_sim.reporting.figures.style as style

COLUMN, PAGE = 3.3, 6.8  # inches: of one column of a journal, and of two
_SHAPE = 0.62  # height over width of the canvas, the legend not counted
_SMALL, _USUAL = 8.0, 9.0  # points of text on a canvas of one column, and on a wider one
_DPI = 200


def png(draw, width=PAGE):
    """Return a figure as bytes of PNG.

    Parameters
    ----------
    draw : function (axes)
        Draws on the Axes that it is given.
    width : float
        Of the canvas in inches: 6.8 is a page of a journal, 3.3 one of its columns. Text has 9 points, on less than 5
        inches 8, where the user's matplotlib does not say another `font.size`.

    Examples
    --------
    >>> png(lambda axes: axes.plot([0, 1], [0, 1]), width=3.3)[1:4]
    b'PNG'
    """
    with _own_figure(draw, width) as canvas:
        return _printed(canvas, format="png", dpi=_DPI)


def svg(draw, width=PAGE, letters="path"):
    """Return a figure as bytes of SVG; see `png`.

    It begins with the tag <svg>, its letters are shapes or, with letters="none", text, and its ids are its own: many
    may stand in one page. The same figure has the same bytes.

    Examples
    --------
    >>> svg(lambda axes: axes.plot([0, 1], [0, 1]))[:4]
    b'<svg'
    """
    with _own_figure(draw, width, letters) as canvas:
        content = _printed(canvas, format="svg", metadata={"Date": None, "Creator": None}).decode()
    return _slim(content[content.index("<svg") :]).encode()


def _slim(content):
    """Return an SVG without words on its making, with a hundredth of a point in numbers, and ids of its own."""
    content = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|\n\s*", " ", content, flags=re.S)
    numbers = r' (d|x|y)="[^"]*"|translate\([^)]*\)'
    content = re.sub(numbers, lambda found: re.sub(r"(\.\d\d)\d+", r"\1", found[0]), content)
    referred = dict.fromkeys(re.findall(r'(?:href="|url\()#([^")]+)', content))
    own = hashlib.sha256(content.encode()).hexdigest()[:6]
    new = {name: f"f{own}-{number}" for number, name in enumerate(referred)}
    content = re.sub(r' id="([^"]*)"', lambda found: f' id="{new[found[1]]}"' if found[1] in new else "", content)
    return re.sub(r'(href="|url\()#([^")]+)', lambda found: f"{found[1]}#{new[found[2]]}", content)


@contextlib.contextmanager
def drawing(axes):
    """Give Axes to draw on: those of the user, or new ones, which grow by the legend below them."""
    with _settings():
        given, axes = axes, _new_axes() if axes is None else axes
        yield axes
        if given is None:
            _grow(axes.figure)


@contextlib.contextmanager
def _own_figure(draw, width, letters="path"):
    """Draw on a new figure that no backend of the user's knows, and give its canvas."""
    matplotlib = _matplotlib()
    own = {"svg.hashsalt": "ngos_sim", "svg.fonttype": letters}
    own |= {"figure.autolayout": False, "figure.constrained_layout.use": False}  # the layout is this module's
    if not _is_set("font.size"):
        own["font.size"] = _SMALL if width < 5.0 else _USUAL
    with matplotlib.rc_context(own), _settings():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, _SHAPE * width), dpi=_DPI, layout="constrained")
        canvas, axes = FigureCanvasAgg(figure), figure.add_subplot()
        draw(axes)
        _settle(axes)
        yield canvas


def _settle(axes):
    """Give axes and the legend below them their last place: to print a figure with a layout takes twice as long."""
    figure, legend = axes.figure, axes.get_legend()
    if legend is None:  # `style.legend_below` has laid out otherwise
        style.lay_out(figure)
    figure.set_layout_engine(None)
    place, before = axes.get_position(), figure.get_figheight()
    _grow(figure)
    if legend is not None:
        after = figure.get_figheight()
        bottom = place.y0 * before + (after - before) + style.GAP
        top = after - (1.0 - place.y1) * before
        axes.set_position((place.x0, bottom / after, place.width, (top - bottom) / after))


def _printed(canvas, **how):
    content = io.BytesIO()
    canvas.print_figure(content, **how)
    return content.getvalue()


def _grow(figure):
    """Make a figure higher by its legends, which stand below the axes."""
    legends = [axes.get_legend() for axes in figure.axes]
    room = max((legend.get_window_extent().height for legend in legends if legend is not None), default=0.0)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + room / figure.dpi)


def _new_axes():
    """Return axes of a new figure: pyplot's, to be shown, or where its backend does not load one without a screen."""
    size = None if _is_set("figure.figsize") else (PAGE, _SHAPE * PAGE)
    try:
        import matplotlib.pyplot as plt

        return plt.figure(figsize=size, layout="constrained").add_subplot()
    except (ImportError, ValueError):  # of a notebook that runs elsewhere, of a screen that is not there
        from matplotlib.figure import Figure

        return Figure(figsize=size, layout="constrained").add_subplot()


def _is_set(name):
    """Return whether the user's matplotlib says something else than matplotlib itself."""
    matplotlib = _matplotlib()
    return matplotlib.rcParams[name] != matplotlib.rcParamsDefault[name]


@contextlib.contextmanager
def _settings():
    """Draw without LaTeX where there is none, and without a word on letters that a font lacks: they are boxes."""
    matplotlib = _matplotlib()
    latex = matplotlib.rcParams["text.usetex"] and shutil.which("latex") is not None
    with matplotlib.rc_context({"text.usetex": latex}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        yield


def _matplotlib():
    """Return matplotlib; its own import fails where MPLBACKEND names a notebook's that is not installed."""
    named = os.environ.get("MPLBACKEND")
    if "matplotlib" in sys.modules or not named:
        import matplotlib

        return matplotlib
    del os.environ["MPLBACKEND"]
    try:
        import matplotlib
    finally:
        os.environ["MPLBACKEND"] = named
    with contextlib.suppress(ValueError):  # as the import does
        matplotlib.rcParams["backend"] = named
    return matplotlib
