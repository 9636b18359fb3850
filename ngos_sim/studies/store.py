"""chunks.sqlite: the sums of a study's chunks in its folder, written round by round; what a kill cannot take.

`studies.kept` opens it for a run and tells it what changed; nothing else reads or writes it. One process has it at a
time. A transaction is all of a round or nothing (a write-ahead log); each range of chunks has a hash of its own beside
it, which SQLite has not.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

import numpy as np

from ngos_sim.errors import StoreError, StoreInUse
from ngos_sim.statistics.sums import Part, Range

NAME = "chunks.sqlite"
_BESIDE = ("", "-wal", "-shm")
_MARKS = ("application_id", "user_version")  # in the file's header
_APPLICATION, _VERSION = 0x4E474F53, 1  # "NGOS"; of the tables below
_TABLES = """
CREATE TABLE record (name TEXT PRIMARY KEY, value BLOB NOT NULL, hash BLOB NOT NULL);
CREATE TABLE ranges (
    job TEXT NOT NULL, level INTEGER NOT NULL, number INTEGER NOT NULL, lost INTEGER NOT NULL, first INTEGER NOT NULL,
    shape TEXT NOT NULL, sums BLOB NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (job, level, number)
);
"""
_SAID = {  # what SQLite's errors mean here
    "SQLITE_FULL": "the disk is full; all rounds before this one are kept: run again when there is room",
    "SQLITE_IOERR": "the disk cannot be written to; all rounds before this one are kept: run again when it can",
    "SQLITE_READONLY": "it cannot be written to",
    "SQLITE_CANTOPEN": "it cannot be made or opened",
    "SQLITE_PERM": "it cannot be written to",
}
DAMAGED = "damaged, and left as it is: move it away, or start anew (--fresh)"


class Store:
    """An open chunks.sqlite.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    reading : bool
        Only to be read: it may lie where nothing can be written.

    Raises
    ------
    StoreInUse
        Another run has it.
    StoreError
        It is damaged, no such store, or cannot be written.
    """

    def __init__(self, folder, reading=False):
        self.path = Path(folder) / NAME
        only_read = reading and not all(os.access(each, os.W_OK) for each in (self.path.parent, self.path))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.path.parent}: {error.strerror}") from None
        with self._explained():
            place = f"file:{quote(str(self.path.absolute()))}{'?immutable=1' if only_read else ''}"
            self._base = sqlite3.connect(place, uri=True, timeout=0.0, isolation_level=None)
        try:
            with self._explained():
                if not only_read:
                    self._take_hold()
                self._check()
        except BaseException:
            self.close()
            raise

    def _take_hold(self):
        """Keep others out until it is closed, and make the tables of a new one."""
        self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
        (tables,) = self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()
        new = not tables and self._marks() == (0, 0)  # or killed before its first transaction
        if not new:
            self._require_mine()  # before anything of another's is changed
        for setting in ("journal_mode = WAL", "synchronous = NORMAL"):
            self._base.execute(f"PRAGMA {setting}")
        self._base.execute("BEGIN EXCLUSIVE")
        if new:
            for statement in _TABLES.split(";"):
                self._base.execute(statement)
            for name, value in zip(_MARKS, (_APPLICATION, _VERSION), strict=True):
                self._base.execute(f"PRAGMA {name} = {value}")
        self._base.execute("COMMIT")

    def _marks(self):
        """Return what the file's header says it is."""
        return tuple(self._base.execute(f"PRAGMA {name}").fetchone()[0] for name in _MARKS)

    def _require_mine(self):
        """Raise StoreError unless this is a store of chunks."""
        if self._marks() != (_APPLICATION, _VERSION):
            raise StoreError(f"{self.path}: not a store of chunks that this version of ngos_sim reads")

    def _check(self):
        """Raise StoreError unless this is a whole store."""
        self._require_mine()
        self._require(self._base.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))

    def _require(self, whole):
        if not whole:
            raise StoreError(f"{self.path}: {DAMAGED}")

    @contextlib.contextmanager
    def _explained(self):
        """Raise StoreError, with what it means, for an error of SQLite's."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            if name.startswith("SQLITE_BUSY"):
                raise StoreInUse(f"{self.path}: in use: another run is writing it") from None
            said = next((words for start, words in _SAID.items() if name.startswith(start)), None)
            if said is None and isinstance(error, sqlite3.OperationalError):
                said = str(error)
            raise StoreError(f"{self.path}: {said or DAMAGED}") from None

    @contextlib.contextmanager
    def transaction(self):
        """Let what is written meanwhile be kept all together, or not at all where anything is raised."""
        with self._explained():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:  # a full disk ends it itself
                    with contextlib.suppress(sqlite3.Error):
                        self._base.execute("ROLLBACK")
                raise

    def record(self):
        """Return all that was put down by name."""
        found = {}
        with self._explained():
            for name, value, digest in self._base.execute("SELECT name, value, hash FROM record"):
                self._require(digest == _hash(value, name))
                found[name] = json.loads(value)
        return found

    def put(self, name, value):
        """Put down, by a name, what json can write."""
        written = json.dumps(value).encode()
        self._base.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", (name, written, _hash(written, name)))

    def ranges(self, job):
        """Return the ranges of a job, {Range: Part}."""
        query = "SELECT level, number, lost, first, shape, sums, hash FROM ranges WHERE job = ?"
        found = {}
        with self._explained():
            for level, number, lost, first, shape, sums, digest in self._base.execute(query, (job,)):
                self._require(digest == _hash(sums, job, level, number, lost, first, shape))
                values = np.frombuffer(sums, dtype="<f8").reshape(json.loads(shape))
                found[Range(level, number)] = Part(values, lost, first)
        return found

    def change(self, job, gone, new):
        """Take ranges of a job out, and put new ones in."""
        which = "job = ? AND level = ? AND number = ?"
        self._base.executemany(f"DELETE FROM ranges WHERE {which}", [(job, *range_) for range_ in gone])
        rows = []
        for range_, part in new.items():
            shape, sums = json.dumps(part.sums.shape), np.ascontiguousarray(part.sums, dtype="<f8").tobytes()
            row = (job, *range_, part.lost, part.first, shape)
            rows.append((*row, sums, _hash(sums, *row)))
        self._base.executemany("INSERT INTO ranges VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def close(self):
        """Let others have it; what was written is in one file then."""
        with contextlib.suppress(sqlite3.Error):  # a full disk: the log stays beside it, and is read again
            self._base.close()


def _hash(written, *names):
    """Return eight bytes that tell whether a row is what was put down."""
    found = hashlib.blake2b(repr(names).encode(), digest_size=8)
    found.update(written)
    return found.digest()


def is_in(folder):
    """Return whether a folder has a store; an empty file is what a kill leaves that came before the first write."""
    path = Path(folder) / NAME
    return path.exists() and path.stat().st_size > 0


def remove(folder):
    """Remove the store of a folder, unless it is in use."""
    try:
        Store(folder).close()
    except StoreInUse:
        raise
    except StoreError:  # damaged: it goes as well
        pass
    for end in _BESIDE:
        (Path(folder) / f"{NAME}{end}").unlink(missing_ok=True)


def replace(scratch, folder):
    """Let the store of one folder take the place of another's."""
    for end in reversed(_BESIDE):
        (Path(folder) / f"{NAME}{end}").unlink(missing_ok=True)
    os.replace(Path(scratch) / NAME, Path(folder) / NAME)
