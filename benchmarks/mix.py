"""What does float32 noise cost? The weak bias of "mix" against "f64" on the same bits, with its standard error.

    python benchmarks/mix.py [--trajectories 131072]

RMSprop and Adam on a quadratic loss, 10 units of time from theta = 1.2: 1000 steps at beta2 = .99, 10000 at .999.
SD is that of a trajectory's difference; the bias is relative to the larger of 1 and the mean.
"""

import argparse
import math
import time

import alone
import numpy as np
import pandas as pd
import precision

import ngos_sim as ns
from ngos_sim.engines.program import BLOCK

COSINE = ns.TestFunction("cos theta", lambda x: math.cos(x[0]), coordinate=0)
FUNCTIONS = ["theta[0]", "theta[0]^2", "u[0]", COSINE]
CONSTANTS = {"sigma0": 0.8, "eps0": 0.1, "c2": 1.0}
RULES = {"rmsprop": ns.rmsprop(**CONSTANTS), "adam": ns.adam(c1=2.0, **CONSTANTS)}
START = {"rmsprop": [1.2, 1.4], "adam": [1.2, -0.4, 1.4]}


def rows(name, eta2, trajectories):
    """Return a row a test function."""
    steps = round(10.0 / eta2)
    built = alone.program(RULES[name], START[name], eta2, steps, FUNCTIONS, t0=0.25)
    difference, wanted = precision.differences(*built, trajectories // BLOCK)
    for function, off, values in zip(FUNCTIONS, difference, wanted, strict=True):
        yield {
            "rule": name,
            "beta2": 1.0 - eta2,
            "steps": steps,
            "test function": getattr(function, "name", function),
            "mean": values.mean(),
            "bias of mix": off.mean() / max(1.0, abs(values.mean())),
            "SE": off.std(ddof=1) / math.sqrt(off.size),
            "SD": off.std(ddof=1),
            "largest": np.abs(off).max(),
        }


def main():
    """Print one line a test function, and the largest bias."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--trajectories", type=int, default=131072)
    trajectories, begin = parser.parse_args().trajectories, time.perf_counter()
    table = pd.DataFrame([row for eta2 in (0.01, 0.001) for name in RULES for row in rows(name, eta2, trajectories)])
    print(table.to_string(index=False, float_format="{:.3g}".format))
    worst = table["bias of mix"].abs().idxmax()
    bias, error = table.loc[worst, ["bias of mix", "SE"]]
    seconds = time.perf_counter() - begin
    print(f"{trajectories} trajectories, {seconds:.0f} s; the largest bias is {bias:.2g} (SE {error:.1g})")


if __name__ == "__main__":
    main()
