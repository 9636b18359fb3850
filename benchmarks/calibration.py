"""Do the intervals tell the truth? Coverage over 2,000 seeds, false verdicts, and how wrong an SDE is caught.

python benchmarks/calibration.py [--json]

Real runs, a seed each. The truth of an error is one local run of 400 times as many trajectories, or the closed form
of closed_forms.py; that of a constant is predicted by theory; that of an order is 1. A markdown table,
or one JSON array.
"""

import argparse
import itertools
import json
import math

import closed_forms
import numpy as np
import recursions
from tqdm import tqdm

import ngos_sim as ns
from ngos_sim.statistics import order
from ngos_sim.statistics.chunks import normal_quantile
from ngos_sim.studies.prediction import Predictions
from ngos_sim.studies.series import at_norm, groups, total_std_error
from ngos_sim.studies.series import fitted as series_fit

SEEDS, POWER_SEEDS = 2000, 400
FEW, MANY = 4096, 65_536  # trajectories a seed: bands are by Sidak below 65,536, by groups of chunks from there on
ONE = 1024  # those of the power curve
LONG = 400  # times as many
ROUNDING = 1e-9  # of an error: a first step, the same for all trajectories, has a standard error of 0
DELTAS, BISECTIONS, CAUGHT = (0.001, 0.003, 0.01, 0.03, 0.1), 3, 0.99
COARSE, FINE, WIDE, COARSEST = ([2.0**-k for k in range(*ends)] for ends in ((3, 7), (4, 9), (3, 8), (2, 7)))
QUARTERS = [0.25, 0.5, 0.75, 1.0]
FUNCTIONS = ["theta[0]", "theta[0]^2", "theta[0]*u[0]", "u[0]^2"]
RIGHT = ns.rmsprop_sde()
right_diffusion = RIGHT.diffusion


def rmsprop(**changes):
    """P2 of docs/theory.md, "Reference problems": RMSprop on a quadratic loss, Gaussian noise."""
    settings = dict(sde=RIGHT, eta2=FINE, times=QUARTERS, test_functions=FUNCTIONS, estimator="local")
    settings |= dict(initial=dict(theta=1.2, u=1.0), horizon=1.0) | changes
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9)), ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3), **settings)


def adam(**changes):
    """Problem P4: Adam from t0 = 0.5, whose errors are resolved five times less well."""
    rule, start = ns.adam(sigma0=0.8, eps0=0.1, c1=2.0, c2=1.3), dict(theta=1.2, m=-0.4, u=1.4, t0=0.5)
    settings = dict(eta2=FINE, times=[1.0, 1.5], test_functions=["theta[0]", "theta[0]^2"], estimator="local")
    settings |= dict(sde=ns.adam_sde(), initial=start, horizon=1.5) | changes
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9)), rule, **settings)


def scaled(x, o, c, p):
    theta, u = right_diffusion(x, o, c, p)
    return (1.0 + p.delta) * theta, u


def tables(what, study, trajectories, seeds):
    """Yield the table of each seed."""
    for seed in tqdm(range(seeds), desc=what, leave=False):
        yield study.run(trajectories, seed=seed).table


def row(question, study, trajectories, seeds, nominal, hits):
    """Return a row: the share of hits, shape (seeds, series), and the series with the least and the greatest."""
    each = np.mean(hits, axis=0, dtype=np.float64)
    found = {"share": each.mean(), "lowest": each.min(), "highest": each.max()}
    counts = {"trajectories": trajectories, "seeds": seeds, "series": each.size}
    found = {name: round(float(share), 5) for name, share in found.items()}
    return {"question": question, "study": study, **counts, "nominal": nominal, **found}


def of_errors(what, truth, trajectories, kept, band):
    """Return the rows of the intervals of single errors and of the bands over all times."""
    true = truth.error.to_numpy()
    slack = ROUNDING * np.abs(true)
    inside = np.array([((t.ci_low - slack < true) & (true < t.ci_high + slack)).to_numpy() for t in kept])
    series = [at.to_numpy() for at in truth.reset_index(drop=True).groupby(["eta2", "test_function"]).groups.values()]
    within = np.array([((t.band_low - slack < true) & (true < t.band_high + slack)).to_numpy() for t in kept])
    whole = np.stack([within[:, at].all(axis=1) for at in series], axis=1)
    promise = ">= 0.95" if band == "Sidak" else "0.95"  # Sidak's inequality gives a bound
    return [
        row("95 % interval of an error", what, trajectories, len(kept), "0.95", inside),
        row(f"95 % band, all times at once, {band}", what, trajectories, len(kept), promise, whole),
    ]


def fitted(study, table, norm, constants):
    """Return (fit, predicted constant) of each series at the time of a norm; constants are kept by series and time."""
    series, found = list(groups(table)), []
    for keys, group in series:
        at = at_norm(group, norm)
        key = (keys["test_function"], at.time.iloc[-1])
        if key not in constants:
            constants[key] = Predictions(study).of(keys, at).first
        found.append((series_fit(at, norm, series=len(series))[0], constants[key]))
    return found


def of_fits(what, study, trajectories, kept):
    """Return the rows of constants and orders, at the last time and of norm max, and of false verdicts."""
    constants, half, rows, counts = {}, normal_quantile(0.95), [], (what, trajectories, len(kept))
    for norm, promise, name in (("final", "0.95", "at the last time"), ("max", ">= 0.95", "norm max")):
        fits = [fitted(study, table, norm, constants) for table in tqdm(kept, desc=f"{what}, fits", leave=False)]
        near = [[abs(fit.constant - true) < half * fit.constant_std_error for fit, true in each] for each in fits]
        ordered = np.isfinite([[fit.order for fit, _ in each] for each in fits]).all(axis=0)  # else too few resolved
        held = np.array([[fit.ci_low < 1.0 < fit.ci_high for fit, _ in each] for each in fits])[:, ordered]
        fails = [[any(fit.verdict().startswith("fails") for fit, _ in each)] for each in fits]
        rows.append(row(f"95 % interval of a constant, {name}", *counts, promise, near))
        rows.append(row(f"95 % interval of an order, {name}", *counts, promise, held))
        rows.append(row(f"right SDE, some verdict fails, {name}", *counts, "<= 0.01", fails))
    return rows


def coarse(first):
    """Problem P2 with a slower u from a first step of horizon / first on, as coarse as its beta allows."""
    rule, eta2 = ns.rmsprop(sigma0=0.8, eps0=0.0, c2=0.8), [2.0**-k / first for k in range(6)]
    settings = dict(initial=dict(theta=1.2, u=1.0), times=[1.0], test_functions=FUNCTIONS, estimator="local")
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9)), rule, sde=RIGHT, eta2=eta2, **settings)


def coverage():
    """Return the rows of all intervals."""
    found = []
    for first, trajectories in itertools.product((1, 2, 4, 16), (ONE, MANY)):
        what, study = f"RMSprop, first point of {first} steps", coarse(first)
        found += of_fits(what, study, trajectories, list(tables(what, study, trajectories, SEEDS)))
    for what, study, trajectories, fits in (
        ("RMSprop, local", rmsprop(), FEW, True),
        ("Adam, local", adam(), FEW, True),
        ("RMSprop, coupled", rmsprop(eta2=COARSE, estimator="coupled"), FEW, False),
        ("RMSprop, local", rmsprop(eta2=2.0**-4, times="all"), MANY, False),
        ("RMSprop, coupled", rmsprop(eta2=2.0**-4, times="all", estimator="coupled"), MANY, False),
    ):
        exact = study if study.estimator == "local" else rmsprop(eta2=study.eta2, times=study.times)
        truth = exact.run(LONG * trajectories, seed=SEEDS).table
        kept = list(tables(what, study, trajectories, SEEDS))
        found += of_errors(what, truth, trajectories, kept, "Sidak" if trajectories < MANY else "groups")
        found += of_fits(what, study, trajectories, kept) if fits else []
    return found


def integrated():
    """Return the rows of coupled intervals at each step, from where what the integrator leaves rules down.

    Beside the same intervals without it.
    """
    halves, found = dict(eta2=COARSEST, times=[0.5, 1.0]), []
    studies = {f"{name}, coupled": closed_forms.study(name, **halves) for name in closed_forms.NAMES}
    truths = {what: closed_forms.errors(study) for what, study in studies.items()}
    for what, make, changes in (("RMSprop", rmsprop, halves), ("Adam", adam, dict(eta2=COARSEST))):
        studies[f"{what}, coupled"] = make(**changes, estimator="coupled")
        truths[f"{what}, coupled"] = make(**changes).run(LONG * FEW, seed=SEEDS).table.error.to_numpy()
    for (what, study), trajectories in itertools.product(studies.items(), (FEW, MANY)):
        true, kept = truths[what], list(tables(what, study, trajectories, SEEDS))
        for name, spread in (("with", total_std_error), ("without", lambda table: table.std_error)):
            inside = np.array([(np.abs(t.error - true) <= normal_quantile(0.95) * spread(t)).to_numpy() for t in kept])
            for h in COARSEST:
                question = f"95 % interval of an error, {name} integrator_residual, eta2 = 1/{1.0 / h:g}"
                hits = inside[:, kept[0].eta2 == h]
                found.append(row(question, what, trajectories, SEEDS, ">= 0.95" if name == "with" else "-", hits))
    return found


def exact():
    """Return the rows of orders that a few exact errors have, first points of 4 to 16 steps a factor 2 apart."""
    found = []
    for points, name in itertools.product((3, 4, 5, 6), recursions.PROBLEMS):
        rng, hits = np.random.default_rng(points), []
        for _ in tqdm(range(POWER_SEEDS), desc=f"{name}, {points} points", leave=False):
            drawn = []
            for first in (4, 8, 16):
                steps = first * 2 ** np.arange(points)
                error, p = recursions.errors(name, rng, steps)
                fit = order.fit(1.0 / steps, error, np.full(points, recursions.ROUNDING))
                drawn.append(fit.ci_low < p < fit.ci_high)
            hits.append(drawn)
        question = f"95 % interval of an order, {points} exact errors"
        found.append(row(question, f"{name}, recursions", "-", POWER_SEEDS, ">= 0.95", np.array(hits)))
    return found


def wrong(delta, estimator):
    """Return P2 from theta = 0 against an SDE whose diffusion is 1 + delta times the right one: E theta^2 is off."""
    pivot = {"pivot": RIGHT} if estimator == "local" else {}
    sde = ns.SDE("scaled", RIGHT.drift, scaled, RIGHT.slots, RIGHT.schedule, delta=delta, **pivot)
    settings = dict(initial=dict(theta=0.0, u=1.0), times=[1.0], test_functions=["theta[0]^2"], estimator=estimator)
    return rmsprop(sde=sde, eta2=WIDE, **settings)


def verdicts(delta, estimator):
    """Return the verdict of each seed on an SDE whose diffusion is 1 + delta times the right one."""
    what, found = f"RMSprop, {estimator}", []
    for table in tables(f"{what}, delta {delta:.2g}", wrong(delta, estimator), ONE, POWER_SEEDS):
        found.append(order.fit(table.h, table.error, total_std_error(table)).verdict())
    return found


def power(estimator):
    """Return the rows of wrong SDEs: caught, called consistent, and the least delta caught 99 % of the time."""
    what, caught, rows = f"RMSprop, {estimator}", {}, []

    def share(delta):
        said = verdicts(delta, estimator)
        counts = (what, ONE, POWER_SEEDS, "-")
        fails = np.array([[one.startswith("fails")] for one in said])
        agrees = np.array([[one.startswith("consistent")] for one in said])
        caught[delta] = float(fails.mean())
        return [
            row(f"diffusion times {1.0 + delta:.4g}: caught", *counts, fails),
            row(f"diffusion times {1.0 + delta:.4g}: called consistent", *counts, agrees),
        ]

    for delta in (0.0, *DELTAS):
        rows += share(delta)
    while caught[least := min(filter(None, caught))] >= CAUGHT:
        rows += share(least / 3.0)
    for _ in range(BISECTIONS):
        share(math.sqrt(math.prod(_bracket(caught))))
    low, high = _bracket(caught)
    part = (CAUGHT - caught[low]) / (caught[high] - caught[low])
    least = math.exp((1.0 - part) * math.log(low) + part * math.log(high))
    question = f"the least delta, diffusion times 1 + delta, caught {100 * CAUGHT:.0f} % of the time"
    return [*rows, row(question, what, ONE, POWER_SEEDS, "-", np.array([[least]]))]


def _bracket(caught):
    """Return the greatest positive delta caught too rarely and the next one, by the shares found."""
    deltas = sorted(delta for delta in caught if delta)
    low = max(delta for delta in deltas if caught[delta] < CAUGHT)
    return low, min(delta for delta in deltas if delta > low)


def markdown(rows):
    """Return the table: a line a question, a column a study; the share over all series, the least and the greatest."""
    studies = list(dict.fromkeys(each["study"] for each in rows))
    lines = {}
    for each in rows:
        key = (each["question"], each["nominal"], each["trajectories"], each["seeds"])
        spread = f" ({each['lowest']:.3g} to {each['highest']:.3g})" if each["series"] > 1 else ""
        lines.setdefault(key, {})[each["study"]] = f"{each['share']:.3g}{spread}"
    table = [["question", "nominal", "trajectories", "seeds", *studies], ["---"] * (4 + len(studies))]
    table += [[*map(str, key), *(cells.get(study, "") for study in studies)] for key, cells in lines.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in table)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print a JSON array instead of the table")
    arguments = parser.parse_args()
    rows = [*exact(), *coverage(), *integrated(), *power("local"), *power("coupled")]
    print(json.dumps(rows, indent=1) if arguments.json else markdown(rows))


if __name__ == "__main__":
    main()
