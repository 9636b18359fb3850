"""All 3^8 paths of minibatches of three samples, in NumPy to the letter, against what studies on data measure."""

import itertools

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.program import CHUNK
from ngos_sim.statistics.chunks import means
from ngos_sim.statistics.sums import Sums
from ngos_sim.studies import problems
from tests.support import naive

X = np.array([[1.0, 0.4], [-0.3, 1.1], [0.7, -0.9]])
Y = np.array([1.0, -1.0, 1.0])
L2, STEPS, SIGMA0 = 0.1, 8, 0.1
THETA, U = np.array([1.0, 0.3]), np.array([0.5, 0.8])
PATHS = np.array(list(itertools.product(range(3), repeat=STEPS)))
FUNCTIONS = ["theta[0]", "theta[1]^2", "loss", "accuracy", "norm(grad)", "trace(Sigma)"]
H = SIGMA0 * SIGMA0  # of one sample a step


def optimizer(name, convention):
    made = {"rmsprop": ns.rmsprop, "adam": ns.adam}[name]
    constants = {"c1": 9.0} if name == "adam" else {}
    return made(sigma0=SIGMA0, eps0=0.05, c2=4.0, second_moment=convention, **constants)


def study(rule, **others):
    state = {"theta": THETA, "u": U, **({"m": [0.3, 0.2]} if "m" in rule.slots else {})}
    return ns.ConvergenceStudy(
        ns.finite_data(X, Y, l2=L2),
        others.pop("optimizer", rule),
        initial=state,
        batch_size=[1],
        test_functions=FUNCTIONS,
        **{"horizon": STEPS * H, **others},
    )


def of_samples(theta):
    """Return margins and gradients of the samples at states (paths, d): (paths, 3) and (paths, 3, d)."""
    margins = theta @ X.T
    return margins, -(Y / (1.0 + np.exp(Y * margins)))[..., None] * X


def enumerated(rule, batch, weights=(1.0,), ell2=1.0):
    """Return theta after every step on all paths, shape (steps, paths, d); `batch` samples in each minibatch."""
    taken = batch * len(weights)
    at = rule.at(H * batch / ell2)

    def gradient(k, theta):
        each = of_samples(theta)[1]
        drawn = PATHS[:, k * taken : (k + 1) * taken].reshape(len(PATHS), len(weights), batch)
        means_of = each[np.arange(len(PATHS))[:, None, None], drawn].mean(axis=2)
        return np.einsum("w,pwj->pj", weights, means_of) + L2 * theta

    first, v0 = np.tile(THETA, (len(PATHS), 1)), U * at.sigma**2
    told = [gradient] * (STEPS // taken)
    arguments = dict(eps=at.eps, updated=bool(rule.parameters["updated"]))
    if len(at.betas) == 2:
        return naive.adam(first, np.array([0.3, 0.2]), v0, told, at.lr, *at.betas, **arguments)[0]
    return naive.rmsprop(first, v0, told, at.lr, *at.betas, **arguments)[0]


def values(theta):
    """Return the test functions at states, shape (functions, paths)."""
    margins, each = of_samples(theta)
    loss = np.log1p(np.exp(-Y * margins)).mean(axis=1) + 0.5 * L2 * np.sum(theta**2, axis=1)
    gradient = each.mean(axis=1) + L2 * theta
    trace = each.var(axis=1).sum(axis=1)
    right = np.mean(Y * margins > 0.0, axis=1)
    return np.array([theta[:, 0], theta[:, 1] ** 2, loss, right, np.linalg.norm(gradient, axis=1), trace])


def measured(made, chunks):
    """Return mean and standard error of every test function of a study's optimizer at the last time."""
    (problem,) = problems.problems(made)
    observed = problem.observables(range(len(FUNCTIONS)))
    job = problem.job([problem.optimizer()], np.eye(1), observed)
    sums, ran = Sums(), cpu.run(job.program, job.inputs, 0, chunks, precision="f64")
    sums.add(0, ran.sums, ran.nonfinite)
    return [each[-1, :, 0] for each in means(sums.total, chunks * CHUNK)]


@pytest.mark.parametrize("convention", ["previous", "updated"])
@pytest.mark.parametrize("name", ["rmsprop", "adam"])
def test_means_of_the_optimizer(name, convention):
    """Every mean within 3.5 standard errors, those of theta_0 and the loss to 1e-4 of their size."""
    rule = optimizer(name, convention)
    mean, error = measured(study(rule, reference=ns.scaling_rule(2)), chunks=1000)
    exact = values(enumerated(rule, 1)[-1]).mean(axis=1)
    assert np.all(np.abs(mean - exact) <= 3.5 * error)
    assert np.all(error[[0, 2]] < 1e-4 * np.abs(exact[[0, 2]]))
    wrong = values(enumerated(optimizer(name, {"previous": "updated"}.get(convention, "previous")), 1)[-1]).mean(axis=1)
    assert abs(mean[0] - wrong[0]) > 10.0 * error[0]  # what a wrong convention would give is seen


@pytest.mark.parametrize("name", ["rmsprop", "adam"])
def test_scaling_rule_on_the_same_samples(name):
    """The error between B = 1 and B = 2, and its spread: as small as on the same samples it is."""
    rule = optimizer(name, "previous")
    table = study(rule, reference=ns.scaling_rule(2)).run(2**20).table
    last = table[np.isclose(table["time"], STEPS * H)]
    apart = values(enumerated(rule, 1)[-1]) - values(enumerated(rule, 2)[-1])
    error, std_error = last["error"].to_numpy(), last["std_error"].to_numpy()
    assert np.all(np.abs(error - apart.mean(axis=1)) < 3.5 * std_error)
    np.testing.assert_allclose(std_error[:2], apart.std(axis=1)[:2] / np.sqrt(2**20), rtol=0.02)


def test_svag_takes_two_minibatches_with_its_weights():
    """ell^2 = 2: 4 steps of two samples each."""
    rule, ell = optimizer("rmsprop", "previous"), np.sqrt(2.0)
    made = study(rule, optimizer=ns.svag(rule, ell), sde=ns.rmsprop_sde(), horizon=2 * H)
    mean, error = measured(made, chunks=300)
    root = np.sqrt(3.0)
    exact = values(enumerated(rule, 1, ((1.0 - root) / 2.0, (1.0 + root) / 2.0), 2.0)[-1]).mean(axis=1)
    assert np.all(np.abs(mean - exact) <= 3.5 * error)
