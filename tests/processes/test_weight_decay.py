"""RMSpropW and AdamW: against the definitions, PyTorch and Optax; their SDEs; hyperparameters; nothing without w0."""

import inspect
from types import SimpleNamespace

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.processes import rmsprop_adam
from ngos_sim.processes.rule import oracle_of
from ngos_sim.studies.study_file import load
from tests.support import naive, programs, users

RAW = dict(lr=0.1, eps=1.0, sigma=8.0)
DECAY, THETA0, M0, V0, HESSIAN = 0.25, 1.2, 0.3, 89.6, 0.9
CONSTANTS = dict(sigma0=0.8, eps0=0.1, c2=1.3)


def path(build, kind, convention, noise, v0, m0):
    """Return theta after each step of the built-in optimizer."""
    betas = (0.98, 0.987) if kind == "adam" else 0.987
    rule, eta2 = ns.from_hyperparameters(kind, betas=betas, second_moment=convention, weight_decay=DECAY, **RAW)
    start = [THETA0, v0 / 64.0] if kind == "rmsprop" else [THETA0, m0, v0 / 64.0]
    steps, processes = len(noise), [(rule, ns.gaussian(), 1)]
    records = range(1, steps + 1)
    program, inputs = build(
        ns.NGOS(ns.quadratic(HESSIAN)), processes, ["theta[0]"], start, eta2, steps, records=records
    )
    found, finite = python.trajectory(program, inputs, 0, noise[:, None])
    assert finite
    return found[:, 0, 0]


@pytest.mark.parametrize("convention", ["previous", "updated"])
@pytest.mark.parametrize("kind", ["rmsprop", "adam"])
def test_steps_are_the_definitions(build, kind, convention):
    noise, updated = np.random.default_rng(3).standard_normal(40), convention == "updated"
    gradients = [lambda k, theta: HESSIAN * theta + 8.0 * noise[k]] * 40
    if kind == "rmsprop":
        theta, _ = naive.rmsprop(THETA0, V0, gradients, 0.1, 0.987, 1.0, updated, DECAY)
    else:
        theta, _, _ = naive.adam(THETA0, M0, V0, gradients, 0.1, 0.98, 0.987, 1.0, updated, DECAY)
    np.testing.assert_allclose(path(build, kind, convention, noise, V0, M0), theta, rtol=0, atol=2e-13)


def torch_path(kind, noise):
    torch = pytest.importorskip("torch")
    if kind == "rmsprop":
        pytest.skip("torch.optim.RMSprop adds its decay to the gradient")
    theta = torch.tensor([THETA0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.AdamW([theta], lr=0.1, eps=1.0, betas=(0.98, 0.987), weight_decay=DECAY)
    found = []
    for z in noise:
        theta.grad = HESSIAN * theta.detach() + 8.0 * z
        optimizer.step()
        found.append(theta.item())
    return found


def optax_path(kind, noise):
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", True)
    scaled = (
        optax.scale_by_adam(0.98, 0.987, 1.0) if kind == "adam" else optax.scale_by_rms(0.987, 1.0, eps_in_sqrt=False)
    )
    optimizer = optax.chain(scaled, optax.add_decayed_weights(DECAY), optax.scale_by_learning_rate(0.1))  # adamw's
    theta = jax.numpy.array(THETA0, dtype="float64")
    state, found = optimizer.init(theta), []
    for z in noise:
        updates, state = optimizer.update(HESSIAN * theta + 8.0 * z, state, theta)
        theta = optax.apply_updates(theta, updates)
        found.append(float(theta))
    return found


@pytest.mark.parametrize("peer", [torch_path, optax_path])
@pytest.mark.parametrize("kind", ["rmsprop", "adam"])
def test_updated_convention_is_the_peers(build, kind, peer):
    noise = np.random.default_rng(5).standard_normal(100)
    np.testing.assert_allclose(path(build, kind, "updated", noise, 0.0, 0.0), peer(kind, noise), rtol=0, atol=1e-12)


def test_without_it_nothing_is_there():
    """The same step and parameters as ever: no number and no operation more."""
    for plain, none in [
        (ns.rmsprop(**CONSTANTS), ns.rmsprop(w0=0.0, **CONSTANTS)),
        (ns.adam(c1=2.0, **CONSTANTS), ns.adam(c1=2.0, w0=0, **CONSTANTS)),
    ]:
        assert plain == none
        assert "w0" not in plain.parameters
        assert "decay" not in inspect.getsource(plain.step)
    for sde in (ns.rmsprop_sde(), ns.adam_sde()):
        assert sde.beside(ns.rmsprop(**CONSTANTS)) is sde
        assert "w0" not in inspect.getsource(sde.drift)


def test_hyperparameters_round_trip_and_scale():
    """w0 = w / eta is kept by the square-root rule: w' = w sqrt(kappa), as arXiv 2411.15958 has it."""
    settings = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, batch_size=256, weight_decay=0.01)
    optimizer, eta2 = ns.from_hyperparameters("adam", **settings)
    assert optimizer.parameters["w0"] == pytest.approx(10.0)
    back = optimizer.at(eta2)
    assert back.weight_decay == pytest.approx(0.01)
    larger = ns.scale_batch(back, 4)
    assert larger.weight_decay == pytest.approx(0.02)
    assert larger.constants["w0"] == pytest.approx(10.0)
    kept = ns.Hyperparameters("adam", larger.lr, larger.betas, larger.eps, larger.sigma, weight_decay=0.01)
    assert kept.constants["w0"] == pytest.approx(5.0)  # w kept: another optimizer in the limit


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ns.rmsprop(w0=-0.1, **CONSTANTS), "w0=-0.1 must be non-negative"),
        (lambda: ns.adam(c1=1.0, w0="a", **CONSTANTS), "w0='a' must be non-negative"),
        (
            lambda: ns.rmsprop(weight_decay=0.1, **CONSTANTS),
            "weight_decay=0.1 is unknown; ns.from_hyperparameters takes weight_decay; w0 is weight_decay / lr",
        ),
        (
            lambda: ns.from_hyperparameters("rmsprop", betas=0.9, weight_decay=-1.0, **RAW),
            "weight_decay=-1.0 must be a number of at least 0",
        ),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def study(rule, sde, start, functions, **settings):
    settings = dict(steps=[16, 32, 64, 128], times=[1.0], estimator="local") | settings
    return ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9)), rule, sde, initial=start, test_functions=functions, **settings
    )


@pytest.mark.parametrize("adam", [False, True], ids=["rmspropw", "adamw"])
def test_the_sdes_are_those_of_a_user(adam):
    """Beside the optimizer Malladi's SDE has - w0 theta dt: the drift and diffusion that are written out by hand."""
    numbers = dict(CONSTANTS, **(dict(c1=2.0, bias_correction=False) if adam else {}))
    rule = (ns.adam if adam else ns.rmsprop)(w0=0.6, **numbers)
    numbers.pop("bias_correction", None)
    by_hand, sde = users.with_decay(adam, 0.6, **numbers)[1], (ns.adam_sde if adam else ns.rmsprop_sde)().beside(rule)
    p = SimpleNamespace(**rule.parameters, weight=0.6)
    c = sde.schedule(0.7, p)
    for x in np.random.default_rng(1).uniform(0.5, 2.0, (20, len(rule.slots))).tolist():
        o = oracle_of("gradient", "variance")(0.9 * x[0], 1.3)
        assert sde.drift(x, o, c, p) == pytest.approx(by_hand.drift(x, o, (), p), rel=1e-14)
        assert sde.diffusion(x, o, c, p) == pytest.approx(by_hand.diffusion(x, o, (), p), rel=1e-14)


def measured(study, trajectories=20_480):
    orders = study.run(trajectories, seed=1).order()
    return orders[orders.norm == "final"]


def decayed_studies():
    """Return {name: study} of RMSpropW, AdamW from t0 = .5, the scaling rule and SVAG."""
    rmsprop, adam = ns.rmsprop(w0=0.6, **CONSTANTS), ns.adam(c1=2.0, w0=0.6, **CONSTANTS)
    small, moving = dict(theta=1.2, u=1.4), dict(theta=1.2, m=-0.4, u=1.4, t0=0.5)
    functions, late = ["theta[0]"], dict(horizon=1.5, times=[1.5], steps=[24, 48, 96, 192])
    return {
        "rmspropw": lambda: study(rmsprop, ns.rmsprop_sde(), small, functions),
        "adamw": lambda: study(adam, ns.adam_sde(), moving, functions, **late),
        "scaling rule": lambda: study(rmsprop, None, small, functions, reference=ns.scaling_rule(2)),
        "svag": lambda: study(ns.svag(rmsprop, [2.0, 4.0, 8.0]), ns.rmsprop_sde(), small, functions, steps=[8]),
    }


@pytest.mark.parametrize("name", decayed_studies())
def test_orders_and_constants_are_the_predicted_ones(name):
    found = measured(decayed_studies()[name]())
    off = (found.constant - found.predicted_constant).abs()
    assert (off < 4.0 * found.constant_std_error).all()
    assert (found.constant_std_error < 0.03 * found.constant.abs() + 0.003).all()
    assert set(found.verdict) <= {"consistent with order 1", "undecided"}
    assert (found.verdict == "consistent with order 1").any()


def test_an_sde_without_decay_is_of_order_0():
    plain = ns.rmsprop_sde()
    own = ns.SDE("without", plain.drift, plain.diffusion, plain.slots, plain.schedule)
    found = measured(study(ns.rmsprop(w0=0.6, **CONSTANTS), own, dict(theta=1.2, u=1.4), ["theta[0]"]))
    assert found.verdict.str.startswith("fails").all()


def test_a_pivot_has_the_decay_of_the_optimizer():
    """Of a user's SDE that probing does not serve; the errors near its pivot stay small."""
    rule, near = ns.rmsprop(w0=0.6, **CONSTANTS), ns.rmsprop_sde()

    def drift(x, o, c, p):
        theta, u = x
        speed = -o.gradient * ns.preconditioner(u, p.sigma0, p.eps0) - p.w0 * theta
        return speed - p.h * theta * u * theta, p.c2 * (o.variance - u)

    sde = ns.SDE("own", drift, near.diffusion, near.slots, near.schedule, pivot=near)
    made = study(rule, sde, dict(theta=1.2, u=1.4), ["theta[0]"], steps=[64])
    assert made.sdes[0].pivot is near.decayed
    assert sde.pivot is near
    (row,) = made.run(4096).table.itertuples()
    assert row.std_error < 0.01 * abs(row.error)


def test_in_a_study_file(tmp_path):
    file = tmp_path / "study.toml"
    text = programs.PROBLEM.replace("c2 = 1.3", "c2 = 1.3\nw0 = 0.5")
    file.write_text(
        f'{text}[study]\neta2 = [0.1]\nhorizon = 1.0\ntest_functions = ["u[0]"]\ntrajectories = 1\n', encoding="utf-8"
    )
    made = load(file).study
    assert made.rule.step is rmsprop_adam._rmspropw_previous
    assert made.sdes[0].drift is rmsprop_adam._rmspropw_drift
