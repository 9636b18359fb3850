"""Points of a study, and the times at which points of different steps are compared."""

import re

import numpy as np
import pytest

from ngos_sim.studies.grid import MAX_TIMES, cut, record_times
from ngos_sim.studies.points import Point, made_points


def times_of(eta2, t0=0.0, horizon=1.0, times=None, kappa=1):
    return record_times([Point(h, 1.0, kappa) for h in eta2], t0, horizon, times)


def test_one_step_records_every_step_up_to_64():
    (found,) = times_of([1 / 64])
    assert found.tolist() == [k / 64 for k in range(1, 65)]


def test_two_steps_record_their_common_times():
    for found in times_of([0.25, 0.125]):
        assert found.tolist() == [0.25, 0.5, 0.75, 1.0]


def test_common_times_are_those_of_all_and_not_of_the_coarsest():
    for found in times_of([0.1, 0.2, 0.3], horizon=1.3):
        assert found == pytest.approx([0.6, 1.2])


@pytest.mark.parametrize("count", [65, 100, 1000, 1024])
def test_thinning_keeps_64_multiples_and_the_last(count):
    (found,) = times_of([1 / count])
    steps = found * count
    assert len(found) == MAX_TIMES == 64
    assert found[-1] == pytest.approx(1.0)
    assert steps == pytest.approx(np.round(steps))
    assert np.diff(steps).max() < count / 64 + 1
    assert np.diff(steps).min() > count / 64 - 1


def test_thinned_times_are_the_same_for_all_points():
    fine, coarse = times_of([1 / 1024, 1 / 512])
    assert len(fine) == MAX_TIMES
    assert fine.tolist() == coarse.tolist()


def together(eta2, ell=(1.0,), kappa=(1,), t0=0.0, horizon=1.0, times=None):
    """Return the points of every eta2, ell and kappa with their record times."""
    made = [Point(h, one, two) for h in eta2 for one in ell for two in kappa]
    return dict(zip(made, record_times(made, t0, horizon, times), strict=True))


@pytest.mark.parametrize("times", [None, "all", [1.0]])
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            dict(eta2=[0.3, 0.2, 0.07]),
            "eta2=[0.3, 0.2, 0.07]: no time up to horizon=1 is a multiple of every step; with horizon=4.2 there is "
            "one, or with steps=[4, 5, 15] (eta2 = horizon / steps) there is one",
        ),
        (dict(eta2=[0.5, 0.3], kappa=(2,)), "eta2=[0.5, 0.3], kappa=2: no time up to horizon=1 is a multiple of every"),
        (dict(eta2=[0.25], ell=(1.0, 3.0, 1.7)), "eta2=[0.25], ell=[1, 3, 1.7]: no time up to horizon=1 is a multiple"),
        (dict(eta2=[0.3, 0.299]), "with horizon=89.7 there is one, or with steps=[4, 5] (eta2 = horizon / steps)"),
        (
            dict(eta2=[p * 1e-6 for p in (1009, 1013, 1019, 1021, 1031)]),
            "; with steps=[992, 988, 982, 980, 970]",
        ),
        (dict(eta2=[0.25, 0.2], t0=1.0, horizon=1.9), "is a multiple of every step; with horizon=2 there is one"),
    ],
)
def test_steps_without_a_time_in_common_are_refused(asked, message, times):
    with pytest.raises(ValueError) as caught:
        together(**asked, times=times)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "asked", [dict(eta2=[0.3, 0.2, 0.07]), dict(eta2=[0.3, 0.299]), dict(eta2=[0.3, 0.2], kappa=(3,))]
)
def test_what_a_refusal_names_is_allowed(asked):
    with pytest.raises(ValueError) as caught:
        together(**asked)
    text = str(caught.value)
    horizon = float(re.search(r"with horizon=(\S+)", text)[1])
    counts = [int(n) for n in re.search(r"steps=\[(.*?)\]", text)[1].split(", ")]
    for ways in (dict(horizon=horizon), dict(eta2=[1.0 / n for n in counts])):
        found = list(together(**(asked | ways)).values())
        assert len(found[0])
        assert all(each.tolist() == found[0].tolist() for each in found)
    assert all(1.0 / n <= h * (1.0 + 1e-9) for n, h in zip(counts, asked["eta2"], strict=True))


def test_what_one_order_is_fitted_to_must_have_a_time_in_common_and_no_more():
    """Under SVAG with several ell that is one eta2, under the scaling rule one kappa."""
    found = together([0.5, 0.3], ell=(1.0, 2.0))
    assert found[Point(0.5, 1.0)].tolist() == found[Point(0.5, 2.0)].tolist() == [0.5, 1.0]
    assert found[Point(0.3, 1.0)].tolist() == found[Point(0.3, 2.0)].tolist() == [0.3, 0.6, 0.9]
    found = together([0.2, 0.1], kappa=(2, 3))
    assert found[Point(0.2, kappa=2)].tolist() == found[Point(0.1, kappa=2)].tolist() == [0.4, 0.8]
    assert found[Point(0.2, kappa=3)].tolist() == found[Point(0.1, kappa=3)].tolist() == [0.6]
    assert [each.tolist() for each in together([0.3]).values()] == [[0.3, 0.6, 0.9]]


@pytest.mark.parametrize("times", [[0.3, 0.1 * 3, 0.6], [0.1 * 6, 0.3 * (1 + 1e-12), 0.3]])
def test_times_equal_to_rounding_are_one_and_printed_clean(times):
    for found in times_of([0.1, 0.05], times=times):
        assert found.tolist() == [0.3, 0.6]


def test_every_step_of_two_points_has_the_very_same_common_times():
    coarse, fine = times_of([0.3, 0.1], horizon=3.0, times="all")
    assert set(coarse.tolist()) <= set(fine.tolist())
    assert coarse.tolist() == [0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.1, 2.4, 2.7, 3.0]


def test_a_time_that_is_the_start_to_rounding_is_no_time():
    """It would be recorded after no step."""
    with pytest.raises(ValueError, match="times=1e-12 is t0=0 to rounding: it must lie a step of 0.25 later"):
        times_of([0.25], times=[1e-12])


def test_after_many_steps_a_time_is_still_told_from_its_neighbour():
    """1e-9 of 1e10 steps is more than a step."""
    with pytest.raises(ValueError, match="is not a multiple of the step"):
        times_of([1e-3], t0=1e7, horizon=1e7 + 1.0, times=[1e7 + 0.0015])
    (found,) = times_of([1e-3], t0=1e7, horizon=1e7 + 0.0025)
    assert found.tolist() == [1e7 + 1e-3, 1e7 + 2e-3]


@pytest.mark.parametrize("unit", [1e-12, 1e12])
@pytest.mark.parametrize("times", [None, "all", [0.6, 0.3, 0.1 * 3]])
def test_times_do_not_depend_on_the_unit_of_time(unit, times):
    scaled = [time * unit for time in times] if isinstance(times, list) else times
    found = times_of([0.3 * unit, 0.1 * unit], horizon=unit, times=scaled)
    for each, plain in zip(found, times_of([0.3, 0.1], times=times), strict=True):
        np.testing.assert_allclose(each, plain * unit, rtol=1e-13)
    with pytest.raises(ValueError, match="is a multiple of every step"):
        times_of([0.3 * unit, 0.2 * unit, 0.07 * unit], horizon=unit)


@pytest.mark.parametrize(
    ("eta2", "horizon", "message"),
    [
        ([0.3], 1.0, "horizon=1 is cut to t=0.9: it is no multiple of the step 0.3 at eta2=0.3"),
        ([0.1, 0.2, 0.3], 1.3, "horizon=1.3 is cut to t=1.2: it is no multiple of the step 0.2 at eta2=0.2"),
        ([0.1, 0.3], 0.9, ""),
        ([0.1], 0.1 * 3, ""),
    ],
)
def test_a_horizon_that_is_cut_is_said(eta2, horizon, message):
    made = [Point(h) for h in eta2]
    assert cut(made, horizon, record_times(made, 0.0, horizon, None)) == message


def test_all_records_every_step_of_each_point():
    fine, coarse = times_of([1 / 100, 1 / 4], times="all")
    assert fine == pytest.approx(np.arange(1, 101) / 100)
    assert coarse.tolist() == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("horizon", [1.0, 1.01, 1.2499])
@pytest.mark.parametrize("times", [None, "all"])
def test_a_horizon_between_steps_is_cut(horizon, times):
    (found,) = times_of([0.25], horizon=horizon, times=times)
    assert found.tolist() == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(("step", "count"), [(0.1, 3), (0.1, 7), (0.3, 3), (0.7, 1), (1 / 49, 49)])
def test_a_horizon_that_is_a_multiple_to_rounding_is_not_cut(step, count):
    (found,) = times_of([step], horizon=float(f"{step * count:.12g}"), times="all")
    assert len(found) == count


@pytest.mark.parametrize("times", [None, "all"])
def test_times_begin_after_t0(times):
    (found,) = times_of([0.25], t0=0.5, horizon=1.25, times=times)
    assert found.tolist() == [0.75, 1.0, 1.25]


def test_kappa_compares_at_steps_of_the_larger_batch():
    (found,) = times_of([0.125], kappa=4)
    assert found.tolist() == [0.5, 1.0]


def test_a_list_of_times_is_sorted_and_without_doubles():
    for found in times_of([0.25, 0.125], times=[1.0, 0.5, 0.5]):
        assert found.tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"times": [0.3]}, "times=0.3 is not a multiple of the step 0.25 at eta2=0.25; the nearest is 0.25"),
        ({"t0": 0.3}, "t0=0.3 is not a multiple of the step 0.25 at eta2=0.25; the nearest is 0.25"),
        ({"times": [0.75], "kappa": 2}, "eta2=0.25, kappa=2; the nearest is 0.5"),
        ({"times": [0.0]}, "times=0 must lie in (t0, horizon] = (0, 1]"),
        ({"times": [1.25]}, "times=1.25 must lie in (t0, horizon] = (0, 1]"),
        ({"times": [0.5], "t0": 0.5}, "times=0.5 must lie in (t0, horizon] = (0.5, 1]"),
        ({"times": "every"}, "times='every'; allowed: 'all' or a list of times"),
        ({"times": []}, "times=[]"),
        ({"times": [np.nan]}, "times=[nan]"),
        ({"horizon": 0.2}, "no step of size 0.25 fits between t0=0 and horizon=0.2"),
        ({"t0": 1e300, "horizon": 2e300}, "4e+300 steps"),
        ({"t0": 1e12, "horizon": 1e12 + 0.5}, "steps of size 0.25 up to horizon=1e+12 are too many to be told apart"),
        ({"t0": 0.75, "horizon": 0.9}, "no step of size 0.25 fits between t0=0.75 and horizon=0.9"),
        ({"horizon": 0.0}, "0 <= t0 < horizon"),
        ({"horizon": np.inf}, "horizon=inf"),
        ({"horizon": np.nan}, "horizon=nan"),
        ({"t0": 1.0}, "t0=1.0"),
        ({"t0": -0.25}, "t0=-0.25"),
        ({"t0": np.nan}, "t0=nan"),
    ],
)
def test_times_that_do_not_fit_are_refused(asked, message):
    with pytest.raises(ValueError) as caught:
        times_of([0.25], **asked)
    assert message in str(caught.value)


def test_a_time_that_is_the_horizon_to_rounding_is_allowed():
    (found,) = times_of([0.1], horizon=0.3, times=[0.1 + 0.2])
    assert found == pytest.approx([0.3])


@pytest.mark.parametrize(("eta2", "time"), [([0.25, 0.2], 0.5), ([0.25], 0.05), ([0.25], 0.95), ([0.1, 0.3], 0.5)])
def test_the_nearest_time_that_a_message_names_is_allowed(eta2, time):
    with pytest.raises(ValueError) as caught:
        times_of(eta2, horizon=1.1, times=[time])
    nearest = float(re.search(r"nearest is (\S+)$", str(caught.value))[1])
    for found in times_of(eta2, horizon=1.1, times=[nearest]):
        assert found.tolist() == [nearest]


def test_points_are_every_eta2_with_every_ell():
    found = made_points([0.25, 0.125], None, 1.0, (1.0, 2.0), (1,), {"c2": 1.3})
    assert found == (Point(0.25, 1.0), Point(0.25, 2.0), Point(0.125, 1.0), Point(0.125, 2.0))
    assert [one.h for one in found] == [0.25, 0.0625, 0.125, 0.03125]


def test_points_are_every_eta2_with_every_kappa():
    found = made_points(0.125, None, 1.0, (1.0,), (2, 4), {"c2": 1.3})
    assert found == (Point(0.125, kappa=2), Point(0.125, kappa=4))
    assert [one.h for one in found] == [0.125, 0.125]
    assert [one.spacing for one in found] == [0.25, 0.5]


def test_steps_divide_the_horizon():
    assert made_points(None, [4, 8], 2.0, (1.0,), (1,), {}) == (Point(0.5), Point(0.25))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "eta2=None and steps=None"),
        ({"sizes": 0.25, "steps": 4}, "eta2=0.25 and steps=4"),
        ({"steps": [2.5]}, "steps=[2.5] must be positive integers"),
        ({"steps": [4, 0]}, "steps=[4, 0] must be positive integers"),
        ({"sizes": []}, "eta2=[]"),
        ({"sizes": [0.25, 0.25]}, "eta2=[0.25, 0.25] has a value twice"),
        ({"sizes": [0.01, 0.1 * 0.1]}, "eta2=[0.01, 0.010000000000000002] has a value twice"),
        ({"sizes": [0.1], "ell": (3.0, 3.0000000000001)}, "ell=[3.0, 3.0000000000001] has a value twice"),
        ({"sizes": [0.1 * 3, 0.1, 0.3]}, "eta2=[0.30000000000000004, 0.1, 0.3] has a value twice"),
        ({"sizes": 0.25, "ell": (1.0, 1.0 + 1e-12)}, "ell=[1.0, 1.000000000001] has a value twice"),
        ({"steps": [4], "horizon": "1"}, "horizon='1' and t0=0.0: numbers with 0 <= t0 < horizon are allowed"),
        ({"steps": [1]}, "steps=1: eta2=1 gives beta=-1; with c2=2 it must be below 0.5"),
        ({"sizes": 0.0}, "eta2=0.0 must be a positive number"),
        ({"sizes": [0.25, -0.25]}, "eta2=-0.25 must be a positive number"),
        ({"sizes": np.nan}, "eta2=nan"),
        ({"sizes": 0.5}, "eta2=0.5 gives beta=0; with c2=2 it must be below 0.5"),
        ({"sizes": [0.125, 0.75]}, "eta2=0.75 gives beta=-0.5; with c2=2 it must be below 0.5"),
        ({"sizes": 0.25, "kappa": (1, 2)}, "kappa=2 times eta2=0.25: kappa*eta2=0.5 gives beta=0"),
    ],
)
def test_points_that_are_not_admissible_are_refused(asked, message):
    with pytest.raises(ValueError) as caught:
        made_points(
            **{"sizes": None, "steps": None, "horizon": 1.0, "ell": (1.0,), "kappa": (1,), **asked},
            constants={"c2": 2.0},
        )
    assert message in str(caught.value)


def test_a_point_says_what_it_is():
    assert str(Point(0.25)) == "eta2=0.25"
    assert str(Point(0.25, ell=2.0)) == "eta2=0.25, ell=2"
    assert str(Point(0.25, kappa=2)) == "eta2=0.25, kappa=2"
