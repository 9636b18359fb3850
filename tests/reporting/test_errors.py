"""The figure of errors against h: what each sign says, and that no word hides another, on a column and a page."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from ngos_sim.reporting.figures.errors import ErrorSeries, errors
from tests.support.drawn import assert_legible, draw

H = 2.0 ** -np.arange(3, 9)
FUNCTIONS = ["theta[0]", "theta[0]^2", "theta[0]*u[0]", "sqnorm(theta)"]


def series(name="u[0]", sde="rmsprop", scale=0.7, power=1.0, **changes):
    def line(h):
        return scale * h**power

    known = {"order": power, "ci_low": power - 3e-4, "ci_high": power + 4e-4, "line": line, "predicted": line}
    points = {"h": H, "error": line(H), "half_width": 0.02 * np.abs(line(H)), "resolved": H > 0.0}
    return ErrorSeries(**{"sde": sde, "test_function": name, **points, **known, **changes})


def many(sdes=("rmsprop",)):
    return [
        series(name, sde, (-1) ** i * 0.5**i * 1.3**j) for j, sde in enumerate(sdes) for i, name in enumerate(FUNCTIONS)
    ]


CASES = {
    "one": [series()],
    "four": many(),
    "two SDEs": many(["rmsprop", "compagnoni-rmsprop"]),
    "three SDEs, one function": [
        series("loss", sde, 0.3**i) for i, sde in enumerate(["sgd order 1", "b", "flipped-sgd"])
    ],
    "order 2": [series(power=2.0)],
    "noise": [series(half_width=0.3 * H.max() + 0 * H, resolved=H > 0.05), series("a name of my own, rather long")],
    "half nothing": [series(error=np.nan * H, order=np.nan, line=None, predicted=None), series("theta[0]")],
    "long names": [series("a name " * 9), series("another_name_of_no_words" * 3)],
    "svag": [series(eta2=2.0**-k, scale=k) for k in (3, 4)],
}


@pytest.mark.parametrize("width", [3.3, 6.8])
@pytest.mark.parametrize("case", CASES)
def test_every_word_is_on_the_canvas_and_on_no_other(case, width):
    assert_legible(draw(lambda axes: errors(CASES[case], axes, 2.0 if case == "order 2" else 1.0), width))


def points(axes):
    """Return the lines of points alone: drawn by `errorbar`, with a marker and no line."""
    return [line for line in axes.lines if line.get_linestyle() == "None" and line.get_marker() not in "_|"]


def test_colour_is_the_sde_and_marker_the_test_function():
    axes = draw(lambda axes: errors(many(["a", "b"]), axes))
    seen = {(to_hex(line.get_color()), line.get_marker()) for line in points(axes)}
    assert len(points(axes)) == len(seen) == 8
    assert len({color for color, _ in seen}) == 2
    assert len({marker for _, marker in seen}) == 4


def test_hollow_is_not_resolved_and_a_minus_is_negative():
    one = series(error=np.array([1.0, -1.0, -1.0, 1.0, -1.0, 1.0]) * H, resolved=H > 0.02, predicted=None)
    axes = draw(lambda axes: errors([one], axes))
    full, hollow = points(axes)
    assert (full.get_xdata().tolist(), hollow.get_xdata().tolist()) == (H[2::-1].tolist(), H[:2:-1].tolist())
    assert full.get_markerfacecolor() == full.get_color()
    assert to_hex(hollow.get_markerfacecolor()) == "#ffffff"
    minus = sorted(
        x for line in axes.lines if line.get_marker() == "_" and line.get_linewidth() for x in line.get_xdata()
    )
    assert set(H[[1, 2, 4]]) <= set(minus)
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words[1:] == ["negative error", "not resolved"]
    assert words[0].endswith("1.0000 [0.9997, 1.0004]")


def test_what_is_not_there_is_not_explained():
    axes = draw(lambda axes: errors([series(predicted=None)], axes))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["$u_{0}$: 1.0000 [0.9997, 1.0004]"]
    assert axes.get_legend().get_title().get_text() == "rmsprop: order [95 % interval]"


def test_intervals_are_drawn_and_the_line_is_the_fit_and_the_prediction_dashed():
    axes = draw(lambda axes: errors([series(half_width=0.5 * H)], axes))
    (bars,) = [each for each in axes.collections if len(each.get_segments()) == len(H)]
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    assert np.allclose(ends, np.stack([0.2 * H, 1.2 * H], axis=1)[::-1])
    curves = [line for line in axes.lines if len(line.get_xdata()) > 30]
    assert all(np.allclose(line.get_ydata(), 0.7 * line.get_xdata()) for line in curves)
    assert [line.get_linestyle() for line in curves] == ["-", "--"]


@pytest.mark.parametrize("theorem", [0.5, 1.0, 2.0])
def test_the_triangle_has_the_theorems_slope_and_lies_below_everything(theorem):
    dip = series(power=2.0, line=lambda h: h**2 - 8.0 * h**3, error=H**2 - 8.0 * H**3 + 1e-12)
    axes = draw(lambda axes: errors([dip, series("theta[0]")], axes, theorem))
    (triangle,) = [line for line in axes.lines if len(line.get_xdata()) == 4]
    (left, right, _, _), (low, _, high, _) = triangle.get_data()
    assert np.isclose(np.log(high / low) / np.log(right / left), theorem)
    assert f"slope {theorem:g}" in [text.get_text() for text in axes.findobj(Text)]
    for line in axes.lines:
        x, y = map(np.asarray, line.get_data())
        under = (x >= left) & (x <= right)
        if len(x) > 4:
            assert (y[under] > low * (x[under] / left) ** theorem).all()
    bottom, top = axes.get_ylim()
    assert bottom < low < high < top


def test_noise_near_zero_does_not_stretch_the_axis():
    one = series(error=np.append(0.7 * H[:-1], 1e-15), half_width=0.1 * H, resolved=H.min() < H)
    bottom, top = draw(lambda axes: errors([one], axes)).get_ylim()
    assert top / bottom < 1e5


def test_nothing_at_all_is_a_figure_that_says_so():
    gone = series(error=np.nan * H, order=np.nan, line=None, predicted=None)
    axes = draw(lambda axes: errors([gone], axes))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["$u_{0}$: not finite"]
    zero = series(error=0.0 * H, half_width=0.0 * H, resolved=H < 0.0, order=np.nan, line=None, predicted=None)
    axes = draw(lambda axes: errors([zero], axes))
    assert axes.get_legend().get_texts()[0].get_text() == "$u_{0}$: unresolved"


def test_the_users_colours_and_letters_are_kept():
    import matplotlib
    from cycler import cycler

    with matplotlib.rc_context({"axes.prop_cycle": cycler(color=["#ff0000", "#00ff00"]), "font.size": 7.0}):
        axes = draw(lambda axes: errors(many(["a", "b"]), axes), 3.3)
    assert {to_hex(line.get_color()) for line in points(axes)} == {"#ff0000", "#00ff00"}
    assert axes.xaxis.label.get_size() == 7.0
    assert_legible(axes)


def test_a_dark_page_is_legible():
    import matplotlib.pyplot as plt

    with plt.style.context("dark_background"):
        axes = draw(lambda axes: errors(many(), axes))
    curves = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert {to_hex(line.get_color()) for line in curves} == {"#ffffff"}
    assert {to_hex(line.get_color()) for line in points(axes)} == {"#8dd3c7"}


def test_panels_that_share_an_axis_show_the_points_of_both():
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(6.8, 3.0), layout="constrained")
    errors([series(scale=1e-3)], left)
    errors([series(scale=10.0)], right)
    low, high = left.get_ylim()
    plt.close(figure)
    assert low < 1e-3 * H.min()
    assert high > 10.0 * H.max()
