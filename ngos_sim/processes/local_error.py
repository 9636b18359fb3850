"""The local estimator's rule: any rule, with the error of a polynomial basis as further slots.

Talay and Tubaro's expansion (1990) used as an estimator. With psi a basis of test functions, M_k its
flow over one step under the SDE, and e_0 = 0,

    e' = M_k (e - psi(x)) + E[psi(x') | x]

has the mean E psi(x_k) - E psi(X_t) at every step: the weak error itself, with a standard deviation of
the size of the error. The expectation is a quadrature of the noise law through the rule's own step.
"""

import math
from dataclasses import dataclass
from itertools import groupby

from ngos_sim.arithmetic import expectation, matvec, slotwise
from ngos_sim.processes.rule import Rule


@dataclass(frozen=True)
class Basis:
    """Monomials in the slots, u replaced by y = u - U_t, U_t the SDE's deterministic second moment.

    exponents : one tuple a monomial, the powers of each slot (y in the place of u), of ascending degree in all but y
    values : function (x, U) -> tuple, the monomials at a state
    """

    exponents: tuple[tuple[int, ...], ...]
    values: object

    @property
    def nodes(self):
        """How many Gauss nodes are exact where a step is linear in the noise, and quadratic in u."""
        degree = max(sum(powers) + powers[-1] for powers in self.exponents)
        return degree // 2 + 1

    @property
    def widths(self):
        """Of how many of (1, *monomials) each monomial's flow is made: those of no higher degree in all but y."""
        degrees = [sum(powers[:-1]) for powers in self.exponents]
        return tuple(1 + sum(other <= degree for other in degrees) for degree in degrees)


def _rmsprop_values(x, U):
    theta, u = x
    y = u - U
    square = theta * theta
    return y, y * y, theta, theta * y, square, square * y


def _rmsprop_4_values(x, U):
    theta, u = x
    y = u - U
    square = theta * theta
    cube, fourth = square * theta, square * square
    return y, y * y, theta, theta * y, square, square * y, cube, cube * y, fourth, fourth * y


def _adam_values(x, U):
    theta, m, u = x
    y = u - U
    tt, tm, mm = theta * theta, theta * m, m * m
    return y, y * y, theta, m, theta * y, m * y, tt, tm, mm, tt * y, tm * y, mm * y


RMSPROP = Basis(((0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (2, 1)), _rmsprop_values)
RMSPROP_4 = Basis(((0, 1), (0, 2), *((i, j) for i in (1, 2, 3, 4) for j in (0, 1))), _rmsprop_4_values)
ADAM = Basis(
    (
        *((0, 0, 1), (0, 0, 2), (1, 0, 0), (0, 1, 0), (1, 0, 1), (0, 1, 1)),
        *((2, 0, 0), (1, 1, 0), (0, 2, 0), (2, 0, 1), (1, 1, 1), (0, 2, 1)),
    ),
    _adam_values,
)


def _carrier(groups, flow):
    """Return the scalar function (c, v) -> M v; M begins at c[flow], groups of (rows, columns) below each other."""
    *before, (rows, width) = groups
    first = flow + sum(count * columns for count, columns in before)
    last, zero = first + rows * width, (0.0,) * rows

    def carried(c, v):
        return matvec(c[first:last], v[:width], zero)

    if not before:
        return carried
    others = _carrier(before, flow)
    return lambda c, v: (*others(c, v), *carried(c, v))


def local_error(rule, basis, columns, nodes):
    """Return the rule with one more slot a monomial of the basis.

    Its c is the rule's own row, then U_k and U_{k+1}, the rows of (constant, M_k), each as long as
    `Basis.widths` says, and the nodes and weights of the noise law: `known.moment_flow.columns`
    makes what follows the own row.

    Parameters
    ----------
    rule : Rule
        What is measured against the SDE.
    basis : Basis
    columns : int
        Entries of the rule's own row.
    nodes : int
        Of the quadrature: compiled in.
    """
    own_step, own_slots, size = rule.step, len(rule.slots), len(basis.exponents)
    psi = basis.values
    following, flow = columns + 1, columns + 2  # where U_{k+1}, M_k, nodes and weights begin in c
    nodes_at = flow + sum(basis.widths)
    weights_at = nodes_at + nodes
    carry = _carrier([(len(list(rows)), width) for width, rows in groupby(basis.widths)], flow)

    def after(zeta, x, o, root, c, p):
        return psi(own_step(x, o, root * zeta, c[:columns], p), c[following])

    def step(x, o, z, c, p):
        own = x[:own_slots]
        excess = slotwise(psi(own, c[columns]), -1.0, x[own_slots:])
        carried = carry(c, (-1.0, *excess))
        root = math.sqrt(o.variance)
        error = expectation(carried, c[nodes_at:weights_at], c[weights_at:], after, own, o, root, c, p)
        return (*own_step(own, o, z, c[:columns], p), *error)

    slots = (*rule.slots, *(f"error{i}" for i in range(size)))
    return Rule(rule.name, step, slots, rule.schedule, rule.clock, **rule.parameters)
