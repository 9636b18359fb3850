"""Studies on data: batch sizes in tables and files, what is said of them, and the same from a study file."""

import json

import numpy as np
import pandas as pd
import pytest

import ngos_sim as ns
from ngos_sim.reporting import report
from ngos_sim.studies import study_file

X, Y = np.array([[1.0, -0.3], [0.4, 1.2], [-0.8, 0.5]]), ["no", "yes", "yes"]
RMSPROP = dict(sigma0=0.25, eps0=0.0, c2=1.3)
START = dict(theta=[0.5, -0.2], u=1.0)
# a study that is run: its program is that of tests/studies/test_enumerated_minibatches.py, compiled once for both
FUNCTIONS = ["theta[0]", "theta[1]^2", "loss", "accuracy", "norm(grad)", "trace(Sigma)"]
RUN = dict(reference=ns.scaling_rule(2), test_functions=FUNCTIONS, horizon=0.5)


def made(optimizer=None, features=X, model="logistic", l2=0.1, **changes):
    compared = {} if "reference" in changes else dict(sde=ns.rmsprop_sde())
    settings = dict(initial=START, horizon=0.25, test_functions=["theta[0]"], batch_size=[1, 2]) | compared
    oracle = ns.finite_data(features, Y if model == "logistic" else [0.3, 1.0, -0.4], model, l2)
    return ns.ConvergenceStudy(oracle, optimizer or ns.rmsprop(**RMSPROP), **settings | changes)


def test_batch_sizes_in_tables_and_descriptions():
    result = made(**RUN).run(1024, seed=1)
    assert result.table.groupby("batch_size").h.first().to_dict() == {1: 0.0625, 2: 0.125}
    assert "batch_size" in report.errors_table(result.table).splitlines()[0].split()
    found = json.loads(json.dumps(result.describe()))["record"]["resolved"]
    assert [point["batch_size"] for point in found["points"]] == [1, 2]
    digest = result.study.oracle.loss.sha256
    assert found["oracle"] == {
        "data": {
            "model": "logistic",
            "samples": 3,
            "features": 2,
            "classes": ["no", "yes"],
            "l2": 0.1,
            "sha256": digest,
            "replacement": True,
        }
    }
    assert made(features=np.nextafter(X, 2.0)).oracle.loss.sha256 != digest


def test_a_practitioners_batch_size():
    """lr, betas, eps and B: sigma0 = lr / sqrt(B), and batch_size= says what eta2= says."""
    optimizer, eta2 = ns.from_hyperparameters("rmsprop", lr=0.25, betas=0.9, eps=1e-3, batch_size=2)
    one, two = (made(optimizer, **size) for size in (dict(batch_size=2), dict(batch_size=None, eta2=eta2)))
    assert [point.batch_size for point in (*one.points, *two.points)] == [2, 2]
    assert one.points[0].size == pytest.approx(eta2, rel=1e-15)


REFUSED = {
    "no whole batch": (
        dict(batch_size=None, eta2=[0.1]),
        r"the batch size eta2 / sigma0\^2 is 1.6; on data a positive",
    ),
    "no whole batch in steps": (dict(batch_size=None, steps=[5]), "is 0.8; on data a positive integer is allowed"),
    "no whole batch of SGD": (
        dict(optimizer=ns.sgd(sigma=0.6), sde=ns.sgd_sde(), initial=dict(theta=0.1), batch_size=None, eta=0.05),
        r"^sigma=0.6: the batch size 1 / sigma\^2 is 2.777777778; on data a positive integer is allowed$",
    ),
    "length": (dict(initial=dict(theta=[1.0], u=1.0)), "initial.theta has length 1; .* as the oracle's features has 2"),
    "local": (dict(estimator="local"), "estimator='local' cannot measure 'theta.0.' against 'rmsprop': "),
    "control variate": (dict(estimator="control_variate"), "estimator='control_variate' cannot measure"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    changes, said = REFUSED[name]
    with pytest.raises(ValueError, match=said) as caught:
        made(**changes)
    assert "\n" not in str(caught.value)


def test_what_is_said_of_data():
    with pytest.warns(ns.StudyWarning, match="^feature '0' is .* times as large as '1'"):
        made(features=X * [[1e5, 1.0]])
    with pytest.warns(ns.StudyWarning, match="^the loss has no unique minimiser: feature '1' is a combination"):
        made(features=X[:, [0, 0]], l2=0.0)


def test_least_squares_is_outside():
    first, second = made(model="least_squares").outside_theory
    assert first.startswith("loss 'least_squares': the root of Sigma grows with theta")
    assert second.startswith("minibatches of data: over batch sizes")
    assert made(reference=ns.scaling_rule(2)).outside_theory == ()


FILE = """
[oracle]
data = { file = "data.csv", target = "kind", l2 = 0.1 }

[optimizer]
kind = "rmsprop"
sigma0 = 0.25
eps0 = 0.0
c2 = 1.3

[initial]
theta = [0.5, -0.2]
u = 1.0

[[sde]]
kind = "rmsprop"

[study]
batch_size = [1, 2]
horizon = 0.25
test_functions = ["theta[0]"]
trajectories = 1024
seed = 1
"""


@pytest.fixture
def written(tmp_path):
    """Write the data and return what writes a study file beside them, with edits."""
    pd.DataFrame(X, columns=["a", "b"]).assign(kind=Y).to_csv(tmp_path / "data.csv", index=False)

    def write(*edits):
        text = FILE
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "study.toml").write_text(text, encoding="utf-8")
        return tmp_path / "study.toml"

    return write


def test_a_study_file_is_the_same_study(written):
    functions = f"test_functions = {json.dumps(FUNCTIONS)}"
    sde, kappa = ('[[sde]]\nkind = "rmsprop"\n', ""), ("seed = 1", "seed = 1\nkappa = 2")
    read = study_file.load(
        written(sde, kappa, ('test_functions = ["theta[0]"]', functions), ("horizon = 0.25", "horizon = 0.5"))
    )
    assert read.study.oracle.loss.sha256 == made().oracle.loss.sha256
    assert read.study.run(read.trajectories, read.seed).table.equals(made(**RUN).run(1024, seed=1).table)


MISTAKES = {
    "two oracles": (("[oracle]\n", "[oracle]\ncovariance = 1.0\n"), "oracle.covariance does not go with oracle.data"),
    "no table": (
        ('{ file = "data.csv", target = "kind", l2 = 0.1 }', '"data.csv"'),
        "oracle.data='data.csv' must be a",
    ),
    "l2": (("l2 = 0.1", "l2 = -1"), "oracle.data.l2=-1 must be a number of at least 0"),
    "two sizes": (("batch_size = [1, 2]", "batch_size = 1\neta2 = 0.0625"), "study.eta2 and study.batch_size: one of"),
    "half a sample": (("[1, 2]", "[1, 2.5]"), r"study.batch_size=\[1, 2.5\] must be positive integers"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_in_a_study_file(written, name):
    edit, said = MISTAKES[name]
    with pytest.raises(ValueError, match=f"study.toml: {said}"):
        study_file.load(written(edit))
