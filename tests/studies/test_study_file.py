"""Study files: what is read, and one line that names key, value and what is allowed for what is not."""

import pytest

import ngos_sim as ns
from ngos_sim.studies import study_file
from tests.support.programs import PROBLEM

GOOD = f"""{PROBLEM}
[study]
eta2 = [0.25, 0.125]
horizon = 1.0
test_functions = ["theta[0]"]
trajectories = 1024
"""
LOSS, HESSIAN, COVARIANCE = '{ kind = "quadratic", hessian = [0.9] }', "hessian = [0.9]", "covariance = 1.0"
NOISE, SIGMA0, C2, THETA, U = '{ kind = "gaussian" }', "sigma0 = 0.8", "c2 = 1.3", "theta = [1.2]", "u = 1.0"
SDE, ETA2, HORIZON = '[[sde]]\nkind = "rmsprop"\n', "eta2 = [0.25, 0.125]", "horizon = 1.0"
FUNCTIONS, TRAJECTORIES = 'test_functions = ["theta[0]"]', "trajectories = 1024"
ADAM = (('"rmsprop"', '"adam"'), (C2, "c1 = 2.0\nc2 = 1.3"), (U, "m = 0.0\nu = 1.0\nt0 = 0.25"))
COUPLED = (TRAJECTORIES, f'{TRAJECTORIES}\nestimator = "coupled"')
HUGE = "1" + "0" * 400


def edited(*edits):
    """Return the good file with (old, new) replaced."""
    text = GOOD
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def load(tmp_path):
    """Load a text as a study file."""

    def call(text):
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return study_file.load(path)

    return call


def one_line(load, text):
    """Return the message of the ValueError, of type ValueError, that a text raises: one line that names the file."""
    with pytest.raises(ValueError) as caught:
        load(text)
    message = str(caught.value)
    assert "study.toml: " in message
    assert "\n" not in message
    return message


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


STUDY_KEYS = (
    "allowed: horizon, test_functions, trajectories, eta2, eta, steps, times, estimator, seed, expect, ell, kappa"
)
NOISES, SQRT8 = "allowed: gaussian, uniform, rademacher, two-point, skewed, laplace, student-t", "must be below 2.828"


def after(line, more):
    """Return the edit that adds a line."""
    return line, f"{line}\n{more}"


def noise(text):
    return NOISE, f"{{ kind = {text} }}"


def kappa(text):
    """Return the edits that make the study one of the scaling rule."""
    return (SDE, ""), after(TRAJECTORIES, f"kappa = {text}")


KEYS = {
    "unknown table": ([("[oracle]", "[extra]\n[oracle]")], ["extra is unknown; allowed: oracle, optimizer"]),
    "unknown root key": ([("[oracle]", "extra = 1\n[oracle]")], ["extra is unknown; allowed: oracle, optimizer"]),
    "misspelt sde": ([("[[sde]]", "[[sdes]]")], ["sdes is unknown; allowed: oracle, optimizer, initial, study, sde"]),
    "unknown in oracle": ([after(COVARIANCE, "sigma = 1.0")], ["oracle.sigma is unknown; allowed: loss, covariance"]),
    "unknown in loss": ([(HESSIAN, "hessian = 1.0, a = 1")], ["oracle.loss.a is unknown; allowed: hessian"]),
    "unknown in noise": ([noise('"skewed", skew = 1')], ["oracle.noise.skew is unknown; allowed: skewness, low_sk"]),
    "unknown in optimizer": ([after(C2, "c1 = 2")], ["optimizer.c1 is unknown; allowed: sigma0, eps0, c2, second"]),
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
        ["study.eta2 is missing; allowed instead: steps, or eta where the optimizer's clock is 'eta'"],
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
    "wrong optimizer": ([('"rmsprop"', '"sgd"')], ["optimizer.kind='sgd' is unknown; allowed: rmsprop, adam"]),
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
        ["estimator='x'; allowed: auto, local, control_variate, coupled, independent"],
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


@pytest.mark.parametrize(("edits", "words"), KEYS.values(), ids=KEYS)
def test_unknown_missing_and_wrong_keys(load, edits, words):
    message = one_line(load, edited(*edits))
    for word in words:
        assert word in message


@pytest.mark.parametrize(("edits", "words"), VALUES.values(), ids=VALUES)
def test_wrong_values(load, edits, words):
    message = one_line(load, edited(*edits))
    for word in words:
        assert word in message


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize(("wrong", "shown"), [("true", "True"), ('"0.25"', "'0.25'"), ("{ a = 1 }", "{'a': 1}")])
def test_only_numbers_are_numbers(load, key, wrong, shown):
    line, value = NUMBERS[key]
    message = one_line(load, edited((line, line.replace(value, wrong))))
    assert f"{key}={shown}" in message


@pytest.mark.parametrize("key", ["hessian", "theta", "eta2"])
@pytest.mark.parametrize(("wrong", "shown"), [("[true]", "[True]"), ('["0.25"]', "['0.25']")])
def test_only_numbers_are_numbers_in_a_list(load, key, wrong, shown):
    line, value = NUMBERS[key]
    message = one_line(load, edited((line, line.replace(value, wrong))))
    assert f"{key}={shown}" in message


@pytest.mark.parametrize("key", ADDED)
@pytest.mark.parametrize(("wrong", "shown"), [("true", "True"), ('"0.25"', "'0.25'")])
def test_only_numbers_are_numbers_where_they_are_optional(load, key, wrong, shown):
    if (key, wrong) == ("bias_correction", "true"):
        wrong, shown = "5", "5"  # its only values are true and false
    line, around = ADDED[key]
    message = one_line(load, edited(after(line, f"{key} = {around.format(wrong)}")))
    assert key in message
    assert f"={shown}" in message or f"=[{shown}]" in message


@pytest.mark.parametrize("wrong", ["true", '"2"'])
def test_only_integers_are_kappa(load, wrong):
    assert "must be an integer of at least 2" in one_line(load, edited(*kappa(wrong)))


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
    assert path in one_line(load, edited(*edits))


@pytest.mark.parametrize("edits", [[noise('"gaussian", a = 1')], [(SDE, f"{SDE}a = 1\n")]], ids=["noise", "sde"])
def test_where_nothing_is_allowed_a_message_says_so(load, edits):
    message = one_line(load, edited(*edits))
    assert "a is unknown" in message
    assert not message.rstrip().endswith("allowed:")


def test_a_key_of_two_lines_gives_a_message_of_one(load):
    assert "is unknown" in one_line(load, edited(("[oracle]", '"a\\nb" = 1\n[oracle]')))


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_an_empty_file_lacks_its_first_table(load, text):
    assert "oracle is missing" in one_line(load, text)


@pytest.mark.parametrize("text", ["[oracle", "a = ", "a = 1\na = 2", "= 3"])
def test_what_is_not_toml(load, text):
    assert "not TOML" in one_line(load, text)


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
