"""Do the intervals tell the truth? Coverage over 2,000 seeds, false verdicts, and how wrong an SDE is caught.

python benchmarks/calibration.py [--json]

Real runs, blocks of long ones (blocks.py); of 65,536 trajectories, where orders and constants are asked for, normal
draws like a hundred of them, and beside these the hundred. The truth of an error is one local run of 127 blocks of
65,536 trajectories, or the closed form of closed_forms.py; that of a constant is predicted by theory; that of an order
is 1. A markdown table, or one JSON array.
"""

import argparse
import itertools
import json
import math

import blocks
import closed_forms
import numpy as np
import recursions
from tqdm import tqdm

import ngos_sim as ns
from ngos_sim.statistics import order
from ngos_sim.statistics.chunks import normal_quantile
from ngos_sim.studies.prediction import Predictions
from ngos_sim.studies.series import at_norm, groups
from ngos_sim.studies.series import fitted as series_fit

SEEDS, POWER_SEEDS = 2000, 400
FEW, MANY = 4096, 65_536  # trajectories a seed
ONE = 1024  # those of the power curve
HELD = 2 * blocks.BLOCKS  # blocks of MANY trajectories of which coverage is asked where it takes real ones
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


def row(question, study, trajectories, seeds, nominal, hits):
    """Return a row: the share of hits, shape (seeds, series), and the series with the least and the greatest."""
    each = np.mean(hits, axis=0, dtype=np.float64)
    found = {"share": each.mean(), "lowest": each.min(), "highest": each.max()}
    counts = {"trajectories": trajectories, "seeds": seeds, "series": each.size}
    found = {name: round(float(share), 5) for name, share in found.items()}
    return {"question": question, "study": study, **counts, "nominal": nominal, **found}


def inside(runs, true, quantile, spread):
    """Return whether each error +- quantile spread holds the truth, shape (runs, rows of the table)."""
    return np.abs(runs.error - true) < quantile * spread + ROUNDING * np.abs(true)


def of_errors(what, true, trajectories, runs):
    """Return the rows of the intervals of single errors and of the bands over all times."""
    counts = (what, trajectories, len(runs))
    series = runs.table.reset_index(drop=True).groupby(["eta2", "test_function"]).groups.values()
    within = inside(runs, true, runs.band, runs.total)
    whole = np.stack([within[:, at.to_numpy()].all(axis=1) for at in series], axis=1)
    alone = inside(runs, true, normal_quantile(0.95), runs.total)
    return [
        row("95 % interval of an error", *counts, "0.95", alone),
        row("95 % band, all times at once, Sidak", *counts, ">= 0.95", whole),  # Sidak's inequality gives a bound
    ]


def at_the_end(study, runs):
    """Return the fits of every run at the last time, shape (runs, series), and each series' predicted constant."""
    table = runs.table.reset_index(drop=True)
    series, predictions, each, constants = list(groups(table)), Predictions(study), [], []
    for keys, group in series:
        at = at_norm(group, "final")
        used, spacing = at[at.enters], float(at.spacing.iloc[0])
        constants.append(predictions.of(keys, at).first)
        numbers = zip(runs.error[:, used.index], runs.total[:, used.index], strict=True)
        each.append([order.fit(used.h, *one, rows=len(series), spacing=spacing) for one in numbers])
    return list(zip(*each, strict=True)), [constants] * len(runs)


def at_the_largest(study, runs):
    """Return the fits of every run of norm max, and the predicted constants at their times, as `at_the_end`."""
    known, predictions, fits, constants = {}, Predictions(study), [], []
    for table in tqdm(runs.tables(), total=len(runs), leave=False):
        series = [(keys, at_norm(group, "max")) for keys, group in groups(table)]
        for keys, at in series:
            key = (keys["test_function"], at.time.iloc[-1])
            if key not in known:
                known[key] = predictions.of(keys, at).first
        constants.append([known[keys["test_function"], at.time.iloc[-1]] for keys, at in series])
        fits.append([series_fit(at, "max", series=len(series))[0] for _, at in series])
    return fits, constants


def of_fits(what, study, trajectories, runs, norms=("final", "max")):
    """Return the rows of constants and orders, at the last time and of norm max, and of false verdicts."""
    half, rows, counts = normal_quantile(0.95), [], (what, trajectories, len(runs))
    for norm, promise, name, ask in (
        ("final", "0.95", "at the last time", at_the_end),
        ("max", ">= 0.95", "norm max", at_the_largest),
    ):
        if norm not in norms:
            continue
        fits, constants = ask(study, runs)
        true = np.array(constants)
        said = np.array([[(fit.constant, fit.constant_std_error) for fit in each] for each in fits])
        ordered = np.isfinite([[fit.order for fit in each] for each in fits]).all(axis=0)  # else too few resolved
        held = np.array([[fit.ci_low < 1.0 < fit.ci_high for fit in each] for each in fits])[:, ordered]
        fails = [[any(fit.verdict().startswith("fails") for fit in each)] for each in fits]
        near = np.abs(said[..., 0] - true) < half * said[..., 1]
        rows.append(row(f"95 % interval of a constant, {name}", *counts, promise, near))
        if ordered.any():
            rows.append(row(f"95 % interval of an order, {name}", *counts, promise, held))
        rows.append(row(f"right SDE, some verdict fails, {name}", *counts, "<= 0.01", fails))
    return rows


def coarse(first):
    """Problem P2 with a slower u from a first step of horizon / first on, as coarse as its beta allows."""
    rule, eta2 = ns.rmsprop(sigma0=0.8, eps0=0.0, c2=0.8), [2.0**-k / first for k in range(6)]
    settings = dict(initial=dict(theta=1.2, u=1.0), times=[1.0], test_functions=FUNCTIONS, estimator="local")
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9)), rule, sde=RIGHT, eta2=eta2, **settings)


def of_coarse(first, few, many):
    """Return the rows of a first point of so many steps; few, many : Runs of ONE and of MANY trajectories."""
    what, study = f"RMSprop, first point of {first} steps", coarse(first)
    found = of_fits(what, study, ONE, few, ["final"])
    found += of_fits(what, study, MANY, many.drawn(SEEDS), ["final"])
    return found + of_fits(what, study, MANY, many, ["final"])


def coverage():
    """Return the rows of all intervals."""
    found = []
    for first in (1, 2, 4, 16):
        study = coarse(first)
        found += of_coarse(first, blocks.runs(study, ONE, SEEDS), blocks.runs(study, MANY, blocks.BLOCKS))
    for what, study, exact_study, fits in (
        ("RMSprop, local", rmsprop(), rmsprop(), True),
        ("Adam, local", adam(), adam(), True),
        ("RMSprop, coupled", rmsprop(eta2=COARSE, estimator="coupled"), rmsprop(eta2=COARSE), False),
    ):
        true, runs = truth(exact_study), blocks.runs(study, FEW, SEEDS)
        found += of_errors(what, true, FEW, runs)
        found += of_fits(what, study, FEW, runs) if fits else []
    return found


def truth(study):
    """Return the errors of a local study as well as a long run tells them; its seed is that of no other run."""
    return blocks.runs(study, MANY, blocks.BLOCKS, first_seed=SEEDS).mean()


def integrated():
    """Return the rows of coupled intervals at each step, from where what the integrator leaves rules down."""
    halves, found = dict(eta2=COARSEST, times=[0.5, 1.0]), []
    for name in closed_forms.NAMES:
        study = closed_forms.study(name, **halves)
        found += of_integrated(f"{name}, coupled", study, closed_forms.errors(study))
    for name, make, changes in (("RMSprop", rmsprop, halves), ("Adam", adam, dict(eta2=COARSEST))):
        study = make(**changes, estimator="coupled")
        found += of_integrated(f"{name}, coupled", study, truth(make(**changes)))
    return found


def of_integrated(what, study, true):
    """Return the rows of a coupled study, with and without integrator_residual."""
    found = []
    for trajectories, count in ((FEW, SEEDS), (MANY, HELD)):
        found += at_each_step(what, true, trajectories, blocks.runs(study, trajectories, count))
    return found


def at_each_step(what, true, trajectories, runs):
    """Return a row a step, with integrator_residual, and one without."""
    found = []
    for name, spread, promise in (("with", runs.total, ">= 0.95"), ("without", runs.std_error, "-")):
        hits = inside(runs, true, normal_quantile(0.95), spread)
        for h in COARSEST:
            question = f"95 % interval of an error, {name} integrator_residual, eta2 = 1/{1.0 / h:g}"
            found.append(row(question, what, trajectories, len(runs), promise, hits[:, runs.table.eta2 == h]))
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
    runs = blocks.runs(wrong(delta, estimator), ONE, POWER_SEEDS)
    return [order.fit(runs.table.h, *each).verdict() for each in zip(runs.error, runs.total, strict=True)]


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
