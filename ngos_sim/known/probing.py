"""An SDE's coefficients, read off its own drift and diffusion: which slots are autonomous, and how the rest is affine.

The slots of one coordinate split into A, autonomous and without noise (u), and L, the rest. Given A, drift and
diffusion of L must be affine in L. Both are found by calling the SDE's functions, so that its formula stands once.
`known.moments` and the estimators that need known means use what a Probe returns. (docs/theory.md, "Probing".)
"""

import math
from copy import copy
from types import SimpleNamespace

import numpy as np

ZERO = 1e-11  # of the largest value in a slot: less is no dependence and no curvature. A bend d biases by about d T
_PATHS, _STEPS = 8, (64, 256, 1024, 4096, 16384)  # of the look at where the SDE goes
_COMPARED = 16  # visited states at which two steps are compared
_TRIES = 32  # pairs of visited states at which the functions are compared
_JITTER = 0.1  # of a visited state: so that equal slots differ
_MOVED = 0.01  # of `reach`: nearer states are moved apart
_EXPLODED = 1e6  # times the start
_TINY = 1e-9  # where the clock begins, as coefficients may be 0/0 at the start
_DELTA = 1e-3  # of an autonomous slot: central differences of order 4


class NoMoments(ValueError):
    """The moments of an SDE are not known; the words say why."""


class Probe:
    """One coordinate of an SDE and the split of its slots.

    Parameters
    ----------
    sde : SDE
    coordinate : Coordinate
    autonomous : tuple of int, optional
        The slots A, where they are known from another coordinate; `certify` tells where they do not serve.

    Attributes
    ----------
    autonomous, linear : tuple of int
        The slots A and L, by their place.
    reach : ndarray, shape (slots,)
        How large each slot is, or how far it moves: the scale of differences.

    Raises
    ------
    NoMoments
        The SDE explodes, or is not affine in its slots given autonomous ones.
    """

    def __init__(self, sde, coordinate, autonomous=None):
        self.sde, self.coordinate = sde, coordinate
        self._p = self._told(coordinate.h)
        self._random = np.random.default_rng(0)
        self.start = np.array(coordinate.start, dtype=np.float64)
        self.seen = self._visited(_PATHS if autonomous is None else 1)
        largest = np.maximum(np.ptp(self.seen, axis=0), np.abs(self.seen).max(axis=0))
        self.reach = np.where(largest > 0.0, largest, 1.0)
        self.autonomous = self._split() if autonomous is None else autonomous
        self.linear = tuple(i for i in range(len(self.start)) if i not in self.autonomous)

    def _told(self, h):
        """Return the p that the SDE's functions get where a step is h."""
        return SimpleNamespace(**{**self.coordinate.constants, **self.sde.parameters, "eta2": h})

    def is_same_at(self, h):
        """Return whether the SDE's functions give the same at another step, to the last bit, at some visited states."""
        other = copy(self)
        other._p = self._told(h)
        x = self.seen[:: max(1, len(self.seen) // _COMPARED)]
        t = self.time((np.arange(len(x)) + 0.5) / len(x))
        return np.array_equal(self.functions(t, x), other.functions(t, x), equal_nan=True)

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
                rows.append(self._at(tuple(state), c))
            except (ArithmeticError, ValueError):
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

    def _visited(self, paths):
        """Return states where the SDE goes, shape (states, slots), by Euler-Maruyama as coarse as is stable."""
        for steps in _STEPS:
            x, found, ds = np.tile(self.start, (paths, 1)), [], 1.0 / steps
            for s in ds * np.arange(steps):
                t, dt = self.time(s + 0.5 * ds), self.speed(s + 0.5 * ds) * ds
                rates = self.functions(np.full(paths, t), x)
                found.append(x)
                z = self._random.standard_normal((paths, rates.shape[1] - 1)) * math.sqrt(dt * self.coordinate.variance)
                x = x + dt * rates[:, 0] + np.einsum("pc,pci->pi", z, rates[:, 1:])
                if not np.all(np.abs(x) < _EXPLODED * (1.0 + np.abs(self.start).max())):  # False for NaN
                    break
            else:
                return np.concatenate(found)
        raise NoMoments(f"sde {self.sde.name!r} explodes or leaves the domain of its functions")

    def _split(self):
        """Return the autonomous slots, as few as make the others affine.

        Slots in which some entry is bent, alone or with another, need an autonomous one among them: one whose closure
        under dependence has no noise. The smallest closure joins A.
        """
        depends, noisy, bent = self._structure()

        def closure(found):
            grown = found.union(*(np.flatnonzero(depends[j]).tolist() for j in found))
            return found if grown == found else closure(grown)

        chosen: set = set()
        for pair in sorted(bent, key=lambda pair: len({*pair})):
            if not bent[pair].any() or chosen & {*pair}:
                continue
            closures = {i: closure({i}) for i in sorted({*pair})}
            free = [each for each in closures.values() if not noisy[list(each)].any()]
            if not free:
                raise NoMoments(self._why(bent[pair], closures, noisy))
            chosen |= min(free, key=len)
        return tuple(sorted(chosen))

    def _structure(self):
        """Return on which slots each depends, which have noise, and in which pairs of slots which entries are bent."""
        n = len(self.start)
        depends, noisy = np.zeros((n, n), dtype=bool), np.zeros(n, dtype=bool)
        bent: dict = {}
        for _ in range(_TRIES):
            t = self.time(self._random.random())
            x, other = self.seen[self._random.integers(len(self.seen), size=2)]
            x, other = (each * (1.0 + _JITTER * self._random.random(n)) for each in (x, other))
            far = np.abs(other - x) > _MOVED * self.reach
            other = np.where(far, other, x + self.reach * self._random.random(n))

            def at(moved, x=x, other=other, t=t):
                states = np.array([np.where(np.isin(range(n), each), other, x) for each in moved])
                return self._finite(np.full(len(states), t), states)

            here, *single = at([(), *((i,) for i in range(n))])
            single = np.array(single)
            size = np.abs([here, *single]).max(axis=0)
            least = ZERO * (size + size.max(axis=0))
            depends |= (np.abs(single - here) > least).any(axis=1).T
            noisy |= size[1:].any(axis=0)
            for i, share in enumerate(self._random.random(n)):
                (part,) = at([(i,)], other=x + share * (other - x))
                chord = part - here - share * (single[i] - here)
                pairs = at([(i, k) for k in range(i)]) if i else ()
                mixed = {(i, k): pair - single[i] - single[k] + here for k, pair in enumerate(pairs)}
                for pair, bend in {(i, i): chord, **mixed}.items():
                    bent[pair] = bent.get(pair, False) | (np.abs(bend) > least)
        return depends, noisy, bent

    def _finite(self, t, x):
        """Return `functions`, or raise where they are not defined."""
        found = self.functions(t, x)
        bad = ~np.isfinite(found).all(axis=(1, 2))
        if np.any(bad):
            time, worst = t[bad][0], x[bad][0]
            state = ", ".join(f"{name}={value:.3g}" for name, value in zip(self.sde.slots, worst, strict=True))
            raise NoMoments(f"sde {self.sde.name!r} has no finite drift and diffusion at t={time:.3g}, {state}")
        return found

    def _why(self, bend, closures, noisy):
        """Return why a bent entry cannot be served, in words."""
        names = self.sde.slots
        row, slot = np.argwhere(bend)[0]
        what = f"the {'diffusion' if row else 'drift'} of {names[slot]}"
        among = " and ".join(names[i] for i in closures)
        needs = "; ".join(
            f"{names[i]} is not autonomous (it needs {', '.join(names[k] for k in sorted(each))}, "
            f"and {', '.join(names[k] for k in sorted(each) if noisy[k])} has noise)"
            for i, each in closures.items()
        )
        return f"{what} of sde {self.sde.name!r} is not affine in {among}: {needs}"

    def affine(self, t, path):
        """Return drift and diffusions of L as affine in (L, 1), and the drift of A, at A = path.

        t : ndarray, shape (n,); path : ndarray, shape (n, autonomous)

        Returns
        -------
        slopes : ndarray, shape (n, 1 + channels, linear, linear + 1)
        own : ndarray, shape (n, autonomous)
        """
        linear, count = list(self.linear), len(self.linear)
        x = np.tile(self.seen.mean(axis=0), (len(t), 1))
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

        By central differences of order 4: they show in the variance of what is carried along alone.
        """
        first, own = [], []
        for at, a in enumerate(self.autonomous):
            d = _DELTA * np.where(path[:, at] == 0.0, self.reach[a], np.abs(path[:, at]))[:, None]
            unit = np.arange(path.shape[1]) == at
            shifted = np.concatenate([path + k * d * unit for k in (1, -1, 2, -2)])
            for found, values in zip((first, own), self.coefficients(np.tile(t, 4), shifted), strict=True):
                one, minus, two, minus_two = np.split(values, 4)
                found.append((8.0 * (one - minus) - (two - minus_two)) / (12.0 * d))
        if not first:
            return np.zeros((len(t), 0, 0)), np.zeros((len(t), 0, 0))
        return np.stack(first, axis=1), np.stack(own, axis=1)

    def certify(self, t, mean, covariance, path, deviations=6.0, directions=12):
        """Raise NoMoments unless drift and diffusion of L are affine out to so many deviations of a Gaussian law of L.

        At three deviations a bias of 1e-3 could hide. t : float; of L mean and covariance, of A path there.
        """
        (slopes,), (own,) = self.affine(np.array([t]), path[None])
        linear = list(self.linear)
        values, vectors = np.linalg.eigh(covariance)
        z = self._random.standard_normal((directions, len(linear)))
        z *= deviations / np.linalg.norm(z, axis=1, keepdims=True) * np.sqrt(np.maximum(values, 0.0))
        x = np.zeros((directions, len(self.start)))
        x[:, linear], x[:, list(self.autonomous)] = mean + z @ vectors.T, path
        every, one = self._finite(np.full(directions, t), x), np.ones((directions, 1))
        found, of_path = every[..., linear], every[..., list(self.autonomous)]
        off = np.abs(found - np.einsum("cij,nj->nci", slopes, np.append(x[:, linear], one, axis=1)))
        size = np.append(self.reach[linear] + np.abs(x[:, linear]), one, axis=1) @ np.abs(slopes).max(axis=(0, 1))
        rate = (np.abs(path) + self.reach[list(self.autonomous)]) / (self.coordinate.end - self.coordinate.t0)
        moved = np.abs(of_path[:, 0] - own) > 10.0 * ZERO * (np.abs(own) + rate)
        if np.any(off > 10.0 * ZERO * size.max()) or np.any(moved) or np.any(of_path[:, 1:]):
            raise NoMoments(
                f"sde {self.sde.name!r} is not affine in its slots at t={t:.3g}, "
                f"{deviations:g} standard deviations from its mean"
            )
