"""A study on a cluster by dask; of two local workers one is killed on the way, and not a bit is lost.

    python examples/cluster.py [trajectories [seconds until one is killed]]

A real cluster differs in one line: docs/cluster.md.
"""

import os
import signal
import sys
import threading
import time

import ngos_sim as ns


def study():
    """Return RMSprop against its SDE at three step sizes."""
    return ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic([0.9, 2.0])),
        ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        eta2=[2**-4, 2**-5, 2**-6],
        test_functions=["theta[0]", "sqnorm(theta)"],
    )


def main(trajectories=1_000_000, after=3.0):
    """Run the study on two workers, one of which dies after some seconds, and in this process."""
    try:
        from dask.distributed import Client, LocalCluster
    except ImportError:
        print("dask is not installed: pip install ngos-sim[cluster]")
        return
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        victim = next(iter(client.run(os.getpid).values()))
        killer = threading.Timer(after, os.kill, (victim, signal.SIGKILL))
        killer.start()
        begin = time.perf_counter()
        result = study().run(trajectories, executor=client.get_executor())
        seconds, was_early = time.perf_counter() - begin, killer.is_alive()
        killer.cancel()
    print(result.order()[["sde", "test_function", "norm", "order", "std_error", "verdict"]].to_string(index=False))
    print(f"{seconds:.1f} s on two workers; one of them was killed{' only afterwards' if was_early else ' on the way'}")
    print("bits are those of one process:", result.table.equals(study().run(trajectories).table))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *map(float, sys.argv[2:3]))
