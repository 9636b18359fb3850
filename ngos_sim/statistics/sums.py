"""Sums of a job's chunks as a fixed tree on their numbers: every way to the same chunks gives the same bits.

`studies.measurement` adds what engines return, `studies.store` keeps the ranges, `statistics.chunks` reads the totals.
"""

from typing import NamedTuple

import numpy as np

from ngos_sim.engines.moments import merged
from ngos_sim.engines.program import CHUNK
from ngos_sim.statistics.chunks import means

GROUPS = 64  # groups of chunks that a covariance over times needs; fewer than twice as many are kept


class Range(NamedTuple):
    """The chunks number 2^level .. (number + 1) 2^level - 1."""

    level: int
    number: int

    @property
    def begin(self):
        """The first chunk."""
        return self.number << self.level

    @property
    def end(self):
        """The chunk after the last one."""
        return self.number + 1 << self.level

    @property
    def parent(self):
        """The range of twice the size that it is a half of."""
        return Range(self.level + 1, self.number >> 1)

    @property
    def sibling(self):
        """The other half of its parent."""
        return Range(self.level, self.number ^ 1)


def level_of(chunks):
    """Return the level of the groups of so many chunks: the least of which there are fewer than 2 GROUPS."""
    return max(0, (chunks // GROUPS).bit_length() - 1)


class Part(NamedTuple):
    """What is kept of a range of chunks.

    sums : ndarray, shape (records, test functions, observables, 2) float64
        Sums over trajectories, and sums of squared deviations from their mean.
    lost : int
        How many trajectories left the finite numbers.
    first : int
        The first of them (-1: none).
    """

    sums: np.ndarray
    lost: int
    first: int


class Sums:
    """The sums of a job's chunks: memory does not grow with them, and their order does not matter.

    Chunks are held as aligned ranges, each the merge of its two halves, up to the size of which there are GROUPS to
    2 GROUPS: the groups that bands are made of. The total goes on up the same tree, a range of which only one half is
    there being that half. So all bits follow from which chunks are held.

    Parameters
    ----------
    each : int
        Trajectories of a chunk.
    ranges : mapping of Range to Part, optional
        What is held already.
    level : int
        That of the groups, at least (`level_of`).

    Attributes
    ----------
    chunks : int
        How many are held.
    ranges : dict of Range to Part
        Disjoint; what to keep to go on from here.
    """

    def __init__(self, each=CHUNK, ranges=None, level=0):
        self._each = each
        self.chunks, self.ranges = 0, {}
        self._level, self._joined = level, None
        self.join(ranges or {})

    def add(self, first, sums, nonfinite):
        """Add chunks from number `first` on: sums (chunks, ..., 2) and nonfinite (chunks, 2) of `engines.program`.

        Raises
        ------
        ValueError
            Some are held already.
        """
        if sum(count for _, count in self.missing(first, first + len(sums))) != len(sums):
            raise ValueError(f"of chunks {first} to {first + len(sums) - 1} some are held already")
        self._grow(len(sums))
        lost, firsts = nonfinite[:, 0], nonfinite[:, 1]
        level = 0
        while len(sums):
            odd = first % 2, (first + len(sums)) % 2
            edges = range(len(sums)) if level == self._level else [0] * odd[0] + [len(sums) - 1] * odd[1]
            for at in dict.fromkeys(edges):
                self._put(Range(level, first + at), Part(sums[at].copy(), int(lost[at]), int(firsts[at])))
            if level == self._level:
                break
            inner = slice(odd[0], len(sums) - odd[1])
            halves = [tuple(each[inner][half::2] for each in (sums, lost, firsts)) for half in (0, 1)]
            (a, lost_a, first_a), (b, lost_b, first_b) = halves
            size = self._each << level
            sums, lost, firsts = _merged(a, size, b, size), lost_a + lost_b, np.where(lost_a > 0, first_a, first_b)
            first, level = first + odd[0] >> 1, level + 1

    def join(self, ranges):
        """Add the ranges of other Sums of the same job; chunks that both hold are held once."""
        mine, top = self.ranges, max((range_.level for range_ in (*self.ranges, *ranges)), default=0)
        self.chunks, self.ranges, held = 0, {}, {}  # the largest first:
        for range_, part in sorted(
            {**mine, **ranges}.items(), key=lambda item: item[0], reverse=True
        ):  # the largest first
            above = range_
            while above.level <= top and above not in held:
                above = above.parent
            if above not in held:
                held[range_] = part
        self._grow(sum(1 << range_.level for range_ in held))
        for range_, part in held.items():
            self._put(range_, part)

    def _grow(self, chunks):
        """Count chunks in, and merge what is held to the size of range that so many need."""
        self._joined = None
        self.chunks += chunks
        before = self._level
        self._level = max(before, level_of(self.chunks))
        if self._level > before:
            held, self.ranges = self.ranges, {}
            for range_, part in held.items():
                self._put(range_, part)

    def _put(self, range_, part):
        """Hold a range, merged with its sibling as long as that is held and the groups allow it."""
        while range_.level < self._level and range_.sibling in self.ranges:
            other = self.ranges.pop(range_.sibling)
            left, right = (part, other) if range_.number % 2 == 0 else (other, part)
            size = self._each << range_.level
            part, range_ = _together(left, size, right, size), range_.parent
        self.ranges[range_] = part

    def missing(self, begin, end):
        """Return which of the chunks begin .. end - 1 are not held, as (first, how many) in their order."""
        found = []
        for range_ in sorted(self.ranges, key=lambda range_: range_.begin):
            if range_.end > begin and range_.begin < end:
                if range_.begin > begin:
                    found.append((begin, range_.begin - begin))
                begin = range_.end
        return [*found, (begin, end - begin)] if begin < end else found

    def _all(self):
        """Return the Part of all chunks."""
        if self._joined is None:
            rising, level = {}, min(range_.level for range_ in self.ranges)
            top = max(range_.level for range_ in self.ranges)
            while level <= top or len(rising) > 1:
                at_level = {r.number: (part, 1 << level) for r, part in self.ranges.items() if r.level == level}
                rising = _parents(rising | at_level, self._each)
                level += 1
            ((self._joined, _),) = rising.values()
        return self._joined

    @property
    def total(self):
        """Sums over all trajectories, and of squared deviations from their mean, shape (..., 2) float64."""
        return self._all().sums

    @property
    def nonfinite(self):
        """How many trajectories left the finite numbers, and the first of them (-1: none)."""
        return (self._all().lost, self._all().first) if self.ranges else (0, -1)

    def _groups(self):
        """Return the sums of the groups, in the order of their chunks."""
        return [self.ranges[each].sums for each in sorted(self.ranges) if each.level == self._level]

    def groups(self):
        """Return the means over groups of chunks of one size, shape (groups, ...), GROUPS to 2 GROUPS of them.

        With fewer, nothing: shape (0, ...).
        """
        groups = self._groups()
        enough = np.array(groups if len(groups) >= GROUPS else []).reshape(-1, *self.total.shape)
        return enough[..., 0] / (self._each << self._level)

    def group_means(self):
        """Return what was Measured in each group of chunks of one size, however few there are."""
        return [means(group, self._each << self._level) for group in self._groups()]

    @property
    def parts(self):
        """How many groups of that size all chunks are, those that fill none included."""
        return self.chunks / (1 << self._level)


def _parents(level, each):
    """Return the ranges above those of a level, {number: (Part, chunks held of it)}."""
    found: dict = {}
    for number, (part, chunks) in sorted(level.items()):
        if number >> 1 in found:
            other, its = found[number >> 1]
            part, chunks = _together(other, its * each, part, chunks * each), chunks + its
        found[number >> 1] = part, chunks
    return found


def _together(left, n, right, m):
    """Return the Part of n and m trajectories together."""
    first = left.first if left.lost else right.first
    return Part(_merged(left.sums, n, right.sums, m), left.lost + right.lost, first)


def _merged(left, n, right, m):
    """Return the sums, shape (..., 2), of n and m trajectories together."""
    (total, spread), (other, its) = (np.moveaxis(each, -1, 0) for each in (left, right))
    with np.errstate(invalid="ignore", over="ignore"):  # non-finite trajectories are raised elsewhere
        return np.stack(merged(total, spread, n, other, its, m), axis=-1)
