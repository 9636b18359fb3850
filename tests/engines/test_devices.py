"""A process that the GPU does not run is refused in one line there, and "auto" takes the CPU for it: no GPU needed."""

import pytest

import ngos_sim as ns
from ngos_sim.engines import devices
from ngos_sim.engines.cuda import package as cuda_package
from tests.support import families

NO = "minibatches without replacement do not run on the GPU"


@pytest.fixture(autouse=True)
def _there_is_a_gpu(monkeypatch):
    monkeypatch.setattr(cuda_package, "missing", lambda: "")
    monkeypatch.setattr(cuda_package, "simulated", lambda: False)
    monkeypatch.setattr(devices, "_COMPILATION", 0.0)


def data(replacement):
    """Return least squares on four samples."""
    given = [[1.0], [0.7], [1.3], [0.9]], [0.5, -1.0, 0.2, 1.1]
    return ns.finite_data(*given, model="least_squares", replacement=replacement)


def study(oracle):
    start = dict(initial=dict(theta=1.0), eta=[0.5, 0.25], horizon=0.5, test_functions=["theta[0]"])
    return ns.ConvergenceStudy(oracle, ns.sgd(sigma=1.0), ns.sgd_sde(), **start)


def test_a_study_that_it_does_not_run():
    one = study(data(replacement=False))
    with pytest.raises(ns.EngineUnavailable, match=f"^device='cuda': {NO}; device='cpu' runs it$"):
        one.run(1024, device="cuda")
    assert one.run(1024, device="auto").device == "cpu"


def test_an_order_effect_is_of_what_it_does_not_run():
    given = dict(initial=dict(theta=1.0), eta=[0.25], trajectories=8192, device="cuda")
    with pytest.raises(ns.EngineUnavailable, match=f"^device='cuda': {NO}; device='cpu' runs it$"):
        ns.order_effect(data(replacement=True), ns.sgd(sigma=1.0), **given)


@pytest.mark.parametrize("name", families.coupled())
def test_what_it_runs_goes_there(name):
    whole, _ = families.coupled()[name]
    assert devices.chosen("auto", 1e30, 1, 1, [whole]) == "cuda"
    assert devices.chosen("cuda", 1.0, 1, 1, [whole]) == "cuda"
