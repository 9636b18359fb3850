"""Noise without the moments that an estimator or a prediction needs: refused, with the reason in words."""

import math
import re

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.statistics.chunks import relative_error_of_std_error
from tests.support.laws import lomax, student3

FINE = [2.0**-4, 2.0**-5, 2.0**-6]


def chosen(study):
    return {name: why.partition(":")[0] for (_, name), why in study.why.items()}


def test_students_t_of_three_is_not_measured_by_local_and_has_no_constant(problem):
    """It said E theta^2 = -804 by local; E theta has a standard error without it, theta^2 and u by nothing."""
    law = ns.student_t(3.0)
    study = problem("P2", noise=law, eta2=FINE, estimator="auto", test_functions=["theta[0]", "norm(grad)"])
    assert chosen(study) == {"theta[0]": "control_variate", "norm(grad)": "coupled"}
    reason = "not local, as its standard error needs E zeta^6, and noise 'student-t' has finite moments up to 2"
    assert reason in study.why["rmsprop", "theta[0]"]
    assert study.run(8192).order().predicted_constant.isna().all()
    for name, order in {"theta[0]^2": 4, "u[0]": 4, "theta[0]*u[0]": 6, "loss": 4}.items():
        for estimator in ("auto", "local", "coupled", "independent"):
            with pytest.raises(ValueError) as raised:
                problem("P2", noise=law, eta2=FINE, estimator=estimator, test_functions=[name])
            needs = f"its standard error needs E zeta^{order}, and noise 'student-t' has finite moments up to 2"
            assert str(raised.value) == f"test function {name!r}: {needs}"
    with pytest.raises(ValueError, match=r"estimator='local' cannot measure 'theta\[0\]' .* needs E zeta\^6"):
        problem("P2", noise=law, eta2=FINE, estimator="local", test_functions=["theta[0]"])


def test_a_users_law_without_a_fourth_moment_says_so(problem):
    settings = dict(eta2=FINE, estimator="local", test_functions=["theta[0]^2"])
    with pytest.raises(ValueError, match=r"noise 'mine': .* of E zeta\^4 lies beyond .* say how many moments are"):
        problem("P2", noise=student3(), **settings)
    with pytest.raises(ValueError, match=r"needs E zeta\^4, and noise 'mine' has finite moments up to 2"):
        problem("P2", noise=student3(moments=2), **settings)


@pytest.mark.parametrize(
    ("nu", "names"),
    [
        (5.0, {"theta[0]": "control_variate", "u[0]": "local"}),
        (7.0, {"theta[0]": "local", "theta[0]^2": "control_variate", "theta[0]*u[0]": "control_variate"}),
        (9.0, {"theta[0]^2": "local", "u[0]^2": "local", "theta[0]*u[0]": "control_variate"}),
        (11.0, {"theta[0]*u[0]": "local"}),
    ],
)
def test_local_serves_where_the_moments_are(problem, nu, names):
    study = problem("P2", noise=ns.student_t(nu), eta2=FINE, estimator="auto", test_functions=list(names))
    assert chosen(study) == names


@pytest.mark.parametrize(("law", "fourth"), [(ns.laplace(), 6.0), (ns.student_t(12.0), 3.75)])
def test_constants_of_heavy_laws_that_have_moments(problem, law, fourth):
    """The local estimator measures what the expansion predicts, which holds E zeta^4: Gaussian noise has another."""
    functions = ["theta[0]", "theta[0]^2", "u[0]"]
    result = problem("P2", noise=law, eta2=FINE, estimator="local", test_functions=functions).run(65_536, seed=5)
    found = result.order()
    found = found[found.norm == "final"].set_index("test_function")
    off = (found.constant - found.predicted_constant).abs()
    assert (off < 4 * found.constant_std_error + 0.01 * found.predicted_constant.abs()).all()
    assert (found.constant_std_error < 0.05 * found.predicted_constant.abs()).all()
    assert law.cumulants(8.0)[3] == pytest.approx(fourth - 3.0, abs=1e-10)
    gaussian = problem("P2", eta2=FINE, estimator="local", test_functions=functions).run(1024).order()
    assert abs(gaussian.predicted_constant.iloc[1] - found.predicted_constant["theta[0]"]) > 0.01


def test_a_standard_error_that_few_trajectories_carry_is_doubted(problem):
    """E exp(8 theta): a log-normal variable. Its twin exp(theta) is not doubted."""
    functions = [ns.TestFunction(f"exp {a}", lambda x, a=a: math.exp(a * x[0])) for a in (1.0, 8.0)]
    study = problem("P2", eta2=[2.0**-4], test_functions=functions, estimator="independent")
    why = study.run(65_536, seed=1).why
    assert "standard error" not in why["rmsprop", "exp 1.0"]
    assert "few trajectories carry its standard error, which is known to" in why["rmsprop", "exp 8.0"]
    assert "% only at eta2=0.0625: the interval may be too short" in why["rmsprop", "exp 8.0"]


def test_how_well_a_standard_error_is_known_is_that_of_the_kurtosis():
    """sqrt((k - 1) / N) / 2 for N normal (k = 3) and Laplace (k = 6) draws, and large where few carry it."""
    random, groups, size = np.random.default_rng(3), 400, 256
    for draws, kurtosis in (
        (random.standard_normal((groups, size)), 3.0),
        (random.laplace(size=(groups, size)), 6.0),
    ):
        found = relative_error_of_std_error(draws.std(axis=1)[:, None])
        assert found[0] == pytest.approx(0.5 * math.sqrt((kurtosis - 1.0) / (groups * size)), rel=0.15)
    heavy = np.exp(4.0 * random.standard_normal((groups, size)))
    assert relative_error_of_std_error(heavy.std(axis=1)[:, None])[0] > 0.1
    assert relative_error_of_std_error(np.zeros((8, 2))).tolist() == [0.0, 0.0]


def test_a_heavy_law_that_does_not_say_so_is_asked(problem):
    """Lomax of index 6: E zeta^4 is finite, E zeta^8, on which local's standard error of theta^2 rests, is not."""
    words = (
        "its standard error needs E zeta^8, and in noise 'lomax' over 10 % of it lies beyond |xi| = 6, in a tail like "
        "a power's, as if it were not finite; say how many moments are, such as moments=4"
    )
    settings = dict(eta2=FINE, test_functions=["theta[0]^2"])
    study = problem("P2", noise=lomax(6.0), estimator="auto", **settings)
    assert chosen(study) == {"theta[0]^2": "control_variate"}
    assert f"not local, as {words}" in study.why["rmsprop", "theta[0]^2"]
    with pytest.raises(ValueError, match=re.escape(words)):
        problem("P2", noise=lomax(6.0), estimator="local", **settings)
    with pytest.raises(ValueError, match=r"test function 'theta\[0\]\^4': its standard error needs E zeta\^8"):
        problem("P2", noise=lomax(6.0), estimator="coupled", eta2=FINE, test_functions=["theta[0]^4"])
    assert chosen(problem("P2", noise=lomax(9.0, moments=8), estimator="auto", **settings)) == {"theta[0]^2": "local"}
