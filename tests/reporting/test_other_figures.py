"""Errors over time, trajectories, ranking, work and precision: what is drawn is what was given, and can be read."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from ngos_sim.reporting import figures
from tests.support.drawn import assert_legible, draw

TIME = np.linspace(0.1, 1.0, 19)
H = 2.0 ** -np.arange(3, 8)


def curve(h, power=1.0, noise=0.02):
    error = -0.4 * np.sin(TIME) * h**power * (1.0 + h)
    return figures.Curve(h=h, time=TIME, error=error, low=error - noise * h**power, high=error + noise * h**power)


def collapse(axes, **changes):
    predicted = TIME, -0.4 * np.sin(TIME)
    what = {"sde": "compagnoni-rmsprop", "test_function": "theta[0]^2", "predicted": predicted}
    return figures.collapse([curve(h) for h in H], axes, **what | changes)


def bundle(name, scale=1.0):
    mean = np.exp(-scale * TIME)
    paths = mean + 0.3 * np.sin([7.0 * TIME, 11.0 * TIME])
    return figures.Bundle(name=name, times=TIME, mean=mean, deviation=0.2 * TIME, path_times=TIME, paths=paths)


def paths(axes):
    named = [bundle("rmsprop, optimizer"), bundle("rmsprop, SDE", 1.1), bundle("compagnoni-rmsprop, SDE", 1.3)]
    return figures.paths(named, axes, "theta[0]*u[0]", 2.0**-4)


def duel(sde_b, function, ratio, sign=1.0, resolved=True):
    known = {"resolved": np.full(len(H), resolved), "half_width": 0.1 * H, "h": H}
    return figures.Duel(
        sde_a="rmsprop", sde_b=sde_b, test_function=function, error_a=ratio * H, error_b=sign * H, **known
    )


def ranking(axes):
    pairs = [(sde, function) for sde in ("compagnoni-rmsprop", "mine") for function in ("theta[0]", "loss")]
    return figures.ranking([duel(*pair, 2.0 ** (2 * i - 3), resolved=i != 1) for i, pair in enumerate(pairs)], axes)


def work(axes):
    names = ["local", "control_variate", "coupled", "independent"]
    seconds = np.array([0.1, 1.0, 10.0])
    runs = [
        figures.Runs(name=name, seconds=seconds, precision=0.02 * 6.0**i / seconds**0.5, projected=30.0 * 36.0**i)
        for i, name in enumerate(names)
    ]
    return figures.work_precision(runs, axes, seconds="seconds, one thread (dotted: projected)")


@pytest.mark.parametrize("width", [3.3, 6.8])
@pytest.mark.parametrize("figure", [collapse, paths, ranking, work])
def test_every_word_is_on_the_canvas_and_on_no_other(figure, width):
    assert_legible(draw(figure, width))


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_curves_are_errors_over_the_power_of_h(power):
    axes = draw(lambda axes: figures.collapse([curve(h, power) for h in H], axes, power))
    lines = [line for line in axes.lines if len(line.get_xdata()) == len(TIME)]
    expected = [-0.4 * np.sin(TIME) * (1.0 + h) for h in sorted(H)]
    assert np.allclose([line.get_ydata() for line in lines], expected)
    bands = [each.get_paths()[0].vertices[:, 1] for each in axes.collections]
    assert all(np.isclose(band.min(), line.min() - 0.02) for band, line in zip(bands, expected, strict=True))
    assert axes.get_ylabel() == {0.5: r"weak error $/$ $\sqrt{h}$", 1.0: "weak error $/$ $h$"}.get(
        power, "weak error $/$ $h^{2}$"
    )


def test_shades_of_h_differ_in_grey_and_so_do_colours():
    axes = draw(collapse)
    lines = [line for line in axes.lines if line.get_marker() != "None"]
    greys = [np.dot(to_rgb(line.get_color()), [0.299, 0.587, 0.114]) for line in lines]
    assert (np.diff(greys) > 0.05).all()
    assert len({line.get_marker() for line in lines}) == len(H)
    axes = draw(paths)
    greys = sorted(
        np.dot(to_rgb(handle.get_color()), [0.299, 0.587, 0.114]) for handle in axes.get_legend().get_lines()
    )
    assert (np.diff(greys) > 0.15).all()


def test_a_wide_band_does_not_hide_the_curves():
    noisy = figures.Curve(
        h=2.0**-9, time=TIME, error=-0.4 * TIME / 512, low=0.0 * TIME - 100.0, high=0.0 * TIME + 100.0
    )
    low, high = draw(lambda axes: figures.collapse([noisy, *map(curve, H)], axes)).get_ylim()
    assert -2.0 < low < -0.4
    assert 0.0 <= high < 1.0


def test_means_spreads_and_paths_are_drawn():
    axes = draw(paths)
    one = bundle("a")
    drawn = [line.get_ydata() for line in axes.lines]
    for given in (one.mean, one.mean - one.deviation, one.mean + one.deviation, *one.paths):
        assert any(np.array_equal(given, each) for each in drawn)
    assert axes.get_ylabel() == r"$\theta_{0}\,u_{0}$"
    assert r"$h = 2^{-4}$" in axes.get_legend().get_title().get_text()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_ratio_below_one_says_that_a_is_closer(sign):
    axes = draw(lambda axes: figures.ranking([duel("b", "loss", 0.5, sign)], axes))
    (points,) = [line for line in axes.lines if line.get_marker() == "o"]
    assert np.allclose(points.get_ydata(), 0.5)
    (bars,) = [each for each in axes.collections if len(each.get_segments()) == len(H)]
    shares = (-0.5 + np.array([-0.1, 0.1])) / 1.5
    assert np.allclose([segment[:, 1] for segment in bars.get_segments()], (1.0 + shares) / (1.0 - shares))
    words = {text.get_text(): text.xy[1] for text in axes.texts}
    assert words == {"a closer": 1.0, "b closer": 1.0}
    low, high = axes.get_ylim()
    assert low < 0.5
    assert high > 1.0


def test_errors_of_nothing_have_no_ratio():
    nothing = figures.Duel(
        sde_a="a", sde_b="b", test_function="u[0]", h=H, error_a=0.0 * H, error_b=0.0 * H, half_width=np.nan * H,
        resolved=H < 0.0,
    )  # fmt: skip
    assert draw(lambda axes: figures.ranking([nothing], axes)).get_ylim()[0] < 1.0


def test_the_way_to_the_target_is_dotted_and_ends_there():
    axes = draw(work)
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == axes.get_facecolor()]
    assert [line.get_xdata()[0] for line in hollow] == [30.0 * 36.0**i for i in (1, 2, 3)]
    assert all(line.get_ydata()[0] == 0.01 for line in hollow)
