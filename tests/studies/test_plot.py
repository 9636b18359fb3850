"""Result.plot: every kind from a real result, its arguments, and the same figure from a folder."""

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.reporting import figures
from ngos_sim.studies.figure import plot, replot
from tests.support.drawn import assert_legible, draw, sketch


@pytest.fixture(scope="module")
def result():
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9)),
        ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=[ns.rmsprop_sde(), ns.compagnoni_rmsprop_sde()],
        initial={"theta": 1.2, "u": 1.0},
        eta2=[2.0**-k for k in range(3, 7)],
        test_functions=["theta[0]", "u[0]^2"],
    )
    return study.run(8192)


@pytest.mark.parametrize("kind", ["order", "time", "trajectories", "ranking"])
def test_every_kind_is_drawn_on_the_axes_that_are_given(result, kind):
    given = []
    drawn = draw(lambda axes: given.append(axes) or result.plot(kind=kind, axes=axes), 3.3)
    assert given == [drawn]
    assert_legible(drawn)


def test_names_choose_what_is_shown(result):
    axes = sketch(lambda axes: result.plot(axes=axes, sde="rmsprop", test_functions=["u[0]^2"]))
    assert axes.get_legend().get_texts()[0].get_text().startswith("$u_{0}^{2}$: ")
    assert axes.get_legend().get_title().get_text().startswith("rmsprop: order ")
    axes = sketch(lambda axes: result.plot(kind="time", axes=axes, sde="compagnoni-rmsprop", test_functions="u[0]^2"))
    assert axes.get_legend().get_title().get_text().startswith("compagnoni-rmsprop, $u_{0}^{2}$; ")
    axes = sketch(lambda axes: result.plot(kind="ranking", axes=axes, test_functions="u[0]^2"))
    assert "$u_{0}^{2}$" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_choice_does_not_change_a_fit(result):
    """Fits share the false alarms of their table, whatever is drawn of it."""
    whole, part = (
        sketch(lambda axes, chosen=chosen: result.plot(axes=axes, **chosen)) for chosen in ({}, {"sde": "rmsprop"})
    )
    of = [line.get_ydata() for line in part.lines if len(line.get_xdata()) > 30]
    drawn = [line.get_ydata() for line in whole.lines if len(line.get_xdata()) > 30]
    assert of
    assert all(any(np.array_equal(one, other) for other in drawn) for one in of)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "orders"}, "kind='orders'; allowed: order, time, trajectories, ranking"),
        ({"norm": "last"}, "norm='last'; allowed: max, final"),
        ({"sde": "adam"}, "sde='adam'; allowed: 'rmsprop', 'compagnoni-rmsprop'"),
        ({"sde": []}, "sde=[]; allowed: 'rmsprop', 'compagnoni-rmsprop'"),
        ({"test_functions": ["theta[0]", "m"]}, "test_functions='m'; allowed: 'theta[0]', 'u[0]^2'"),
        ({"kind": "ranking", "sde": "rmsprop"}, "sde=['rmsprop']: a ranking compares two SDEs or more"),
        (
            {"kind": "time", "test_functions": ["theta[0]", "u[0]^2"]},
            "test_functions=['theta[0]', 'u[0]^2']: a figure of kind='time' shows one",
        ),
        ({"theorem": 0.3}, "theorem=0.3 must be an order: a multiple of 1/2 from 0 to 3"),
    ],
)
def test_what_is_unknown_is_said_in_one_line(result, given, message):
    with pytest.raises(ValueError) as raised:
        result.plot(**given)
    assert str(raised.value) == message


def test_full_points_are_those_that_the_fit_calls_resolved(result):
    orders = result.order()
    orders = orders[(orders.norm == "max") & (orders.sde == "rmsprop")]
    axes = sketch(lambda axes: result.plot(axes=axes, sde="rmsprop"))
    full = [line for line in axes.lines if line.get_linestyle() == "None" and line.get_marker() in "os"]
    full = [line for line in full if line.get_markerfacecolor() == line.get_color()]
    assert sorted(len(line.get_xdata()) for line in full) == sorted(orders.resolved_points)


def test_predictions_are_drawn_and_lie_on_the_finest_points(result):
    axes = sketch(lambda axes: result.plot(axes=axes, sde="rmsprop", test_functions="theta[0]"))
    predicted, measured = (
        next(line.get_ydata() for line in axes.lines if len(line.get_xdata()) > 30 and line.get_linestyle() == dashes)
        for dashes in ("--", "-")
    )
    assert abs(predicted[0] / measured[0] - 1.0) < 0.03
    axes = sketch(lambda axes: result.plot(kind="time", axes=axes))
    predicted = next(line for line in axes.lines if line.get_linestyle() == "--")
    finest = next(line for line in axes.lines if line.get_marker() == "o")
    assert np.allclose(predicted.get_ydata(), finest.get_ydata(), rtol=0.05)


def test_svag_of_several_eta2_is_a_figure_of_one_over_time():
    made = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9)), ns.svag(ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3), ell=[1, 2]),
        sde=ns.rmsprop_sde(), initial={"theta": 1.2, "u": 1.0}, eta2=[2.0**-2, 2.0**-3], test_functions=["theta[0]"],
    )  # fmt: skip
    result = made.run(1024)
    axes = sketch(lambda axes: result.plot(kind="time", axes=axes))
    title = axes.get_legend().get_title().get_text()
    assert title.startswith(r"rmsprop, $\theta_{0}$, $\eta^2$ = 0.25; ")
    assert len([line for line in axes.lines if line.get_marker() in "os"]) == 2
    predicted = next(line for line in axes.lines if line.get_linestyle() == "--")
    orders = result.order()
    assert np.isclose(predicted.get_ydata()[-1], orders[orders.norm == "final"].predicted_constant.iloc[0])


@pytest.mark.usefixtures("blank_page")
def test_a_folder_gives_the_same_figure(result, tmp_path):
    result.save(tmp_path)
    saved = (tmp_path / "errors.png").read_bytes()
    assert replot(tmp_path).read_bytes() == saved
    assert figures.png(lambda axes: result.plot(axes=axes)) == saved
    (tmp_path / "orders.csv").unlink()
    assert replot(tmp_path).read_bytes() != saved  # nothing is predicted


def test_what_is_computed_widens_the_floor_of_noise(result):
    """A table with the column `numerical`: errors below it are not resolved, however small the standard error."""
    table = result.table[result.table.sde == "rmsprop"]
    known = table.assign(numerical=np.where(table.test_function == "theta[0]", 1.0, np.nan))
    axes = sketch(lambda axes: plot(known, None, axes))
    hollow = [
        line for line in axes.lines if line.get_marker() in "os" and line.get_markerfacecolor() != line.get_color()
    ]
    assert [(line.get_marker(), len(line.get_xdata())) for line in hollow] == [("o", 4)]


def test_a_file_is_written(result, tmp_path):
    import matplotlib.pyplot as plt

    for name in ("figure.pdf", "figure.svg", "figure.png"):
        result.plot(tmp_path / name, kind="time")
        assert (tmp_path / name).stat().st_size > 5_000
    plt.close("all")
