"""How far is the engine from the limit? RMSprop, d = 1, beside `limit.cpp`: the same steps by hand in AVX-512.

    taskset -c 0 python benchmarks/limit.py

One thread; medians of 7 rounds, interleaved. Both run the same trajectories, bit for bit: their means of theta
are compared first. Needs g++ or clang++ and a processor with AVX-512.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import peers
from throughput import ROUNDS, ours, rules, timed

from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.program import CHUNK

TRAJECTORIES = 32 * CHUNK


def hand_written(precision, inputs, directory):
    """Compile limit.cpp for one precision; return a run: ns a step, and the mean of theta."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None or "avx512dq" not in Path("/proc/cpuinfo").read_text():
        sys.exit("limit.py needs a C++ compiler and a processor with AVX-512")
    (numbers,) = inputs.processes
    c0, c1, c2, c3, _ = numbers.table[0, 0].tolist()
    real = {
        "C0": c0,
        "C1": c1,
        "C2": c2,
        "C3": c3,
        "HESSIAN": peers.HESSIAN,
        "SIGMA0": peers.SIGMA0,
        "EPS0": peers.EPS0,
    }
    real |= {"THETA": float(numbers.start[0, 0]), "U": float(numbers.start[0, 1])}
    whole = {
        "MIX": int(precision == "mix"),
        "KEY": f"{inputs.key}ull",
        "STEPS": peers.STEPS,
        "TRAJECTORIES": TRAJECTORIES,
    }
    defines = [f"-D{name}={value}" for name, value in (real | whole).items()]
    target = directory / f"limit_{precision}"
    source = Path(__file__).with_name("limit.cpp")
    subprocess.run([compiler, "-O3", "-march=native", "-ffp-contract=off", *defines, source, "-o", target], check=True)

    def run():
        return [float(each) for each in subprocess.run([target], capture_output=True, check=True).stdout.split()]

    return run


def main():
    """Print one line a precision."""
    with tempfile.TemporaryDirectory() as directory:
        for precision in ("mix", "f64"):
            program, inputs = rules(1)["rmsprop"]
            by_hand = hand_written(precision, inputs, Path(directory))
            run, steps = ours(program, inputs, precision)
            _, limit_mean = by_hand()
            mean = (
                cpu.Kernel(program, inputs, precision).chunks(0, TRAJECTORIES // CHUNK).sums[..., 0].sum()
                / TRAJECTORIES
            )
            if abs(mean - limit_mean) > 1e-12:
                sys.exit(f"{precision}: the engine's mean of theta is {mean!r}, limit.cpp's {limit_mean!r}")
            rounds = [(timed(run) / steps * 1e9, by_hand()[0]) for _ in range(ROUNDS)]
            engine, limit = (statistics.median(each) for each in zip(*rounds, strict=True))
            print(f"{precision}: engine {engine:.3f} ns a step, by hand {limit:.3f}, ratio {engine / limit:.2f}")


if __name__ == "__main__":
    main()
