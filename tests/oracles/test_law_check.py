"""A sampler and a quadrature that are not one law of mean 0 and variance 1 are refused."""

import math

import pytest
from scipy.special import ndtri

import ngos_sim as ns
from ngos_sim.oracles.law_check import check
from ngos_sim.oracles.svag import svag_law
from tests.support.laws import student3

BUILT_IN = {
    "gaussian": ns.gaussian(),
    "uniform": ns.uniform(),
    "rademacher": ns.rademacher(),
    "two-point": ns.two_point(skewness=30.0),
    "skewed": ns.skewed(low_skewness=-8.0),
    "laplace": ns.laplace(),
    **{f"student-t, {nu}": ns.student_t(nu) for nu in (3.0, 4.2, 5.0, 9.0, 100.0)},
    "two Gaussians": svag_law(ns.skewed(skewness=0.6), 3.0),
    "two Gaussians that jump": svag_law(ns.two_point(skewness=1.5), 2.0),
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_laws_pass(name):
    check(BUILT_IN[name], 8.0)


def altered(law, change):
    """Return a law whose sampler's value is changed by a function, its quadrature not."""

    def one(xi, p):
        return change(law.sample(xi, p))

    def two(xi, extra, p):
        return change(law.sample(xi, extra, p))

    sample = one if law.gaussians == 1 else two
    return ns.Noise("mine", sample, law.quadrature, law.parameters, law.gaussians, law.moments)


WRONG = {
    "variance 1.04": lambda zeta: math.sqrt(1.04) * zeta,
    "mean 0.03": lambda zeta: zeta + 0.03,
    "another law": lambda zeta: math.copysign(1.0, zeta),
}


@pytest.mark.parametrize("change", WRONG)
@pytest.mark.parametrize("name", ["gaussian", "two-point", "skewed", "two Gaussians", "two Gaussians that jump"])
def test_another_sampler_is_refused(name, change):
    with pytest.raises(
        ValueError, match=r"noise 'mine': sample and quadrature are different laws: E .* is .* by sample"
    ):
        check(altered(BUILT_IN[name], WRONG[change]), 8.0)


@pytest.mark.parametrize("name", ["two-point", "skewed", "two Gaussians", "two Gaussians that jump"])
def test_mirrored_skewness_is_refused(name):
    with pytest.raises(ValueError, match=r"different laws: E zeta\^3 is"):
        check(altered(BUILT_IN[name], lambda zeta: -zeta), 8.0)


@pytest.mark.parametrize("scale", [1.0 + 3e-6, 1.0 - 3e-6])
def test_a_few_millionths_of_the_variance_are_seen(scale):
    check(altered(ns.uniform(), lambda zeta: zeta * (1.0 + 1e-8)), 8.0)
    with pytest.raises(ValueError, match=r"E zeta\^2"):
        check(altered(ns.uniform(), lambda zeta: zeta * scale), 8.0)


def test_a_law_without_a_fourth_moment_is_refused_until_it_says_so():
    with pytest.raises(
        ValueError, match=r"of E zeta\^4 lies beyond \|xi\| = 6, as if it were not finite; say how many"
    ):
        check(student3(), 8.0)
    for said in (2, 4):
        check(student3(moments=said), 8.0)


def test_points_differ():
    """The law is looked at where sigma is that of each point, not at the last alone."""
    low = ns.Noise(
        "mine",
        lambda xi, p: p.scale * xi,
        ns.gaussian().quadrature,
        {"scale": lambda sigma: 1.1 if 3.0 < sigma < 3.5 else 1.0},
    )
    settings = dict(sde=ns.rmsprop_sde(), initial=dict(theta=1.2, u=1.0), test_functions=["theta[0]"])
    for eta2 in ([2**-3, 2**-4, 2**-5], [2**-4, 2**-3], [2**-5, 2**-4]):
        with pytest.raises(ValueError, match="noise 'mine': sample and quadrature are different laws: E zeta"):
            ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9), noise=low), ns.rmsprop(0.8, 0.0, 1.3), eta2=eta2, **settings)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (lambda xi, p: ndtri(0.5) + math.log(xi), "noise 'mine': sample fails at .*: math domain error"),
        (lambda xi, p: math.nan, "noise 'mine': sample gives nan at .*; a finite number is needed"),
        (lambda xi, p: None, "noise 'mine': sample fails at"),
    ],
)
def test_what_a_sampler_gives_is_a_number(sample, message):
    with pytest.raises(ValueError, match=message):
        check(ns.Noise("mine", sample, ns.gaussian().quadrature), 8.0)


def test_the_mean_and_variance_of_a_rule_are_checked():
    rule = ns.Noise("mine", lambda xi, p: xi, lambda nodes, p: ([-1.0, 1.1], [0.5, 0.5]))
    with pytest.raises(ValueError, match=r"noise 'mine' has mean 0\.05 and variance 1\.1; 0 and 1 are needed"):
        check(rule, 8.0)


def test_what_the_check_sees_of_a_spike_is_what_its_docstring_says():
    def spiked(width):
        return ns.Noise("mine", lambda xi, p: xi + 30.0 * (abs(xi - 0.4321) < width / 2.0), ns.gaussian().quadrature)

    check(spiked(2e-4), 8.0)
    with pytest.raises(ValueError, match="different laws: E zeta is"):
        check(spiked(0.1), 8.0)
    assert "one 0.1 wide is seen, one 0.01 wide may pass" in check.__doc__


def test_a_law_that_jumps_anywhere_is_one_law():
    """Adaptive rules agreed on a wrong integral over the jump at 120 of 400 scales such as these."""
    for k in range(40):
        check(ns.two_point(low_skewness=1.5), 1.631 * 2.0 ** (k / 5.0))
