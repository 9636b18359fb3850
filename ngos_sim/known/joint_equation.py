"""The linear equation of all coordinates of an SDE at once, read off its drift and diffusion.

With gradient H theta + slope and constant covariance Sigma the linear slots s of all coordinates obey

    ds = (A_t s + b_t) dt + B_t Sigma^(1/2) dW

along the path of the autonomous slots. Where H is a matrix, one coordinate's functions are probed with the gradient
and (H grad f)_i as free numbers: two slots more. What they make of these, of the own slots and of 1 are rows
of a matrix; H and slope then say what the numbers are. Slots are stacked: all theta, then the next linear slot.
`gaussian_law` and `joint_flow` solve the equation.
"""

from functools import cached_property

import numpy as np
import scipy

from ngos_sim.known.coordinate import Coordinate
from ngos_sim.known.joint_problem import embedding, with_free_gradient
from ngos_sim.known.moments import Path
from ngos_sim.known.probing import ZERO, NoMoments, Probe
from ngos_sim.known.tabulated import Tabulated

CERTIFIED = np.arange(1, 10) / 9.0  # when the functions must be affine out to the law's tails, in the clock s

_KNOTS = 161  # times at which derivatives are probed, a spline between


class JointEquation:
    """An SDE's linear equation.

    Parameters
    ----------
    sde : SDE
    problem : JointProblem

    Attributes
    ----------
    linear, autonomous : tuple of int
        Which slots of the SDE are linear, and which are autonomous, by their place.

    Raises
    ------
    NoMoments
        The SDE is not affine in its slots, given autonomous ones, and in the gradient.
    """

    def __init__(self, sde, problem):
        self.sde, self.problem = sde, problem
        probed = with_free_gradient(sde) if problem.is_matrix else sde
        try:
            coordinates = [self._coordinate(j) for j in range(problem.dimension)]
            noisiest = int(np.argmax(np.diag(problem.covariance)))
            first = Probe(probed, coordinates[noisiest])
            self.probes = [
                first if j == noisiest else first.at(each, first.autonomous) for j, each in enumerate(coordinates)
            ]
        except AttributeError as error:
            if error.name != "curvature" or not problem.is_matrix:
                raise
            raise NoMoments(
                f"sde {sde.name!r} reads o.curvature, but the Hessian is a matrix: the curvature of coordinate i alone "
                "is not the Hessian: use o.hessian_gradient"
            ) from None
        own = range(len(sde.slots))
        self.autonomous = first.autonomous
        self.linear = tuple(i for i in own if i not in self.autonomous)
        if 0 in self.autonomous:
            raise NoMoments(f"theta of sde {sde.name!r} has no noise and its drift is not affine")
        self._units = np.array([[*(probe.reach[i] for i in probe.linear), 1.0] for probe in self.probes])
        self._paths = [Path(probe) for probe in self.probes]
        self.embedding = embedding(problem, self.linear)

    def _coordinate(self, j):
        """Return one coordinate; where the Hessian is a matrix its gradient is in the slots."""
        each, start = self.problem, self.problem.start[:, j]
        hessian, slope = (0.0, 0.0) if each.is_matrix else (each.hessian[j], each.slope[j])
        if each.is_matrix:
            start = np.append(start, each.free[j] @ np.append(each.start[0], 1.0))
        numbers = (float(hessian), float(slope), float(each.covariance[j, j]), tuple(start.tolist()))
        return Coordinate(*numbers, each.t0, each.end, each.constants, each.h, each.clock)

    @property
    def reads_step(self):
        """Whether the SDE's functions have read the step so far."""
        return any(probe.reads_step for probe in self.probes)

    def time(self, s):
        """Return the time of a clock value: see `Probe.time`."""
        return self.probes[0].time(s)

    def speed(self, s):
        """Return dt/ds of `time`."""
        return self.probes[0].speed(s)

    def clock(self, t):
        """Return the clock values of times."""
        problem = self.problem
        return np.sqrt(np.clip((np.asarray(t) - problem.t0) / (problem.end - problem.t0), 0.0, 1.0))

    def path(self, s):
        """Return the autonomous slots at ascending clock values, shape (times, autonomous, d)."""
        return np.stack([path.at(s) for path in self._paths], axis=-1)

    def _rows(self, s):
        """Return what drift and diffusions are of the numbers in units of their reach, shape (n, rows, numbers + 1).

        Drift is that in the clock: Adam's grows like 1 / s where it begins at t0 = 0.
        """
        found = []
        for j, (probe, path) in enumerate(zip(self.probes, self._paths, strict=True)):
            slopes, _ = probe.affine(probe.time(s), path.at(s))
            found.append(slopes[:, :, : len(self.linear)] * self._units[j])
        rows = np.stack(found, axis=1)  # times, d, 1 + channels, linear, numbers + 1
        self._require_additive(rows)
        rows[:, :, 0] *= self.speed(s)[:, None, None, None]
        self._channels = rows.shape[2] - 1
        return rows.reshape(len(s), -1, rows.shape[-1])

    def _require_additive(self, rows):
        """Raise NoMoments if a diffusion depends on the linear slots or on the gradient."""
        noise = np.abs(rows[:, :, 1:])
        bad = noise[..., :-1] > 10.0 * ZERO * noise.max(axis=(0, 2, 4), keepdims=True)
        if np.any(bad):
            slot, number = np.argwhere(bad)[0][-2:]
            names = [self.probes[0].sde.slots[i] for i in self.probes[0].linear]
            raise NoMoments(
                f"the diffusion of {names[slot]} of sde {self.sde.name!r} depends on {names[number]}: "
                "its law is not Gaussian"
            )

    def _assembled(self, rows):
        """Return A, b and the noise of every Brownian motion, flat, of what `_rows` returned: linear in it."""
        d, _, size = self.embedding.shape
        rows = rows.reshape(len(rows), d, 1 + self._channels, len(self.linear), -1) / self._units[:, None, None]
        drift = rows[:, :, 0, :, :-1] @ self.embedding
        drift[..., -1] += rows[:, :, 0, :, -1]
        noise = rows[:, :, 1:, :, -1]
        return np.concatenate(
            [each.reshape(len(rows), -1) for each in (drift.swapaxes(1, 2), np.moveaxis(noise, 1, -1))], axis=1
        )

    @cached_property
    def _table(self):
        return Tabulated(self._rows, self._assembled, self.sde.name)

    def at(self, s):
        """Return drift and noise at clock values of any shape (..), per unit of time.

        Returns
        -------
        drift : ndarray, shape (.., m, m + 1)
            A and b, m the linear slots of all coordinates.
        power : ndarray, shape (.., m, m)
            B Sigma B^T.
        """
        speed = self.speed(s)[..., None, None]
        drift, power = self.rates(s)
        return drift / speed, power / speed

    def rates(self, s):
        """Return what `at` does per unit of the clock, in which it is finite."""
        found, size = self._table.at(s), self.embedding.shape[-1]
        drift, noise = found[..., : (size - 1) * size], found[..., (size - 1) * size :]
        drift = drift.reshape(*drift.shape[:-1], size - 1, size)
        noise = noise.reshape(*noise.shape[:-1], self._channels, size - 1)
        power = sum(
            noise[..., c, :, None] * covariance * noise[..., c, None, :]
            for c, covariance in enumerate(self._covariances)
        )
        return drift, power * self.speed(s)[..., None, None]

    @cached_property
    def _derivatives(self):
        """The derivatives of drift in the one autonomous slot, flat, as a spline in the clock."""
        s = np.linspace(0.0, 1.0, _KNOTS)
        found = []
        for j, (probe, path) in enumerate(zip(self.probes, self._paths, strict=True)):
            t, count = self.time(s), len(probe.linear)
            first, own = probe.derivatives(t, path.at(s))
            rows = first[:, 0, : count * (count + 1)].reshape(-1, count, count + 1)[:, : len(self.linear)]
            slopes = rows[..., :-1] @ self.embedding[j]
            slopes[..., -1] += rows[..., -1]
            found.append(np.concatenate([slopes.reshape(len(s), -1), own[:, 0]], axis=1))
        return scipy.interpolate.CubicSpline(s, np.stack(found, axis=1) * self.speed(s)[:, None, None])

    def in_autonomous(self, s):
        """Return derivatives in the one autonomous slot of each coordinate, at clock values of any shape (..).

        They show in the variance of what is carried along alone.

        Returns
        -------
        slopes : ndarray, shape (.., d, linear, m + 1)
            Of the rows of A and b that belong to the coordinate; m the linear slots of all coordinates.
        own : ndarray, shape (.., d)
            Of the drift of the autonomous slot itself.
        """
        found, (d, _, size) = self._derivatives(s) / self.speed(s)[..., None, None], self.embedding.shape
        return found[..., :-1].reshape(*np.shape(s), d, len(self.linear), size), found[..., -1]

    @cached_property
    def _covariances(self):
        """That of every Brownian motion, for all pairs of linear slots: Sigma of the first, 1 of others."""
        d, count = self.problem.dimension, len(self.linear)
        each = [self.problem.covariance, *[np.eye(d)] * (self._channels - 1)]
        return np.array([np.tile(one, (count, count)) for one in each])

    def certify(self, mean, covariance):
        """Raise NoMoments unless the functions are affine out to the tails of the law.

        mean, covariance : ndarray, shapes (times, n) and (times, n, n), at the times CERTIFIED. Functions are the same
        for all coordinates: where there are many, each is looked at at every third time.
        """
        path, every = self.path(CERTIFIED), min(len(self.probes), 3)
        for j, probe in enumerate(self.probes):
            rows, offset = self.embedding[j, :, :-1], self.embedding[j, :, -1]
            some = np.arange(len(CERTIFIED) - 1 - j % every, -1, -every)[::-1]
            law = mean[some] @ rows.T + offset, rows @ covariance[some] @ rows.T
            probe.certify(probe.time(CERTIFIED[some]), *law, path[some, :, j])
