"""How long is the first result away? A study's first run with an empty compilation cache, and in the next process.

python benchmarks/first_call.py
"""

import os
import subprocess
import sys
import tempfile

CODE = """
import time
start = time.perf_counter()
import ngos_sim as ns
imported = time.perf_counter()
study = ns.ConvergenceStudy(
    ns.NGOS(ns.quadratic(0.9)), ns.rmsprop(0.8, 0.1, {c2}), sde=ns.rmsprop_sde(), initial=dict(theta=1.2, u=1.0),
    eta2=0.125, horizon=1.0, test_functions=["theta[0]"])
study.run({trajectories})
first = time.perf_counter()
study.run({trajectories})
again = time.perf_counter()
print(f"import {{imported - start:.2f}} s, first run {{first - imported:.2f}} s, again {{again - first:.3f}} s")
"""


def main():
    with tempfile.TemporaryDirectory() as cache:
        env = {**os.environ, "NUMBA_CACHE_DIR": cache}
        for what, c2 in (("empty cache", 1.3), ("next process", 1.3), ("another number", 1.4)):
            command = [sys.executable, "-c", CODE.format(c2=c2, trajectories=1024)]
            found = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.strip()
            print(f"{what:<16}{found}")


if __name__ == "__main__":
    main()
