"""Adam's theta^3 and theta^4: a basis that would be too large with all that the own step needs goes without some."""

import numpy as np
import pytest

import ngos_sim as ns

TWO_NODES = ns.rademacher()  # are exact: little to compile


@pytest.fixture
def study():
    constants = dict(sigma0=0.8, eps0=0.1, c2=1.3)

    def made(functions, estimator="auto", eta2=1 / 64, noise=TWO_NODES):
        return ns.ConvergenceStudy(
            ns.NGOS(ns.quadratic(0.9), noise=noise),
            ns.adam(c1=2.0, **constants),
            sde=ns.adam_sde(),
            initial=dict(theta=1.2, m=-0.4, u=1.4, t0=0.5),
            eta2=eta2,
            horizon=1.0,
            times=[1.0],
            test_functions=functions,
            estimator=estimator,
        )

    return made


def test_they_are_local(study):
    assert all(why.startswith("local") for why in study(["theta[0]^3", "theta[0]^4"]).why.values())
    assert "not local, as it lies outside the span of its basis" in study(["theta[0]^5"]).why["adam", "theta[0]^5"]


def test_it_agrees_with_the_coupled_estimator_and_leaves_lower_degrees_their_basis(study):
    """To 4 standard errors; its own is less than a tenth, a path; that of theta is the same as without theta^3."""
    both = ["theta[0]", "theta[0]^3"]
    local, coupled = (study(both, estimator).run(n).table for estimator, n in (("auto", 1024), ("coupled", 32_768)))
    assert (abs(local.error - coupled.error) < 4 * np.hypot(local.std_error, coupled.std_error)).all()
    assert (local.std_error * np.sqrt(1024) < 0.1 * coupled.std_error * np.sqrt(32_768)).all()
    alone = study(both[:1]).run(1024).table
    assert (alone.error[0], alone.std_error[0]) == (local.error[0], local.std_error[0])


def test_why_says_what_carries_the_errors(study):
    """At h = 1/8 u has too wide a law for the own step."""
    made = study(["theta[0]"], eta2=[1 / 8, 1 / 128], noise=ns.gaussian())
    said = "the SDE's flow carries the errors at 1 of 2 points; the optimizer's own step carries the errors at 1 of 2"
    why = made.run(1024).why["adam", "theta[0]"]
    assert f"local: its standard deviation is of the size of the error; {said} points" in why
