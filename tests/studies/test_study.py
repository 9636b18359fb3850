"""ConvergenceStudy: reproducibility, shapes, plug-ins, refusals."""

import math
import sys

import numpy as np
import pytest

import ngos_sim as ns

RMSPROP = dict(sigma0=0.8, eps0=0.0, c2=1.3)


def small(**changes):
    settings = dict(
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        eta2=[2**-3, 2**-4],
        horizon=1.0,
        test_functions=["theta[0]"],
    )
    settings |= changes
    oracle = settings.pop("oracle", ns.NGOS(ns.quadratic(0.9)))
    optimizer = settings.pop("optimizer", ns.rmsprop(**RMSPROP))
    return ns.ConvergenceStudy(oracle, optimizer, **settings)


def test_same_seed_same_table_whatever_the_threads_and_the_list():
    one, two = (small().run(5000, seed=3, threads=threads).table for threads in (1, 2))
    np.testing.assert_array_equal(one.error, two.error)
    assert one.trajectories.unique().tolist() == [5 * 1024]
    alone = small(eta2=[2**-4], times=[1.0]).run(5000, seed=3).table
    assert alone.error.tolist() == one.error[(one.eta2 == 2**-4) & (one.time == 1.0)].tolist()
    assert small().run(5000, seed=4).table.error.tolist() != one.error.tolist()


def test_python_device_is_the_cpu_in_f64():
    study = small(eta2=[2**-1], test_functions=["theta[0]", "loss"])
    plain = study.run(1024, seed=1, device="python").table
    compiled = study.run(1024, seed=1, precision="f64").table
    np.testing.assert_array_equal(plain.error, compiled.error)
    np.testing.assert_array_equal(plain.std_error, compiled.std_error)


def test_table_columns_and_signs():
    table = small(times="all").run(1024).table
    assert table.groupby("eta2").step.max().to_dict() == {2**-3: 8, 2**-4: 16}
    np.testing.assert_allclose(table.optimizer_mean - table.sde_mean, table.error, atol=1e-12)
    total = np.sqrt(table.std_error**2 + table.integrator_residual.fillna(0.0) ** 2)
    np.testing.assert_allclose(table.ci_high - table.ci_low, 2 * 1.959963984540054 * total, rtol=1e-9, atol=1e-15)
    assert (table.resolved == (table.error.abs() > 3 * total)).all()


def test_two_sdes_at_once_are_each_alone():
    def drift(x, o, c, p):
        return -o.gradient * c[0], p.c2 * (o.variance - x[1])

    def diffusion(x, o, c, p):
        return -p.sigma0 * c[0], 0.0

    frozen = ns.SDE("frozen", drift, diffusion, ("theta", "u"), schedule=lambda t, p: (1.0 / (p.sigma0 + 0.0 * t),))
    both = small(sde=[ns.rmsprop_sde(), frozen]).run(4096, seed=2).table
    for sde in (ns.rmsprop_sde(), frozen):
        alone = small(sde=sde).run(4096, seed=2).table
        rows = both[both.sde == sde.name]
        np.testing.assert_allclose(rows.error, alone.error, rtol=0, atol=1e-13)
        np.testing.assert_allclose(rows.std_error, alone.std_error, rtol=1e-9)


def test_a_plug_in_written_like_a_built_in_is_one():
    def step(x, o, z, c, p):
        theta, u = x
        d = c[0] * o.gradient + c[1] * z
        w = z + c[2] * o.gradient
        return theta - d / (p.sigma0 * math.sqrt(u) + p.eps0), u + p.c2 * p.eta2 * (w * w - u)

    def gradient(theta, p):
        return p.steepness * theta

    loss = ns.Loss("bowl", gradient, lambda theta, p: 0.5 * p.steepness * theta * theta, steepness=0.9)
    mine = ns.Optimizer("mine", step, ("theta", "u"), sigma0=0.8, eps0=0.0, c2=1.3)
    found = small(optimizer=mine, oracle=ns.NGOS(loss), estimator="coupled").run(4096, seed=2, precision="f64").table
    built_in = small(estimator="coupled").run(4096, seed=2, precision="f64").table
    np.testing.assert_allclose(found.error, built_in.error, rtol=0, atol=1e-12)


def test_start_may_depend_on_eta2():
    study = small(initial=dict(theta=1.2, u=lambda eta2: 1.0 + eta2))
    fixed = small(eta2=[2**-4], initial=dict(theta=1.2, u=1.0 + 2**-4)).run(1024).table
    moving = study.run(1024).table
    assert moving.error[moving.eta2 == 2**-4].tolist()[-1] == fixed.error.tolist()[-1]


def test_nonfinite_trajectories_raise_and_carry_the_result():
    explosive = ns.Loss("explosive", lambda theta, p: -(theta**9), lambda theta, p: -(theta**10) / 10)
    study = small(oracle=ns.NGOS(explosive), initial=dict(theta=3.0, u=1.0), estimator="coupled")
    with pytest.raises(
        ns.NonFiniteError, match=r"left the finite numbers: 1024 at eta2=0\.125 \(the first: 0\)"
    ) as caught:
        study.run(1024)
    assert caught.value.result.table.nonfinite.max() == 1024


def bad_step(x, o, z, c, p):
    return x[0], x[1], 0.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(eta2=[0.8]), r"eta2=0.8 gives beta=-0.04; with c2=1.3 it must be below 0.769231"),
        (dict(sde=ns.adam_sde()), r"sde 'adam' has slots \('theta', 'm', 'u'\); optimizer 'rmsprop' has"),
        (dict(sde=[ns.rmsprop_sde()] * 2), "two SDEs have the same name"),
        (dict(sde=None), "give sde= or reference="),
        (dict(reference=ns.scaling_rule(2)), "give sde= or reference="),
        (dict(sde=None, reference=ns.scaling_rule(8)), r"kappa=8 times eta2=0.125: kappa\*eta2=1 gives beta=-0.3"),
        (
            dict(initial=dict(theta=[1.2, 1.0, 0.0], u=1.0), oracle=ns.NGOS(ns.quadratic([1.0, 2.0]))),
            "initial.theta has length 3",
        ),
        (dict(initial=dict(theta=1.2, u=0.0)), r"initial.u=0.0 must be positive"),
        (dict(initial=dict(theta=1.2)), "initial.u is missing; needed: theta, u"),
        (dict(initial=dict(theta=1.2, u=1.0, v=1.0)), "initial.v is unknown; allowed: theta, u, t0"),
        (dict(times=[0.3]), r"times=0.3 is not a multiple of the step 0.125 at eta2=0.125; the nearest is 0.25"),
        (dict(test_functions=["theta[1]"]), "no coordinate 1; there are 1"),
        (dict(test_functions=[]), "test_functions is empty"),
        (
            dict(estimator="magic"),
            "estimator='magic'; allowed: auto, local, transport, control_variate, coupled, independent",
        ),
        (dict(optimizer=ns.Optimizer("odd", bad_step, ("theta", "u"), **RMSPROP)), "'odd': step returns"),
        (
            dict(optimizer=ns.Optimizer("own", lambda x, o, z, c, p: x, ("theta", "u"), sigma0=1.0)),
            "'rmsprop': schedule reads p.eps0, which is not there; p has sigma0, h, eta, eta2",
        ),
        (dict(steps=[8]), "give eta2, batch_size or steps"),
        (dict(eta2=[0.125, 0.125]), "has a value twice"),
    ],
)
def test_bad_studies(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes)


def test_a_clash_of_parameters_is_named():
    sde = ns.SDE("mine", lambda x, o, c, p: x, lambda x, o, c, p: x, ("theta", "u"), c2=1.0)
    with pytest.raises(ValueError, match="sde 'mine': parameter 'c2' is a constant of the optimizer already"):
        small(sde=sde)


def test_a_bar_without_stderr_is_none(monkeypatch):
    """As under pythonw, in a daemon, or after 2>&-."""
    monkeypatch.setattr(sys, "stderr", None)
    assert small().run(5, progress=True).trajectories == 1024
    assert len(small().plan(5)) == 2


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.array, float])
def test_an_integer_of_any_kind_is_one(kind):
    plain, other = small().run(5, seed=3, threads=1), small().run(kind(5), seed=kind(3), threads=kind(1))
    np.testing.assert_array_equal(other.table.error, plain.table.error)
    assert type(other.seed) is int
    assert len(small().plan(kind(5), seed=kind(3), threads=kind(1))) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(trajectories=0), "trajectories=0 must be a positive integer"),
        (dict(trajectories=10, threads=0), "threads=0 must be a positive integer"),
        (dict(trajectories=10, seed=1.5), "seed=1.5 must be an integer"),
        (dict(trajectories=10, seed=True), "seed=True must be an integer"),
        (dict(trajectories=10, seed="3"), "seed='3' must be an integer"),
        (dict(trajectories=np.True_), "trajectories=np.True_ must be a positive integer"),
        (dict(trajectories=math.inf), "trajectories=inf must be a positive integer"),
        (dict(trajectories=10, threads=True), "threads=True must be a positive integer"),
        (dict(trajectories=10, threads=np.float64(1.5)), r"threads=np.float64\(1.5\) must be a positive integer"),
        (dict(trajectories=10, device="tpu"), "device='tpu'; allowed: cpu, cuda, auto, python"),
        (dict(trajectories=10, precision="f16"), "precision='f16'; allowed on cpu: mix, f64"),
        (dict(trajectories=10, device="python", precision="mix"), "precision='mix'; allowed on python: f64"),
        (dict(trajectories=10, precision="f32"), "precision='f32'; allowed on cpu: mix, f64"),
    ],
)
def test_bad_runs(arguments, message):
    with pytest.raises(ValueError, match=message):
        small().run(**arguments)


@pytest.mark.parametrize("estimator", ["coupled", "local"])
def test_times_equal_to_rounding_are_recorded_once(estimator):
    """Two records after one step left the later rows of the kernels' buffer unwritten: errors of 0, or noise."""
    settings = dict(eta2=[0.1], estimator=estimator)
    right = small(times=[0.3, 0.6], **settings).run(2048, threads=1).table
    found = small(times=[0.3, 0.1 * 3, 0.6], **settings).run(2048, threads=1).table
    assert found.time.tolist() == [0.3, 0.6]
    assert found.error.tolist() == right.error.tolist()
    assert (found.error.abs() > 1e-3).all()
