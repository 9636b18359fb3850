"""E g of each process alone over time: closed forms of SGD and of its SDE, the start, and what cannot be computed."""

import numpy as np
import pytest

import ngos_sim as ns
from tests.support.closed import START, moments, study


def test_means_are_closed_forms_within_what_they_say():
    made = study("auto", eta=[2.0**-3, 2.0**-4])
    found = made.means()
    assert list(found.columns) == ["h", "time", "process", "name", "test_function", "mean", "numerical"]
    assert len(found) == 2 * 2 * 2 * (1 + 2)
    for row in found.itertuples():
        both = moments(row.h, np.array([round(row.time / row.h)]))
        exact = both[row.process == "sde"][row.test_function == "theta[0]^2"][0]
        assert abs(row.mean - exact) <= row.numerical + 1e-12
        assert row.numerical <= 1e-3 * abs(row.mean)
        assert row.name == {"optimizer": "sgd", "sde": "sgd order 1"}[row.process]
    first = found[found.time == 0.0]
    assert (first.numerical == 0.0).all()
    assert set(first["mean"]) == {START, START**2}


def test_each_sde_has_its_own_means():
    changes = {"sde": [ns.sgd_sde(), ns.sgd_sde(order=2)], "eta": 2.0**-3, "test_functions": ["theta[0]"]}
    found = study("auto", **changes).means()
    last = found[found.time == 1.0].set_index("name")["mean"]
    assert abs(last["sgd order 2"] - last["sgd"]) < 0.2 * abs(last["sgd order 1"] - last["sgd"])


def test_what_cannot_be_computed_is_said():
    made = study("auto", sde=None, reference=ns.scaling_rule(2))
    message = r"means of 'theta\[0\]' against 'batch x 2' cannot be computed: the reference is the optimizer at another"
    with pytest.raises(ValueError, match=message):
        made.means()
