"""Probing an SDE: which slots are autonomous, what is refused and in which words."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.known.basis import covering
from ngos_sim.known.coordinate import Coordinate
from ngos_sim.known.moments import Moments
from ngos_sim.known.probing import NoMoments, Probe

CONSTANTS = dict(sigma0=0.8, eps0=0.0, c2=1.3)


def moments(sde, start, constants=CONSTANTS, h=1 / 64, hessian=0.9, slope=0.0, variance=1.0, t0=0.0, end=1.0):
    """Return the Moments of an SDE on the smallest basis of degree 2."""
    probe = Probe(sde, Coordinate(hessian, slope, variance, start, t0, end, dict(constants), h))
    return Moments(probe, covering(probe.linear, probe.autonomous))


def one(drift, diffusion=lambda x, o, c, p: (1.0,), slots=("theta",)):
    return ns.SDE("own", drift, diffusion, slots)


def pull(x, o, c, p):
    return (-o.gradient,)


def lion(drift):
    def diffusion(x, o, c, p):
        return -math.sqrt(p.eta2), p.c2 * math.sqrt(p.eta2)

    return ns.SDE("lion", drift, diffusion, ("theta", "m"))


def lion_sign(x, o, c, p):
    mixed = 0.9 * x[1] + 0.1 * o.gradient
    return -math.copysign(1.0, mixed) - 0.1 * x[0], p.c2 * (o.gradient - x[1])


def lion_erf(x, o, c, p):
    mixed = (0.9 * x[1] + 0.1 * o.gradient) / (math.sqrt(2.0) * 0.1)
    return -math.erf(mixed) - 0.1 * x[0], p.c2 * (o.gradient - x[1])


def noisy_u(x, o, c, p):
    return -p.sigma0 * ns.preconditioner(x[1], p.sigma0, p.eps0), 0.5 * p.c2


def squared(x, o, c, p):
    expected = o.variance + p.eta2 * o.gradient**2 / p.sigma0**2
    return -o.gradient * ns.preconditioner(x[1], p.sigma0, p.eps0), p.c2 * (expected - x[1])


ROOT = ns.rmsprop_sde()
SQUARED = ns.SDE("squared", squared, lambda x, o, c, p: ROOT.diffusion(x, o, (1.0, p.eps0), p), ROOT.slots)
NOISY = ns.SDE("noisy", ROOT.drift, noisy_u, ROOT.slots, ROOT.schedule)
NEEDS = "needs theta, m, and theta, m has noise"
REFUSED = {
    "Lion, sign": (lion(lion_sign), (0.3, 0.0), rf"the drift of theta of sde 'lion' is not affine in theta: .*{NEEDS}"),
    "Lion, erf": (lion(lion_erf), (1.2, 0.0), rf"the drift of theta of sde 'lion' is not affine in theta: .*{NEEDS}"),
    "noise of u under a root": (NOISY, (1.2, 1.0), "of theta of sde 'noisy' is not affine in .*u is not autonomous"),
    "squared gradient": (SQUARED, (1.2, 1.0), "the drift of u of sde 'squared' is not affine in theta"),
    "sqrt(1 + theta^2) noise": (one(pull, lambda x, o, c, p: (math.sqrt(1 + x[0] ** 2),)), (0.5,), "the diffusion of"),
    "kink of 1e-4": (one(lambda x, o, c, p: (-x[0] - 1e-4 * max(0.0, x[0] - 1.0),)), (0.5,), "not affine in"),
    "1e-9 theta^2": (one(lambda x, o, c, p: (-x[0] - 1e-9 * x[0] ** 2,)), (0.5,), "not affine in theta"),
    "clip at 5 deviations": (one(lambda x, o, c, p: (-max(-4.0, min(4.0, x[0])),)), (0.5,), "6 standard deviations"),
    "explosion": (one(lambda x, o, c, p: (2000.0 * x[0],)), (0.5,), "is not followed from t=0 to 1"),
    "missing constant": (one(lambda x, o, c, p: (-p.mu * x[0],)), (0.5,), "reads 'mu', which the optimizer has not"),
}
SERVED = {
    "1e-13 theta^2": (one(lambda x, o, c, p: (-x[0] - 1e-13 * x[0] ** 2,)), (0.5,), ()),
    "|theta| far from 0": (one(lambda x, o, c, p: (-abs(x[0]),)), (30.0,), ()),
    "far mean": (one(lambda x, o, c, p: (-(x[0] - 1e6),)), (1e6,), ()),
    "stiff": (one(lambda x, o, c, p: (-2000.0 * x[0],)), (0.5,), ()),
    "nothing moves": (one(lambda x, o, c, p: (0.0,), lambda x, o, c, p: (0.0,)), (0.5,), ()),
    "quadratic, no noise": (one(lambda x, o, c, p: (-(x[0] ** 2),), lambda x, o, c, p: (0.0,)), (0.5,), (0,)),
    "passive u": (
        one(lambda x, o, c, p: (-x[0], 1.0 - x[1]), lambda x, o, c, p: (1.0, 0.0), ("theta", "u")),
        (0.5, 1.0),
        (),
    ),
    "product with u": (
        one(lambda x, o, c, p: (-x[0] * x[1], -x[1]), lambda x, o, c, p: (1.0, 0.0), ("theta", "u")),
        (0.5, 1.0),
        (1,),
    ),
    "two autonomous": (
        one(
            lambda x, o, c, p: (-x[0] / math.sqrt(x[1]) + x[2], 1.0 - x[1] * x[2], -(x[2] ** 2)),
            lambda x, o, c, p: (1.0, 0.0, 0.0),
            ("theta", "u", "w"),
        ),
        (0.5, 1.0, 0.5),
        (1, 2),
    ),
    "squared gradient at step 0": (SQUARED, (1.2, 1.0), (1,), 0.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_reason(name):
    sde, start, words = REFUSED[name]
    with pytest.raises(NoMoments, match=words):
        moments(sde, start)


@pytest.mark.parametrize("name", SERVED)
def test_served(name):
    sde, start, autonomous, *h = SERVED[name]
    known = moments(sde, start, h=h[0] if h else 1 / 64)
    assert known.probe.autonomous == autonomous
    assert np.isfinite(known.means(np.linspace(0.0, 1.0, 9))).all()


def drawn(seed):
    """Return an SDE, its constants and its start: RMSprop or Adam, constants over 3 to 6 decades, t0 = 0 included."""
    random = np.random.default_rng(seed)
    adam, t0 = bool(seed % 2), float(random.choice([0.0, 10.0 ** random.uniform(-3, 0)]))
    constants = {
        "sigma0": 10.0 ** random.uniform(-1.5, 1.5),
        "eps0": float(random.choice([0.0, 10.0 ** random.uniform(-4, 0)])),
        "c1": 10.0 ** random.uniform(-1, 2),
        "c2": 10.0 ** random.uniform(-2, 1),
        "bias_correction": float(random.integers(2)),
    }
    variance, scale = 10.0 ** random.uniform(-2, 2), 10.0 ** random.uniform(-2, 2)
    theta, m, u = scale * random.standard_normal(), scale * random.standard_normal(), variance * random.uniform(0.05, 3)
    hessian, slope = 10.0 ** random.uniform(-2, 1) * random.choice([0.0, 1.0, -0.1]), random.standard_normal()
    start = (theta, m, u) if adam else (theta, u)
    sde = ns.adam_sde() if adam else ns.rmsprop_sde()
    return sde, Coordinate(hessian, slope, variance, start, t0, t0 + 1.0, constants, 1 / 64)


@pytest.mark.parametrize("seed", range(114))
def test_random_problems_are_affine_given_u(seed):
    """docs/theory.md, "Probing": A = {u} always, and moments are found."""
    sde, coordinate = drawn(seed)
    probe = Probe(sde, coordinate)
    assert probe.autonomous == (len(coordinate.start) - 1,)
    assert np.isfinite(Moments(probe, covering(probe.linear, probe.autonomous)).means(np.ones(1))).all()


def test_a_step_that_is_read_is_noticed():
    for sde, start, reads in ((SQUARED, (1.2, 1.0), True), (ROOT, (1.2, 1.0), False)):
        h = 0.0 if reads else 1 / 64
        assert moments(sde, start, h=h).probe.reads_step == reads
