"""How long until 1 % of a weak error is known, by each estimator? RMSprop on P2, E theta, eta^2 = 1/1024.

    taskset -c 0 python benchmarks/work_precision.py [--out work_precision.png]

One thread, compiled before, medians of 3 runs. Each estimator runs at growing numbers of trajectories; what its runs
project for 1 % stands beside it, as variance falls like 1 / trajectories and seconds are some to begin with and some
a trajectory.
"""

import argparse
import statistics
import time
from pathlib import Path

import pandas as pd

import ngos_sim as ns
from ngos_sim.reporting import figures

ETA2, FUNCTION, ROUNDS = 2.0**-10, "theta[0]", 3
CHUNKS = {"local": (1, 4, 16, 64), "control_variate": (1, 8, 64, 256), "coupled": (1, 8, 64), "independent": (1, 8, 64)}


def study(estimator):
    """Return the study of one point."""
    return ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9)),
        ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial={"theta": 1.2, "u": 1.0},
        eta2=[ETA2],
        times=[1.0],
        test_functions=[FUNCTION],
        estimator=estimator,
    )


def measure():
    """Return a row a run: estimator, trajectories, seconds, standard error."""
    rows = []
    for estimator, sizes in CHUNKS.items():
        made = study(estimator)
        made.run(1024, threads=1)
        for chunks in sizes:
            seconds = []
            for _ in range(ROUNDS):
                begin = time.perf_counter()
                row = made.run(1024 * chunks, seed=1, threads=1).table.iloc[0]
                seconds.append(time.perf_counter() - begin)
            median = statistics.median(seconds)
            rows.append(
                {"estimator": estimator, "trajectories": row.trajectories, "seconds": median, "SE": row.std_error}
            )
    return pd.DataFrame(rows)


def projected(table):
    """Return a row an estimator: its last run, and the seconds to a relative standard error of 1 %."""
    grouped = table.groupby("estimator", sort=False)
    first, last = grouped.first(), grouped.last()
    each = (last.seconds - first.seconds) / (last.trajectories - first.trajectories)
    wanted = last.trajectories * (last["relative SE"] / 0.01) ** 2
    return last.assign(**{"seconds for 1 %": last.seconds + each * (wanted - last.trajectories)})


def main():
    """Print the runs and the projections, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", default="work_precision.png")
    out = parser.parse_args().out
    table = measure()
    orders = study("local").run(200_000).order()
    error = abs(orders.predicted_constant.iloc[0]) * ETA2
    table["relative SE"] = table.SE / error
    last = projected(table)
    print(table.to_string(index=False))
    print(f"\n|error| = {error:.4g}, by theory")
    print(last[["trajectories", "relative SE", "seconds", "seconds for 1 %"]].to_string(float_format="{:.3g}".format))

    runs = [
        figures.Runs(
            name=estimator,
            seconds=rows.seconds.to_numpy(),
            precision=rows["relative SE"].to_numpy(),
            projected=last["seconds for 1 %"][estimator],
        )
        for estimator, rows in table.groupby("estimator", sort=False)
    ]
    words = "seconds, one thread (dotted: projected)"
    Path(out).write_bytes(figures.png(lambda axes: figures.work_precision(runs, axes, seconds=words)))


if __name__ == "__main__":
    main()
