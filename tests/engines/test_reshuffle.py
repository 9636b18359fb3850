"""Samples without replacement: CPU and Python engine alike, orders as likely as each other, means over all orders."""

import itertools

import numpy as np
import pytest

from ngos_sim.engines import python, python_data
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.fields import DataField
from tests.support.data import LOGISTIC, SDE, descend, diffuse, made, samples


def without(batch, weights=(1.0,)):
    return DataField(LOGISTIC.slope, weights, batch, replacement=False)


PROGRAMS = {
    "epochs within a span": lambda: made(5, 3, [(descend, 1, without(1))], [1, 3, 17]),
    "an epoch over spans": lambda: made(37, 3, [(descend, 1, without(5))], [1, 3, 16]),
    "minibatches over epochs": lambda: made(7, 10, [(descend, 1, without(5))], [1, 3, 9]),
    "two of a step": lambda: made(7, 9, [(descend, 1, without(3, (-0.3, 1.3)))], [2, 5]),
    "kappa": lambda: made(6, 2, [(descend, 1, without(3)), (descend, 2, without(6))], [2, 6]),
    "beside an SDE": lambda: made(37, 3, [(descend, 2, without(2)), (diffuse, 1, SDE)], [4, 12]),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_lanes_are_plain_pythons_bit_for_bit(name):
    program, inputs = PROGRAMS[name]()
    kernel = cpu.Kernel(program, inputs, "f64")
    kernel.block(0)
    out = kernel.block(1)
    for lane in (0, 77):
        expected, finite = python.trajectory(program, inputs, 128 + lane)
        assert finite
        assert np.array_equal(out[..., lane], expected)


def test_an_epoch_takes_each_sample_once():
    taken = python_data.numbers_without_replacement(7, 3, 5, 21, 9)
    assert sorted(taken[4:13]) == list(range(9))
    assert len({*taken[13:]}) == 8
    assert taken[4:13] != python_data.numbers_without_replacement(7, 4, 9, 9, 9)
    assert taken[:4] == python_data.numbers_without_replacement(7, 3, 0, 9, 9)[5:]


def test_orders_are_uniform_and_independent():
    """Chi-square of the 24 orders of 4 samples, and of the pairs of first samples of two epochs; fixed key."""
    taken = [tuple(python_data.numbers_without_replacement(7, index, 0, 8, 4)) for index in range(4800)]
    counts = np.array([sum(each[:4] == order for each in taken) for order in itertools.permutations(range(4))])
    assert 7.5 < np.sum((counts - 200.0) ** 2 / 200.0) < 49.7  # .1 % and 99.9 % of chi2(23)
    pairs = np.bincount([4 * each[0] + each[4] for each in taken], minlength=16)
    assert 3.5 < np.sum((pairs - 300.0) ** 2 / 300.0) < 37.7  # of chi2(15)


@pytest.mark.parametrize("batch", [1, 3])
def test_means_are_those_of_all_orders(batch):
    """Two epochs of three samples, 36 pairs of orders, RMSprop."""
    program, inputs = made(3, 2, [(descend, 1, without(batch))], [6 // batch])
    x, y = samples(3, 2)

    def end(order):
        theta, v = np.linspace(-0.3, 0.3, 2), np.full(2, 0.5)
        for first in range(0, 6, batch):
            chosen = list(order[first : first + batch])
            slopes = -y[chosen] / (1.0 + np.exp(y[chosen] * (x[chosen] @ theta)))
            g = slopes @ x[chosen] / batch + 0.01 * theta
            v = v + 0.1 * (g * g - v)
            theta = theta - 0.05 * g / (np.sqrt(v) + 1e-3)
        return theta[0]

    orders = list(itertools.permutations(range(3)))
    ends = [end((*one, *other)) for one in orders for other in orders]
    found = np.concatenate([cpu.Kernel(program, inputs, "f64").block(index)[0, 0, 0] for index in range(160)])
    assert abs(found.mean() - np.mean(ends)) < max(4.0 * np.std(ends) / np.sqrt(len(found)), 1e-14)
    assert found.var() == pytest.approx(np.var(ends), rel=0.05, abs=1e-28)
