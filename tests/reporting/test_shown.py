"""What a study, a result, orders and a plan are at a prompt and in a notebook."""

import pickle

import pandas as pd
import pytest

import ngos_sim as ns
from ngos_sim.reporting import report, shown

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def study():
    square = ns.TestFunction(EVIL, lambda x: x[0] * x[0])
    return ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9)),
        ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        steps=[16, 32, 64],
        test_functions=["theta[0]", "u[0]", square],
    )


@pytest.fixture(scope="module")
def result(study):
    return study.run(1024)


def test_a_study_is_five_lines(study):
    title, *lines = repr(study).splitlines()
    assert title == "ConvergenceStudy: rmsprop against rmsprop"
    assert [line.split("  ")[1] for line in lines] == ["oracle", "h", "test functions", "estimator"]
    assert "0.0625 .. 0.01562, 3 step sizes (time of one step, eta^2); from t = 0 to 1" in lines[1]
    assert "local: theta[0], u[0]" in lines[3]
    assert len(repr(study)) < 500


def test_a_result_says_how_it_was_run_and_its_least_errors(result):
    lines = repr(result).splitlines()
    assert lines[0] == "Result: rmsprop against rmsprop"
    assert "1024 trajectories at each of 3 step sizes; ended by: trajectories" in lines[1]
    assert "h = 0.01562, at t = 1" in lines[3]
    last = result.table[(result.table.h == 1 / 64) & (result.table.time == 1.0)]
    assert len(lines) == 5 + len(last) == 8
    assert report.measured(last.error.iloc[0] * 64, last.std_error.iloc[0] * 64) in lines[5]


@pytest.mark.parametrize("of", ["study", "result"])
def test_html_is_escaped(of, request):
    one = request.getfixturevalue(of)
    assert EVIL in repr(one)
    assert "<script" not in one._repr_html_()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in one._repr_html_()


def test_orders_and_plans_are_data_frames_that_are_shown_in_words(result, study):
    orders = result.order()
    assert isinstance(orders, pd.DataFrame)
    assert repr(orders).splitlines()[0] == report.orders_caption(1.0)
    assert repr(orders).splitlines()[-1].startswith("[6 rows x 24 columns, among them norm = final")
    assert "&lt;script&gt;" in orders._repr_html_()
    assert "<script" not in orders._repr_html_()
    for made in (orders[orders.norm == "max"], orders.copy(), orders.head(2)):
        assert type(made) is pd.DataFrame
    assert pickle.loads(pickle.dumps(orders)).equals(orders)
    planned = study.plan(2048)
    assert repr(planned) == report.plan_table(planned)
    assert "<script" not in planned._repr_html_()


def test_orders_without_their_columns_are_shown_as_any_other(result):
    orders = result.order()
    del orders["verdict"]
    assert repr(orders) == repr(pd.DataFrame(orders))
    assert orders._repr_html_() == pd.DataFrame(orders)._repr_html_()


def test_nothing_raises_where_an_object_is_not_complete():
    """As in a debugger, while a constructor refuses what it was given."""
    for kind in (ns.ConvergenceStudy, ns.Result):
        made = object.__new__(kind)
        assert repr(made) == f"<{kind.__name__}: not complete>"
        assert made._repr_html_() is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (dict(reference=ns.scaling_rule([2, 4]), eta2=[2**-6, 2**-7]), "against itself at 2, 4 times the batch size"),
        (
            dict(sde=ns.rmsprop_sde(), optimizer=ns.svag(ns.rmsprop(0.8, 0.1, 1.3), [1, 2]), eta2=2**-4),
            "rmsprop under SVAG, ell = 1, 2 against rmsprop",
        ),
        (dict(sde=ns.sgd_sde(), optimizer=ns.sgd(0.8), eta=[2**-5]), "0.03125 (time of one step, eta)"),
    ],
)
def test_variations_are_named(changes, said):
    start = dict(theta=1.2) if "eta" in changes else dict(theta=1.2, u=1.0)
    given = dict(optimizer=ns.rmsprop(0.8, 0.1, 1.3), initial=start, test_functions=["theta[0]"]) | changes
    assert said in repr(ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9)), **given))


def test_many_names_are_counted():
    assert shown._few("abcdefghijk") == "a, b, c, d, e, f, g, h, and 3 more"


def test_digits_are_those_that_a_number_has():
    assert report.measured(-0.4371234, 2.3e-4) == "-0.4371 (2e-4)"
    assert report.measured(0.25, 0.0) == "0.25"
    row = pd.Series(dict(order=1.000001, ci_low=0.999996, ci_high=1.000008))
    assert report.interval(row) == "[0.999996, 1.000008]"
    assert report.interval(pd.Series(dict(order=1.1, ci_low=0.6, ci_high=1.4))) == "[0.60, 1.40]"
