"""Study files: what is read, and what is no study file at all."""

import pytest

import ngos_sim as ns
from ngos_sim.studies import study_file
from tests.support.study_files import (
    ADAM,
    C2,
    COVARIANCE,
    ETA2,
    GOOD,
    HESSIAN,
    HORIZON,
    LOSS,
    SDE,
    THETA,
    TRAJECTORIES,
    U,
    edited,
    message_of,
)


def test_a_good_file(load):
    read = load(GOOD)
    assert (read.trajectories, read.seed, read.expected_order) == (1024, 0, None)
    assert [point.eta2 for point in read.study.points] == [0.25, 0.125]
    assert read.study.oracle.loss.parameters == {"hessian": (0.9,)}
    assert read.study.rule.parameters["c2"] == 1.3
    assert [sde.name for sde in read.study.sdes] == ["rmsprop"]


def test_optional_keys(load):
    more = f'{TRAJECTORIES}\nseed = 7\ntimes = [0.5, 1.0]\nestimator = "independent"\nexpect = {{ order = 1 }}'
    constants = f'{C2}\nsecond_moment = "updated"\nbias_correction = true'
    read = load(edited((TRAJECTORIES, more), (C2, constants), (U, f"{U}\nt0 = 0.25")))
    assert (read.seed, read.expected_order, read.study.estimator, read.study.t0) == (7, 1.0, "independent", 0.25)
    assert [times.tolist() for times in read.study.record_times] == [[0.5, 1.0]] * 2
    assert read.study.rule.parameters["updated"] == read.study.rule.parameters["bias_correction"] == 1.0


def test_integers_stand_for_numbers(load):
    read = load(edited((COVARIANCE, "covariance = 2"), (THETA, "theta = 1"), (HORIZON, "horizon = 1")))
    assert read.study.oracle.covariance == 2.0
    assert read.study.horizon == 1.0


def test_several_coordinates(load):
    read = load(
        edited((HESSIAN, "hessian = [0.9, 2.0]"), (COVARIANCE, "covariance = [1.0, 0.5]"), (THETA, "theta = 1.2"))
    )
    assert read.study.dimension == 2


def test_matrices(load):
    matrix = "[[1.0, 0.5], [0.5, 2.0]]"
    changes = (HESSIAN, f"hessian = {matrix}"), (COVARIANCE, f"covariance = {matrix}"), (THETA, "theta = 1.2")
    oracle = load(edited(*changes)).study.oracle
    assert oracle.loss.matrix == oracle.covariance == ((1.0, 0.5), (0.5, 2.0))


def test_losses_and_covariances(load):
    wave = 'covariance = { kind = "sine", scale = 1.0, amplitude = 0.5, frequency = [2.0] }'
    oracle = load(
        edited((LOSS, '{ kind = "double-well", hessian = 1.0, minimum = 1, width = 0.5 }'), (COVARIANCE, wave))
    ).study.oracle
    assert (oracle.loss.name, oracle.loss.parameters) == ("double-well", dict(hessian=1.0, minimum=1.0, width=0.5))
    assert oracle.covariance.parameters == {"scale": 1.0, "amplitude": 0.5, "frequency": (2.0,)}
    for loss in ('"log-cosh", width = 2.0', '"sine-quadratic", hessian = 1.0, amplitude = 0.5, frequency = 2.0'):
        assert f'"{load(edited((LOSS, f"{{ kind = {loss} }}"))).study.oracle.loss.name}"' == loss.partition(",")[0]


def test_adam(load):
    read = load(edited(*ADAM))
    assert read.study.rule.slots == ("theta", "m", "u")
    assert read.study.t0 == 0.25


def test_svag(load):
    read = load(edited((ETA2, "eta2 = 0.25\nell = [1, 2.0]")))
    assert [point.ell for point in read.study.points] == [1.0, 2.0]


def test_steps_divide_the_horizon(load):
    read = load(edited((ETA2, "steps = [4, 8]"), (HORIZON, "horizon = 2.0")))
    assert [point.h for point in read.study.points] == [0.5, 0.25]


def test_the_scaling_rule(load):
    read = load(edited((SDE, ""), (ETA2, "eta2 = 0.25\nkappa = [2]")))
    assert [point.kappa for point in read.study.points] == [2]
    assert read.study.sdes == ()


def test_u_may_start_at_0_where_eps0_is_positive(load):
    read = load(edited((U, "u = 0.0"), ("eps0 = 0.0", "eps0 = 0.1")))
    assert read.study.initial["u"] == 0.0


def test_a_horizon_between_steps_is_cut(load):
    with pytest.warns(
        ns.StudyWarning, match="horizon=1.1 is cut to t=1: it is no multiple of the step 0.25 at eta2=0.25"
    ):
        read = load(edited((HORIZON, "horizon = 1.1"), (ETA2, "eta2 = 0.25")))
    assert read.study.record_times[0][-1] == 1.0


def test_a_key_of_two_lines_gives_a_message_of_one(load):
    assert "is unknown" in message_of(load, edited(("[oracle]", '"a\\nb" = 1\n[oracle]')))


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_an_empty_file_lacks_its_first_table(load, text):
    assert "oracle is missing" in message_of(load, text)


@pytest.mark.parametrize("text", ["[oracle", "a = ", "a = 1\na = 2", "= 3"])
def test_what_is_not_toml(load, text):
    assert "not TOML" in message_of(load, text)


def test_what_is_not_utf8(tmp_path):
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"study\.toml: not TOML: .*$"):
        study_file.load(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"none\.toml: No such file or directory$"):
        study_file.load(tmp_path / "none.toml")


def test_a_directory(tmp_path):
    with pytest.raises(ValueError, match=r": Is a directory$"):
        study_file.load(tmp_path)
