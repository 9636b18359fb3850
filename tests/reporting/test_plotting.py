"""Figures whatever names are in them and however matplotlib is set up."""

import os
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ngos_sim.reporting import plotting
from ngos_sim.statistics import order

NAMES = ["cos $\\th$", "100 % of $", "_hidden", "\u4f60", "a\tb", "", "x^{", "\\frac{"]


def groups(*names):
    x = np.array([0.25, 0.125, 0.0625, 0.03125])
    rows = pd.DataFrame({"h": x, "error": 0.7 * x, "std_error": 0.01 * x})
    rows, fit = rows.assign(uncertainty=rows.std_error), order.fit(x, rows.error, rows.std_error)
    return [
        ({"sde": "a", "test_function": name, "eta2": np.nan}, rows, fit, lambda steps: 0.7 * steps) for name in names
    ]


ALONE = """
import numpy as np, pandas as pd
from ngos_sim.reporting import plotting
from ngos_sim.statistics import order
x = np.array([0.25, 0.125, 0.0625, 0.03125])
rows = pd.DataFrame({"h": x, "error": 0.7 * x, "std_error": 0.01 * x, "uncertainty": 0.01 * x})
fit = order.fit(x, rows.error, rows.std_error)
groups = [({"sde": "a", "test_function": "cos $t", "eta2": np.nan}, rows, fit, lambda steps: 0.7 * steps)]
axes = plotting.error_plot(groups)
print(len(axes.lines) > 0, plotting.png(lambda axes: plotting.error_plot(groups, axes))[1:4])
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_drawn_as_it_is(name):
    seen = []

    def draw(axes):
        plotting.error_plot(groups(name), axes)
        seen.extend(text for text in axes.get_legend().get_texts() if text.get_text().strip().startswith(name + ":"))

    assert plotting.png(draw).startswith(b"\x89PNG")
    assert [text.get_parse_math() for text in seen] == [False]
    assert [text.get_usetex() for text in seen] == [False]


def test_words_of_others_on_the_same_axes_keep_their_formulas():
    figure, axes = plt.subplots()
    axes.plot([0.1, 0.2], [0.1, 0.2], label="$x^2$")
    plotting.error_plot(groups("u"), axes)
    by = {text.get_text(): text.get_parse_math() for text in axes.get_legend().get_texts()}
    plt.close(figure)
    assert by.pop("$x^2$")
    assert not next(parsed for words, parsed in by.items() if words.startswith("u: "))


def test_what_is_not_finite_is_said_and_the_rest_is_drawn():
    ((keys, rows, *fit),) = groups("gone")
    seen = []

    def draw(axes):
        plotting.error_plot([(keys, rows.assign(error=np.nan), *fit), *groups("there")], axes)
        seen.extend(text.get_text() for text in axes.get_legend().get_texts())

    assert plotting.png(draw).startswith(b"\x89PNG")
    assert seen[0] == "gone: not finite"
    assert any(words.startswith("there: order 1.00") for words in seen)
    assert plotting.png(lambda axes: plotting.error_plot([(keys, rows.assign(error=np.nan), *fit)], axes))


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
