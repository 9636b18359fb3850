"""An SDE's coefficients, read off its own drift and diffusion: which slots are autonomous, and how the rest is affine.

The slots of one coordinate split into A, autonomous and without noise (u), and L, the rest. Given A, drift and
diffusion of L must be affine in L. Both are found by calling the SDE's functions, so that its formula stands once.
`known.moments` and the estimators that need known means use what a Probe returns. (docs/theory.md, "Probing".)
"""

import math
from copy import copy
from types import SimpleNamespace

import numpy as np

from ngos_sim.known.split import ZERO, NoMoments, autonomous_slots
from ngos_sim.processes.integrators import constants_of

_PATHS, _STEPS = 8, (64, 256, 1024, 4096, 16384)  # of the look at where the SDE goes
_COMPARED = 16  # visited states at which what was found is compared
_EXPLODED = 1e6  # times the start
_TINY = 1e-9  # where the clock begins, as coefficients may be 0/0 at the start
_SMALL, _STEEPER = 1e-2, 3.0  # of an autonomous slot; of derivatives there: a root's are 10 times as large
_DELTA = 1e-3  # of an autonomous slot: central differences


class _Parameters(SimpleNamespace):
    """p, with a step of which it is known whether it was read."""

    def __init__(self, h, constants):
        super().__init__(**constants)
        self._h, self.is_read = h, False

    @property
    def eta2(self):
        """The step."""
        self.is_read = True
        return self._h


class Probe:
    """One coordinate of an SDE and the split of its slots.

    Parameters
    ----------
    sde : SDE
    coordinate : Coordinate

    Attributes
    ----------
    autonomous : tuple of int
        The slots A, by their place.
    reach : ndarray, shape (slots,)
        How large each slot is, or how far it moves: the scale of differences.

    Raises
    ------
    NoMoments
        The SDE explodes, or is not affine in its slots given autonomous ones.
    """

    def __init__(self, sde, coordinate):
        self.sde, self.coordinate = sde, coordinate
        self._p = self._told(coordinate.h)
        self._random = np.random.default_rng(0)
        self.start = np.array(coordinate.start, dtype=np.float64)
        self.seen = self._visited()
        largest = np.maximum(np.ptp(self.seen, axis=0), np.abs(self.seen).max(axis=0))
        self.reach = np.where(largest > 0.0, largest, 1.0)
        self.autonomous = autonomous_slots(self)
        self._from_zero = True
        self._from_zero = self._is_affine_from_zero()

    @property
    def linear(self):
        """The slots L, by their place."""
        return tuple(i for i in range(len(self.start)) if i not in self.autonomous)

    def at(self, coordinate, autonomous):
        """Return the Probe of another coordinate of the SDE with given slots A.

        `certify` tells where they do not serve. What is visited stays this one's: it gives scales alone.
        """
        other = copy(self)
        other.coordinate, other.autonomous = coordinate, autonomous
        other._p, other._random = other._told(coordinate.h), np.random.default_rng(0)
        other.start = np.array(coordinate.start, dtype=np.float64)
        other.reach = np.maximum(self.reach, np.abs(other.start))
        return other

    def _told(self, h):
        """Return the p that the SDE's functions get where a step is h."""
        return _Parameters(h, constants_of(self.sde, self.coordinate.constants))

    @property
    def reads_step(self):
        """Whether the SDE's functions have read the step so far."""
        return self._p.is_read

    def time(self, s):
        """Return t0 + T s^2, T the duration, 0 < s <= 1: bias corrections and a root of u near 0 are smooth in s."""
        duration = self.coordinate.end - self.coordinate.t0
        s = np.maximum(s, _TINY)
        return self.coordinate.t0 + duration * s * s

    def speed(self, s):
        """Return dt/ds of `time`."""
        return 2.0 * (self.coordinate.end - self.coordinate.t0) * np.maximum(s, _TINY)

    def functions(self, t, x):
        """Return drift, then the diffusion of each Brownian motion; NaN where a function is not defined.

        t : ndarray, shape (n,); x : ndarray, shape (n, slots)

        Returns
        -------
        ndarray, shape (n, 1 + channels, slots)
        """
        rows, before, c = [], None, ()
        for time, state in zip(np.asarray(t).tolist(), np.asarray(x).tolist(), strict=True):
            try:
                if time != before:
                    before, c = None, tuple(map(float, self.sde.schedule(time, self._p)))
                    before = time
                rows.append(tuple(map(float, self._at(tuple(state), c))))
            except (ArithmeticError, ValueError, TypeError):
                rows.append(None)
            except AttributeError as error:
                if error.obj is not self._p:
                    raise
                raise NoMoments(f"sde {self.sde.name!r} reads {error.name!r}, which the optimizer has not") from None
        width = next((len(row) for row in rows if row is not None), 2 * len(self.start))
        nothing = (math.nan,) * width
        found = np.array([nothing if row is None else row for row in rows], dtype=np.float64)
        return found.reshape(len(rows), -1, len(self.start))

    def _at(self, x, c):
        """Return drift and diffusions at a state, one after the other."""
        o = self.coordinate.oracle(x[0])
        diffusion = self.sde.diffusion(x, o, c, self._p)
        rows = diffusion if isinstance(diffusion[0], tuple) else (diffusion,)
        return (*self.sde.drift(x, o, c, self._p), *(value for row in rows for value in row))

    def _visited(self):
        """Return states where the SDE goes, shape (states, slots), by Euler-Maruyama as coarse as is stable."""
        for steps in _STEPS:
            x, found, ds = np.tile(self.start, (_PATHS, 1)), [], 1.0 / steps
            for s in ds * np.arange(steps):
                t, dt = self.time(s + 0.5 * ds), self.speed(s + 0.5 * ds) * ds
                rates = self.functions(np.full(_PATHS, t), x)
                found.append(x)
                z = self._random.standard_normal((_PATHS, rates.shape[1] - 1)) * math.sqrt(
                    dt * self.coordinate.variance
                )
                x = x + dt * rates[:, 0] + np.einsum("pc,pci->pi", z, rates[:, 1:])
                if not np.all(np.abs(x) < _EXPLODED * (1.0 + np.abs(self.start).max())):  # False for NaN
                    break
            else:
                return np.concatenate(found)
        raise NoMoments(
            f"sde {self.sde.name!r} is not followed {self.coordinate.span}: rates too fast, moments too large, or it "
            "leaves the domain of its functions"
        )

    def finite(self, t, x):
        """Return `functions`, or raise where they are not defined."""
        found = self.functions(t, x)
        bad = ~np.isfinite(found).all(axis=(1, 2))
        if np.any(bad):
            time, worst = t[bad][0], x[bad][0]
            state = ", ".join(f"{name}={value:.3g}" for name, value in zip(self.sde.slots, worst, strict=True))
            raise NoMoments(f"sde {self.sde.name!r} has no finite drift and diffusion at t={time:.3g}, {state}")
        return found

    def affine(self, t, path):
        """Return drift and diffusions of L as affine in (L, 1), and the drift of A, at A = path.

        t : ndarray, shape (n,); path : ndarray, shape (n, autonomous)

        Returns
        -------
        slopes : ndarray, shape (n, 1 + channels, linear, linear + 1)
        own : ndarray, shape (n, autonomous)
        """
        linear, count = list(self.linear), len(self.linear)
        x = np.tile(self.start * (not self._from_zero), (len(t), 1))
        x[:, list(self.autonomous)] = path
        moved = [x, *(x + self.reach[i] * (np.arange(len(self.start)) == i) for i in linear)]
        states = np.stack(moved, axis=1)
        found = self.functions(np.repeat(t, count + 1), states.reshape(-1, len(self.start)))
        found = found.reshape(len(t), count + 1, *found.shape[1:])
        centre = found[:, 0]
        slopes = np.zeros((*centre.shape[:2], count, count + 1))
        slopes[..., :-1] = np.moveaxis(found[:, 1:] - centre[:, None], 1, 3)[:, :, linear] / self.reach[linear]
        slopes[..., -1] = centre[..., linear] - np.einsum("ncij,nj->nci", slopes[..., :-1], x[:, linear])
        return slopes, centre[:, 0, list(self.autonomous)]

    def _is_affine_from_zero(self):
        """Return whether differences from L = 0 give what is seen elsewhere too: then a constant of 0 is exactly 0."""
        x = self.seen[:: max(1, len(self.seen) // _COMPARED)]
        t = self.time((np.arange(len(x)) + 0.5) / len(x))
        slopes, _ = self.affine(t, x[:, list(self.autonomous)])
        extended = np.append(x[:, list(self.linear)], np.ones((len(x), 1)), axis=1)
        off = np.einsum("ncij,nj->nci", slopes, extended) - self.functions(t, x)[..., list(self.linear)]
        size = np.einsum("ncij,nj->nci", np.abs(slopes), np.abs(extended))
        return bool(np.all(np.abs(off) <= ZERO * np.max(size, initial=0.0)))  # False for NaN

    def coefficients(self, t, path):
        """Return the coefficients of the generator on functions of L, and the drift of A.

        With x = (L, 1), of x_j d_i: W_ij; then of x_j x_m d_i d_k: the sum over Brownian motions of
        variance / 2 S_ij S_km.

        Returns
        -------
        numbers : ndarray, shape (n, terms)
        own : ndarray, shape (n, autonomous)
        """
        slopes, own = self.affine(t, path)
        drift, diffusions = slopes[:, 0], slopes[:, 1:]
        second = np.einsum("c,ncij,nckm->nikjm", 0.5 * self.variances(diffusions.shape[1]), diffusions, diffusions)
        return np.concatenate([drift.reshape(len(t), -1), second.reshape(len(t), -1)], axis=1), own

    def variances(self, channels):
        """Return the variance of each Brownian motion: the oracle's of the first, 1 of another."""
        return np.array([self.coordinate.variance, *[1.0] * (channels - 1)])

    def derivatives(self, t, path):
        """Return the derivatives of both `coefficients` in every slot of A, shapes (n, autonomous, ..).

        By central differences, to 1e-6 of themselves: they show in the variance of what is carried along alone.
        """
        first, own = [], []
        for at, a in enumerate(self.autonomous):
            d = _DELTA * np.where(path[:, at] == 0.0, self.reach[a], np.abs(path[:, at]))[:, None]
            unit = d * (np.arange(path.shape[1]) == at)
            moved = self.coefficients(np.tile(t, 2), np.concatenate([path + unit, path - unit]))
            for found, (up, down) in zip((first, own), (np.split(values, 2) for values in moved), strict=True):
                found.append((up - down) / (2.0 * d))
        if not first:
            return np.zeros((len(t), 0, 0)), np.zeros((len(t), 0, 0))
        return np.stack(first, axis=1), np.stack(own, axis=1)

    def grows_near_zero(self, slot):
        """Return whether derivatives of the coefficients in a slot of A grow towards its 0, as those of a root do."""
        path = np.tile(np.abs(self.seen).mean(axis=0)[list(self.autonomous)], (2, 1))
        path[:, self.autonomous.index(slot)] *= (_SMALL, _SMALL * _SMALL)
        first, _ = self.derivatives(self.time(np.full(2, 0.5)), path)
        far, near = np.abs(first[:, self.autonomous.index(slot)]).max(axis=1)
        return not near <= _STEEPER * far  # True for NaN

    def certify(self, t, mean, covariance, path, deviations=6.0, directions=12):
        """Raise NoMoments unless the slots are what they are taken for, out to so many deviations of a law of L.

        At three deviations a bias of 1e-3 could hide.

        Parameters
        ----------
        t : ndarray, shape (n,)
        mean, covariance : ndarray, shapes (n, linear), (n, linear, linear)
            Of L, a Gaussian law.
        path : ndarray, shape (n, autonomous)
            A there.
        """
        (slopes, own), linear, autonomous = self.affine(t, path), list(self.linear), list(self.autonomous)
        values, vectors = np.linalg.eigh(covariance)
        z = self._random.standard_normal((len(t), directions, len(linear)))
        z *= deviations / np.linalg.norm(z, axis=2, keepdims=True) * np.sqrt(np.maximum(values, 0.0))[:, None]
        x = np.zeros((len(t), directions, len(self.start)))
        x[..., linear], x[..., autonomous] = mean[:, None] + np.einsum("nij,ndj->ndi", vectors, z), path[:, None]
        every = self.finite(np.repeat(t, directions), x.reshape(-1, len(self.start)))
        every = every.reshape(len(t), directions, *every.shape[1:])
        extended = np.append(x[..., linear], np.ones((len(t), directions, 1)), axis=2)
        off = np.abs(every[..., linear] - np.einsum("ncij,ndj->ndci", slopes, extended))
        sizes = np.append(self.reach[linear] + np.abs(x[..., linear]), extended[..., -1:], axis=2)
        size = np.einsum("ndj,nj->nd", sizes, np.abs(slopes).max(axis=(1, 2))).max(axis=1)
        rate = (np.abs(path) + self.reach[autonomous]) / (self.coordinate.end - self.coordinate.t0)
        moved = np.abs(every[:, :, 0, autonomous] - own[:, None]) > (10.0 * ZERO * (np.abs(own) + rate))[:, None]
        wrong = np.any(off > 10.0 * ZERO * size[:, None, None, None], axis=(1, 2, 3)) | np.any(moved, axis=(1, 2))
        wrong |= np.any(every[:, :, 1:, autonomous], axis=(1, 2, 3))
        if np.any(wrong):
            raise NoMoments(
                f"sde {self.sde.name!r} is not affine in its slots at t={t[wrong][0]:.3g}, "
                f"{deviations:g} standard deviations from its mean"
            )
