"""The transport estimator: known constants, errors and their cost, is what it says of itself true, an unbiased check.

python benchmarks/transport.py constants | problems | trajectories [number] | calibration [problems] [seed]

constants    errors / h extrapolated from h = 1/512 and 1/1024, against constants that other code found
problems     eight problems at h = 1/16 .. 1/4096: errors / h, seconds on one thread, memory
trajectories the same problems by the coupled estimator at h = 1/16 and 1/64: differences over standard errors
calibration  random problems: how many errors move by more than `numerical` at two sizes more

docs/theory.md, "Laws carried forward", says what is measured.
"""

import math
import resource
import sys
import time

import numpy as np

import ngos_sim as ns
from ngos_sim.estimators import transport_answer
from ngos_sim.estimators.transport_means import Unserved
from ngos_sim.oracles.svag import svag_law
from ngos_sim.studies.problems import problems

RMSPROP, ADAM = dict(sigma0=0.8, eps0=0.0, c2=1.3), dict(sigma0=0.8, eps0=0.1, c1=2.0, c2=1.3)
COS = ns.TestFunction("cos", lambda x: math.cos(x[0]))
MODULUS = ns.TestFunction("modulus", lambda x: abs(x[0]))
SKEWED, WELL = ns.two_point(skewness=0.9), ns.double_well(hessian=9.0, minimum=1.0, width=3.0)
FIVE = ("theta[0]", "theta[0]^2", "u[0]", "u[0]^2", "theta[0]*u[0]")
SIX = (*FIVE, "theta[0]^4")
SEVEN = (*SIX, COS)


def sine(amplitude):
    """Return Sigma = .8 (1 + amplitude sin^2 theta)."""
    return ns.Variance("sine", lambda theta, p: 0.8 * (1.0 + p.amplitude * math.sin(theta) ** 2), amplitude=amplitude)


STARTS = {
    "rmsprop": (ns.rmsprop_sde(), dict(theta=1.2, u=1.0)),
    "adam": (ns.adam_sde(), dict(theta=1.2, m=-0.4, u=1.4, t0=0.5)),
    "signsgd": (ns.signsgd_sde(), dict(theta=1.2)),
    "lion": (ns.lion_sde(), dict(theta=1.2, m=0.1)),
}


def study(steps, loss, functions, *, optimizer=None, covariance=1.0, law=None, horizon=1.0, times=None, **start):
    """Return the coupled study of RMSprop or another optimizer of STARTS, where it starts, at h = 1 / steps."""
    optimizer = optimizer or ns.rmsprop(**RMSPROP)
    sde, begin = STARTS[optimizer.name]
    start = {**begin, **start}
    end = horizon + start.get("t0", 0.0)
    return ns.ConvergenceStudy(
        ns.NGOS(loss, covariance, law or ns.gaussian()),
        optimizer=optimizer,
        sde=sde,
        initial=start,
        horizon=end,
        times=times or [end],
        test_functions=list(functions),
        estimator="coupled",
        **{optimizer.clock: [1.0 / steps]},
    )


def problem(*given, **settings):
    """Return the Problem of a `study`."""
    (made,) = problems(study(*given, **settings))
    return made


def computed(made):
    """Return the Answers of a Problem, test function by test function."""
    found = transport_answer.answers(made, [each.sde for each in made.opponents], range(len(made.test_functions)))
    return list(found.values())


CONSTANTS = {
    "P1 u0=1": (FIVE, (-0.127166, 0.138788, 0.556968, 2.317380, -1.656053), dict(loss=ns.linear(0.7), theta=0.0)),
    "P1 u0=1.8": (
        FIVE,
        (-0.003202, -0.214814, 0.372736, 2.111449, -1.210364),
        dict(loss=ns.linear(0.7), theta=0.0, u=1.8),
    ),
    "P1 uniform u0=1.4": (
        FIVE,
        (0.063765, -0.630760, 0.464852, 1.512432, -1.390646),
        dict(loss=ns.linear(0.7), theta=0.0, u=1.4, law=ns.uniform()),
    ),
    "P1 Rademacher u0=1.5": (
        FIVE,
        (0.132382, -0.909648, 0.441823, 1.004057, -1.336096),
        dict(loss=ns.linear(0.7), theta=0.0, u=1.5, law=ns.rademacher()),
    ),
    "P1 v_{k+1}": (
        FIVE[:1],
        (1.010334,),
        dict(loss=ns.linear(0.7), theta=0.0, optimizer=ns.rmsprop(**RMSPROP, second_moment="updated")),
    ),
    "P2": (SIX, (-0.40265, 0.0721, 0.6974, 2.5982, -0.4341, 0.6964), dict(loss=ns.quadratic(0.9))),
    "P2 u0=1.6": (SIX, (-0.2935, -0.0259, 0.5712, 2.5327, -0.4384, 0.3999), dict(loss=ns.quadratic(0.9), u=1.6)),
    "P2 uniform": (
        SIX,
        (-0.3376, -0.1922, 0.6974, 1.8761, -0.4386, -0.2982),
        dict(loss=ns.quadratic(0.9), law=ns.uniform()),
    ),
    "P2 Rademacher u0=1.3": (
        SIX,
        (-0.2533, -0.3185, 0.6334, 1.3704, -0.4438, -0.7830),
        dict(loss=ns.quadratic(0.9), u=1.3, law=ns.rademacher()),
    ),
    "P3 Adam": (
        FIVE[:1],
        (-0.530152,),
        dict(loss=ns.linear(0.6), theta=0.0, optimizer=ns.adam(**{**ADAM, "eps0": 0.0})),
    ),
    "P4 Adam": (FIVE[:2], (-0.34126, -0.77760), dict(loss=ns.quadratic(0.9), optimizer=ns.adam(**ADAM))),
}


def constants():
    """Print by how much constants are off, of two step sizes, and what is said of them."""
    worst = 0.0
    for name, (functions, known, settings) in CONSTANTS.items():
        began = time.process_time()
        coarse, fine = (computed(problem(steps, functions=functions, **settings)) for steps in (512, 1024))
        found = [2048.0 * b.error[0] - 512.0 * a.error[0] for a, b in zip(coarse, fine, strict=True)]
        said = [2048.0 * b.of_error[0] + 512.0 * a.of_error[0] for a, b in zip(coarse, fine, strict=True)]
        off = np.abs(np.subtract(found, known))
        worst = max(worst, float(off.max()))
        each = " ".join(
            f"{value:.5f} ({off_:.0e} of {most:.0e})" for value, off_, most in zip(found, off, said, strict=True)
        )
        print(f"{name:22s} {time.process_time() - began:5.1f} s  {each}", flush=True)
    print(f"worst {worst:.1e}")


PROBLEMS = {
    "log-cosh": dict(loss=ns.log_cosh(1.0)),
    "quadratic, Sigma sine": dict(loss=ns.quadratic(0.9), covariance=sine(0.5)),
    "well": dict(loss=WELL),
    "well, two-point .9": dict(loss=WELL, law=SKEWED),
    "its SVAG, ell = 2": dict(loss=WELL, law=svag_law(SKEWED, 2.0)),
    "Adam, log-cosh": dict(loss=ns.log_cosh(1.0), optimizer=ns.adam(**ADAM)),
    "SignSGD, log-cosh": dict(loss=ns.log_cosh(1.0), optimizer=ns.signsgd(0.8)),
    "Lion, quadratic": dict(loss=ns.quadratic(0.9), optimizer=ns.lion(sigma0=0.8, beta1=0.9, c2=1.3)),
}


def observed(settings):
    """Return the test functions of a problem: of u where there is one."""
    has_u = "u" in settings.get("optimizer", ns.rmsprop(**RMSPROP)).slots
    return ("theta[0]", "theta[0]^2", *(["u[0]"] if has_u else []), COS, MODULUS)


def table():
    """Print errors / h, what is said of them, and seconds: the best of two."""
    for name, settings in PROBLEMS.items():
        for steps in (16, 64, 256, 1024, 4096):
            made, taken = problem(steps, functions=observed(settings), **settings), []
            for _ in range(2):
                began = time.process_time()
                found = computed(made)
                taken.append(time.process_time() - began)
            each = " ".join(
                "refused" if isinstance(a, str) else f"{a.error[0] * steps:.5f} ({a.of_error[0] * steps:.0e})"
                for a in found
            )
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
            print(f"{name:22s} 1/{steps:<5d} {min(taken):5.2f} s {memory:4.0f} MB  {each}", flush=True)


def trajectories(number=1_000_000):
    """Print the differences to the coupled estimator, in its standard errors (with what its integrator leaves)."""
    scores = []
    for name, settings in PROBLEMS.items():
        for steps in (16, 64):
            made, one = (kind(steps, functions=observed(settings), **settings) for kind in (problem, study))
            rows = one.run(trajectories=number * 16 // steps, seed=1).table.itertuples()
            own = [
                (row.error - answer.error[0]) / math.hypot(row.std_error, row.integrator_residual)
                for row, answer in zip(rows, computed(made), strict=True)
                if not isinstance(answer, str)
            ]
            scores += own
            print(f"{name:22s} 1/{steps:<3d} " + " ".join(f"{z:5.2f}" for z in own), flush=True)
    print(f"{np.sum(np.abs(scores) < 2.0)} of {len(scores)} below 2, at most {np.max(np.abs(scores)):.2f}")


LOSSES = [ns.quadratic(0.9), ns.log_cosh(1.0), WELL, ns.sine_quadratic(1.0, 0.5, 2.0)]
LAWS = [None, SKEWED, ns.rademacher(), ns.uniform(), svag_law(SKEWED, 2.0)]


def drawn(random):
    """Return a random Problem and what it is called."""
    loss, moves, law = random.integers(4), random.random() < 0.5, random.integers(5)
    steps, is_adam = int(2 ** random.integers(4, 8)), random.random() < 0.4
    numbers = dict(sigma0=random.uniform(0.4, 1.2), c2=random.uniform(0.5, 3.0), eps0=float(random.choice([0.0, 0.2])))
    amplitude, theta, u = random.uniform(0.0, 1.5), random.uniform(-1.5, 1.5), random.uniform(0.4, 2.5)
    horizon, m, c1 = (
        1.0 if is_adam else float(random.integers(1, 3)),
        random.uniform(-1.0, 1.0),
        random.uniform(1.0, 4.0),
    )
    optimizer = ns.adam(c1=c1, **numbers) if is_adam else ns.rmsprop(**numbers)
    start = dict(theta=theta, u=u, **(dict(m=m) if is_adam else {}))
    settings = dict(optimizer=optimizer, covariance=sine(amplitude) if moves else 1.0, law=LAWS[law], horizon=horizon)
    begin = 0.5 if is_adam else 0.0
    made = problem(steps, LOSSES[loss], SEVEN, times=[begin + 0.5 * horizon, begin + horizon], **settings, **start)
    return (
        made,
        f"{optimizer.name}, {LOSSES[loss].name}, {'moving' if moves else 'constant'} Sigma, {made.law.name}, 1/{steps}",
    )


def calibration(count=60, seed=0):
    """Print how many errors move by more than `numerical`, and how many problems are refused."""
    random, ratios, refused = np.random.default_rng(seed), [], 0
    for _ in range(count):
        made, name = drawn(random)
        try:
            low = computed(made)
        except Unserved as why:
            low = [str(why)]
        if isinstance(low[0], str):
            refused += 1
            print(f"{name}: {low[0]}", flush=True)
            continue
        finer = _finer(made)
        if finer is None:
            print(f"{name}: no finer size is stable", flush=True)
            continue
        ratio = max(np.max(np.abs(a.error - e) / a.of_error) for a, e in zip(low, finer, strict=True))
        ratios += [np.abs(a.error - e) / a.of_error for a, e in zip(low, finer, strict=True)]
        print(f"{name}: at most {ratio:.2f} of numerical", flush=True)
    each = np.concatenate(ratios)
    print(
        f"{len(each)} errors; beyond numerical {np.mean(each > 1.0):.2%}, beyond 3 times {np.mean(each > 3.0):.2%}",
        end="",
    )
    print(f", at most {each.max():.2f} times; refused {refused} of {count} problems")


def _finer(made):
    """Return the errors at a size finer than all that an answer comes from; None where it is not stable."""
    terms, _ = transport_answer._expanded(made, range(len(made.test_functions)))
    ladder = transport_answer._Ladder(made, [each.sde for each in made.opponents], terms)
    means = ladder._at(transport_answer.LEVELS[-1] + 1)
    if any(each is None for each in means.values()):
        return None
    extrapolated = [transport_answer._extrapolated(each) for each in means.values()]
    return [optimizer - sde for optimizer, sde, _ in extrapolated]


if __name__ == "__main__":
    what, *numbers = sys.argv[1:] or ["problems"]
    kinds = {each.__name__: each for each in (constants, trajectories, calibration)}
    {"problems": table, **kinds}[what](*map(int, numbers))
