"""Every case of `ngos-sim verify` builds; every built-in SDE is held to each of its orders by one."""

import pytest

from ngos_sim.studies.kinds import KINDS
from ngos_sim.verification.case import CONSISTENT, WITHIN
from ngos_sim.verification.theorems import CASES

# An ODE, kind of order 0, is of order 1 in the clock "eta": tests/studies/test_ballistic_orders.py.
SDES = [(kind, int(order)) for kind, one in KINDS["sde"].items() for order in one.order.split(", ") if order != "0"]


@pytest.fixture(scope="module")
def built():
    """Return {name: studies} of every case."""
    made = {name: case.study() for name, case in CASES.items()}
    return {name: [*each.values()] if isinstance(each, dict) else [each] for name, each in made.items()}


def test_every_case_builds_and_is_named_once(built):
    titles = [case.title for case in CASES.values()]
    assert len(set(titles)) == len(titles)
    assert all(study.points for studies in built.values() for study in studies)


@pytest.fixture(scope="module")
def held(built):
    """Return {(name of an SDE, order)} of the cases that hold an SDE to an order."""
    holding = {name: case.order for name, case in CASES.items() if case.shows in (CONSISTENT, WITHIN)}
    return {(sde.name, order) for name, order in holding.items() for study in built[name] for sde in study.sdes}


@pytest.mark.parametrize(("kind", "order"), SDES)
def test_every_sde_has_a_case_of_its_order(held, kind, order):
    assert {(kind, order), (f"{kind} order {order}", order)} & held
