"""Loops over 128 lanes around users' functions: what is compiled for each of them, and called by address.

LLVM vectorises over trajectories only if the loop over lanes is innermost and its indices unsigned.
"""

import numpy as np

from ngos_sim.engines.compiling.address import Loop, caller, pointer
from ngos_sim.engines.compiling.bind import call
from ngos_sim.engines.compiling.primitives import no_overlap, prefer_wide
from ngos_sim.engines.compiling.tuples import (
    reread,
    store_slots,
    take_loss,
    take_noise,
    take_parameters,
    take_slots,
    take_table,
    take_variance,
    width,
)
from ngos_sim.engines.program import BLOCK

_L = np.uint64(BLOCK)
_ONE = np.uint64(1)


def _row(move, state, xi, chi, extra, pull, bend, spread, loss, variance, noise, parameters, table, d):
    """Step one coordinate."""
    prefer_wide()
    no_overlap()
    a, s, n = take_loss(move, loss, d), take_variance(move, variance, d), take_noise(move, noise, _ONE)
    p = take_parameters(move, parameters, _ONE)
    for first in range(np.uint64(0), _L, width(move)):
        c = take_table(move, reread(table))
        for lane in range(first, first + width(move)):
            x = take_slots(move, pointer(state, lane), _L)
            drawn = float(xi[lane]), float(chi[lane]), float(extra[lane])
            y = call(move, x, *drawn, pull[lane], bend[lane], spread[lane], a, s, n, c, p)
            store_slots(pointer(state, lane), _L, y)


def _zeta(law, out, xi, extra, noise, rows):
    """Write rows of zeta, the noise law's draws."""
    prefer_wide()
    no_overlap()
    n = take_noise(law, noise, _ONE)
    for lane in range(rows * _L):
        out[lane] = call(law, float(xi[lane]), float(extra[lane]), n)


def _feature(g, out, state, pull, spread, loss, variance, d):
    """Add a feature of one coordinate to a row."""
    prefer_wide()
    no_overlap()
    a, s = take_loss(g, loss, d), take_variance(g, variance, d)
    for lane in range(_L):
        out[lane] += call(g, take_slots(g, pointer(state, lane), _L), pull[lane], spread[lane], a, s)


def _nodes(move, moved, state, pull, bend, spread, loss, variance, noise, parameters, table, values, d, count, slots):
    """Write the slots of one coordinate after a step from each of the nodes in place of the normal."""
    prefer_wide()
    no_overlap()
    a, s, n = take_loss(move, loss, d), take_variance(move, variance, d), take_noise(move, noise, _ONE)
    c, p = take_table(move, table), take_parameters(move, parameters, _ONE)
    for node in range(count):
        at = node * slots * _L
        for lane in range(_L):
            x = take_slots(move, pointer(state, lane), _L)
            y = call(move, x, values[node], 0.0, 0.0, pull[lane], bend[lane], spread[lane], a, s, n, c, p)
            store_slots(pointer(moved, at + lane), _L, y)


def _slopes(phi, out, margin, target, count):
    """Write a function of a sample's margin and target."""
    prefer_wide()
    no_overlap()
    for i in range(count):
        out[i] = call(phi, margin[i], target[i])


row = Loop(_row, counts="d", real="xi chi extra")
zeta = Loop(_zeta, counts="rows", real="out xi extra")
feature = Loop(_feature, counts="d")
nodes = Loop(_nodes, counts="d count slots")
slopes = Loop(_slopes, counts="count")
Row, Zeta, Feature, Nodes = row.Arguments, zeta.Arguments, feature.Arguments, nodes.Arguments
enter_row, enter_zeta, enter_feature, enter_nodes = caller(row), caller(zeta), caller(feature), caller(nodes)
Slopes, enter_slopes = slopes.Arguments, caller(slopes)
