"""Gradients of data: a phase of the CPU's kernels before a step, and before features of a state.

An optimizer's rows are made by `engines.cpu.minibatch`, an SDE's and a feature's by `engines.cpu.full_batch`. In a
program without data there is no code of all this. (`fields.DataField`.)

A thread's memory is mostly the increments of a macro step, 128 n numbers for each of its fine steps: against an SDE
that is integrated at three levels 2 MB at n = 569 and 41 MB at n = 10,000 in f64, half of it in mix.
"""

import math

import numpy as np
from numba.extending import overload

from ngos_sim.engines.compiling.bind import bind
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL
from ngos_sim.engines.cpu import lanes
from ngos_sim.engines.cpu.full_batch import TILE, full_batch, mean
from ngos_sim.engines.cpu.gather import WIDTH
from ngos_sim.engines.cpu.minibatch import HELD, minibatch, tile
from ngos_sim.engines.layout import Data, DataPlace, aligned, records
from ngos_sim.engines.program import BLOCK

_L = np.uint64(BLOCK)


def numbers(program, inputs, precision, types, state):
    """Return the fields of layout.Data that all threads share, by name; {} where there are no data.

    types : Numba's, of normals and of the state; state : NumPy's of the state
    """
    given = inputs.data
    if given is None:
        return {}
    n, d = given.features.shape
    width = -(-d // WIDTH) * WIDTH
    features = aligned(n * width, state)
    features.reshape(n, width)[:, :d] = given.features
    columns = np.ascontiguousarray(given.features.T).astype(state)
    reads = {row for feature in program.features for row in feature.reads}
    places, weights, shuffled = [], [], 0
    for process in program.processes:
        field = process.field
        loop = lanes.slopes.address(bind(field.slope, precision), *types)
        order = -1 if field.replacement else shuffled * n * BLOCK
        sizes = (field.batch, len(field.weights), len(weights), *tile(max(field.batch, 1)))
        places.append(DataPlace(loop, *sizes, order, field.spread))
        shuffled += not field.replacement
        weights += [weight / max(field.batch, 1) for weight in field.weights]
    return {
        "places": records(DataPlace, places),
        "features": features,
        "columns": columns.ravel(),
        "squares": (columns * columns).ravel(),
        "targets": given.targets.astype(state),
        "weights": np.array(weights, state),
        "n": np.uint64(n),
        "width": np.uint64(width),
        "l2": state(given.l2),
        "one": state(1.0),
        "inverse": state(1.0 / n),
        "inverse_root": state(1.0 / math.sqrt(n)),
        "surveyed": "pull" in reads,
        "spread": "spread" in reads,
    }


def workspace(shared, d):
    """Return the phase's argument for one thread: what `numbers` returned, and rows to work in."""
    if not shared:
        return ()
    state, processes, width = shared["targets"].dtype, len(shared["places"]), int(shared["width"])
    shuffled = int(np.sum(shared["places"]["order"] >= 0))
    pairs = dict.fromkeys(("margins", "labels", "slopes", "products"), TILE)
    rows = {**pairs, **dict.fromkeys(("sums", "noise", "squares_sums"), d), "total": 1, "theta": width}
    return Data(
        **shared,
        **{name: aligned(count * BLOCK, state) for name, count in rows.items()},
        gradient=aligned(width * BLOCK, state),
        orders=aligned(shuffled * int(shared["n"]) * BLOCK, np.uint32),
        samples=aligned(processes * HELD * BLOCK, np.uint32),
        spans=np.full(processes, 2**64 - 1, np.uint64),
        trajectories=np.zeros(processes, np.uint64),
    )


@njit(**KERNEL)
def _feed(source, data, place, which, state, pulls, mixed, xi, at, now, d):
    """Write the rows of one process before its step."""
    mine, begin, gap = data.places[which], np.uint64(place.at) * _L, np.uint64(place.slots) * _L
    if mine.batch:
        minibatch(source, data, mine, which, state, begin, gap, pulls.pull, now, np.uint64(d))
    else:
        full_batch(source, data, mine, state, begin, gap, pulls, xi, at, mixed, True, mine.spread, np.uint64(d))


def feed(source, data, place, which, state, pulls, mixed, xi, at, now, d):
    raise NotImplementedError  # compiled only


_NOT_INLINE = {"error_model": "numpy", "_nrt": False}  # what they call would inherit that: see `engines.cpu.joint`


@overload(feed, jit_options=_NOT_INLINE)  # type: ignore[arg-type]
def _feed_compiled(source, data, place, which, state, pulls, mixed, xi, at, now, d):
    """Write pull of one process, and xi and spread of an SDE, where it is of data; else no code at all."""
    if len(data) == 0:
        return lambda source, data, place, which, state, pulls, mixed, xi, at, now, d: None
    return lambda source, data, place, which, state, pulls, mixed, xi, at, now, d: _feed(
        source, data, place, which, state, pulls, mixed, xi, at, now, d
    )


@njit(**KERNEL)
def _survey(library, data, place, which, state, pulls, noise, d):
    """Write grad f, and the diagonal of Sigma, where a feature reads them."""
    if data.surveyed or data.spread:
        mine, begin, gap = data.places[which], np.uint64(place.at) * _L, np.uint64(place.slots) * _L
        rows = noise.xi, np.uint64(0), noise.mixed
        full_batch(library, data, mine, state, begin, gap, pulls, *rows, False, data.spread, np.uint64(d))


def survey(library, data, place, which, state, pulls, noise, d):
    raise NotImplementedError  # compiled only


@overload(survey, jit_options=_NOT_INLINE)  # type: ignore[arg-type]
def _survey_compiled(library, data, place, which, state, pulls, noise, d):
    """Write what features read of data at one process's state; else no code at all."""
    if len(data) == 0:
        return lambda library, data, place, which, state, pulls, noise, d: None
    return lambda library, data, place, which, state, pulls, noise, d: _survey(
        library, data, place, which, state, pulls, noise, d
    )


@njit(**KERNEL)
def _add_mean(library, data, scope, out, place, state, d):
    """Add to a feature's row the mean over samples that is part of it."""
    if scope.sample_loop:
        begin, gap = np.uint64(place.at) * _L, np.uint64(place.slots) * _L
        mean(library, data, scope.sample_loop, state, begin, gap, out, np.uint64(d))


def add_mean(library, data, scope, out, place, state, d):
    raise NotImplementedError  # compiled only


@overload(add_mean, jit_options=_NOT_INLINE)  # type: ignore[arg-type]
def _add_mean_compiled(library, data, scope, out, place, state, d):
    """Add a mean over samples to a feature, where there are any; else no code at all."""
    if len(data) == 0:
        return lambda library, data, scope, out, place, state, d: None
    return lambda library, data, scope, out, place, state, d: _add_mean(library, data, scope, out, place, state, d)
