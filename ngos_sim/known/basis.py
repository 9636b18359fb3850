"""Monomials in the slots of one coordinate, whose errors the local estimator carries along.

Slots A are autonomous (u), L the rest; y = A - U_t, U_t the SDE's own path of A. `known.moments` finds the means of a
Basis under the SDE, `processes.local_error` makes a rule of its values.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np

MOST_CARRIED = 32  # monomials whose errors are carried along for one test function: compile time


@dataclass(frozen=True)
class Basis:
    """Products of powers of L up to a degree and of y up to an order, with y^2 and further powers of L alone.

    Parameters
    ----------
    linear, autonomous : tuple of int
        The slots L and A, by their place in a state.
    degree : int
        In L.
    order : int
        In y, of what holds L.
    alone : int
        Degrees in L beyond `degree`, without y.

    Examples
    --------
    >>> Basis(linear=(0,), autonomous=(1,), degree=2).exponents
    ((0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (2, 1))
    """

    linear: tuple[int, ...]
    autonomous: tuple[int, ...]
    degree: int
    order: int = 1
    alone: int = 0

    @property
    def slots(self):
        """How many slots a state has."""
        return len(self.linear) + len(self.autonomous)

    @cached_property
    def exponents(self):
        """The powers of each slot (y in the place of A), one tuple a monomial; 1 is not among them."""
        orders = range(max(self.order, 2) + 1)
        y = [each for n in orders for each in combinations_with_replacement(self.autonomous, n)]
        sizes = range(1, self.degree + self.alone + 1)
        x = [each for n in sizes for each in combinations_with_replacement(self.linear, n)]
        found = [*y[1:]]
        for each in x:
            most = self.order if len(each) <= self.degree else 0
            found += [(*each, *a) for a in y if len(a) <= most]
        return tuple(tuple(each.count(i) for i in range(self.slots)) for each in found)

    @cached_property
    def places(self):
        """The place of every monomial by its powers, behind that of 1, which is 0."""
        one = (0,) * self.slots
        return {powers: place for place, powers in enumerate((one, *self.exponents))}

    @cached_property
    def plain(self):
        """The places of 1 and of the monomials without y, whose means under the SDE are not 0."""
        return [self.places[e] for e in self.places if not any(e[a] for a in self.autonomous)]

    def spans(self, powers):
        """Return whether a monomial in the slots themselves, u and not y, lies in the span of the basis and 1."""
        return all(each in self.places for each in self._in_y(powers))

    def _in_y(self, powers):
        """Return the powers of the monomials in y that a monomial in the slots is a sum of."""
        found = [()]
        for i, n in enumerate(powers):
            found = [(*e, k) for e in found for k in (range(n + 1) if i in self.autonomous else (n,))]
        return found

    def expand(self, powers, path):
        """Return {place: factor} of a monomial in the slots at A = path + y: prod (U + y)^n, by the binomial theorem.

        path : ndarray, shape (times, autonomous); factors have shape (times,)
        """
        found = {}
        for e in self._in_y(powers):
            factor = np.ones(len(path))
            for at, a in enumerate(self.autonomous):
                factor = factor * math.comb(powers[a], e[a]) * path[:, at] ** (powers[a] - e[a])
            found[self.places[e]] = factor
        return found

    def operator(self, powers, derivatives):
        """Return the matrix of x^powers d^derivatives on (1, *monomials), cut at the basis."""
        matrix = np.zeros((len(self.places), len(self.places)))
        for e, row in self.places.items():
            image = tuple(n - d + q for n, d, q in zip(e, derivatives, powers, strict=True))
            if all(n >= d for n, d in zip(e, derivatives, strict=True)) and image in self.places:
                matrix[row, self.places[image]] = math.prod(map(math.perm, e, derivatives))
        return matrix

    def of(self, states):
        """Return (1, *monomials) of states (y in the place of A), shape (.., slots) -> (.., size + 1)."""
        powers = np.array(list(self.places))
        return np.prod(np.asarray(states)[..., None, :] ** powers, axis=-1)


def covering(linear, autonomous, monomials=(), own_flow=False):
    """Return the smallest Basis whose span holds monomials in the slots; None above degree 8.

    own_flow : bool
        Whether an optimizer's own step is projected on it (`estimators.own_flow`): beside slots A it then has y^2
        times the powers of L, and higher powers of L alone, as u' holds h f'^2. One of these is enough where L has
        several slots: a second moved Adam's standard deviations by less than a tenth. Else, and where that is too
        large to carry, its degree is 2 at least, and its order what the monomials need: Adam's theta^3 and theta^4 are
        then carried with a tenth of the standard deviation that the SDE's flow leaves, at h = 1/128.
    """
    linear, autonomous = tuple(linear), tuple(autonomous)
    rich = own_flow and bool(autonomous) and bool(linear)
    found = _smallest(linear, autonomous, monomials, rich)
    if rich and (found is None or len(found.exponents) > MOST_CARRIED):
        return _smallest(linear, autonomous, monomials, False)
    return found


def _smallest(linear, autonomous, monomials, rich):
    """Return what `covering` does; rich : for an optimizer's own step, however large it is."""
    for degree in range(1 if rich else 2, 9):
        bases = [Basis(linear, autonomous, degree, order) for order in (1, 2)]
        if rich:
            bases = [Basis(linear, autonomous, degree, order=2, alone=2 if len(linear) == 1 else 1)]
        if rich and any(sum(powers[i] for i in linear) > degree for powers in monomials):
            continue  # what is carried without y, of higher degree, is there for the others' sake
        for basis in bases:
            if all(basis.spans(powers) for powers in monomials):
                return basis
    return None
