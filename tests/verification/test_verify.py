"""Cases handed to workers: every one answered, in the order asked for; the workers' own end is in test_exits."""

import contextlib
import multiprocessing
import threading

import pytest

from ngos_sim.engines import processors
from ngos_sim.verification import verify


def answering(answers):
    """Return what stands for `verify._workers`, with threads for processes."""

    def work(end):
        with contextlib.suppress(EOFError, OSError):
            while True:
                end.send(answers(end.recv()))

    @contextlib.contextmanager
    def workers(count, out, threads):
        assert (count, threads) == (2, 1)
        pairs = [multiprocessing.Pipe() for _ in range(count)]
        for _, other in pairs:
            threading.Thread(target=work, args=(other,), daemon=True).start()
        yield [own for own, _ in pairs]
        for own, _ in pairs:
            own.close()

    return workers


def test_cases_of_several_workers_come_in_the_order_asked_for(monkeypatch, tmp_path):
    """The first case is the last to be answered."""
    others = threading.Semaphore(0)

    def answer(name):
        if name == "first":
            assert others.acquire(timeout=10.0)
            assert others.acquire(timeout=10.0)
        else:
            others.release()
        return True, name

    monkeypatch.setattr(processors, "available", lambda: 2)
    monkeypatch.setattr(verify, "_workers", answering(answer))
    names = ["first", "second", "third"]
    assert list(verify.verified(names, tmp_path)) == [(True, name) for name in names]


def test_what_happened_in_a_worker_is_raised(monkeypatch, tmp_path):
    monkeypatch.setattr(processors, "available", lambda: 2)
    monkeypatch.setattr(verify, "_workers", answering(lambda name: ValueError(name)))
    with pytest.raises(ValueError, match="first|second"):
        list(verify.verified(["first", "second"], tmp_path))
