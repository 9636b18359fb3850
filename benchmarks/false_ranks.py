"""How often does a ranking call the wrong SDE closer? Ties, and a true order, over many seeds.

python benchmarks/false_ranks.py [seeds]

Two ties, exact at every h: errors that are opposite (their sum is 0) and errors that are equal (their difference is 0);
whatever is called closer there is wrong. And Malladi's against Compagnoni's SDE on P1 of docs/theory.md, "Reference
problems", where the truth is known. The share of runs with any wrong row is to be at most 5 %. A markdown table.
"""

import math
import sys

import ngos_sim as ns

SLOPE, SIGMA0, C2 = 0.7, 0.8, 1.3
STEPS = [2.0**-3, 2.0**-4, 2.0**-5, 2.0**-6]
COMPAGNONI, AS_FAR = 1.0, 2.0


def squared_gradient(name, times):
    """Return Malladi's SDE with `times` as much of Compagnoni's term as gives the optimizer's E u at time 1.

    The optimizer has E u - 1 = h (f' / sigma0)^2 (1 - (1 - c2 h)^(1/h)), Compagnoni's SDE exp(-c2) in the place of the
    power. With 2 the error in E u is the opposite of Malladi's.
    """

    def schedule(t, p):
        return (times * (1.0 - (1.0 - C2 * p.h) ** (1.0 / p.h)) / -math.expm1(-C2),)

    def drift(x, o, c, p):
        expected = o.variance + c[0] * p.h * o.gradient**2 / p.sigma0**2
        return -o.gradient * ns.preconditioner(x[1], p.sigma0, p.eps0), p.c2 * (expected - x[1])

    def diffusion(x, o, c, p):
        return -p.sigma0 * ns.preconditioner(x[1], p.sigma0, p.eps0), 0.0

    return ns.SDE(name, drift, diffusion, ("theta", "u"), schedule)


def p1(other, functions):
    return ns.ConvergenceStudy(
        ns.NGOS(ns.linear(SLOPE)),
        ns.rmsprop(sigma0=SIGMA0, eps0=0.0, c2=C2),
        sde=[ns.rmsprop_sde(), squared_gradient("other", other)],
        initial=dict(theta=0.0, u=1.0),
        eta2=STEPS,
        times=[1.0],
        test_functions=functions,
        estimator="coupled",
    )


def step(x, o, z, c, p):
    return (x[0] - math.sqrt(p.h) * p.sigma0 * z,)


def brownian(name, scale):
    """Return d theta = scale sigma0 dW."""
    return ns.SDE(name, lambda x, o, c, p: (0.0,), lambda x, o, c, p: (p.scale * p.sigma0,), ("theta",), scale=scale)


def mirrored():
    """Return a study of a random walk against 1.1 W and -1.1 W, which are one in law and not on a trajectory."""
    rule, sdes = ns.Optimizer("walk", step, ("theta",), sigma0=SIGMA0), [brownian("a", 1.1), brownian("b", -1.1)]
    settings = dict(initial=dict(theta=1.0), eta2=STEPS, times=[1.0], estimator="coupled")
    return ns.ConvergenceStudy(ns.NGOS(ns.linear(0.0)), rule, sde=sdes, test_functions=["theta[0]^2"], **settings)


TRUTH = {"theta[0]": "rmsprop", "theta[0]^2": "rmsprop", "u[0]": "other"}  # at each of STEPS
CASES = {
    "a tie: opposite errors": (p1(AS_FAR, ["u[0]"]), {}),
    "a tie: equal errors": (mirrored(), {}),
    "Malladi's or Compagnoni's": (p1(COMPAGNONI, list(TRUTH)), TRUTH),
}


def main(seeds):
    print("| case | trajectories | seeds | runs with a wrong row | rows resolved |\n|---|---|---|---|---|")
    for name, (study, truth) in CASES.items():
        for trajectories in (4096, 16_384):
            tables = [study.run(trajectories, seed=seed).compared for seed in range(seeds)]
            right = [table.test_function.map(truth) for table in tables]
            wrong = [(table.resolved & (table.closer != each)).any() for table, each in zip(tables, right, strict=True)]
            said = sum(table.resolved.mean() for table in tables) / seeds
            print(f"| {name} | {trajectories} | {seeds} | {sum(wrong) / seeds:.3f} | {said:.3f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
