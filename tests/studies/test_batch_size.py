"""batch_size= in a study: eta2 = sigma0^2 B, on any oracle; on data B is a whole number at every point."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.studies import batches, outside
from ngos_sim.studies.points import Point

RMSPROP = dict(sigma0=0.25, eps0=0.0, c2=1.3)
SETTINGS = dict(initial=dict(theta=1.2, u=1.0), horizon=1.0, test_functions=["theta[0]"])


def made(optimizer=None, reference=None, **changes):
    compared = dict(reference=reference) if reference else dict(sde=ns.rmsprop_sde())
    settings = SETTINGS | compared | changes
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9)), optimizer or ns.rmsprop(**RMSPROP), **settings)


def test_batch_sizes_are_step_sizes_to_the_bit():
    one, two = made(batch_size=[1, 2, 4]), made(eta2=[0.0625, 0.125, 0.25])
    tables = [study.run(1024, seed=3).table for study in (one, two)]
    assert tables[0].drop(columns="batch_size").equals(tables[1].drop(columns="batch_size"))
    assert sorted(tables[0].batch_size.unique()) == [1, 2, 4]
    assert tables[1].batch_size.isna().all()
    assert [
        point["batch_size"]
        for point in json.loads(json.dumps(one.run(1024).describe()))["record"]["resolved"]["points"]
    ] == [1, 2, 4]


def test_a_number_an_array_and_floats_that_are_whole():
    for given, wanted in ((4, [4]), (np.array([1, 2]), [1, 2]), (2.0, [2])):
        assert [point.batch_size for point in made(batch_size=given).points] == wanted


def test_batch_sizes_under_svag_and_the_scaling_rule():
    """B is that of the smaller batch; under SVAG two of its size are drawn."""
    scaled = made(batch_size=[1, 2], reference=ns.scaling_rule(2))
    assert [(point.batch_size, point.kappa, point.size) for point in scaled.points] == [(1, 2, 0.0625), (2, 2, 0.125)]
    along = made(ns.svag(ns.rmsprop(**RMSPROP), ell=[1.0, 2.0]), batch_size=1)
    assert [(point.batch_size, point.h) for point in along.points] == [(1, 0.0625), (1, 0.015625)]


SGD = ns.sgd(sigma=0.5)
REFUSED = {
    "beside eta2": (dict(batch_size=4, eta2=0.25), "eta2=0.25 and batch_size=4: one of them is allowed"),
    "beside steps": (dict(batch_size=4, steps=8), "steps=8 and batch_size=4: one of them is allowed"),
    "half": (dict(batch_size=[1, 1.5]), r"batch_size=\[1, 1.5\] must be positive integers"),
    "none": (dict(batch_size=0), "batch_size=0 must be positive integers"),
    "twice": (dict(batch_size=[2, 2]), r"batch_size=\[2, 2\] has a value twice"),
    "too large": (
        dict(batch_size=[1, 16]),
        "batch_size=16: eta2=1 gives beta=-0.3; with c2=1.3 it must be below 0.769231",
    ),
    "of SGD": (
        dict(batch_size=4, optimizer=SGD, sde=ns.sgd_sde(), initial=dict(theta=1.2)),
        r"batch_size=4: optimizer 'sgd' of the clock 'eta' takes none: sigma = 1 / sqrt\(B\) says it",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    changes, said = REFUSED[name]
    with pytest.raises(ValueError, match=f"^{said}$"):
        made(**changes)


DATA = ns.finite_data([[1.0, -0.3], [0.4, 1.2], [-0.8, 0.5]], [0, 1, 1])


def test_batch_sizes_on_data():
    rule = ns.rmsprop(**RMSPROP)
    points = batches.of_points((Point(0.0625), Point(3 * 0.0625, 2.0)), DATA, rule, None)
    assert [point.batch_size for point in points] == [1, 3]
    optimizer, eta2 = ns.from_hyperparameters("rmsprop", lr=1e-3, betas=0.99, eps=1e-8, batch_size=96)
    assert batches.of_points((Point(eta2),), DATA, optimizer, None)[0].batch_size == 96
    assert batches.of_points((Point(0.1, clock="eta"),), DATA, SGD, None)[0].batch_size == 4


ON_DATA = {
    "no whole number": (
        ns.rmsprop(**RMSPROP),
        Point(0.1),
        r"eta2=0.1, sigma0=0.25: the batch size eta2 / sigma0\^2 is 1.6; on data a positive integer is allowed; "
        "batch_size= says it",
    ),
    "below one": (ns.rmsprop(**RMSPROP), Point(1e-3), "the batch size .* is 0.016; on data a positive"),
    "of SGD": (
        ns.sgd(sigma=0.6),
        Point(0.1, clock="eta"),
        r"sigma=0.6: the batch size 1 / sigma\^2 is 2.777777778; on data a positive integer is allowed$",
    ),
    "no sigma0": (
        ns.Optimizer("mine", lambda x, o, z, c, p: x, ("theta",), schedule=lambda k, h, p: ()),
        Point(0.1),
        "optimizer 'mine': on data a positive parameter sigma0 says the batch size",
    ),
}


@pytest.mark.parametrize("name", ON_DATA)
def test_what_is_refused_on_data(name):
    rule, point, said = ON_DATA[name]
    with pytest.raises(ValueError, match=said):
        batches.of_points((point,), DATA, rule, None)


def test_no_more_samples_than_there_are_without_replacement():
    oracle = ns.NGOS(DATA.loss, DATA.covariance, type(DATA.noise)(replacement=False))
    rule = ns.rmsprop(**RMSPROP)
    assert batches.of_points((Point(0.1875),), oracle, rule, None)[0].batch_size == 3
    for point, said in ((Point(0.25), "batch_size=4"), (Point(0.125, kappa=2), "kappa=2 times batch_size=2")):
        with pytest.raises(ValueError, match=f"^{said}: at most 3 samples can be drawn without replacement$"):
            batches.of_points((point,), oracle, rule, None)


def error(mu3, size):
    """The error in theta u with a law of the third moment of minibatches, sigma mu3."""
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9), 1.0, ns.two_point(skewness=mu3 * size**-0.5)),
        ns.rmsprop(sigma0=0.125, eps0=0.0, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=0.05, u=1.0),
        batch_size=size,
        horizon=0.5,
        times=[0.5],
        test_functions=["theta[0]*u[0]"],
    )
    return study.run(40_000, seed=0).table.error.iloc[0]


def test_the_error_keeps_a_part_at_every_batch_size():
    """sigma0 mu3 R1 of docs/theory.md, "Minibatches of data": its figures."""
    assert [round(error(1.0, size), 3) for size in (1, 2, 4, 8)] == [-0.029, -0.031, -0.035, -0.042]
    assert abs(error(0.0, 1)) < 0.0015


def reasons(model="logistic", **changes):
    oracle = ns.finite_data([[1.0, -0.3], [0.4, 1.2], [-0.8, 0.5]], [0, 1, 1], model)
    rule = ns.rmsprop(**RMSPROP)
    known = dict(oracle=oracle, sdes=(ns.rmsprop_sde(),), optimizer=rule, rule=rule, t0=0.0)
    return outside.reasons(SimpleNamespace(**known | changes))


def test_what_of_data_lies_outside_the_theory():
    rises = (
        "minibatches of data: over batch sizes E z^3 = sigma mu3 = sigma0 mu3 / sqrt(h) rises as h falls "
        "(Definition 2.6: K / sigma), along ell of svag it falls"
    )
    grows = "loss 'least_squares': the root of Sigma grows with theta and is not bounded (Definition 2.5)"
    assert reasons() == (rises,)
    assert reasons("least_squares") == (grows, rises)
    assert reasons(sdes=()) == ()
    assert reasons(optimizer=ns.svag(ns.rmsprop(**RMSPROP), ell=[1.0, 2.0])) == ()
    assert reasons(rule=SGD, optimizer=SGD) == ()


def test_doubts_of_an_sde_on_data():
    """No law of a coordinate is asked for moments."""
    said = ns.ballistic_rmsprop_sde(2).domain.doubts(DATA, 1.0)
    assert said[0] == "E zeta^3 and E zeta^4 that are the same everywhere, not those of minibatches"
    assert said[1:] == ["a diagonal covariance", "a covariance that does not depend on the state"]
