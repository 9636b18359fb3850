"""The canvas: bytes whatever matplotlib is set to, the user's settings in them and left alone, ids of an SVG's own."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from ngos_sim.reporting import figures
from ngos_sim.reporting.figures.errors import ErrorSeries, errors

H = np.array([0.25, 0.125, 0.0625, 0.03125])


def series(name="u[0]", sde="a", scale=0.7, **changes):
    known = {"order": 1.0, "ci_low": 0.9, "ci_high": 1.1, "line": lambda h: scale * h}
    points = {"error": scale * H, "half_width": 0.02 * scale * H, "resolved": H > 0.0}
    return ErrorSeries(sde=sde, test_function=name, h=H, **points | known | changes)


ALONE = """
import numpy as np
from ngos_sim.reporting import figures
from ngos_sim.reporting.figures.errors import ErrorSeries, errors
h = np.array([0.25, 0.125, 0.0625])
points = dict(h=h, error=0.7 * h, half_width=0.01 * h, resolved=h > 0.0)
one = ErrorSeries(sde="a", test_function="cos $t", order=1.0, ci_low=0.9, ci_high=1.1, line=lambda h: 0.7 * h, **points)
axes = errors([one])
print(len(axes.lines) > 0, figures.png(lambda axes: errors([one], axes))[1:4])
"""


@pytest.mark.parametrize(
    "backend", ["module://matplotlib_inline.backend_inline", "module://no.such", "tkagg", "nothing"]
)
def test_figures_need_no_backend_and_no_latex(tmp_path, backend):
    """MPLBACKEND of a notebook that is not installed, usetex without LaTeX: axes to look at, and a file."""
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\n")
    environment = {
        **os.environ,
        "MPLBACKEND": backend,
        "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
        "PATH": str(tmp_path),
    }
    done = subprocess.run([sys.executable, "-c", ALONE], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True b'PNG'\n", "")


@pytest.mark.parametrize(("width", "points"), [(6.8, 9.0), (3.3, 8.0)])
def test_a_canvas_has_the_width_and_the_letters_that_are_asked(width, points):
    sizes = []

    def draw(axes):
        sizes.append((axes.figure.get_size_inches()[0], axes.xaxis.label.get_size()))

    figures.png(draw, width)
    with matplotlib.rc_context({"font.size": 12.0}):
        figures.svg(draw, width)
    assert sizes == [(width, points), (width, 12.0)]


def test_nothing_of_the_users_is_touched():
    before = dict(matplotlib.rcParams), matplotlib.get_backend(), plt.get_fignums()
    figures.png(lambda axes: errors([series()], axes))
    figures.svg(lambda axes: errors([series()], axes))
    assert (dict(matplotlib.rcParams), matplotlib.get_backend(), plt.get_fignums()) == before


def test_the_legend_has_room_of_its_own_below_new_axes():
    few, many = (errors([series(scale=0.7**i, name=f"u[{i}]") for i in range(n)]) for n in (1, 8))
    heights = [axes.figure.get_size_inches()[1] for axes in (few, many)]
    plt.close("all")
    assert 4.3 < heights[0] < heights[1] - 0.3
    assert heights[1] < 1.5 * 0.62 * 6.8 + 0.1


def test_svgs_stand_in_one_page():
    """No id of two figures is the same, each is there that is referred to, and the same figure has the same bytes."""
    first, again, other = (
        figures.svg(lambda axes, scale=scale: errors([series(scale=scale)], axes)).decode() for scale in (1.0, 1.0, 0.3)
    )
    assert first == again
    ids = [set(re.findall(r' id="([^"]*)"', text)) for text in (first, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for text, own in zip((first, other), ids, strict=True):
        assert set(re.findall(r'(?:href="|url\()#([^")]+)', text)) == own
        assert text.startswith("<svg ")
        assert ElementTree.fromstring(text).get("width") == "489.6pt"
    assert len(first) < 60_000


def test_other_printed_forms_work(tmp_path):
    axes = errors([series()])
    for form in ("pdf", "svg", "png", "eps"):
        axes.figure.savefig(tmp_path / f"figure.{form}")
        assert (tmp_path / f"figure.{form}").stat().st_size > 5_000
    plt.close("all")
