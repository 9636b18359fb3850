"""study.json: numbers as numbers, what tells a plug-in again, and where a result was made."""

import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.studies import description, provenance

HALF = 0.5


def helper(u):
    return HALF * u


def drift(x, o, c, p):
    theta, u = x
    return -o.gradient, helper(u) - u


def diffusion(x, o, c, p):
    return -p.scale, 0.0


def wave(theta):
    return 1.0 + 0.1 * theta * theta


def start(eta2):
    return [1.0 + eta2, 2.0]


def described(**changes):
    """Return what json reads back of a study with plug-ins."""
    settings = dict(
        optimizer=ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3),
        sde=ns.SDE("mine", drift, diffusion, ("theta", "u"), pivot=ns.rmsprop_sde(), scale=0.7),
        initial=dict(theta=start, u=np.array([1.0, 0.5])),
        eta2=[0.25, 0.125],
        test_functions=["theta[0]", ns.TestFunction("square", lambda x: x[0] * x[0], coordinate=1)],
    )
    covariance = changes.pop("covariance", wave)
    study = ns.ConvergenceStudy(ns.NGOS(ns.quadratic([0.9, 2.0]), covariance), **(settings | changes))
    return json.loads(json.dumps(description.study(study)))


def test_numbers_are_numbers_and_functions_have_names_parameters_and_hashes():
    found = described()
    assert found["initial"]["u"] == [1.0, 0.5]
    assert found["initial"]["theta"] == {
        "function": "start",
        "source": description.source_hash(start),
        "values": [[1.25, 2.0], [1.125, 2.0]],
    }
    assert found["oracle"]["covariance"] == {"function": "wave", "source": description.source_hash(wave)}
    (sde,) = found["sde"]
    assert (sde["kind"], sde["scale"], sde["pivot"]) == ("mine", 0.7, {"kind": "rmsprop"})
    assert sde["source"] == {
        "drift": description.source_hash(drift),
        "diffusion": description.source_hash(diffusion),
    }
    assert found["optimizer"].keys().isdisjoint(["source"])  # a built-in: the version says it
    word, square = found["test_functions"]
    assert (word, square["name"], square["coordinate"], list(square["source"])) == ("theta[0]", "square", 1, ["g"])


@pytest.mark.parametrize("covariance", [2.0, [1.0, 0.5], [[1.0, 0.3], [0.3, 2.0]]])
def test_a_covariance_is_a_number_a_vector_or_a_matrix(covariance):
    found = described(covariance=covariance)["oracle"]["covariance"]
    np.testing.assert_array_equal(found, np.atleast_1d(covariance))


def test_plug_ins_of_every_kind_have_a_source():
    study = ns.ConvergenceStudy(
        ns.NGOS(
            ns.Loss("l", gradient=lambda t, p: p.a * t, value=lambda t, p: 0.5 * p.a * t * t, a=2.0),
            noise=ns.Noise("n", lambda xi, p: xi, ns.gaussian().quadrature),
        ),
        ns.Optimizer("o", lambda x, o, z, c, p: (x[0] - c[0] * o.gradient - c[1] * z,), ("theta",), sigma0=1.0),
        sde=ns.SDE("s", lambda x, o, c, p: (-o.gradient,), lambda x, o, c, p: (1.0,), ("theta",)),
        initial=dict(theta=1.0),
        eta2=[0.25],
        test_functions=["theta[0]"],
    )
    found = description.study(study)
    assert found["oracle"]["loss"]["a"] == 2.0
    assert set(found["oracle"]["loss"]["source"]) == {"gradient", "value"}
    assert set(found["oracle"]["noise"]["source"]) == {"sample"}
    assert set(found["optimizer"]["source"]) == {"step"}
    assert set(found["sde"][0]["source"]) == {"drift", "diffusion"}


def test_a_hash_changes_with_the_source_what_it_reads_and_what_its_helpers_read(monkeypatch):
    def made(scale):
        def scaled(x):
            return scale * x

        return scaled

    first = description.source_hash(drift)
    assert first == description.source_hash(drift)
    assert first != description.source_hash(diffusion)
    assert description.source_hash(made(1.0)) != description.source_hash(made(2.0))
    assert description.source_hash(made(1.0)) == description.source_hash(made(1.0))
    monkeypatch.setattr(sys.modules[__name__], "HALF", 0.25)
    assert description.source_hash(drift) != first


def test_where_a_result_was_made():
    found = json.loads(json.dumps(provenance.machine()))
    assert list(found["versions"]) == ["ngos-sim", "numpy", "scipy", "numba", "llvmlite"]
    assert found["versions"]["numpy"] == np.__version__
    assert set(found["processor"]) == {"model", "numpy_features", "blas", "blas_core"}
    assert isinstance(found["processor"]["numpy_features"], list)


@pytest.mark.parametrize("core", ["Haswell", "Nehalem"])
def test_the_core_that_blas_takes_the_processor_for(core):
    if provenance.machine()["processor"]["blas_core"] is None:
        pytest.skip("not OpenBLAS, or of one core alone")
    code = "from ngos_sim.studies.provenance import _blas_core; print(_blas_core())"
    environment = os.environ | {"OPENBLAS_CORETYPE": core}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == (core, "")


def test_a_checkout_has_its_commit_and_a_copy_has_none(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "_ROOT", tmp_path)
    assert provenance._commit() is None
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    (tmp_path / "file").write_text("1")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    assert provenance._commit() == commit
    (tmp_path / "file").write_text("2")
    assert provenance._commit() == f"{commit}-dirty"
    monkeypatch.setenv("PATH", "")  # no git
    assert provenance._commit() is None


def test_what_is_not_installed_can_save(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(provenance, "version", missing)
    found = provenance.machine.__wrapped__()["versions"]
    assert found.pop("ngos-sim") == ns.__version__
    assert set(found.values()) == {None}
