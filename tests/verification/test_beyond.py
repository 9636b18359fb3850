"""Every built-in SDE, in each of its orders, is held to its order by a case of `ngos-sim verify`."""

import pytest

from ngos_sim.studies.kinds import KINDS
from ngos_sim.verification.case import CONSISTENT, WITHIN
from ngos_sim.verification.theorems import CASES

# An ODE, kind of order 0, is of order 1 in the clock "eta": tests/studies/test_ballistic_orders.py.
SDES = [(kind, int(order)) for kind, one in KINDS["sde"].items() for order in one.order.split(", ") if order != "0"]


@pytest.fixture(scope="module")
def held():
    """Return {(name of an SDE, order)} of the cases that hold an SDE to an order."""
    found = set()
    for case in (each for each in CASES.values() if each.shows in (CONSISTENT, WITHIN)):
        made = case.study()
        for study in made.values() if isinstance(made, dict) else [made]:
            found |= {(sde.name, case.order) for sde in study.sdes}
    return found


@pytest.mark.parametrize(("kind", "order"), SDES)
def test_every_sde_has_a_case_of_its_order(held, kind, order):
    assert {(kind, order), (f"{kind} order {order}", order)} & held
