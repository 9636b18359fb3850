"""Are the normals normal, and independent? Exact moments over all words; a sample's law and correlations.

    python benchmarks/normals.py

moments: E z, z^2, z^4, z^6 by enumeration, for the cosine and the sine (lattice.py), less 0, 1, 3, 15, as a
fraction of them. sample: 2^30 draws of 128 trajectories at a time, 8 coordinates a step; chi^2 on bins of 1/256, its
p-value, and Kolmogorov and Smirnov's at their edges; correlations of neighbours, of z and of z^2, in standard errors.
"""

import math
import time

import lattice
import numpy as np
import pandas as pd
from numba import njit
from scipy.special import ndtr
from scipy.stats import chi2, kstwobign

from ngos_sim.engines import rng
from ngos_sim.engines.compiling.bind import bound
from ngos_sim.engines.compiling.primitives import prefer_wide

DRAWS, LANES, COORDINATES, BLOCKS = 512, 128, 8, 2**30 // (512 * 128)
EDGE, BINS = 7, 256  # the largest |z| is 6.76; bins a unit
KEYS = [rng.point_key(1, eta2, 1.0, 2) for eta2 in (2.0**-4, 2.0**-5)]
NORMALS = {"f64": rng.normals, "f32": rng.normals32}


def filler(normals):
    """Return a function that writes draws 0 .. of lanes trajectory .. as a kernel does, draw by draw."""

    @njit(error_model="numpy")
    def fill(out, key, stream, trajectory):
        prefer_wide()
        k0, k1 = key & np.uint64(0xFFFFFFFF), key >> np.uint64(32)
        for counter in range(np.uint64(DRAWS // 4)):
            for lane in range(np.uint64(LANES)):
                at = trajectory + lane
                four = normals(counter, stream, at & np.uint64(0xFFFFFFFF), at >> np.uint64(32), k0, k1)
                out[counter * np.uint64(4), lane] = four[0]
                out[counter * np.uint64(4) + np.uint64(1), lane] = four[1]
                out[counter * np.uint64(4) + np.uint64(2), lane] = four[2]
                out[counter * np.uint64(4) + np.uint64(3), lane] = four[3]

    return fill


@njit(error_model="numpy")
def count(z, counts):
    """Add draws to a histogram."""
    for value in z.flat:
        counts[int((value + EDGE) * BINS)] += 1


def exact():
    """Return a row a transform and component: how far each moment is off."""
    rows = []
    for kind in lattice.KINDS:
        found = lattice.moments(kind)
        for component, values in zip(("cosine", "sine"), found.values, strict=True):
            off = [values[0], *(values[1:] / np.array(lattice.NORMAL[1:]) - 1.0)]
            error = found.std_errors[:, -1].max() / lattice.NORMAL[-1]
            names = [f"E z^{power}" for power in lattice.POWERS]
            rows.append({"": f"{kind} {component}", **dict(zip(names, off, strict=True)), "SE of E z^6": error})
    return pd.DataFrame(rows)


def law(counts):
    """Return p-values of chi^2 and of Kolmogorov and Smirnov for a histogram."""
    total, cdf = counts.sum(), ndtr(np.arange(-EDGE * BINS, EDGE * BINS + 1) / BINS)
    distance = np.abs(np.cumsum(counts) / total - cdf[1:]).max()
    expected = np.diff(cdf) * total
    inner = np.flatnonzero(expected >= 20.0)
    cuts = [0, *inner[1:]]  # the tails join the outermost of them
    found, wanted = np.add.reduceat(counts, cuts), np.add.reduceat(expected, cuts)
    found[-1], wanted[-1] = counts[inner[-1] :].sum(), expected[inner[-1] :].sum()
    return chi2.sf(np.sum((found - wanted) ** 2 / wanted), len(cuts) - 1), kstwobign.sf(distance * math.sqrt(total))


def pairs(own, other_stream, other_point):
    """Return the neighbours whose correlations are measured, by name."""
    return {
        "lanes": (own[:, :-1], own[:, 1:]),
        "coordinates": (own[:-1], own[1:]),
        "steps": (own[:-COORDINATES], own[COORDINATES:]),
        "streams": (own, other_stream),
        "points": (own, other_point),
    }


def sample(kind):
    """Return a row a precision: p-values of the law; correlations in standard errors."""
    fill = filler(bound(NORMALS[kind], "mix", "cpu"))
    blocks = np.empty((3, DRAWS, LANES), dtype=np.float64 if kind == "f64" else np.float32)
    counts, sums = np.zeros(2 * EDGE * BINS, dtype=np.int64), {}
    for block in range(BLOCKS):
        for out, key, stream in zip(blocks, (0, 0, 1), (rng.BROWNIAN, rng.EXTRA, rng.BROWNIAN), strict=True):
            fill(out, np.uint64(KEYS[key]), np.uint64(stream), np.uint64(block * LANES))
        count(blocks[0], counts)
        z = blocks.astype(np.float64)
        for name, values in (("z", z), ("z^2", (z * z - 1.0) / math.sqrt(2.0))):
            for neighbours, (first, second) in pairs(*values).items():
                entry = sums.setdefault(f"{name} {neighbours}", [0.0, 0])
                entry[0] += np.einsum("ij,ij", first, second)
                entry[1] += first.size
    p = dict(zip(("p chi^2", "p KS"), law(counts), strict=True))
    return {"": kind, **p, **{name: total / math.sqrt(n) for name, (total, n) in sums.items()}}


def main():
    """Print the exact moments and the sample's verdicts."""
    begin, draws = time.perf_counter(), BLOCKS * DRAWS * LANES
    print(exact().to_string(index=False, float_format="{:.2g}".format))
    print(f"\n{draws:.3g} draws; a correlation's SE is {1.0 / math.sqrt(draws):.1g}")
    table = pd.DataFrame([sample(kind) for kind in NORMALS]).set_index("").T
    print(table.to_string(float_format="{:.2f}".format))
    print(f"{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
