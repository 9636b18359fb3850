"""Keys of study files: what is unknown, missing or wrong is named by its path."""

import pytest

from tests.support.study_files import (
    C2,
    COVARIANCE,
    ETA2,
    GOOD,
    HESSIAN,
    HORIZON,
    LOSS,
    NOISE,
    NOISES,
    SDE,
    SIGMA0,
    STUDY_KEYS,
    THETA,
    TRAJECTORIES,
    U,
    after,
    edited,
    kappa,
    message_of,
    noise,
)

KEYS = {
    "unknown table": ([("[oracle]", "[extra]\n[oracle]")], ["extra is unknown; allowed: oracle, optimizer"]),
    "unknown root key": ([("[oracle]", "extra = 1\n[oracle]")], ["extra is unknown; allowed: oracle, optimizer"]),
    "misspelt sde": ([("[[sde]]", "[[sdes]]")], ["sdes is unknown; allowed: oracle, optimizer, initial, study, sde"]),
    "unknown in oracle": ([after(COVARIANCE, "sigma = 1.0")], ["oracle.sigma is unknown; allowed: loss, covariance"]),
    "unknown in loss": ([(HESSIAN, "hessian = 1.0, a = 1")], ["oracle.loss.a is unknown; allowed: hessian"]),
    "unknown in noise": ([noise('"skewed", skew = 1')], ["oracle.noise.skew is unknown; allowed: skewness, low_sk"]),
    "unknown in optimizer": ([after(C2, "c1 = 2")], ["optimizer.c1 is unknown; allowed: sigma0, eps0, c2, w0, second"]),
    "unknown in initial": ([after(U, "m = 0.0")], ["initial", "m", "unknown", "allowed: theta, u, t0"]),
    "unknown in sde": ([(SDE, f"{SDE}extra = 1\n")], ["sde[0].extra is unknown"]),
    "unknown in study": ([after(TRAJECTORIES, "step = 4")], ["study.step is unknown", STUDY_KEYS]),
    "unknown in expect": (
        [after(TRAJECTORIES, "expect = { order = 1, c = 2 }")],
        ["study.expect.c is unknown", "order"],
    ),
    "unknown before missing": ([("covariance", "covarance")], ["oracle.covarance is unknown"]),
    "unknown before missing table": ([("[initial]", "[inital]")], ["inital is unknown"]),
    "unknown before missing in loss": ([("hessian", "hesian")], ["oracle.loss.hesian is unknown; allowed: hessian"]),
    "unknown before missing in optimizer": ([("sigma0", "sigma")], ["optimizer.sigma is unknown"]),
    "unknown before missing in initial": ([("theta =", "thta =")], ["initial", "unknown", "thta"]),
    "unknown before missing in study": ([("horizon", "horizn")], ["study.horizn is unknown"]),
    "missing table": ([(f"[initial]\n{THETA}\n{U}\n", "")], ["initial is missing"]),
    "missing in oracle": ([(f"{COVARIANCE}\n", "")], ["oracle.covariance is missing"]),
    "missing in loss": ([(f", {HESSIAN}", "")], ["oracle.loss.hessian is missing"]),
    "missing in optimizer": ([(f"{C2}\n", "")], ["optimizer.c2 is missing"]),
    "missing in initial": ([(f"{U}\n", "")], ["initial", "u", "is missing"]),
    "missing in study": ([(f"{TRAJECTORIES}\n", "")], ["study.trajectories is missing"]),
    "no step sizes": (
        [(f"{ETA2}\n", "")],
        ["study.eta2 is missing; allowed instead: batch_size, steps, or eta where the optimizer's clock is 'eta'"],
    ),
    "two kinds of step sizes": (
        [after(ETA2, "steps = [4]")],
        ["study.eta2 and study.steps: one of them is allowed"],
    ),
    "eta for RMSprop": (
        [(ETA2, "eta = 0.25")],
        ["study.eta=0.25: optimizer 'rmsprop' has the clock 'eta2', time t = k eta^2; give eta2="],
    ),
    "steps": ([(ETA2, "steps = [2.5]")], ["study.steps=[2.5] must be positive integers"]),
    "missing in expect": ([after(TRAJECTORIES, "expect = {}")], ["study.expect.order is missing"]),
    "expect without order": ([after(TRAJECTORIES, "expect = 1")], ["study.expect=1 must be a table"]),
    "sde missing": ([(SDE, "")], ["sde is missing", "[[sde]]", "study.kappa"]),
    "single brackets": ([("[[sde]]", "[sde]")], ["[[sde]], with two brackets"]),
    "kappa and sde": ([after(TRAJECTORIES, "kappa = 2")], ["study.kappa: a scaling rule has no [[sde]]"]),
    "kappa and ell": ([*kappa("2\nell = 2")], ["scaling_rule does not go with svag"]),
    "kind missing": ([('kind = "quadratic", ', "")], ["oracle.loss.kind is missing; allowed: quadratic, linear"]),
    "sde kind missing": ([(SDE, "[[sde]]\n")], ["sde[0].kind is missing; allowed: rmsprop, adam"]),
    "wrong loss": ([("quadratic", "cubic")], ["oracle.loss.kind='cubic' is unknown; allowed: quadratic, linear"]),
    "wrong noise": ([("gaussian", "normal")], ["oracle.noise.kind='normal' is unknown", NOISES]),
    "wrong optimizer": ([('"rmsprop"', '"muon"')], ["optimizer.kind='muon' is unknown; allowed: rmsprop, adam"]),
    "wrong sde": ([(SDE, '[[sde]]\nkind = "x"\n')], ["sde[0].kind='x' is unknown; allowed: rmsprop, adam"]),
    "second sde wrong": ([(SDE, f'{SDE}[[sde]]\nkind = "x"\n')], ["sde[1].kind='x' is unknown"]),
    "sde twice": ([(SDE, SDE * 2)], ["two SDEs have the same name"]),
    "another optimizer's sde": ([(SDE, '[[sde]]\nkind = "adam"\n')], ["sde 'adam' has slots", "optimizer 'rmsprop'"]),
    "kind a number": ([('"quadratic"', "3")], ["oracle.loss.kind=3 is unknown; allowed: quadratic, linear"]),
    "kind a list": ([('"quadratic"', '["linear"]')], ["oracle.loss.kind=['linear'] is unknown"]),
    "loss no table": ([(LOSS, "0.9")], ["oracle.loss=0.9 must be a table"]),
    "noise no table": ([(NOISE, '"gaussian"')], ["oracle.noise='gaussian' must be a table"]),
    "sde no table": ([(SDE, ""), ("[oracle]", 'sde = ["rmsprop"]\n[oracle]')], ["sde[0]='rmsprop' must be a table"]),
    "study no table": (
        [(GOOD[GOOD.index("[study]") :], ""), ("[oracle]", "study = 3\n[oracle]")],
        ["study=3 must be a"],
    ),
}


@pytest.mark.parametrize(("edits", "words"), KEYS.values(), ids=KEYS)
def test_unknown_missing_and_wrong_keys(load, edits, words):
    message = message_of(load, edited(*edits))
    for word in words:
        assert word in message


PATHS = {
    "oracle.loss.hessian": [(HESSIAN, "hessian = inf")],
    "oracle.covariance": [(COVARIANCE, "covariance = -1.0")],
    "oracle.noise.skewness": [noise('"skewed", skewness = 3.0')],
    "optimizer.sigma0": [(SIGMA0, "sigma0 = 0.0")],
    "optimizer.second_moment": [after(C2, 'second_moment = "next"')],
    "initial.theta": [(f"{THETA}\n", "")],
    "initial.m": [after(U, "m = 0.0")],
    "initial.t0": [after(U, "t0 = 0.3")],
    "study.eta2": [(ETA2, "eta2 = 0")],
    "study.horizon": [(HORIZON, "horizon = 0")],
    "study.times": [after(HORIZON, "times = [2.0]")],
    "study.ell": [after(TRAJECTORIES, "ell = 0.5")],
    "study.kappa": [*kappa("1")],
    "study.test_functions": [('"theta[0]"', '"m[0]"')],
    "study.estimator": [after(TRAJECTORIES, 'estimator = "x"')],
}


@pytest.mark.parametrize(("path", "edits"), PATHS.items(), ids=PATHS)
def test_messages_name_the_path_of_the_key(load, path, edits):
    assert path in message_of(load, edited(*edits))


@pytest.mark.parametrize("edits", [[noise('"gaussian", a = 1')], [(SDE, f"{SDE}a = 1\n")]], ids=["noise", "sde"])
def test_where_nothing_is_allowed_a_message_says_so(load, edits):
    message = message_of(load, edited(*edits))
    assert "a is unknown" in message
    assert not message.rstrip().endswith("allowed:")
