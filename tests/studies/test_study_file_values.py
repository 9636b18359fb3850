"""Values of study files: one line names key, value and what is allowed."""

import pytest

from tests.support.study_files import (
    ADAM,
    C2,
    COUPLED,
    COVARIANCE,
    ETA2,
    FUNCTIONS,
    HESSIAN,
    HORIZON,
    LOSS,
    SIGMA0,
    SQRT8,
    THETA,
    TRAJECTORIES,
    U,
    after,
    edited,
    kappa,
    message_of,
    noise,
)

HUGE = "1" + "0" * 400
VALUES = {
    "matrix hessian": (
        [(HESSIAN, "hessian = [[1.0, 0.5], [0.0, 1.0]]")],
        ["oracle.loss.hessian is not symmetric: [0, 1] is 0.5"],
    ),
    "ragged hessian": ([(HESSIAN, "hessian = [[1.0], [2.0, 3.0]]")], ["hessian=[[1.0], [2.0, 3.0]]"]),
    "matrix covariance": (
        [(COVARIANCE, "covariance = [[1.0, 2.0], [2.0, 1.0]]")],
        ["oracle.covariance has the eigenvalue -1"],
    ),
    "negative covariance": ([(COVARIANCE, "covariance = -1.0")], ["covariance=-1.0 must not be negative"]),
    "one negative covariance": ([(COVARIANCE, "covariance = [1.0, -2.0]")], ["covariance=[1.0, -2.0] must not be neg"]),
    "nan covariance": ([(COVARIANCE, "covariance = nan")], ["covariance=nan", "finite"]),
    "empty covariance": ([(COVARIANCE, "covariance = []")], ["covariance=[]"]),
    "covariance of no kind": (
        [(COVARIANCE, 'covariance = { kind = "wave" }')],
        ["oracle.covariance.kind='wave' is unknown; allowed: sine, lorentz"],
    ),
    "a key of a covariance": (
        [(COVARIANCE, 'covariance = { kind = "sine", scale = 1, amplitude = 0.5 }')],
        ["oracle.covariance.frequency is missing"],
    ),
    "a wave below 0": (
        [(COVARIANCE, 'covariance = { kind = "sine", scale = 1, amplitude = -1, frequency = 2 }')],
        ["oracle.covariance.amplitude=-1 must be greater than -1"],
    ),
    "a covariance's own length": (
        [
            (HESSIAN, "hessian = [0.9, 2.0]"),
            (COVARIANCE, 'covariance = { kind = "lorentz", scale = [1, 2, 3], floor = 1 }'),
        ],
        ["oracle.covariance has length 3; a number or a length of 2"],
    ),
    "a width of 0": ([(LOSS, '{ kind = "log-cosh", width = 0 }')], ["oracle.loss.width=0 must be greater than 0"]),
    "a well of one minimum": (
        [(LOSS, '{ kind = "double-well", hessian = 1, minimum = -1, width = 1 }')],
        ["oracle.loss.minimum=-1 must be greater than 0"],
    ),
    "inf hessian": ([(HESSIAN, "hessian = inf")], ["hessian=inf", "finite"]),
    "empty hessian": ([(HESSIAN, "hessian = []")], ["hessian=[]"]),
    "table hessian": ([(HESSIAN, "hessian = { a = 1 }")], ["hessian={'a': 1}"]),
    "covariance of another length": (
        [(HESSIAN, "hessian = [0.9, 2.0]"), (COVARIANCE, "covariance = [1.0, 1.0, 1.0]")],
        ["covariance has length 3", "'quadratic' has 2"],
    ),
    "theta of another length": (
        [(HESSIAN, "hessian = [0.9, 2.0]"), (THETA, "theta = [1.0, 1.0, 1.0]")],
        ["initial.theta has length 3", "hessian"],
    ),
    "u of another length": (
        [(HESSIAN, "hessian = [0.9, 2.0]"), (THETA, "theta = 1.2"), (U, "u = [1.0, 1.0, 1.0]")],
        ["initial.u has length 3", "hessian"],
    ),
    "one number in brackets for two coordinates": (
        [(HESSIAN, "hessian = [0.9, 2.0]")],
        ["initial.theta has length 1; a number or a length of 2 is allowed, as the oracle's hessian"],
    ),
    "theta of another length than a covariance": (
        [(HESSIAN, "hessian = 0.9"), (COVARIANCE, "covariance = [1.0, 2.0]"), (THETA, "theta = [1.0, 1.0, 1.0]")],
        ["initial.theta has length 3", "covariance"],
    ),
    "theta and u of two lengths": (
        [(HESSIAN, "hessian = 0.9"), (THETA, "theta = [1.0, 1.0]"), (U, "u = [1.0, 1.0, 1.0]")],
        ["initial.theta", "initial.u", "2", "3"],
    ),
    "nan theta": ([(THETA, "theta = nan")], ["initial.theta=nan", "finite"]),
    "inf theta": ([(THETA, "theta = [inf]")], ["initial.theta=[inf]", "finite"]),
    "matrix theta": ([(THETA, "theta = [[1.0]]")], ["initial.theta", "1x1"]),
    "string theta in a list": ([(THETA, 'theta = ["a"]')], ["initial.theta=['a']"]),
    "u = 0 with eps0 = 0": ([(U, "u = 0.0")], ["initial.u=0.0 must be positive", "eps0"]),
    "u = -1": ([(U, "u = -1.0")], ["initial.u=-1.0 must be positive"]),
    "u = -1 with eps0": ([(U, "u = -1.0"), ("eps0 = 0.0", "eps0 = 1.0")], ["initial.u=-1.0 must be positive"]),
    "nan u": ([(U, "u = nan")], ["initial.u=nan"]),
    "t0 between steps": ([after(U, "t0 = 0.3")], ["t0=0.3 is not a multiple", "the nearest is 0.25"]),
    "negative t0": ([after(U, "t0 = -0.25")], ["t0=-0.25", "0 <= t0"]),
    "t0 at the horizon": ([after(U, "t0 = 1.0")], ["t0=1.0", "t0 < horizon"]),
    "nan t0": ([after(U, "t0 = nan")], ["t0=nan"]),
    "word t0": ([after(U, 't0 = "x"')], ["t0='x'", "number"]),
    "list t0": ([after(U, "t0 = [0.25, 0.5]")], ["t0=[0.25, 0.5]", "number"]),
    "adam at t0 = 0": ([*ADAM, ("t0 = 0.25", "t0 = 0.0"), COUPLED], ["t0=0", "t0 > 0", "only the local"]),
    "adam without t0": ([*ADAM, ("t0 = 0.25", ""), COUPLED], ["t0=0", "t0 > 0", "only the local"]),
    "c1 eta2 = 1": ([*ADAM, ("c1 = 2.0", "c1 = 4.0")], ["eta2=0.25 gives beta=0; with c1=4 it must be below 0.25"]),
    "c2 eta2 = 1": ([(C2, "c2 = 4.0")], ["eta2=0.25 gives beta=0; with c2=4 it must be below 0.25"]),
    "c2 eta2 > 1": ([(C2, "c2 = 10.0")], ["eta2=0.25 gives beta=-1.5; with c2=10 it must be below 0.1"]),
    "c2 = 0": ([(C2, "c2 = 0.0")], ["c2=0.0 must be positive"]),
    "sigma0 = 0": ([(SIGMA0, "sigma0 = 0.0")], ["sigma0=0.0 must be positive"]),
    "negative eps0": ([("eps0 = 0.0", "eps0 = -1.0")], ["eps0=-1.0 must be non-negative"]),
    "nan sigma0": ([(SIGMA0, "sigma0 = nan")], ["sigma0=nan"]),
    "inf c2": ([(C2, "c2 = inf")], ["c2=inf"]),
    "list sigma0": ([(SIGMA0, "sigma0 = [0.8]")], ["sigma0=[0.8]"]),
    "wrong convention": ([after(C2, 'second_moment = "next"')], ["second_moment='next'; allowed: previous, updated"]),
    "number for a convention": ([after(C2, "second_moment = 1")], ["second_moment=1; allowed: previous, updated"]),
    "skewness of sqrt 8": ([noise('"skewed", skewness = 2.9')], ["skewness=2.9", SQRT8]),
    "skewness of -3": ([noise('"skewed", skewness = -3')], ["skewness=-3", SQRT8]),
    "low skewness": ([noise('"skewed", low_skewness = 30')], ["low_skewness=30", "E zeta^3 = 18.75", SQRT8]),
    "skewness missing": ([noise('"skewed"')], ["oracle.noise", "either skewness= or low_skewness="]),
    "two skewnesses": ([noise('"two-point", skewness = 1, low_skewness = 2')], ["either skewness= or low_skewness="]),
    "nan skewness": ([noise('"two-point", skewness = nan')], ["skewness=nan", "finite number"]),
    "skewness 1e9": ([noise('"two-point", skewness = 1e9')], ["skewness"]),
    "skewness 1e300": ([noise('"two-point", skewness = 1e300')], ["skewness"]),
    "eta2 = 0": ([(ETA2, "eta2 = 0")], ["eta2=0.0 must be a positive number"]),
    "negative eta2": ([(ETA2, "eta2 = [0.25, -0.25]")], ["eta2=-0.25 must be a positive number"]),
    "eta2 twice": ([(ETA2, "eta2 = [0.25, 0.25]")], ["eta2=[0.25, 0.25] has a value twice"]),
    "nan eta2": ([(ETA2, "eta2 = [0.25, nan]")], ["eta2=[0.25, nan]", "finite"]),
    "no eta2": ([(ETA2, "eta2 = []")], ["eta2=[]"]),
    "matrix eta2": ([(ETA2, "eta2 = [[0.25]]")], ["eta2"]),
    "eta2 too small": ([(ETA2, "eta2 = 1e-320")], ["eta2="]),
    "nan horizon": ([(HORIZON, "horizon = nan")], ["horizon=nan"]),
    "inf horizon": ([(HORIZON, "horizon = inf")], ["horizon=inf"]),
    "horizon before a step": ([(HORIZON, "horizon = 0.1")], ["no step of size 0.25 fits", "horizon=0.1"]),
    "list horizon": ([(HORIZON, "horizon = [1.0]")], ["study.horizon=[1.0]"]),
    "time between steps": ([after(HORIZON, "times = [0.5, 0.7]")], ["times=0.7 is not a multiple", "nearest is 0.75"]),
    "time 0": ([after(HORIZON, "times = [0.0]")], ["times=0 must lie in (t0, horizon] = (0, 1]"]),
    "time t0": ([after(HORIZON, "times = [0.25]"), after(U, "t0 = 0.25")], ["times=0.25 must lie", "(0.25, 1]"]),
    "time after the horizon": ([after(HORIZON, "times = [0.5, 1.25]")], ["times=1.25 must lie", "(0, 1]"]),
    "word for times": ([after(HORIZON, 'times = "every"')], ["times='every'; allowed: 'all' or a list of times"]),
    "no times": ([after(HORIZON, "times = []")], ["times=[]"]),
    "nan time": ([after(HORIZON, "times = [nan]")], ["times=[nan]"]),
    "ell < 1": ([after(TRAJECTORIES, "ell = 0.5")], ["ell=0.5 must be a number of at least 1"]),
    "one ell < 1": ([after(TRAJECTORIES, "ell = [2, 0.5]")], ["ell=0.5 must be a number of at least 1"]),
    "nan ell": ([after(TRAJECTORIES, "ell = nan")], ["ell=nan must be"]),
    "no ell": ([after(TRAJECTORIES, "ell = []")], ["ell=[]"]),
    "ell twice": ([after(TRAJECTORIES, "ell = [2, 2]")], ["ell=[2", "twice"]),
    "ell too large": ([after(TRAJECTORIES, "ell = 1e30")], ["ell=1e+30"]),
    "kappa 2.5": ([*kappa("2.5")], ["kappa=2.5 must be an integer of at least 2"]),
    "kappa 1": ([*kappa("[2, 1]")], ["kappa=1 must be an integer of at least 2"]),
    "kappa a word": ([*kappa('"x"')], ["kappa='x' must be an integer of at least 2"]),
    "nan kappa": ([*kappa("nan")], ["kappa=nan must be an integer of at least 2"]),
    "inf kappa": ([*kappa("inf")], ["kappa=inf must be an integer of at least 2"]),
    "nested kappa": ([*kappa("[[2]]")], ["kappa=[2] must be an integer of at least 2"]),
    "no kappa": ([*kappa("[]")], ["kappa=[]"]),
    "kappa twice": ([*kappa("[2, 2]")], ["kappa=[2, 2]", "twice"]),
    "kappa eta2 too large": ([*kappa("4")], ["kappa=4 times eta2=0.25", "with c2=1.3 it must be below"]),
    "no list of test functions": (
        [(FUNCTIONS, 'test_functions = "loss"')],
        ["study.test_functions='loss' must be a list"],
    ),
    "a number as a test function": ([('"theta[0]"', "3")], ["study.test_functions=[3] must be a list of strings"]),
    "no test function": ([('"theta[0]"', "")], ["test_functions is empty"]),
    "test function twice": ([('"theta[0]"', '"loss", "loss"')], ["test_functions has 'loss' twice"]),
    "bad test function": ([('"theta[0]"', '"exp(theta[0])"')], ["'exp(theta[0])': cannot read", "slots: theta, u"]),
    "test function of two lines": ([('"theta[0]"', '"theta[0]\\n / 2"')], ["cannot read '/ 2'"]),
    "no such slot": ([('"theta[0]"', '"m[0]"')], ["no slot 'm'; allowed: theta, u"]),
    "no such coordinate": ([('"theta[0]"', '"theta[1]"')], ["no coordinate 1; there are 1"]),
    "half a trajectory": (
        [(TRAJECTORIES, "trajectories = 1.5")],
        ["study.trajectories=1.5 must be a positive integer"],
    ),
    "no trajectories": ([(TRAJECTORIES, "trajectories = 0")], ["trajectories=0 must be a positive integer"]),
    "negative trajectories": (
        [(TRAJECTORIES, "trajectories = -5")],
        ["trajectories=-5 must be"],
    ),
    "float seed": ([after(TRAJECTORIES, "seed = 1.5")], ["study.seed=1.5 must be an integer"]),
    "wrong estimator": (
        [after(TRAJECTORIES, 'estimator = "x"')],
        ["estimator='x'; allowed: auto, local, transport, control_variate, coupled, independent"],
    ),
    "number for an estimator": ([after(TRAJECTORIES, "estimator = 3")], ["estimator=3; allowed: auto"]),
    "nan expected": ([after(TRAJECTORIES, "expect = { order = nan }")], ["study.expect.order=nan"]),
    "inf expected": ([after(TRAJECTORIES, "expect = { order = inf }")], ["study.expect.order=inf"]),
    "huge theta": ([(THETA, f"theta = {HUGE}")], ["initial.theta"]),
    "huge horizon": ([(HORIZON, f"horizon = {HUGE}")], ["horizon"]),
    "huge sigma0": ([(SIGMA0, f"sigma0 = {HUGE}")], ["sigma0"]),
}
# key: the good line and the value's place in it; every one is given a boolean and a string of a number
NUMBERS = {
    "covariance": (COVARIANCE, "1.0"),
    "hessian": (HESSIAN, "[0.9]"),
    "sigma0": (SIGMA0, "0.8"),
    "eps0": ("eps0 = 0.0", "0.0"),
    "c2": (C2, "1.3"),
    "theta": (THETA, "[1.2]"),
    "u": (U, "1.0"),
    "eta2": (ETA2, "[0.25, 0.125]"),
    "horizon": (HORIZON, "1.0"),
    "trajectories": (TRAJECTORIES, "1024"),
}
ADDED = {  # optional key: the line after which it stands, and what surrounds its value
    "t0": (U, "{}"),
    "bias_correction": (C2, "{}"),
    "times": (HORIZON, "[{}]"),
    "seed": (TRAJECTORIES, "{}"),
    "ell": (TRAJECTORIES, "{}"),
    "expect": (TRAJECTORIES, "{{ order = {} }}"),
}


@pytest.mark.parametrize(("edits", "words"), VALUES.values(), ids=VALUES)
def test_wrong_values(load, edits, words):
    message = message_of(load, edited(*edits))
    for word in words:
        assert word in message


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize(("wrong", "shown"), [("true", "True"), ('"0.25"', "'0.25'"), ("{ a = 1 }", "{'a': 1}")])
def test_only_numbers_are_numbers(load, key, wrong, shown):
    line, value = NUMBERS[key]
    message = message_of(load, edited((line, line.replace(value, wrong))))
    of_a_table = key == "covariance" and "{" in wrong  # which it may be
    assert ("oracle.covariance.kind is missing" if of_a_table else f"{key}={shown}") in message


@pytest.mark.parametrize("key", ["hessian", "theta", "eta2"])
@pytest.mark.parametrize(("wrong", "shown"), [("[true]", "[True]"), ('["0.25"]', "['0.25']")])
def test_only_numbers_are_numbers_in_a_list(load, key, wrong, shown):
    line, value = NUMBERS[key]
    message = message_of(load, edited((line, line.replace(value, wrong))))
    assert f"{key}={shown}" in message


@pytest.mark.parametrize("key", ADDED)
@pytest.mark.parametrize(("wrong", "shown"), [("true", "True"), ('"0.25"', "'0.25'")])
def test_only_numbers_are_numbers_where_they_are_optional(load, key, wrong, shown):
    if (key, wrong) == ("bias_correction", "true"):
        wrong, shown = "5", "5"  # its only values are true and false
    line, around = ADDED[key]
    message = message_of(load, edited(after(line, f"{key} = {around.format(wrong)}")))
    assert key in message
    assert f"={shown}" in message or f"=[{shown}]" in message


@pytest.mark.parametrize("wrong", ["true", '"2"'])
def test_only_integers_are_kappa(load, wrong):
    assert "must be an integer of at least 2" in message_of(load, edited(*kappa(wrong)))
