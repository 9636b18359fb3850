"""Exact moments of an SDE on a Basis, and the flows M_k between steps: by a Probe of its functions alone.

With U' = f(t, U) the path of the autonomous slots and W, K the coefficients of `Probe.coefficients` at U_t, the means
m = E psi(X_t) of the monomials without y obey the linear equation m' = G_t m,

    G = sum_ij W_ij x_j d_i + sum_ikjm K_ikjm x_j x_m d_i d_k,    x = (L, 1),

where nothing is cut. The flows M_k also need the derivatives of W, K and f in A, to first order in y = A - U_t; the
means of the carried errors hang on m alone, M_k shows in their variance. (docs/theory.md, "The local estimator".)
"""

from functools import cache, cached_property

import numpy as np
import scipy

from ngos_sim.known import linear_flow
from ngos_sim.known.probing import NoMoments

_SOLVER = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-14}
_MOST = 20_000  # evaluations of a path that is not linear: seconds
_CERTIFIED = 9  # times at which the coefficients must be affine out to the SDE's tails
_AFFINE = 1e-10  # of the drift of A in A: below it a path is that of a linear equation
_KNOTS = 8  # an interval of the solution: times at which M_k's coefficients are probed, a spline between


class Path:
    """The autonomous slots of a Probe's SDE over time: `at` clock values s, shape (times, autonomous)."""

    def __init__(self, probe):
        self.probe = probe
        self._start = probe.start[list(probe.autonomous)]

    @cached_property
    def _solved(self):
        probe, count = self.probe, len(self._start)
        if not count:
            return lambda s: np.zeros((len(s), 0))
        if self._is_linear():
            found = linear_flow.solved(self._rates, np.append(self._start, 1.0))
            if found is not None:
                return lambda s: found.at(s)[:, :-1]
        calls = iter(range(_MOST))

        def field(s, A):
            if next(calls, None) is None:
                raise NoMoments(self._why())
            return probe.speed(s) * self._drift(probe.time(np.array([s])), A[None])[0]

        with np.errstate(all="ignore"):
            solved = scipy.integrate.solve_ivp(field, (0.0, 1.0), self._start, dense_output=True, **_SOLVER)
        if not solved.success or not np.all(np.isfinite(solved.y)):
            raise NoMoments(self._why())
        return lambda s: solved.sol(np.asarray(s)).T

    def at(self, s):
        """Return the autonomous slots at ascending clock values, shape (times, autonomous)."""
        return self._solved(np.asarray(s, dtype=np.float64))

    def _why(self):
        names = ", ".join(self.probe.sde.slots[a] for a in self.probe.autonomous)
        return f"the path of {names} of sde {self.probe.sde.name!r} is not found: rates too fast"

    def _drift(self, t, A):
        """Return the drift of A, whatever L is, shapes (n,) and (n, autonomous) -> (n, autonomous)."""
        x = np.tile(self.probe.start, (len(t), 1))
        x[:, list(self.probe.autonomous)] = A
        return self.probe.functions(t, x)[:, 0, list(self.probe.autonomous)]

    def _affine_at(self, t):
        """Return the drift of A at its start and its slopes, as if it were affine: shapes (n, a), (n, a, a)."""
        reach = self.probe.reach[list(self.probe.autonomous)]
        moved = np.concatenate([[self._start], self._start + np.diag(reach)])
        found = self._drift(np.repeat(t, len(moved)), np.tile(moved, (len(t), 1))).reshape(len(t), *moved.shape)
        centre = found[:, 0]
        return centre, np.swapaxes((found[:, 1:] - centre[:, None]) / reach[:, None], 1, 2)

    def _is_linear(self):
        """Return whether the drift of A is affine in A at some times and states visited."""
        probe = self.probe
        states = probe.seen[:: max(1, len(probe.seen) // 16)][:, list(probe.autonomous)]
        t = probe.time((np.arange(len(states)) + 0.5) / len(states))
        centre, slopes = self._affine_at(t)
        off = np.abs(self._drift(t, states) - centre - np.einsum("nij,nj->ni", slopes, states - self._start))
        size = np.einsum("nij,nj->ni", np.abs(slopes), np.abs(states) + np.abs(self._start)) + np.abs(centre)
        return bool(np.all(off <= _AFFINE * size))

    def _rates(self, s):
        """Return the matrices of (A, 1)' in the clock s, of any shape."""
        n, flat = len(self._start), s.ravel()
        centre, slopes = self._affine_at(self.probe.time(flat))
        found = np.zeros((len(flat), n + 1, n + 1))
        found[:, :n, :n], found[:, :n, n] = slopes, centre - slopes @ self._start
        found *= self.probe.speed(flat)[:, None, None]
        return found.reshape(*s.shape, n + 1, n + 1)


def _count(basis, *slots):
    """Return the powers of a product of slots, None standing for 1."""
    return tuple(slots.count(i) for i in range(basis.slots))


def _terms(basis):
    """Return the powers and derivatives of the terms of `Probe.coefficients`, in their order."""
    linear, extended = basis.linear, (*basis.linear, None)
    first = [((j,), (i,)) for i in linear for j in extended]
    second = [((j, m), (i, k)) for i in linear for k in linear for j in extended for m in extended]
    return [(_count(basis, *powers), _count(basis, *derivatives)) for powers, derivatives in (*first, *second)]


@cache
def _operators(basis):
    """Return the operators x^powers d^derivatives of `_terms` on a Basis and 1, shape (terms, n + 1, n + 1)."""
    size = len(basis.places)
    return np.array([basis.operator(*term) for term in _terms(basis)]).reshape(-1, size, size)


@cache
def _flow_operators(basis):
    """Return the operators of G to first order in y: `_operators`, these times y of each slot of A, and those of F."""
    own, autonomous = [*_operators(basis)], basis.autonomous
    for a in autonomous:
        y = _count(basis, a)
        own += [basis.operator(tuple(np.add(powers, y)), derivatives) for powers, derivatives in _terms(basis)]
    own += [basis.operator(_count(basis, b), _count(basis, a)) for a in autonomous for b in autonomous]
    return np.array(own).reshape(-1, len(basis.places), len(basis.places))


class Moments:
    """The means of a Basis under a Probe's SDE, and the flows between steps.

    Parameters
    ----------
    probe : Probe
    basis : Basis

    Raises
    ------
    NoMoments
        The moments are not found, or the SDE is not affine as far out as its law.
    """

    def __init__(self, probe, basis):
        self.probe, self.basis, self.path = probe, basis, Path(probe)
        plain = np.array(basis.plain)
        self._operators = _operators(basis)
        self._on_path = self._operators[:, plain[:, None], plain]
        start = basis.of(self._centred(probe.start, probe.start))[plain]
        self._solution = linear_flow.solved(self._rates, start)
        if self._solution is None:
            raise NoMoments(
                f"the moment flow of sde {probe.sde.name!r} does not converge {probe.coordinate.span}: "
                "rates too fast, or moments too large"
            )
        self._certify()

    def _centred(self, state, path):
        """Return a state whose slots of A are less those of another: y in the place of A."""
        found = np.array(state, dtype=np.float64)
        found[..., list(self.probe.autonomous)] -= np.asarray(path)[..., list(self.probe.autonomous)]
        return found

    def _rates(self, s):
        """Return G in the clock s on the monomials without y, shape (.., n, n)."""
        flat = s.ravel()
        numbers, _ = self.probe.coefficients(self.probe.time(flat), self._path_at(flat))
        numbers *= self.probe.speed(flat)[:, None]
        found = np.tensordot(numbers, self._on_path, 1)
        return found.reshape(*s.shape, *found.shape[1:])

    def _path_at(self, s):
        """Return the path at clock values in any order."""
        order = np.argsort(s, kind="stable")
        found = np.empty((len(s), len(self.probe.autonomous)))
        found[order] = self.path.at(s[order])
        return found

    def clock(self, since):
        """Return the clock values of times since t0."""
        duration = self.probe.coordinate.end - self.probe.coordinate.t0
        return np.sqrt(np.clip(np.asarray(since) / duration, 0.0, 1.0))

    def means(self, since):
        """Return E psi(X_t) at ascending times since t0, shape (times, monomials); 0 with a power of y."""
        found = np.zeros((len(since), len(self.basis.exponents)))
        found[:, np.array(self.basis.plain[1:], dtype=int) - 1] = self._solution.at(self.clock(since))[:, 1:]
        return found

    def _certify(self):
        """Refuse unless drift and diffusion are affine out to the tails of the law of L, at some times."""
        linear = self.probe.linear
        if not linear:
            return
        s = np.arange(1, _CERTIFIED + 1) / _CERTIFIED
        plain = {place: at for at, place in enumerate(self.basis.plain)}
        first = [plain[self.basis.places[_count(self.basis, i)]] for i in linear]
        second = [[plain[self.basis.places[_count(self.basis, i, k)]] for k in linear] for i in linear]
        found = self._solution.at(s)
        mean = found[:, first]
        covariance = found[:, second] - mean[:, :, None] * mean[:, None]
        self.probe.certify(self.probe.time(s), mean, covariance, self.path.at(s))

    def generator(self, s):
        """Return G in the clock s on (1, *monomials), to first order in y, shape (.., n + 1, n + 1)."""
        flat = s.ravel()
        if len(flat) < self._knots:
            numbers, operators = self._flow_numbers(flat), _flow_operators(self.basis)
        else:
            spline, used = self._spline
            numbers, operators = spline(flat), _flow_operators(self.basis)[used]
        found = np.tensordot(numbers, operators, 1)
        return found.reshape(*s.shape, *found.shape[1:])

    @property
    def _knots(self):
        """How many times M_k's coefficients are probed at: the more intervals the solution took."""
        return 1 + _KNOTS * len(self._solution.values)

    @cached_property
    def _spline(self):
        """The factors of `_flow_operators` at any clock values, smooth there, of those that are not 0; and which."""
        knots = np.linspace(0.0, 1.0, self._knots)
        numbers = self._flow_numbers(knots)
        used = np.any(numbers != 0.0, axis=0)
        return scipy.interpolate.CubicSpline(knots, numbers[:, used]), used

    def _flow_numbers(self, s):
        """Return the factors of `_flow_operators` at clock values, shape (times, terms)."""
        t, path = self.probe.time(s), self._path_at(s)
        first, own = self.probe.derivatives(t, path)
        parts = (self.probe.coefficients(t, path)[0], first, np.swapaxes(own, 1, 2))
        return self.probe.speed(s)[:, None] * np.concatenate([part.reshape(len(s), -1) for part in parts], axis=1)
