"""NonFiniteError says which trajectory was lost, at which step, and how to run it again."""

import math
import pickle

import pytest

import ngos_sim as ns
from ngos_sim.studies import trouble


def step(x, o, z, c, p):
    """Explodes where a trajectory comes below -2.5: in the logarithm."""
    theta = x[0] - p.h * o.gradient + 0.5 * z
    return (theta + 0.0 * math.log(theta + 2.5),)


def drift(x, o, c, p):
    return (-o.gradient,)


def diffusion(x, o, c, p):
    return (0.5,)


def study(**changes):
    settings = dict(
        oracle=ns.NGOS(ns.quadratic([0.25])),
        optimizer=ns.Optimizer("o", step, ("theta",), clock="eta"),
        sde=ns.SDE("s", drift, diffusion, ("theta",)),
        initial=dict(theta=1.0),
        eta=[0.25],
        horizon=8.0,
        test_functions=["theta[0]"],
        estimator="coupled",
    )
    return ns.ConvergenceStudy(**(settings | changes))


def test_the_first_trajectory_its_step_and_the_line_that_goes_there():
    made = study()
    with pytest.raises(ns.NonFiniteError) as caught:
        made.run(1024, seed=3, precision="f64")
    lost = caught.value.lost
    assert lost.h == 0.25
    assert f"(the first: {lost.trajectory})" in str(caught.value)
    assert lost.rerun == (
        "from ngos_sim.studies import trouble; "
        f"trouble.walk(study, point=0, job=0, trajectory={lost.trajectory}, seed=3)"
    )
    found = trouble.walk(made, point=0, job=0, trajectory=lost.trajectory, seed=3)
    of_optimizer = [states[0][0][0] for states in found]
    stride = len(of_optimizer) // 32
    assert 0 < lost.step < 32
    assert math.isfinite(of_optimizer[lost.step * stride - 1])
    assert math.isnan(of_optimizer[(lost.step + 1) * stride - 1])
    assert pickle.loads(pickle.dumps(caught.value)).lost == lost


def test_a_test_function_loses_no_trajectory():
    root = ns.TestFunction("root", lambda x: math.log(x[0] - 1.0))
    with pytest.raises(ns.NonFiniteError) as caught:
        study(optimizer=ns.sgd(0.5), sde=ns.sgd_sde(), test_functions=[root], horizon=0.5).run(1024)
    assert caught.value.lost is None
