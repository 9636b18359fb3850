"""The tree of sums: NumPy on the trajectories, and the same bits by every way to the same chunks."""

import numpy as np
import pytest

from ngos_sim.statistics.chunks import means
from ngos_sim.statistics.sums import GROUPS, Sums

PER_CHUNK = 16


def chunks_of(values):
    """Return the sums of chunks of trajectories' values, shape (chunks, PER_CHUNK, times), as engines return them."""
    spread = (values - values.mean(axis=1, keepdims=True)) ** 2
    return np.stack([values.sum(axis=1), spread.sum(axis=1)], axis=-1)


def nobody(count):
    return np.array([[0, -1]] * count).reshape(-1, 2)


def filled(values, rounds=(1,)):
    """Return Sums of trajectories' values, added in rounds of chunks."""
    chunks, sums, at, turn = chunks_of(values), Sums(PER_CHUNK), 0, 0
    while at < len(chunks):
        part = chunks[at : at + rounds[turn % len(rounds)]]
        sums.add(at, part, nobody(len(part)))
        at, turn = at + len(part), turn + 1
    return sums


def bits(sums):
    """Return all that is read of Sums, as bytes."""
    groups = [part for mean_and_error in sums.group_means() for part in mean_and_error]
    read = [sums.total, sums.groups(), *groups, np.array(sums.nonfinite), np.array([sums.chunks, sums.parts])]
    held = [(range_, part.sums.tobytes(), part.lost, part.first) for range_, part in sorted(sums.ranges.items())]
    return [each.tobytes() for each in read], held


def test_means_are_numpys():
    values = np.random.default_rng(0).exponential(size=(5, PER_CHUNK, 3))
    mean, std_error = means(filled(values).total, 5 * PER_CHUNK)
    flat = values.reshape(-1, 3)
    np.testing.assert_allclose(mean, flat.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(std_error, flat.std(axis=0, ddof=1) / np.sqrt(5 * PER_CHUNK), rtol=1e-11)


@pytest.mark.parametrize("mean", [1e6, 1e8, -1e10])
def test_a_mean_far_away_leaves_the_standard_error(mean):
    values = np.random.default_rng(0).integers(-2, 3, size=(40, PER_CHUNK, 3)) + mean  # exact sums
    flat = (values - mean).reshape(-1, 3)
    found = means(filled(values).total, len(flat))[1]
    np.testing.assert_allclose(found, flat.std(axis=0, ddof=1) / np.sqrt(len(flat)), rtol=1e-6)


@pytest.mark.parametrize("chunks", [GROUPS - 1, GROUPS, 2 * GROUPS, 300, 1111])
def test_groups_are_means_of_equal_groups_in_order(chunks):
    values = np.random.default_rng(1).normal(size=(chunks, PER_CHUNK, 3))
    sums = filled(values, (5, 64, 1))
    size = 1
    while chunks // size >= 2 * GROUPS:
        size *= 2
    whole = chunks // size * size
    grouped = values[:whole].reshape(-1, size * PER_CHUNK, 3)
    assert sums.parts == chunks / size
    errors = np.array([each.std_error for each in sums.group_means()])
    np.testing.assert_allclose(errors, grouped.std(axis=1, ddof=1) / np.sqrt(size * PER_CHUNK), rtol=1e-10)
    if chunks < GROUPS:
        assert sums.groups().shape == (0, 3)
        return
    assert GROUPS <= len(sums.groups()) < 2 * GROUPS
    np.testing.assert_allclose(sums.groups(), grouped.mean(axis=1), atol=1e-14)
    assert len(sums.ranges) < 2 * GROUPS + 12  # memory does not grow


@pytest.mark.parametrize("chunks", [1, 63, 127, 128, 333, 1000])
def test_every_way_to_the_same_chunks_gives_the_same_bits(chunks):
    """Rounds of any size in any order, from the front or the back, kept and joined from any two parts, overlapping."""
    rng = np.random.default_rng(chunks)
    values = rng.normal(size=(chunks, PER_CHUNK, 2)) * np.exp(rng.normal(size=(chunks, 1, 1)))
    sums, lost = chunks_of(values), nobody(chunks)
    for at in rng.choice(chunks, size=chunks // 10, replace=False):
        lost[at] = rng.integers(1, 5), at * PER_CHUNK + 3
    once = Sums(PER_CHUNK)
    once.add(0, sums, lost)
    for _ in range(8):
        cuts = np.unique([0, *rng.integers(0, chunks + 1, size=rng.integers(0, 40)), chunks])
        pieces = list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))
        rng.shuffle(pieces)
        parts = [Sums(PER_CHUNK), Sums(PER_CHUNK)]
        for begin, end in pieces:
            for each in {0: [0], 1: [1], 2: [0, 1]}[int(rng.integers(3))]:
                parts[each].add(begin, sums[begin:end], lost[begin:end])
        one = Sums(PER_CHUNK, parts[0].ranges)  # as from a store
        one.join(parts[1].ranges)
        assert bits(one) == bits(once)
        assert one.missing(0, chunks) == []
    backwards = Sums(PER_CHUNK)
    for at in reversed(range(chunks)):
        backwards.add(at, sums[at : at + 1], lost[at : at + 1])
    assert bits(backwards) == bits(once)


def test_what_is_missing_is_said_and_nothing_counts_twice():
    values = chunks_of(np.random.default_rng(5).normal(size=(40, PER_CHUNK, 2)))
    sums = Sums(PER_CHUNK)
    assert sums.missing(3, 9) == [(3, 6)]
    for begin, end in ((4, 7), (12, 30)):
        sums.add(begin, values[begin:end], nobody(end - begin))
    assert sums.missing(0, 40) == [(0, 4), (7, 5), (30, 10)]
    assert sums.missing(5, 14) == [(7, 5)]
    with pytest.raises(ValueError, match="of chunks 6 to 9 some are held already"):
        sums.add(6, values[6:10], nobody(4))
    assert sums.chunks == 21


def test_a_total_is_of_the_chunks_that_are_there():
    """With gaps, and far from 0."""
    values = np.random.default_rng(6).normal(size=(9, PER_CHUNK, 2))
    sums, numbers = Sums(PER_CHUNK), [2, 3, 5, 11, 12, 13, 2**40, 2**40 + 1, 2**40 + 7]
    for number, each in zip(numbers, chunks_of(values), strict=True):
        sums.add(number, each[None], nobody(1))
    flat = values.reshape(-1, 2)
    mean, std_error = means(sums.total, len(flat))
    np.testing.assert_allclose(mean, flat.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(std_error, flat.std(axis=0, ddof=1) / np.sqrt(len(flat)), rtol=1e-12)


def test_nonfinite_trajectories_are_counted_and_the_first_named():
    sums = Sums()
    assert sums.nonfinite == (0, -1)
    sums.add(3, np.zeros((1, 1, 2)), np.array([[4, 3072]]))
    sums.add(0, np.zeros((3, 1, 2)), np.array([[0, -1], [2, 1030], [1, 2050]]))
    assert sums.nonfinite == (7, 1030)
