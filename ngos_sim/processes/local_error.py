"""The local estimator's rule: any rule, with the error of a polynomial basis as further slots.

Talay and Tubaro's expansion (1990) used as an estimator. With psi a basis of test functions, m_k = E psi(X_t) under
the SDE, any matrices M_k, and e_0 = 0,

    e' = M_k (e - (psi(x) - m_k)) + E[psi(x') | x] - m_{k+1}

has the mean E psi(x_k) - m_k at every step, by induction: the weak error itself. With M_k the flow of psi over one step
its standard deviation is of the size of the error. The expectation is a quadrature of the noise law through the rule's
own step. `estimators.pivots` makes the rule, `known.local_table` its rows.
"""

import math

from ngos_sim.arithmetic import expectation, matvec, monomials, slotwise
from ngos_sim.processes.rule import Rule


def values(basis):
    """Return the scalar function (x, path) -> tuple of a basis's monomials at a state, y = x - path in slots of A.

    Examples
    --------
    >>> from ngos_sim.known.basis import Basis
    >>> values(Basis(linear=(0,), autonomous=(1,), degree=1))((3.0, 1.5), (1.0,))
    (0.5, 0.25, 3.0, 1.5)
    """
    places = {slot: place for place, slot in enumerate(basis.autonomous, start=1)}
    centred = tuple(_counted(places.get(slot, 0)) for slot in range(basis.slots))
    powers = tuple(tuple(map(_counted, each)) for each in basis.exponents)
    return lambda x, path: monomials(x, path, centred, powers)


def _counted(n):
    """Return a number as the length of a tuple: `arithmetic.monomials` says why."""
    return (0,) * n


def local_error(rule, basis, columns, nodes):
    """Return the rule with one more slot a monomial of the basis.

    Its c is (row, matrix): the rule's own row, the path of A at k and at k + 1, the nodes and the weights of the noise
    law; and the rows of (constant, M_k). `known.local_table` makes what follows the own row.

    Parameters
    ----------
    rule : Rule
        What is measured against the SDE.
    basis : known.basis.Basis
    columns : int
        Entries of the rule's own row.
    nodes : int
        Of the quadrature: compiled in.
    """
    own_step, own_slots, psi = rule.step, len(rule.slots), values(basis)
    following = columns + len(basis.autonomous)  # where the path at k + 1, nodes and weights begin in the row
    nodes_at = following + len(basis.autonomous)
    weights_at, zero = nodes_at + nodes, (0.0,) * len(basis.exponents)

    def after(zeta, x, o, root, row, path, p):
        return psi(own_step(x, o, root * zeta, row, p), path)

    def step(x, o, z, c, p):
        c, matrix = c
        own, row, path = x[:own_slots], c[:columns], c[following:nodes_at]
        excess = slotwise(psi(own, c[columns:following]), -1.0, x[own_slots:])
        carried = matvec(matrix, (-1.0, *excess), zero)
        root = math.sqrt(o.variance)
        error = expectation(carried, c[nodes_at:weights_at], c[weights_at:], after, own, o, root, row, path, p)
        return (*own_step(own, o, z, row, p), *error)

    slots = (*rule.slots, *(f"error{i}" for i in range(len(basis.exponents))))
    return Rule(rule.name, step, slots, rule.schedule, rule.clock, **rule.parameters)
