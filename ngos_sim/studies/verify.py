"""What `ngos-sim verify` runs: cases, each in a process of its own, as most of their time is compilation."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from ngos_sim import report
from ngos_sim.studies import theorems


def verified(names, out):
    """Run cases of `theorems.CASES`, in their order.

    Parameters
    ----------
    names : sequence of str
    out : Path
        Each case's tables and figures go into a directory of its name in there.

    Yields
    ------
    good : bool
        Whether the case shows what it must.
    text : str
        Its tables and finding.
    """
    processors = len(os.sched_getaffinity(0))
    workers = min(len(names), processors)
    one = partial(_verified, out=out, threads=max(1, processors // workers))
    if workers == 1:
        yield from map(one, names)
        return
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(one, names)


def _verified(name, out, threads):
    case = theorems.CASES[name]
    results = case.run(threads=threads)
    good, finding = case.judge(results)
    lines = [f"{name}: {case.title}"]
    for label, result in results.items():
        directory = out / name / label
        result.save(directory)
        lines += [label] * bool(label) + [report.orders_table(result.order()), f"   {directory / 'errors.png'}"]
    return good, "\n".join([*lines, f"=> {finding}\n"])
