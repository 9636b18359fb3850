"""The local estimator's rule: any rule, with the error of a polynomial basis as further slots.

Talay and Tubaro's expansion (1990) used as an estimator. With psi a basis of test functions, m_k = E psi(X_t) under
the SDE, any matrices M_k, and e_0 = 0,

    e' = M_k (e - (psi(x) - m_k)) + E[psi(x') | x] - m_{k+1}

has the mean E psi(x_k) - m_k at every step, by induction: the weak error itself. With M_k the flow of psi over one step
its standard deviation is of the size of the error. The expectation is a quadrature of the noise law through the rule's
own step. `studies.pivots` makes the rule, `known.local_table` its rows.
"""

import math
from itertools import groupby

from ngos_sim.arithmetic import expectation, matvec, slotwise
from ngos_sim.processes.rule import Rule


def monomials(basis):
    """Return the scalar function (x, path) -> tuple of a basis's monomials at a state, y = x - path in slots of A.

    One expression, written out from the powers: a chain of functions would take longer to compile.

    Examples
    --------
    >>> from ngos_sim.known.basis import Basis
    >>> monomials(Basis(linear=(0,), autonomous=(1,), degree=1))((3.0, 1.5), (1.0,))
    (0.5, 0.25, 3.0, 1.5)
    """
    factors = [f"x[{i}]" for i in range(basis.slots)]
    for at, a in enumerate(basis.autonomous):
        factors[a] = f"(x[{a}] - path[{at}])"
    products = [" * ".join(factors[i] for i, n in enumerate(powers) for _ in range(n)) for powers in basis.exponents]
    return eval(f"lambda x, path: ({', '.join(products)},)", {})


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


def local_error(rule, basis, widths, columns, nodes):
    """Return the rule with one more slot a monomial of the basis.

    Its c is the rule's own row, then the path of A at k and at k + 1, the rows of (constant, M_k), and the nodes and
    weights of the noise law: `known.local_table` makes what follows the own row.

    Parameters
    ----------
    rule : Rule
        What is measured against the SDE.
    basis : known.basis.Basis
    widths : tuple of int
        Of how many of (1, *monomials) each monomial's row is made, ascending.
    columns : int
        Entries of the rule's own row.
    nodes : int
        Of the quadrature: compiled in.
    """
    own_step, own_slots, psi = rule.step, len(rule.slots), monomials(basis)
    following = columns + len(basis.autonomous)  # where the path at k + 1, M_k, nodes and weights begin in c
    flow = following + len(basis.autonomous)
    nodes_at = flow + sum(widths)
    weights_at = nodes_at + nodes
    carry = _carrier([(len(list(rows)), width) for width, rows in groupby(widths)], flow)

    def after(zeta, x, o, root, c, p):
        return psi(own_step(x, o, root * zeta, c[:columns], p), c[following:flow])

    def step(x, o, z, c, p):
        own = x[:own_slots]
        excess = slotwise(psi(own, c[columns:following]), -1.0, x[own_slots:])
        carried = carry(c, (-1.0, *excess))
        root = math.sqrt(o.variance)
        error = expectation(carried, c[nodes_at:weights_at], c[weights_at:], after, own, o, root, c, p)
        return (*own_step(own, o, z, c[:columns], p), *error)

    slots = (*rule.slots, *(f"error{i}" for i in range(len(basis.exponents))))
    return Rule(rule.name, step, slots, rule.schedule, **rule.parameters)
