"""study.trajectories: the paths that engines compute, on the coupled estimator's stream, with the start."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.estimators.coupled import Coupled
from ngos_sim.studies.paths import MANY, spread
from ngos_sim.studies.problems import problems

RMSPROP = ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3)
SINE = ns.TestFunction("sine", lambda x: math.sin(x[0]) * x[1], coordinate=1)


def study(**changes):
    known = {
        "sde": [ns.rmsprop_sde(), ns.compagnoni_rmsprop_sde()],
        "initial": {"theta": [1.2, 0.5], "u": [1.0, 0.7]},
        "eta2": [2.0**-2, 2.0**-3],
        "test_functions": ["theta[0]^2", "loss", SINE],
    }
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic([0.9, 0.4])), RMSPROP, **known | changes)


def test_paths_are_those_of_the_coupled_estimators_own_job():
    made = study()
    found = made.trajectories(3, h=2.0**-3, seed=5)
    problem = problems(made, 5)[1]
    (plan,) = Coupled().plan(problem, {opponent: [0] for opponent in problem.opponents})
    (job,) = plan.jobs
    for index in range(3):
        after = python.walk(job.program, job.inputs, index)[
            3::4
        ]  # processes: the optimizer, then levels 1, 2, 4 of each
        for at, paths in ((0, found.optimizer), (3, found.sdes["rmsprop"]), (6, found.sdes["compagnoni-rmsprop"])):
            states = np.array([states[at] for states in after])
            for place, slot in enumerate(("theta", "u")):
                assert np.array_equal(paths.slots[slot][index, 1:], states[:, :, place])


def test_the_start_is_there_and_test_functions_are_those_of_the_states():
    found = study().trajectories(2)
    assert found.h == 0.25
    assert found.times.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    for paths in (found.optimizer, *found.sdes.values()):
        theta, u = paths.slots["theta"], paths.slots["u"]
        assert theta.shape == u.shape == (2, 5, 2)
        assert (theta[:, 0] == [1.2, 0.5]).all()
        assert (u[:, 0] == [1.0, 0.7]).all()
        assert np.allclose(paths.values["theta[0]^2"], theta[..., 0] ** 2, rtol=1e-14)
        assert np.allclose(paths.values["loss"], 0.45 * theta[..., 0] ** 2 + 0.2 * theta[..., 1] ** 2, rtol=1e-14)
        assert np.allclose(paths.values["sine"], np.sin(theta[..., 1]) * u[..., 1], rtol=1e-14)


def test_the_spread_is_that_of_the_first_trajectories():
    one = {"initial": {"theta": 1.2, "u": 1.0}, "eta2": [0.5], "horizon": 0.5, "test_functions": ["theta[0]^2"]}
    made = ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9)), RMSPROP, sde=ns.rmsprop_sde(), **one)
    found = made.trajectories(MANY, seed=2)
    times, spreads = spread(made, "theta[0]^2", seed=2, device="python")
    assert times.tolist() == found.times[1:].tolist()
    for name, paths in (("", found.optimizer), ("rmsprop", found.sdes["rmsprop"])):
        values = paths.values["theta[0]^2"][:, 1:]
        assert np.allclose(spreads[name].mean, values.mean(axis=0), rtol=1e-12)
        assert np.allclose(spreads[name].deviation, values.std(axis=0, ddof=1), rtol=1e-12)


def test_a_larger_batch_has_paths_after_each_of_its_steps():
    made = study(sde=None, reference=ns.scaling_rule(kappa=2), eta2=[2.0**-3])
    found = made.trajectories(1)
    assert found.times.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert list(found.sdes) == ["batch x 2"]
    assert found.sdes["batch x 2"].slots["theta"].shape == (1, 5, 2)


def test_the_end_of_a_path_is_the_exact_recursion_of_its_noise():
    """SGD on a linear loss: theta_n = theta_0 - eta sum (slope + sigma xi), whose Gaussians the SDE shares."""
    made = ns.ConvergenceStudy(
        ns.NGOS(ns.linear(0.5)), ns.sgd(sigma=0.3), sde=ns.sgd_sde(order=1), initial={"theta": 1.0}, eta=[0.25],
        test_functions=["theta[0]"],
    )  # fmt: skip
    found = made.trajectories(4)
    ends = [paths.slots["theta"][:, -1, 0] for paths in (found.optimizer, found.sdes["sgd order 1"])]
    assert np.allclose(*ends, rtol=1e-12)  # both are exact: the drift is a constant
    assert ends[0].std() > 0.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": 0}, "n=0 must be a positive integer"),
        ({"n": 1.5}, "n=1.5 must be a positive integer"),
        ({"h": 0.1}, "h=0.1; allowed: 0.25, 0.125"),
        ({"h": "a"}, "h='a'; allowed: 0.25, 0.125"),
        ({"seed": 0.5}, "seed=0.5 must be an integer"),
    ],
)
def test_what_is_not_allowed_is_said_in_one_line(given, message):
    with pytest.raises(ValueError) as raised:
        study().trajectories(**given)
    assert str(raised.value).startswith(message)
