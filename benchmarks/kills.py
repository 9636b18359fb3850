"""Is a run that is killed and run again the run that was not? Its table.csv and orders.csv, byte for byte.

    nice python benchmarks/kills.py [--kills 20] [--trajectories 40000000] [--seed 0]

A study runs once to its end, about a minute. Then, so often, it is run anew, killed (SIGKILL) at a random moment of
that time, compilation included, and run again. One line a kill; exit 1 unless all are the same.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDY = """\
[oracle]
loss = {{ kind = "quadratic", hessian = [0.9, 2.0] }}
covariance = 1.0
noise = {{ kind = "gaussian" }}

[optimizer]
kind = "rmsprop"
sigma0 = 0.8
eps0 = 0.1
c2 = 1.3

[initial]
theta = [1.2, 1.2]
u = 1.0

[[sde]]
kind = "rmsprop"

[study]
eta2 = [0.125, 0.0625, 0.03125]
horizon = 1.0
test_functions = ["theta[0]", "sqnorm(theta)"]
trajectories = {trajectories}
"""
COMMAND = [sys.executable, "-c", "from ngos_sim.cli import main; main()", "run", "--quiet"]
TABLES = ("table.csv", "orders.csv")


def started(study, folder):
    """Start a run."""
    return subprocess.Popen([*COMMAND, str(study), "--out", str(folder)])


def files(folder):
    """Return the bytes of its tables."""
    return [(folder / name).read_bytes() for name in TABLES]


def kept(folder):
    """Return how large the store and its log are."""
    return sum(each.stat().st_size for each in folder.glob("chunks.sqlite*"))


def main():
    """Run, kill, run again, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--trajectories", type=int, default=40_000_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    moments, same = random.Random(asked.seed), 0
    with tempfile.TemporaryDirectory() as scratch:
        study = Path(scratch) / "study.toml"
        study.write_text(STUDY.format(trajectories=asked.trajectories), encoding="utf-8")
        begin = time.perf_counter()
        if started(study, Path(scratch) / "whole").wait():
            sys.exit("the run itself fails")
        whole, seconds = files(Path(scratch) / "whole"), time.perf_counter() - begin
        print(f"a run takes {seconds:.1f} s", flush=True)
        killed, number = 0, 0
        while killed < asked.kills:
            number += 1
            folder, moment = Path(scratch) / str(number), moments.uniform(0.0, seconds)
            process = started(study, folder)
            time.sleep(moment)
            process.kill()
            if process.wait() != -signal.SIGKILL:
                print(f"     had ended before {moment:5.1f} s: does not count", flush=True)
                continue
            killed, size = killed + 1, kept(folder)
            again = started(study, folder).wait()
            is_same = again == 0 and files(folder) == whole
            same += is_same
            said = "the same bytes" if is_same else f"NOT THE SAME, exit status {again}"
            print(f"{killed:3}: killed at {moment:5.1f} s, {size:7} bytes kept: {said}", flush=True)
    print(f"{same} of {asked.kills} the same")
    sys.exit(same != asked.kills)


if __name__ == "__main__":
    main()
