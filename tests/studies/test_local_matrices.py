"""The local estimator for matrix Hessians and covariances: by enumeration, beside other estimators, refusals."""

import itertools
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim import preconditioner
from ngos_sim.engines import python
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.program import BLOCK
from ngos_sim.estimators.equations import joint_problem
from ngos_sim.estimators.joint_pivot import JointPivot
from ngos_sim.estimators.pivots import Pivot
from ngos_sim.estimators.probed import Known
from ngos_sim.known.gaussian_law import sde_law
from ngos_sim.known.joint_equation import JointEquation
from ngos_sim.studies.problems import problems
from tests.support import programs
from tests.support.sdes import squared_gradient_sde

CONSTANTS = programs.RMSPROP
ADAM = dict(c1=2.0, **CONSTANTS)
RMSPROP_START = dict(theta=[1.0, -0.5, 0.5], u=[1.0, 0.8, 1.3], t0=0.25)
ADAM_START = dict(m=[0.2, -0.1, 0.3], **RMSPROP_START)
PREVIOUS, UPDATED = ns.rmsprop(**CONSTANTS), ns.rmsprop(second_moment="updated", **CONSTANTS)
RULES = {
    "rmsprop": (PREVIOUS, ns.rmsprop_sde(), RMSPROP_START),
    "updated": (UPDATED, ns.rmsprop_sde(), RMSPROP_START),
    "adam": (ns.adam(**ADAM), ns.adam_sde(), ADAM_START),
    "adam updated": (ns.adam(second_moment="updated", **ADAM), ns.adam_sde(), ADAM_START),
}


def study(name="rmsprop", d=3, oracle=None, **changes):
    rule, sde, start = RULES[name]
    start = {slot: value if slot == "t0" else value[:d] for slot, value in start.items()}
    settings = dict(sde=sde, initial=start, eta2=[2.0**-4, 2.0**-5], horizon=1.0, times=[0.5, 1.0])
    settings |= dict(test_functions=["theta[0]", "theta[1] - 2*theta[0] + 3"], estimator="local") | changes
    return ns.ConvergenceStudy(oracle or programs.matrices(d), settings.pop("optimizer", rule), **settings)


def every_row(made):
    """Return the program and inputs of a study's first local run, which record every row of the state."""
    job, *_ = programs.plans(made, 1)[0].jobs
    inputs, rows = job.inputs, job.inputs.term_exponents.shape[1]
    terms = (np.arange(rows), np.ones((len(inputs.records), rows)), np.eye(rows, dtype=np.int64))
    terms = dict(zip(("term_owner", "term_coefficient", "term_exponents"), terms, strict=True))
    return job.program, replace(inputs, test_functions=rows, **terms)


COLD = """
from ngos_sim.engines.cpu import engine as cpu
from tests.support import programs
print(cpu.Kernel(*programs.locals_on_matrices()["adam"], "f64").block(0).size)
"""


@pytest.mark.slow
def test_as_the_first_program_that_is_compiled(tmp_path):
    """Numba hands options of a caller on to what it is the first to call."""
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", COLD],
        env=env,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) % BLOCK == 0


@pytest.mark.parametrize(("name", "d"), [("rmsprop", 2), *((name, 3) for name in RULES)])
def test_compiled_is_plain_python_bit_for_bit(name, d):
    program, inputs = every_row(study(name, d, eta2=[0.125], times=[0.5, 1.0]))
    block = cpu.Kernel(program, inputs, "f64").block(3)
    for lane in (0, 99):
        np.testing.assert_array_equal(block[..., lane], python.trajectory(program, inputs, 3 * BLOCK + lane)[0])


@pytest.mark.parametrize("name", ["u in the middle", "no autonomous slot"])
def test_roles_of_slots_bit_for_bit(name):
    """Also where the autonomous slot is not the last one, and where there is none."""
    program, inputs = programs.locals_on_matrices()[name]
    block = cpu.Kernel(program, inputs, "f64").block(3)
    np.testing.assert_array_equal(block[..., 99], python.trajectory(program, inputs, 3 * BLOCK + 99)[0])


def enumerated(made, steps, change=lambda errors: errors, count=3):
    """Return E e and E psi(x_k) - E psi(X_t), psi = (linear slots, 1) x (1, y), over all paths of a rule.

    Three nodes are exact for the law of a built-in's step: linear and quadratic in the noise, products of degree 3.
    """
    program, inputs = every_row(made)
    processes = tuple(replace(each, errors=change(each.errors)) for each in inputs.processes)
    inputs, d = replace(inputs, processes=processes), program.dimension
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    paths = [np.array(p).reshape(steps, d) for p in itertools.product(range(count), repeat=steps * d)]
    chances = [np.prod(weights[p] / weights.sum()) for p in paths]
    rows = np.array([python.trajectory(program, inputs, 0, nodes[p])[0][-1, :, 0] for p in paths])
    state, found = rows[:, : -processes[0].error_rows], rows[:, -processes[0].error_rows :]
    t = made.record_times[0][-1]
    problem = problems(made)[0]
    equation = JointEquation(made.sdes[0], joint_problem(problem, problem.h))
    law, slots = sde_law(equation, np.array([t])), np.moveaxis(state.reshape(len(rows), d, -1), 2, 0)
    a = np.column_stack([*slots[:-1], np.ones(len(rows))])
    b = np.column_stack([np.ones(len(rows)), slots[-1] - law.path[0, 0]])
    psi = np.einsum("pb,pa->pba", b, a).reshape(len(rows), -1)
    of_sde = np.zeros(psi.shape[1])
    of_sde[: a.shape[1]] = [*law.mean[0], 1.0]
    return chances @ found, chances @ psi - of_sde


LINEAR = ns.NGOS(ns.linear([0.7, -0.2]), programs.matrices(2).covariance)
DIAGONAL = ns.NGOS(ns.quadratic([0.9, 2.0]), programs.matrices(2).covariance)
HESSIAN = ns.NGOS(programs.matrices(2).loss, [1.0, 0.5])
ORACLES = dict(both=None, linear=LINEAR, diagonal=DIAGONAL, hessian=HESSIAN)


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("name", ["rmsprop", "adam"])
def test_the_mean_is_the_weak_error_by_enumeration(name, oracle):
    made = study(name, 2, ORACLES[oracle], eta2=[0.25], times=[0.75])
    found, exact = enumerated(made, 2)
    np.testing.assert_allclose(found, exact, rtol=0, atol=2e-10)
    assert np.abs(found).max() > 1e-2


def test_another_correlation_is_wrong():
    """Negative control: with independent noise in E[theta_i' y_j' | x] the mean is another."""
    made = study("rmsprop", 2, eta2=[0.25], times=[0.75])
    found, exact = enumerated(made, 2, lambda errors: replace(errors, powers=errors.powers * np.eye(2)))
    assert np.abs(found - exact).max() > 1e-3


def wavy_step(x, o, z, c, p):
    """RMSprop with v_{k+1} and a second moment that is no polynomial in the noise."""
    theta, u = x
    d, w = c[0] * o.gradient + c[1] * z, z + c[2] * o.gradient
    after = u + p.c2 * c[0] * (w * w + 2.0 * math.cos(w) - u)
    return theta - d * preconditioner(after, p.sigma0, p.eps0), after


def test_a_rule_of_ones_own_takes_all_of_mehlers_sum():
    wavy = ns.Optimizer("wavy", wavy_step, ("theta", "u"), **CONSTANTS)
    made = study("rmsprop", 2, optimizer=wavy, eta2=[2.0**-4], times=[0.3125], horizon=0.3125)
    found, exact = enumerated(made, 1, count=24)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-8)
    three = np.arange(17)[:, None, None] < 3
    found, _ = enumerated(made, 1, lambda errors: replace(errors, powers=errors.powers * three), count=1)
    assert np.abs(found - exact).max() > 1e-5


@pytest.mark.parametrize("name", ["rmsprop", "adam updated"])
def test_diagonal_matrices_are_the_diagonal_local_estimator(name, monkeypatch):
    """Off-diagonal elements of 1e-13 bring the matrices' code; by the SDE's flow only those in M_k tell."""
    monkeypatch.setattr(Known, "_pays", lambda known: False)
    for kind in (JointPivot, Pivot):
        monkeypatch.setattr(kind, "nodes", property(lambda pivot: (13, 9) if "updated" in name else (3,)))
    small, values = 1e-13 * (1.0 - np.eye(2)), []
    for matrix in (0.0 * small, small):
        oracle = ns.NGOS(ns.quadratic(np.diag([0.9, 2.0]) + matrix), np.diag([1.0, 0.5]) + matrix)
        made = study(name, 2, oracle, test_functions=["theta[0]", "u[1]"])
        (job,) = programs.plans(made, 1)[0].jobs
        values.append(cpu.Kernel(job.program, job.inputs, "f64").block(0))
    np.testing.assert_allclose(values[1], values[0], rtol=0, atol=1e-5 * np.abs(values[0]).max())


@pytest.mark.parametrize("name", ["updated", "adam"])
def test_local_and_companion_agree(name):
    functions = ["theta[0]", "theta[1] - 2*theta[2] + 1", "u[1]", *(["m[2]"] if "adam" in name else [])]
    local, other = (
        study(name, test_functions=functions, estimator=estimator).run(count, seed=seed).table
        for seed, (estimator, count) in enumerate({"auto": 20_000, "control_variate": 400_000}.items())
    )
    assert local.estimator.unique().tolist() == ["local"]
    assert (np.abs(local.error - other.error) < 4 * np.hypot(local.std_error, other.std_error)).all()
    np.testing.assert_allclose(local.sde_mean, other.sde_mean, atol=1e-9)
    assert np.median(np.abs(other.error) / other.std_error) > 20


def prototype(d=4):
    """Return dense.py's problem: H and Sigma with eigenvalues .3, 1, 2, 3 and .5, 1, 1.5, 2 in random bases."""
    generator = np.random.default_rng(0)
    made = []
    for values in ([0.3, 1.0, 2.0, 3.0], [0.5, 1.0, 1.5, 2.0]):
        q = np.linalg.qr(generator.standard_normal((d, d)))[0]
        made.append(q @ np.diag(values) @ q.T)
    return [0.5 * (each + each.T) for each in made]


@pytest.mark.parametrize(("convention", "deviation"), [("previous", 1.6), ("updated", 1.1)])
def test_relative_error_does_not_grow_as_h_falls(convention, deviation):
    """One path has a relative standard deviation of 1.6 at every h."""
    hessian, covariance = prototype()
    made = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(hessian), covariance),
        ns.rmsprop(sigma0=1.0, eps0=0.1, c2=1.0, second_moment=convention),
        ns.rmsprop_sde(),
        initial=dict(theta=1.0, u=(0.5 * np.diag(covariance)).tolist()),
        eta2=[2.0**-k for k in (3, 5, 7, 9)],
        times=[1.0],
        test_functions=["theta[0] - 0.5*theta[1] + 0.3*theta[2] + theta[3]"],
    )
    table = made.run(10_240, seed=0).table
    assert table.estimator.unique().tolist() == ["local"]
    relative = table.std_error / table.error.abs()
    assert (relative * np.sqrt(table.trajectories) / deviation).between(0.85, 1.15).all()


def test_without_noise_in_a_coordinate():
    """Sigma_22 = 0: its z is 0, and u decays."""
    covariance = [[1.0, 0.5, 0.0], [0.5, 0.8, 0.0], [0.0, 0.0, 0.0]]
    oracle = ns.NGOS(programs.matrices(3).loss, covariance)
    local, other = (
        study("updated", 3, oracle, test_functions=["theta[2]"], estimator=estimator).run(50_000, seed=seed).table
        for seed, estimator in enumerate(("local", "coupled"))
    )
    assert (np.abs(local.error - other.error) < 4 * np.hypot(local.std_error, other.std_error) + 1e-5).all()


def test_another_sde_through_the_pivot():
    settings = dict(test_functions=["theta[0]", "u[1]"], eta2=[2.0**-4])
    one = study(sde=squared_gradient_sde(ns.rmsprop_sde()), **settings).run(50_000, seed=1).table
    two = study(sde=squared_gradient_sde(None), **(settings | dict(estimator="coupled"))).run(400_000, seed=2).table
    assert (np.abs(one.error - two.error) < 4 * np.hypot(one.std_error, two.std_error)).all()
    assert (one.std_error < 0.5 * two.std_error).all()


@pytest.mark.parametrize(
    "changes", [dict(reference=ns.scaling_rule(2), sde=None), dict(optimizer=ns.svag(UPDATED, 2.0))]
)
def test_scaling_rule_and_svag(changes):
    one, two = (
        study(estimator=estimator, eta2=[2.0**-4], **changes).run(count, seed=seed).table
        for seed, (estimator, count) in enumerate({"local": 50_000, "coupled": 400_000}.items())
    )
    assert (np.abs(one.error - two.error) < 4 * np.hypot(one.std_error, two.std_error)).all()
    assert (np.abs(one.error) > 10 * one.std_error).all()


def test_adam_from_zero():
    """From t0 = 0, where the SDE's own coefficients are 0/0, the order is 1 as of diagonal problems."""
    start = dict(theta=[1.0, -0.5, 0.5], m=0.0, u=[1.0, 0.8, 1.3])
    made = study("adam", initial=start, eta2=[2.0**-k for k in range(4, 9)], test_functions=["theta[0]"])
    row = made.run(100_000, seed=3).order().iloc[0]
    assert row.ci_low < 1.0 < row.ci_high  # wide: half powers belong to the expansion here
    assert row.ci_low > 0.7


def test_refusals_say_why():
    eye = 0.1 + np.eye(9)
    large = ns.NGOS(ns.quadratic(eye), eye)
    uniform = ns.NGOS(programs.matrices(3).loss, programs.matrices(3).covariance, ns.uniform())
    start = dict(theta=1.0, u=1.0)
    for oracle, functions, reason in (
        (large, ["theta[0]"], "is a matrix of more than 8 coordinates"),
        (uniform, ["theta[0]"], "is a matrix and the noise is not Gaussian"),
        (None, ["theta[0]^2"], "is a matrix and it is not linear in the slots"),
        (None, ["theta[0]*u[1]"], "is a matrix and it is not linear in the slots"),
    ):
        with pytest.raises(ValueError, match=reason):
            study(oracle=oracle, initial=start, test_functions=functions)
        (why,) = study(oracle=oracle, initial=start, test_functions=functions, estimator="auto").why.values()
        assert why.startswith("control_variate: ")
        assert reason in why
