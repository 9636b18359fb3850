"""What the local estimator says of itself: units, moments that do not converge, few nodes, rounding, memory."""

import functools
import math
import tracemalloc
from decimal import Decimal, localcontext

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.known import local_table
from tests.support import naive, programs
from tests.support.local_paths import RULES, enumerated

RMSPROP = dict(sigma0=0.8, eps0=0.1, c2=1.3)


def study(optimizer=None, hessian=0.9, covariance=1.0, theta=1.2, u=1.4, noise=None, **changes):
    settings = dict(eta2=[2.0**-4], horizon=1.0, test_functions=["theta[0]"], sde=ns.rmsprop_sde()) | changes
    oracle = ns.NGOS(ns.quadratic(hessian), covariance, noise or ns.gaussian())
    start = dict(theta=theta, u=u) | settings.pop("initial", {})
    return ns.ConvergenceStudy(oracle, optimizer or ns.rmsprop(**RMSPROP), initial=start, **settings)


# Units: with the step size in units of time, the gradient and sigma0 in those of F and z in those of Z, sigma0 Z =
# sqrt(time) F, eps0 = sqrt(time) F, u in Z^2, theta in sqrt(time), as a step moves theta by eta times a ratio of
# gradients: (d, w, u') in the docstring of `processes.rmsprop_adam`.
UNITS = [(1e-24, 1.0, 1.0), (1e24, 1.0, 1.0), (1e12, 1.0, 1.0), (1.0, 1e-12, 1.0), (1.0, 1e12, 1.0)]
UNITS += [(1.0, 1.0, 1e-12), (1.0, 1.0, 1e12)]


def in_units(time, force, noise, adam):
    root = math.sqrt(time)
    constants = dict(sigma0=0.8 * root * force / noise, eps0=0.1 * root * force, c2=1.3 / time)
    rule = ns.adam(c1=2.0 / time, **constants) if adam else ns.rmsprop(**constants)
    start = dict(t0=0.25 * time, m=-0.4 * force) if adam else {}
    return study(
        rule,
        hessian=0.9 * force / root,
        covariance=noise**2,
        theta=1.2 * root,
        u=1.4 * noise**2,
        initial=start,
        sde=ns.adam_sde() if adam else ns.rmsprop_sde(),
        eta2=[2.0**-6 * time],
        horizon=time,
        times=[0.5 * time, time],
        test_functions=["theta[0]", "theta[0]^2", "1e12*theta[0]", "1e-12*theta[0]^2"],
        estimator="local",
    )


@functools.cache
def measured(units, adam):
    return in_units(*units, adam).run(2**14, seed=3).table


@pytest.mark.parametrize("adam", [False, True], ids=["rmsprop", "adam"])
@pytest.mark.parametrize("units", UNITS)
def test_units_do_not_matter(units, adam):
    plain, scaled = (measured(each, adam) for each in ((1.0, 1.0, 1.0), units))
    size = math.sqrt(units[0]) ** np.where(plain.test_function.str.contains(r"\^"), 2.0, 1.0)
    np.testing.assert_allclose(scaled.sde_mean / size, plain.sde_mean, rtol=1e-11)
    np.testing.assert_allclose(scaled.std_error / size, plain.std_error, rtol=0.4)  # of other random numbers
    spread = np.hypot(scaled.std_error / size, plain.std_error)
    assert (np.abs(scaled.error / size - plain.error) < 5.0 * spread).all()
    assert plain.resolved.equals(scaled.resolved)


@pytest.mark.parametrize(("rule", "sde", "start"), RULES[:1], ids=["rmsprop"])
def test_the_mean_is_exact_whatever_carries_the_errors(monkeypatch, rule, sde, start):
    """docs/theory.md, "The local estimator": any M_k at all; the moments alone make the mean."""
    q = 0.5 * (1.0 - 1.5 / np.sqrt(4.0 + 1.5**2))
    true = local_table.flow
    monkeypatch.setattr(local_table, "flow", lambda *given: 0.5 * true(*given))
    found, exact = enumerated(rule, sde, start, ns.two_point(skewness=1.5), q, 4)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-12)


@pytest.mark.parametrize("adam", [False, True], ids=["rmsprop", "adam"])
def test_moments_of_stiff_problems(adam):
    """c1 h = .9 and a Hessian for which explicit steps of size h are unstable, against another solver."""
    if adam:
        rule = ns.adam(c1=0.9 * 2**10, **RMSPROP)
        made = study(rule, sde=ns.adam_sde(), initial=dict(m=0.3, t0=0.25), eta2=[2.0**-10], estimator="local")
        exact = naive.adam_sde_moments(0.25, 1.0, 1.2, 0.3, 1.4, 0.8, 0.1, 0.9 * 2**10, 1.3, 0.9)
    else:
        made = study(hessian=400.0, eta2=[2.0**-8], estimator="local", times=[1.0 / 64, 1.0])
        exact = naive.rmsprop_sde_moments(1.0 / 64, 1.2, 1.4, hessian=400.0, **RMSPROP)
    table = made.run(1024).table
    row = table.iloc[-1 if adam else 0]
    assert row.sde_mean == pytest.approx(exact[0], rel=1e-9, abs=1e-11)
    assert np.isfinite(table.std_error).all()


@pytest.mark.parametrize(("hessian", "eta2"), [(-2e3, 2.0**-4), (1e12, 2.0**-4)])
def test_moments_that_do_not_converge_are_refused_at_construction(hessian, eta2):
    """exp(2000) is no number, and 1e12 is too fast beside the horizon: no word of smaller steps."""
    message = "sde 'rmsprop' is not followed from t=0 to 1: rates too fast, moments too large, or"
    with pytest.raises(ValueError, match=f"estimator='local' cannot measure 'theta.0.' against 'rmsprop': {message}"):
        study(hessian=hessian, eta2=[eta2], estimator="local")
    made = study(hessian=hessian, eta2=[eta2])
    assert f"not local, as {message}" in made.why["rmsprop", "theta[0]"]


def exact_error(rule, steps, h, rows, g, mean):
    """Return E g(x_k) - E g(X_t) by a tensor rule of the noise over all steps; rows: nodes and weights of z."""
    p = type("p", (), dict(rule.parameters))
    c = rule.schedule(0, h, p)
    total = 0.0
    states, weights = [(1.2, 1.4)], [1.0]
    for _ in range(steps):
        moved, heavier = [], []
        for x, weight in zip(states, weights, strict=True):
            for z, w in zip(*rows, strict=True):
                o = type("o", (), dict(gradient=0.9 * x[0], variance=1.0, curvature=0.9))
                moved.append(rule.step(x, o, z, c, p))
                heavier.append(weight * w)
        states, weights = moved, heavier
    total = math.fsum(w * g(x) for x, w in zip(states, weights, strict=True))
    return total - mean


FUNCTIONS = {"theta[0]": lambda x: x[0], "theta[0]^2": lambda x: x[0] ** 2, "theta[0]*u[0]": lambda x: x[0] * x[1]}


@functools.cache
def of_few_nodes(h):
    """Return the rule with v_{k+1} and its errors after one, two and four steps."""
    rule = ns.rmsprop(second_moment="updated", **RMSPROP)
    settings = dict(eta2=[h], horizon=4 * h, times=[h, 2 * h, 4 * h], test_functions=list(FUNCTIONS), estimator="local")
    return rule, study(rule, **settings).run(2**18, seed=1).table


@pytest.mark.parametrize("h", [2.0**-4, 2.0**-5])
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_what_few_nodes_leave_is_in_the_standard_error(h, steps):
    """v_{k+1}, Gaussian noise: the first step is no longer exact with standard error 0."""
    rule, table = of_few_nodes(h)
    nodes, weights = np.polynomial.hermite_e.hermegauss({1: 120, 2: 40, 4: 8}[steps])
    rows = nodes.tolist(), (weights / weights.sum()).tolist()
    u = 1.0 + 0.4 * math.exp(-1.3 * steps * h)
    theta, square = naive.rmsprop_sde_moments(steps * h, 1.2, 1.4, hessian=0.9, **RMSPROP)
    means = {"theta[0]": theta, "theta[0]^2": square, "theta[0]*u[0]": theta * u}
    for row in table[table.step == steps].itertuples():
        exact = exact_error(rule, steps, h, rows, FUNCTIONS[row.test_function], means[row.test_function])
        assert row.std_error > 0.0
        assert abs(row.error - exact) < 4.0 * row.std_error, row.test_function
        if steps == 1:
            assert row.std_error < 1e-3 * abs(exact)


def difference(h, steps):
    """Return theta and u after steps of RMSprop without noise less those of its SDE's equation, in 50 digits.

    Integral of 1 / (a exp(-b s) + e0) = log((a + e0 exp(b t)) / (a + e0)) / (b e0), b = c2 / 2, a = s0 sqrt(u).
    """
    with localcontext() as context:
        context.prec = 50
        s0, e0, c2, H, h, first, second = map(Decimal, (*RMSPROP.values(), 0.9, h, 1.2, 1.4))
        x, u = first, second
        for _ in range(steps):
            g = H * x
            x, u = x - h * g / (s0 * u.sqrt() + e0), u + c2 * h * (h * g * g / s0**2 - u)
        b, a, t = c2 / 2, s0 * second.sqrt(), h * steps
        exponent = ((a + e0 * (b * t).exp()) / (a + e0)).ln() / (b * e0)
        return {"theta[0]": x - first * (-H * exponent).exp(), "u[0]": u - second * (-c2 * t).exp()}


@pytest.mark.filterwarnings("ignore:horizon=.*hardly anything happens")
@pytest.mark.parametrize("second_moment", ["previous", "updated"])
@pytest.mark.parametrize(("h", "steps"), [(2.0**-27, 16), (2.0**-20, 1024)])
def test_rounding_is_in_the_standard_error(h, steps, second_moment):
    """Without noise all trajectories round alike; the two conventions differ in E theta alone."""
    rule = ns.rmsprop(second_moment=second_moment, **RMSPROP)
    settings = dict(covariance=0.0, eta2=[h], horizon=steps * h, times=[steps * h], test_functions=["theta[0]", "u[0]"])
    table = study(rule, estimator="local", **settings).run(1024).table.set_index("test_function")
    for name, exact in difference(h, steps).items():
        row = table.loc[name]
        assert 0.0 < row.std_error < 1e-11
        if second_moment == "previous" or name == "u[0]":
            assert abs(float(Decimal(row.error) - exact)) < 2.0 * row.std_error
    assert steps > 16 or not table.resolved.any()


@pytest.mark.filterwarnings("ignore:horizon=.*hardly anything happens")
def test_rounding_does_not_pass_for_an_error():
    """At h = 2^-27 sixteen steps make an error of 1e-16 with noise too: it is not resolved."""
    for rule in (ns.rmsprop(**RMSPROP), ns.rmsprop(second_moment="updated", **RMSPROP)):
        h = 2.0**-27
        table = study(rule, eta2=[h, 2 * h, 4 * h], horizon=16 * h, estimator="local").run(4096).table
        late = table[np.isclose(table.time, 16 * h)]
        assert (np.abs(late.error) < 3.0 * late.std_error).all()


def test_memory_of_many_steps():
    """One table of 2^16 steps, and little beside it: M_k of all steps at once would be as much again."""
    few, made = (study(eta2=[h], estimator="local") for h in (2.0**-3, 2.0**-16))
    (job,) = programs.plans(few, 1)[0].jobs
    cpu.Kernel(job.program, job.inputs, "f64")  # compiles
    tracemalloc.start()
    (job,) = programs.plans(made, 1)[0].jobs
    kernel = cpu.Kernel(job.program, job.inputs, "f64")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    table = job.inputs.processes[0].table.nbytes
    assert job.inputs.nbytes == table
    assert peak < 2.0 * table
    assert np.shares_memory(kernel._given.numbers.table, job.inputs.processes[0].table)


def test_points_that_are_not_held_give_the_same_numbers(monkeypatch):
    from ngos_sim.studies import measurement

    made = study(eta2=[2.0**-4, 2.0**-5], estimator="local")
    held = made.run(2048, seed=2).table
    monkeypatch.setattr(measurement, "_ROOM", 0)
    assert made.run(2048, seed=2).table.equals(held)


def test_many_steps_are_carried_by_a_spline():
    """M_k is a spline: the relative standard deviation goes on to fall like the root of h."""
    settings = dict(times=[1.0], estimator="local", test_functions=["theta[0]", "theta[0]^2"])
    few, many = (study(eta2=[h], **settings).run(4096).table for h in (2.0**-10, 2.0**-12))
    ratio = (many.std_error / many.error).abs() / (few.std_error / few.error).abs()
    assert (np.abs(ratio - 0.5) < 0.15).all()


def test_tables_that_no_memory_holds_are_refused():
    """A thousand coordinates, two different ones of which are read, and 2^16 steps would need 20.5 GiB."""
    hessian = np.linspace(0.5, 1.5, 1000).tolist()
    made = study(hessian=hessian, eta2=[2.0**-16], times=[1.0], test_functions=["theta[0] + theta[1]"])
    reason = made.why["rmsprop", "theta[0] + theta[1]"]
    assert reason.startswith("control_variate")
    assert "its tables of 6.55e+04 steps would take 20.5 GiB; 4 are" in reason
