"""What `ngos-sim verify` runs: cases, shared out among processes, as most of their time is compilation."""

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
import warnings
from collections import deque
from multiprocessing import connection

from tqdm import tqdm

from ngos_sim.engines import processors
from ngos_sim.errors import NonFiniteError, WorkerLost
from ngos_sim.reporting import html, report
from ngos_sim.reporting.html import Section
from ngos_sim.studies import folder, reported, saved
from ngos_sim.verification import theorems


def verified(names, out):
    """Run cases of `theorems.CASES`, in their order.

    However the caller ends, by an error, a signal or a kill, no process of this outlives it.

    Parameters
    ----------
    names : sequence of str
    out : Path
        Each case's tables and figures go into a directory of its name in there.

    Yields
    ------
    section : html.Section
        Whether the case shows what it must, and what the report of all cases shows of it.
    text : str
        Its tables and finding.

    Raises
    ------
    WorkerLost
        A process died under its case.
    """
    many = processors.available()
    count = min(len(names), many)
    if count == 1:
        yield from (_verified(name, out, many) for name in names)
        return
    with _workers(count, out, many // count) as idle:
        waiting, busy, done = deque(names), {}, {}
        for name in names:
            while name not in done:
                while waiting and idle:
                    one = idle.pop()
                    busy[one] = waiting.popleft()
                    with contextlib.suppress(BrokenPipeError):  # it died; the answer is then an end of file
                        one.send(busy[one])
                for one in connection.wait(list(busy)):
                    case = busy.pop(one)
                    done[case] = _answer(one, case)
                    idle.append(one)
            yield done.pop(name)


def _answer(worker, name):
    """Return what a worker says of a case, or raise what happened there."""
    try:
        answer = worker.recv()
    except (EOFError, ConnectionResetError):
        raise WorkerLost(f"case {name!r}: the process that ran it was killed; was there enough memory?") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


@contextlib.contextmanager
def _workers(count, out, threads):
    """Give the connections of `count` processes that run cases; they are killed at the end."""
    context, started, ends = multiprocessing.get_context("spawn"), [], []
    handler = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what they inherit: Ctrl-C reaches them too, without a traceback
        for _ in range(count):
            own, other = context.Pipe()
            one = context.Process(target=_work, args=(other, out, threads), daemon=True)
            one.start()
            other.close()  # so that its death ends the file
            started.append(one)
            ends.append(own)
        signal.signal(signal.SIGINT, handler)
        yield list(ends)
    finally:
        signal.signal(signal.SIGINT, handler)
        for one in started:
            one.kill()
        for one in started:
            one.join()


def _work(parent, out, threads):
    """Answer names of cases with what `_verified` returns, or the exception; in a process of its own."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tqdm.set_lock(threading.RLock())  # its own is a semaphore of the system's: reported as leaked after a kill
    with contextlib.suppress(EOFError, BrokenPipeError):  # the parent ended
        while True:
            parent.send(_tried(parent.recv(), out, threads))


def _tried(name, out, threads):
    try:
        return _verified(name, out, threads)
    except NonFiniteError as error:
        return NonFiniteError(f"case {name!r}: {error}")  # the result stays here: nobody asks for it
    except Exception as error:
        error.add_note(traceback.format_exc())  # which does not travel otherwise
        return error


def _end_with_parent():
    """End this process when its parent has, whatever it is in the middle of."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _verified(name, out, threads):
    case = theorems.CASES[name]
    results = case.run(threads=threads)
    good, finding = case.judge(results)
    lines, documents = [f"{name}: {case.title}"], []
    for label, result in results.items():
        figure, document = _saved(result, out / name / label, case.order)
        documents += [(label, document)] * bool(document)
        lines += [label] * bool(label) + [report.orders_table(result.order(case.order)), f"   {figure}"]
    return Section(name, case.title, good, finding, tuple(documents)), "\n".join([*lines, f"=> {finding}\n"])


def write(sections, out):
    """Write report.html, one of all cases, into a directory; return its path."""
    title = f"{sum(case.good for case in sections)} of {len(sections)} cases show what they must"
    folder.put(out, reported.NAME, html.pages(sections, title).encode("utf-8", "backslashreplace"))
    return out / reported.NAME


def _saved(result, directory, order):
    """Save a result; return where its figure is, or why it could not be drawn, and the Document of its report."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        document = saved.save(result, directory, order)
    return (" ".join(str(said[0].message).split()) if said else directory / "errors.png"), document
