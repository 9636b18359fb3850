"""A store of chunks: every way to the same chunks gives the same bits, and what is wrong with one is said."""

import json
import math
import os
import sqlite3

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import devices
from ngos_sim.studies import rounds, store
from ngos_sim.studies.store import NAME

MANY = 40 * 1024


@pytest.fixture(autouse=True)
def small_rounds():
    """Let a round be of 7 chunks at most: these studies would be over in one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounds, "_MOST", 7)
        yield


@pytest.fixture
def study(problem):
    return problem("P2", eta2=[2.0**-2, 2.0**-3], test_functions=["theta[0]", "u[0]^2"], estimator="auto")


@pytest.fixture
def whole(study):
    """The result of a run that nobody ended."""
    return study.run(MANY)


def same(one, other):
    """Return whether two results are of the same bits, in all that is read of them."""
    tables = one.table.equals(other.table) and one.order().equals(other.order())
    return tables and one.compared.equals(other.compared) and one.why == other.why


class Ended(BaseException):
    """As KeyboardInterrupt: no handler of the package's takes it."""


def ending(monkeypatch, after):
    """Let devices.run raise after so many calls."""
    run, calls = devices.run, []

    def counted(*arguments, **settings):
        calls.append(arguments)
        if len(calls) > after:
            raise Ended
        return run(*arguments, **settings)

    monkeypatch.setattr(devices, "run", counted)
    return calls


@pytest.mark.parametrize("after", [0, 1, 3, 8])
def test_a_run_that_ends_anywhere_goes_on(study, whole, tmp_path, monkeypatch, after):
    """And what is there is not run again."""
    ending(monkeypatch, after)
    with pytest.raises(Ended):
        study.run(MANY, store=tmp_path)
    monkeypatch.undo()
    calls = ending(monkeypatch, 10**6)
    again = study.run(MANY, store=tmp_path)
    assert same(again, whole)
    assert again.stopped == "trajectories"
    calls.clear()
    assert same(study.run(MANY, store=tmp_path), whole)
    assert calls == []


def test_more_trajectories_append_and_fewer_read_what_is_there(study, whole, tmp_path, monkeypatch):
    study.run(10 * 1024, store=tmp_path)
    calls = ending(monkeypatch, 10**6)
    assert same(study.run(MANY, store=tmp_path), whole)
    assert min(first for _, _, _, first, _ in calls) == 10
    assert same(study.run(1024, store=tmp_path), whole)


@pytest.mark.usefixtures("blank_figures")
def test_extended_merged_and_loaded_results_have_the_same_bits(study, whole, tmp_path):
    assert same(study.run(10 * 1024).extend(MANY), whole)
    half, other = study.run(MANY // 2), study.run(MANY // 2, first=MANY // 2)
    assert (half.first, other.first, other.trajectories) == (0, MANY // 2, MANY // 2)
    assert not half.table.equals(other.table)
    assert same(ns.merge(half, other), whole)
    half.save(tmp_path / "half")
    other.save(tmp_path / "other")
    merged = ns.merge(tmp_path / "other", tmp_path / "half")
    assert same(merged, whole)
    merged.save(tmp_path / "both")
    loaded = ns.load(tmp_path / "both")
    assert same(loaded, whole)
    assert loaded.stopped == "trajectories"
    assert same(loaded.extend(MANY + 1024), study.run(MANY + 1024))
    assert ns.load(tmp_path / "both").trajectories == MANY + 1024  # extended where it lies
    assert same(half.extend(MANY), whole)
    assert half.trajectories == MANY // 2


def test_bounds_of_errors_take_the_same_decisions_after_an_end(study, tmp_path, monkeypatch):
    bounds = dict(abs_error=2e-3)
    once = study.run(**bounds)
    assert once.trajectories > 8 * 1024
    for after in (2, 4):
        ending(monkeypatch, after)
        with pytest.raises(Ended):
            study.run(**bounds, store=tmp_path)
        monkeypatch.undo()
    again = study.run(**bounds, store=tmp_path)
    assert same(again, once)
    assert again.stopped == once.stopped == "abs_error"
    more = study.run(max_seconds=0.3, store=tmp_path)
    assert more.stopped == "max_seconds"
    assert more.trajectories > again.trajectories


def test_merge_refuses_parts_of_two_studies(study, whole):
    with pytest.raises(ValueError, match="two parts of one study: seed is 0 in the first and 1 in the second"):
        ns.merge(whole, study.run(1024, seed=1))
    with pytest.raises(ValueError, match="first=100: a multiple of 1024 is allowed"):
        study.run(1024, first=100)


@pytest.fixture
def kept(study, tmp_path):
    """The path of a store with chunks."""
    study.run(4 * 1024, store=tmp_path)
    return tmp_path / NAME


def refused(study, kept, error, **changes):
    """Return what a run says that does not take a store, which is left as it is."""
    before = kept.read_bytes()
    with pytest.raises(error) as caught:
        study.run(8 * 1024, store=kept.parent, **changes)
    assert kept.read_bytes() == before
    text = str(caught.value)
    assert text.startswith(str(kept.parent))
    assert "\n" not in text
    return text


def test_another_study_seed_or_precision_is_refused_with_what_differs(study, kept, problem):
    other = problem("P2", ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.4), eta2=[0.25, 0.125], test_functions=["theta[0]"])
    said = refused(other, kept, ValueError)
    assert "holds another study: optimizer.c2 is 1.3 there and 1.4 here; " in said
    assert said.endswith("take another folder, or start anew (--fresh)")
    assert "seed is 0 there and 3 here;" in refused(study, kept, ValueError, seed=3)
    assert 'precision is "mix" there and "f64" here;' in refused(study, kept, ValueError, precision="f64")


def change(kept, name, edit):
    """Edit what a store has put down by a name."""
    opened = store.Store(kept.parent)
    with opened.transaction():
        opened.put(name, edit(opened.record()[name]))
    opened.close()


def test_other_versions_are_refused(study, kept):
    change(kept, "origin", lambda made: made | {"kernel_version": "0123"})
    assert 'kernel_version is "0123" there and "' in refused(study, kept, ValueError)
    with pytest.raises(ValueError, match=r'kernel_version is "0123" there .*; table.csv and figures beside them can'):
        ns.load(kept.parent)


def test_numbers_of_another_machine_are_read_and_not_added_to(study, kept):
    change(kept, "machine", lambda _: "NumPy 1.0 on an abacus")
    change(kept, "jobs", lambda points: [[[functions, "0" * 64] for functions, _ in jobs] for jobs in points])
    said = refused(study, kept, ValueError)
    assert "made by other functions or numbers than here: with NumPy 1.0 on an abacus there, NumPy " in said
    assert same(ns.load(kept.parent), study.run(4 * 1024))


@pytest.mark.parametrize("cut", [50, 5000, -100])
def test_a_truncated_store_is_damaged_and_left(study, kept, cut):
    os.truncate(kept, cut % kept.stat().st_size)
    assert refused(study, kept, ns.StoreError).endswith(
        ": damaged, and left as it is: move it away, or start anew (--fresh)"
    )


@pytest.mark.parametrize("seed", range(6))
def test_a_changed_byte_never_changes_a_number(study, kept, seed):
    """It is where nothing is read, or is seen."""
    content = bytearray(kept.read_bytes())
    content[np.random.default_rng(seed).integers(100, len(content))] ^= 0x55
    kept.write_bytes(content)
    try:
        found = study.run(8 * 1024, store=kept.parent)
    except (ns.StoreError, ValueError):
        return
    assert same(found, study.run(8 * 1024))


def test_a_file_that_is_no_store_is_left(study, kept):
    kept.write_text("my notes, which happen to have this name")
    assert refused(study, kept, ns.StoreError).endswith("(--fresh)")
    kept.unlink()
    sqlite3.connect(kept).execute("CREATE TABLE mine (a)").connection.close()
    assert refused(study, kept, ns.StoreError).endswith("not a store of chunks that this version of ngos_sim reads")


def test_a_store_in_use_is_refused(study, kept):
    holder = store.Store(kept.parent)
    for what in (lambda: study.run(8 * 1024, store=kept.parent), lambda: store.remove(kept.parent)):
        with pytest.raises(ns.StoreError, match=f"{NAME}: in use: another run is writing it"):
            what()
    holder.close()
    assert study.run(8 * 1024, store=kept.parent).trajectories == 8 * 1024


def test_a_full_disk_ends_a_run_and_loses_a_round_at_most(study, whole, kept, monkeypatch):
    """SQLite's own limit of pages stands for the disk."""
    prepare = store.Store._take_hold

    def full(self):
        prepare(self)
        self._base.execute("PRAGMA max_page_count = 1")  # as many as there are

    monkeypatch.setattr(store.Store, "_take_hold", full)
    with pytest.raises(ns.StoreError, match="the disk is full; all rounds before this one are kept: run again when"):
        study.run(MANY, store=kept.parent)
    monkeypatch.undo()
    assert ns.load(kept.parent).trajectories >= 4 * 1024
    assert same(study.run(MANY, store=kept.parent), whole)


def test_a_folder_that_cannot_be_made_or_written(study, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ns.StoreError, match=f"{tmp_path / 'file'}: File exists"):
        study.run(1024, store=tmp_path / "file")
    with pytest.raises(ns.StoreError, match="not there; give the folder of a run"):
        ns.load(tmp_path)


def test_a_store_of_functions_without_a_hash_is_refused(problem, tmp_path):
    """The Python engine takes any function; nothing tells what such a one computes."""
    table = {"a": 2.0}
    g = ns.TestFunction("g", lambda x: table["a"] * x[0], coordinate=0)
    study = problem("P2", eta2=[0.25], horizon=0.25, times=None, test_functions=[g], estimator="coupled")
    with pytest.raises(ValueError, match=r"lambda> .* uses table=.*; no chunks of it can be kept in store="):
        study.run(1, device="python", store=tmp_path)


def test_what_a_store_holds_is_no_pickle(kept):
    opened = sqlite3.connect(kept)
    kinds = {kind for (kind,) in opened.execute("SELECT DISTINCT typeof(sums) FROM ranges")}
    records = [json.loads(value) for (value,) in opened.execute("SELECT value FROM record")]
    opened.close()
    assert kinds == {"blob"}
    assert records


def squashed(x, a):
    return math.tanh(x)


def height(x, a):
    return math.log(math.cosh(x))


def test_a_study_of_plug_ins_is_loaded_with_them(tmp_path):
    """Without, a line says what is missing, and how to read it."""
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.Loss("mine", gradient=squashed, value=height), 1.0, ns.gaussian()),
        ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        eta2=[2.0**-2],
        horizon=0.5,
        test_functions=["theta[0]"],
    )
    found = study.run(2048, store=tmp_path)
    name = "test_store:squashed"
    with pytest.raises(ValueError, match=f"oracle.loss.gradient: '{name}' is not in a plug-in: .* store='{tmp_path}'"):
        ns.load(tmp_path)
    assert same(ns.load(tmp_path, plugins=[__file__]), found)
