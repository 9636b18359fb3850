"""A study on the workers of an executor: the same bits, whatever the workers, their order and their end."""

import functools
import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

import ngos_sim as ns
from ngos_sim.engines.program import CHUNK
from ngos_sim.errors import WorkerLost
from ngos_sim.studies import folder, session, spread, tasks
from ngos_sim.studies.stopping import Bounds

CHUNKS = 140  # groups of two


def study(**changes):
    settings = dict(
        oracle=ns.NGOS(ns.quadratic([0.9])),
        optimizer=ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=[1.2], u=1.0),
        eta2=[0.25, 0.125],
        horizon=0.5,
        test_functions=["theta[0]", "u[0]^2"],
    )
    return ns.ConvergenceStudy(**(settings | changes))


class Here(Executor):
    """Runs what it is given in this thread, several at once, in another order."""

    def __init__(self, many=1, order=reversed, travel=False):
        self.many, self.order, self.travel, self.held, self.ran = many, order, travel, [], 0

    def submit(self, function, /, *arguments):
        future = Future()
        self.held.append((future, function, arguments))
        if len(self.held) >= self.many:
            self.go()
        return future

    def go(self):
        held, self.held = self.held, []
        for future, function, arguments in self.order(held):
            if self.travel:
                function, arguments = pickle.loads(pickle.dumps((function, arguments)))
            try:
                future.set_result(function(*arguments))
            except Exception as error:
                future.set_exception(error)
            self.ran += 1


@pytest.fixture
def short(monkeypatch):
    """Let every task be one chunk."""
    monkeypatch.setattr(spread, "_STEPS", 1.0)


@functools.cache
def alone():
    return files(study().run(CHUNKS * CHUNK, seed=3))


def files(result):
    return folder.csv(result.table), folder.csv(result.order())


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads(threads):
    assert files(study().run(CHUNKS * CHUNK, seed=3, threads=threads)) == alone()
    with ThreadPoolExecutor(threads) as pool:
        assert files(study().run(CHUNKS * CHUNK, seed=3, executor=pool)) == alone()


def test_the_order_of_chunks_does_not_matter(short):
    here = Here(many=2 * CHUNKS, travel=True)
    assert files(study().run(CHUNKS * CHUNK, seed=3, executor=here)) == alone()
    assert here.ran == 2 * CHUNKS


def test_rounds_to_a_standard_error_are_the_same():
    bounds = dict(trajectories=400 * CHUNK, abs_error=2e-4, seed=1)
    assert files(study().run(executor=Here(), **bounds)) == files(study().run(**bounds))


def test_processes():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert files(study().run(CHUNKS * CHUNK, seed=3, executor=pool)) == alone()


def test_the_example_of_a_cluster():
    """A process of its own, as a user's: of two workers one is killed, and the bits are those of one process."""
    pytest.importorskip("distributed")
    words = [sys.executable, str(Path(__file__).parents[2] / "examples" / "cluster.py"), "100000", "0.5"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300.0, check=True)
    *table, killed, same = done.stdout.splitlines()
    assert table[0].split() == ["sde", "test_function", "norm", "order", "std_error", "verdict"]
    assert killed.endswith(" s on two workers; one of them was killed on the way")
    assert same == "bits are those of one process: True"


def test_what_a_task_weighs(short):
    """Its message does not grow with the steps: no table travels."""
    sizes = []

    class Weighed(Here):
        def submit(self, function, /, *arguments):
            sizes.append(len(pickle.dumps(arguments)))
            return super().submit(function, *arguments)

    study(eta2=[2.0**-8]).run(4 * CHUNK, executor=Weighed())
    assert len(sizes) == 4
    assert max(sizes) < 3000


def test_a_store_goes_on_without_the_executor_and_the_other_way(short, tmp_path):
    first = Here()
    study().run(40 * CHUNK, seed=3, executor=first, store=tmp_path)
    second = Here(many=64, order=list)
    study().run(100 * CHUNK, seed=3, store=tmp_path)
    result = study().run(CHUNKS * CHUNK, seed=3, executor=Here(many=2 * (CHUNKS - 100)), store=tmp_path)
    assert files(result) == alone()
    assert (first.ran, second.ran) == (80, 0)
    assert files(study().run(CHUNKS * CHUNK, seed=3, executor=second, store=tmp_path)) == alone()
    assert second.ran == 0


def test_an_interrupted_run_goes_on(short, tmp_path):
    counted = iter(range(10**6))
    settings = study().settings("cpu", None, None)
    ended = session.run(
        study(),
        Bounds(CHUNKS * CHUNK),
        3,
        settings,
        store=tmp_path,
        executor=Here(many=11),  # which five tasks wait for
        until=lambda: next(counted) > 20,
    )
    assert ended.stopped == "interrupted"
    assert 0 < ended.table.trajectories.max() < CHUNKS * CHUNK
    assert files(study().run(CHUNKS * CHUNK, seed=3, store=tmp_path)) == alone()


def test_ctrl_c_cancels_what_has_not_begun(short):
    futures = []

    class Slow(Here):
        def submit(self, function, /, *arguments):
            if len(futures) == 10:
                raise KeyboardInterrupt
            futures.append(Future())
            return futures[-1]

    with pytest.raises(KeyboardInterrupt):
        study().run(CHUNKS * CHUNK, executor=Slow())
    assert len(futures) == 10
    assert all(future.cancelled() for future in futures)


def test_a_lost_worker_is_one_line():
    class Broken(Here):
        def submit(self, function, /, *arguments):
            future = Future()
            future.set_exception(BrokenExecutor("a process\nwas terminated"))
            return future

    with pytest.raises(WorkerLost, match=r"^a worker of the executor has died, .*: a process was terminated$"):
        study().run(1024, executor=Broken())


def test_a_worker_that_computes_something_else_is_refused(monkeypatch):
    monkeypatch.setattr(tasks, "together", lambda identities: "other")
    with pytest.raises(tasks.OtherNumbers, match=r"^worker .* makes other functions or numbers of the study than here"):
        study().run(1024, executor=Here())


def test_what_cannot_travel_is_one_line():
    made = study(test_functions=[ns.TestFunction("cube", lambda x: x[0] ** 3)], estimator="independent")
    with pytest.raises(
        pickle.PicklingError, match=r"^TestFunction 'cube' cannot be pickled: g is a lambda in \S*test_ex"
    ):
        made.run(1024, executor=Here(travel=True), device="python")


def test_what_need_not_travel_may_be_a_lambda():
    made = study(initial=dict(theta=lambda size: 1.0 + size, u=1.0))
    assert files(made.run(2048, executor=Here())) == files(made.run(2048))
    with pytest.raises(pickle.PicklingError, match="^ConvergenceStudy cannot be pickled: initial is a lambda in "):
        made.run(2048, executor=Here(travel=True))


@pytest.mark.parametrize("executor", [2, "processes", ThreadPoolExecutor])
def test_what_is_no_executor(executor):
    with pytest.raises(TypeError, match=r"^executor=.* is no executor; a concurrent.futures.Executor is allowed$"):
        study().run(1024, executor=executor)


def test_a_client_of_dask_has_an_executor():
    class Client:
        def get_executor(self):
            return None

    with pytest.raises(TypeError, match=r"is no executor; client.get_executor\(\) is allowed$"):
        study().run(1024, executor=Client())
