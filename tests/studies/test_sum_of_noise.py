"""Optimizers on data: what reads gradient and noise otherwise than in their sum has no step there."""

import pytest

import ngos_sim as ns
from tests.support.data import FEW
from tests.support.data import logistic_study as study


def user(step):
    return ns.Optimizer("mine", step, ("theta", "u"), sigma0=0.2, eps0=0.1, c2=1.0)


def reads_both(x, o, z, c, p):
    return x[0] - c[0] * o.gradient - c[1] * z, x[1] + p.c2 * (z * z - x[1]) * c[0]


def reads_variance(x, o, z, c, p):
    return x[0] - c[0] * o.gradient - c[1] * z, x[1] + p.c2 * (o.variance - x[1]) * c[0]


def in_sum(x, o, z, c, p):
    w = c[2] * o.gradient + z
    return x[0] - c[1] * w, x[1] + p.c2 * (w * w - x[1]) * c[0]


@pytest.mark.filterwarnings("ignore::ngos_sim.StudyWarning")
@pytest.mark.parametrize(
    "rule",
    [
        ns.rmsprop(sigma0=0.2, eps0=0.1, c2=1.0),
        ns.adam(sigma0=0.2, eps0=0.1, c1=2.0, c2=1.0, second_moment="updated"),
        ns.rmsprop(sigma0=0.2, eps0=0.1, c2=1.0, w0=0.3),
        user(in_sum),
    ],
    ids=lambda rule: rule.name,
)
def test_what_reads_the_sum_serves(rule):
    study(rule)


@pytest.mark.filterwarnings("ignore::ngos_sim.StudyWarning")
def test_of_the_clock_eta():
    study(ns.sgd(sigma=0.5), batch_size=None, eta=[0.04, 0.08])


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            reads_both,
            "optimizer 'mine' reads o.gradient and z otherwise than as o.gradient + sigma z, sigma = 1: minibatches of "
            "data give that sum alone",
        ),
        (
            reads_variance,
            "optimizer 'mine' reads o.variance, which no minibatch of data says; o.gradient is allowed",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::ngos_sim.StudyWarning")
def test_what_reads_them_apart_is_refused(step, said):
    with pytest.raises(ValueError) as caught:
        study(user(step))
    assert str(caught.value) == said


RULE = ns.rmsprop(sigma0=0.2, eps0=0.1, c2=1.0)
SQUARES = ns.finite_data(FEW, [0.3, 0.1, 0.9, 0.4], model="least_squares")
APART = ns.finite_data(FEW[:2], [1, 0])


@pytest.mark.filterwarnings("ignore::ngos_sim.StudyWarning")
@pytest.mark.parametrize(
    ("function", "oracle", "said"),
    [
        (
            "accuracy",
            ns.NGOS(ns.quadratic([1.0, 1.0])),
            "test function 'accuracy': accuracy is a share of samples; give oracle=ns.finite_data(..)",
        ),
        (
            "2*distance",
            ns.NGOS(ns.quadratic([1.0, 1.0])),
            "test function '2*distance': distance is that to the minimiser of an empirical risk; "
            "give oracle=ns.finite_data(..)",
        ),
        (
            "accuracy",
            SQUARES,
            "test function 'accuracy': model 'least_squares' has no classes to be right about",
        ),
        (
            "distance",
            APART,
            "test function 'distance': loss 'logistic' with l2=0 has no minimiser that Newton's method finds: the "
            "classes can be separated, or nearly so, and the loss falls for ever; l2 > 0 gives one",
        ),
    ],
)
def test_words_of_data(function, oracle, said):
    with pytest.raises(ValueError) as caught:
        study(RULE, [function], oracle)
    assert str(caught.value) == said
