"""Scaled steps against the raw definitions, golden values, PyTorch and Optax."""

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.oracles.svag import svag_law, svag_weights
from tests.support import naive

RAW = dict(lr=0.1, eps=1.0, sigma=8.0)  # docs/theory.md, "Reference problems"; beta1 = .98, beta2 = .987
THETA0, M0, V0, HESSIAN = 1.2, 0.0, 89.6, 0.9
GOLDEN = {  # E theta, E theta^2, E u, E theta u; Adam: E theta, E theta^2, E m, E u
    ("rmsprop", "previous"): (1.09979171260161, 1.26406158512690, 1.35304495221096, 1.47220467648344),
    ("rmsprop", "updated"): (1.10514252808546, 1.27482177736773, 1.35305292727855, 1.47959966850336),
    ("adam", "previous"): (1.17689818651089, 1.38913071999194, 0.19624816535923, 1.35314682589253),
    ("adam", "updated"): (1.17350595495748, 1.38291144229784, 0.19588380825988, 1.35313990544891),
}
FUNCTIONS = {
    "rmsprop": ["theta[0]", "theta[0]^2", "u[0]", "theta[0]*u[0]"],
    "adam": ["theta[0]", "theta[0]^2", "m[0]", "u[0]"],
}


def scaled(kind, convention, v0=V0):
    """Return the optimizer, eta2 and the scaled start of the golden problem."""
    betas = (0.98, 0.987) if kind == "adam" else 0.987
    optimizer, eta2 = ns.from_hyperparameters(kind, betas=betas, second_moment=convention, **RAW)
    u0 = v0 / RAW["sigma"] ** 2
    return optimizer, eta2, [THETA0, u0] if kind == "rmsprop" else [THETA0, M0, u0]


@pytest.mark.parametrize(("kind", "convention"), GOLDEN)
def test_golden_values_by_enumeration(build, kind, convention):
    optimizer, eta2, start = scaled(kind, convention)
    noise, weights = naive.two_point_paths(10, 0.2)
    oracle = ns.NGOS(ns.quadratic(HESSIAN))
    program, inputs = build(oracle, [(optimizer, ns.gaussian(), 1)], FUNCTIONS[kind], start, eta2, 10)
    means = python.expectation(program, inputs, noise[:, :, None], weights)
    np.testing.assert_allclose(means[0, :, 0], GOLDEN[kind, convention], rtol=0, atol=1e-13)


@pytest.mark.parametrize("v0", [V0, 0.0])
@pytest.mark.parametrize(("kind", "convention"), GOLDEN)
def test_scaled_steps_are_the_definitions_step_by_step(build, kind, convention, v0):
    steps = 40
    optimizer, eta2, start = scaled(kind, convention, v0)
    noise = np.random.default_rng(3).standard_normal(steps)
    functions = ["theta[0]", "u[0]"]
    program, inputs = build(
        ns.NGOS(ns.quadratic(HESSIAN)),
        [(optimizer, ns.gaussian(), 1)],
        functions,
        start,
        eta2,
        steps,
        records=range(1, steps + 1),
    )
    found, finite = python.trajectory(program, inputs, 0, noise[:, None])
    gradients = [lambda k, theta: HESSIAN * theta + RAW["sigma"] * noise[k]] * steps
    updated = convention == "updated"
    if kind == "rmsprop":
        theta, v = naive.rmsprop(THETA0, v0, gradients, 0.1, 0.987, 1.0, updated)
    else:
        theta, _, v = naive.adam(THETA0, M0, v0, gradients, 0.1, 0.98, 0.987, 1.0, updated)
    assert finite
    np.testing.assert_allclose(found[:, 0, 0], theta, rtol=0, atol=2e-13)
    np.testing.assert_allclose(found[:, 1, 0], v / RAW["sigma"] ** 2, rtol=1e-12)


@pytest.mark.parametrize("ell", [1.0, 1.5, 3.0])
def test_svag_is_the_operator_on_raw_gradients(build, ell):
    steps, (r1, r2) = 30, svag_weights(ell)
    optimizer, eta2, start = scaled("rmsprop", "previous")
    brownian, extra = np.random.default_rng(4).standard_normal((2, steps))
    program, inputs = build(
        ns.NGOS(ns.quadratic(HESSIAN), noise=ns.skewed(skewness=0.6)),
        [(optimizer, svag_law(ns.skewed(skewness=0.6), ell), 1)],
        ["theta[0]", "u[0]"],
        start,
        eta2 / ell**2,
        steps,
        records=range(1, steps + 1),
    )
    found, _ = python.trajectory(program, inputs, 0, brownian[:, None], extra[:, None])
    p = ns.skewed(skewness=0.6).numbers(8.0)

    def gradient(k, theta):
        gaussians = (r1 * brownian[k] - r2 * extra[k]) / ell, (r2 * brownian[k] + r1 * extra[k]) / ell
        draws = [HESSIAN * theta + 8.0 * (p["a"] * g + p["b"] * (g * g - 1)) for g in gaussians]
        return naive.svag_gradient(*draws, ell)

    beta = 1 - (1 - 0.987) / ell**2  # Definition 6.2; v0 is scaled with the squared noise scale
    theta, v = naive.rmsprop(THETA0, V0 * ell**2, [gradient] * steps, 0.1 / ell, beta, 1.0 * ell)
    np.testing.assert_allclose(found[:, 0, 0], theta, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[:, 1, 0], v / (8.0 * ell) ** 2, rtol=1e-11)


def torch_path(kind, noise):
    torch = pytest.importorskip("torch")
    theta = torch.tensor([THETA0], dtype=torch.float64, requires_grad=True)
    options = dict(lr=0.1, eps=1.0)
    if kind == "rmsprop":
        optimizer = torch.optim.RMSprop([theta], alpha=0.987, **options)
    else:
        optimizer = torch.optim.Adam([theta], betas=(0.98, 0.987), **options)
    path = []
    for z in noise:
        theta.grad = HESSIAN * theta.detach() + 8.0 * z
        optimizer.step()
        path.append(theta.item())
    return path


def optax_path(kind, noise):
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", True)
    if kind == "rmsprop":
        optimizer = optax.rmsprop(0.1, decay=0.987, eps=1.0, eps_in_sqrt=False)
    else:
        optimizer = optax.adam(0.1, b1=0.98, b2=0.987, eps=1.0)
    theta = jax.numpy.array(THETA0, dtype="float64")
    state, path = optimizer.init(theta), []
    for z in noise:
        updates, state = optimizer.update(HESSIAN * theta + 8.0 * z, state, theta)
        theta = optax.apply_updates(theta, updates)
        path.append(float(theta))
    return path


@pytest.mark.parametrize("peer", [torch_path, optax_path])
@pytest.mark.parametrize("kind", ["rmsprop", "adam"])
def test_updated_convention_is_the_peers(build, kind, peer):
    steps = 200
    noise = np.random.default_rng(5).standard_normal(steps)
    path = peer(kind, noise)
    optimizer, eta2, start = scaled(kind, "updated", v0=0.0)
    program, inputs = build(
        ns.NGOS(ns.quadratic(HESSIAN)),
        [(optimizer, ns.gaussian(), 1)],
        ["theta[0]"],
        start,
        eta2,
        steps,
        records=range(1, steps + 1),
    )
    found, _ = python.trajectory(program, inputs, 0, noise[:, None])
    np.testing.assert_allclose(found[:, 0, 0], path, rtol=0, atol=1e-12)


def test_hyperparameters_round_trip_and_scale():
    optimizer, eta2 = ns.from_hyperparameters("adam", lr=1e-3, betas=(0.9, 0.999), eps=1e-8, batch_size=256)
    back = optimizer.at(eta2, u=2.0)
    np.testing.assert_allclose(
        (back.lr, *back.betas, back.eps, back.sigma), (1e-3, 0.9, 0.999, 1e-8, 1 / 16), rtol=1e-12
    )
    assert back.v0 == pytest.approx(2.0 / 256)
    scaled_up = ns.scale_batch(back, 4)
    constants = scaled_up.constants
    for name in ("sigma0", "eps0", "c1", "c2"):  # Definition 5.2: the scaled constants do not change
        assert constants[name] == pytest.approx(optimizer.parameters[name], rel=1e-9)
    assert scaled_up.u0 == pytest.approx(back.u0)
    assert scaled_up.lr == pytest.approx(2e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ns.rmsprop(0.8, 0.0, 1.3, second_moment="next"), "second_moment='next'; allowed: previous, updated"),
        (lambda: ns.rmsprop(-0.8, 0.0, 1.3), "sigma0=-0.8 must be positive"),
        (lambda: ns.rmsprop(0.8, -0.1, 1.3), "eps0=-0.1 must be non-negative"),
        (lambda: ns.adam(0.8, 0.0, 2.0, 0.0), "c2=0.0 must be positive"),
        (lambda: ns.rmsprop(0.8, 0.0, 1.0).at(1.2), r"eta2=1.2 gives beta=-0.2; with c2=1 it must be below 1"),
        (lambda: ns.svag(ns.rmsprop(0.8, 0.0, 1.0), 0.5), "ell=0.5 must be a number of at least 1"),
        (lambda: ns.scaling_rule(1.5), "kappa=1.5 must be an integer of at least 2"),
        (
            lambda: ns.from_hyperparameters("adam", lr=0.1, betas=0.9, eps=0, sigma=1.0),
            r"betas=\(0.9,\): adam takes 2",
        ),
        (lambda: ns.from_hyperparameters("adam", lr=0.1, betas=(0.9, 0.9), eps=0), "give batch_size or sigma"),
        (lambda: ns.from_hyperparameters("sgd", lr=0.1, betas=0.9, eps=0, sigma=1), "'sgd' is unknown"),
        (lambda: ns.SDE("mine", abs, abs, slots=("u",)), 'the first "theta"'),
        (lambda: ns.Optimizer("mine", abs, slots=("theta",), a="x"), "a='x' must be a finite number"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_users_optimizer_says_bias_correction_with_a_bool():
    for said in (True, 1.0):
        own = ns.Optimizer("own", lambda x, o, z, c, p: x, ("theta",), bias_correction=said)
        assert own.parameters == {"bias_correction": 1.0}
    with pytest.raises(ValueError, match=r"^own: sigma0=True must be a finite number$"):
        ns.Optimizer("own", lambda x, o, z, c, p: x, ("theta",), sigma0=True)
