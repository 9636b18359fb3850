"""Which of two numbers is closer to 0: known cases, and how often a wrong one is called so."""

import math

import numpy as np
import pytest

from ngos_sim.statistics.closer import closer, std_error_of_groups, student_quantile


@pytest.mark.parametrize(
    ("a", "b", "which"),
    [(1.0, 2.0, -1), (-1.0, 2.0, -1), (-1.0, -2.0, -1), (2.0, -1.0, 1), (1.0, 1.0, 0), (1.0, -1.0, 0), (0.0, 1.0, -1)],
)
def test_the_smaller_size_is_closer_whatever_the_signs(a, b, which):
    assert closer((np.array([a - b]), 0.1), (np.array([a + b]), 0.1), 3.0).tolist() == [which]


def test_both_the_difference_and_the_sum_must_be_resolved():
    """1 and -1.05 differ by much, but which is closer hangs on their sum; 1 and 1.05 on their difference."""
    for sharp, blunt in ((2.05, -0.05), (-0.05, 2.05)):
        assert closer((sharp, 0.1), (blunt, 0.1), 2.0) == 0
        assert closer((sharp, 0.01), (blunt, 0.01), 2.0) == -1
    assert closer((math.nan, 0.1), (1.0, 0.1), 2.0) == closer((1.0, math.nan), (1.0, 0.1), 2.0) == 0
    assert closer((0.0, 0.0), (2.0, 0.0), 2.0) == 0


def test_students_quantiles():
    assert student_quantile(0.95, 2) == pytest.approx(12.7062, abs=1e-4)  # tables of Student's t
    assert student_quantile(0.99, 11) == pytest.approx(3.1693, abs=1e-4)
    assert student_quantile(0.95, 10**7) == pytest.approx(1.95996, abs=1e-4)
    assert math.isnan(student_quantile(0.95, 1))


def test_standard_error_of_groups():
    groups = np.array([[1.0, 5.0], [3.0, 5.0], [2.0, 5.0], [2.0, 5.0]])
    np.testing.assert_allclose(std_error_of_groups(groups, 4.0), [math.sqrt(2.0 / 3.0 / 4.0), 0.0])
    np.testing.assert_allclose(std_error_of_groups(groups, 5.0), [math.sqrt(2.0 / 3.0 / 5.0), 0.0])
    assert np.isnan(std_error_of_groups(groups[:1], 1.0)).all()


@pytest.mark.parametrize("number", [4, 64])
@pytest.mark.parametrize("truth", [(1.0, -1.0), (1.0, 1.0), (0.0, 0.0), (1.0, -1.02)])
def test_a_wrong_one_is_called_closer_in_at_most_5_percent(truth, number):
    """Two means of equal size, correlated; of (1, -1.02) the first is closer. 20,000 repetitions."""
    rng, repeats = np.random.default_rng(5), 20_000
    common, own = rng.standard_normal((number, repeats)), rng.standard_normal((2, number, repeats))
    a, b = (mean + 0.3 * (common + 0.2 * each) for mean, each in zip(truth, own, strict=True))
    difference, total = ((of.mean(axis=0), std_error_of_groups(of, number)) for of in (a - b, a + b))
    found = closer(difference, total, student_quantile(0.95, number))
    wrong = (found != 0) if abs(truth[0]) == abs(truth[1]) else (found > 0)
    assert wrong.mean() < 0.05 + 4.0 * math.sqrt(0.05 * 0.95 / repeats)
    if truth == (1.0, -1.0):  # the bound is met: the test is none that never speaks
        assert wrong.mean() > 0.04


def test_what_an_integrator_may_leave_is_held():
    """A bias as large as the residual in the worst place: the interval of hypot(std_error, residual) errs no more."""
    rng, residual = np.random.default_rng(6), np.array([0.3, 1.0, 3.0])
    value = -residual + rng.standard_normal((100_000, 3))  # the truth is 0, the standard error 1
    spread = np.hypot(1.0, residual)
    wrong = closer((value, spread), (np.full_like(value, 9.0), 1e-3), 1.96) != 0
    assert (wrong.mean(axis=0) < 0.05 + 4.0 * math.sqrt(0.05 * 0.95 / 100_000)).all()
