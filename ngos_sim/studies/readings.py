"""What a study that runs, or has run, says at every point: tables, bands, doubts, what was lost.

`studies.measurement.Measurement` is one, which adds chunks; the session, stopping and rankings read it.
"""

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from ngos_sim.estimators import test_functions
from ngos_sim.estimators.estimator import Reading
from ngos_sim.statistics.chunks import Measured, relative_error_of_std_error, simultaneous_quantile
from ngos_sim.studies import collect
from ngos_sim.studies.collect import Found
from ngos_sim.studies.prediction import spacing

BAND = 0.95
_LEAST_GROUPS = 8  # of chunks, to say how well standard errors are known;
_DOUBTFUL = 0.1  # worse than so much of themselves is said;
_NEGLIGIBLE = 1e-6  # of an error: standard errors below are rounding


class Grouped(NamedTuple):
    """A Reading at a point, what groups of chunks say of its error, and how many such groups all chunks are.

    groups : shape (groups, times); of what is computed one, and infinitely many of them are all
    """

    reading: Reading
    groups: np.ndarray
    parts: float


class Readings:
    """What is read of a study's points.

    Parameters
    ----------
    study : ConvergenceStudy
    choices : Choices
        Its estimators, less those that a look at the first trajectories rules out.
    points : list of AtPoint
    """

    def __init__(self, study, choices, points):
        self.study, self.choices, self.points = study, choices, points

    @property
    def has_any(self):
        """Whether any point has been run."""
        return bool(self._run())

    def _run(self):
        """Return (index, AtPoint) of the points where anything can be read: of a run that was ended not all may."""
        return [(index, point) for index, point in enumerate(self.points) if point.readable]

    def table(self):
        """Return the table of `Result`, a row per (point, time, test function, sde)."""
        rows = []
        for index, point in self._run():
            found = {}
            for running in point.readable:
                readings, _ = self._read(index, running)
                bands = self._bands(running, readings)
                ran = running.trajectories, point.nonfinite[0] if running.samples else 0
                found |= {q: Found(running.estimator.name, each, bands[q], *ran) for q, each in readings.items()}
            found = {quantity: found[quantity] for quantity in self.choices if quantity in found}
            rows += collect.rows(self.study, index, found, spacing(self.study))
        return pd.DataFrame(rows)

    def readings(self):
        """Return the Readings of all points so far."""
        run = [(index, running) for index, point in self._run() for running in point.readable]
        return [reading for each in run for reading in self._read(*each)[0].values()]

    def _read(self, index, running):
        """Return the Readings of a run, and why what was taken as known is wrong, by Quantity.

        What is not known is NaN: errors where a known mean is wrong, standard errors where nothing was seen.
        """
        found, wrong = running.readings()
        for quantity, reading in found.items():
            unseen = self._unseen(index, quantity.function, reading)
            found[quantity] = replace(reading, std_error=np.where(unseen, np.nan, reading.std_error))
        for quantity in wrong:
            nothing = np.full_like(found[quantity].error, np.nan)
            found[quantity] = replace(found[quantity], optimizer=nothing, reference=nothing, error=nothing)
        return found, wrong

    def grouped(self, index):
        """Return {Quantity: Grouped} of a point: all estimators run the same trajectories, group by group."""
        found = {}
        for running in self.points[index].readable:
            groups = running.groups()
            for quantity, reading in self._read(index, running)[0].items():
                of_groups = [each[quantity].error for each in groups] if running.samples else [reading.error]
                errors = np.array(of_groups).reshape(-1, len(reading.error))
                found[quantity] = Grouped(reading, errors, running.parts)
        return {quantity: found[quantity] for quantity in self.choices if quantity in found}

    def _bands(self, running, found):
        """Return the quantile of the simultaneous band over times of every reading."""
        groups = zip(*(sums.groups() for sums in running.sums), strict=True)
        each = [running.read([Measured(mean, np.zeros_like(mean)) for mean in group]) for group in groups]
        errors = {quantity: np.array([one[quantity].error for one in each]) for quantity in found}
        return {q: simultaneous_quantile(errors[q], len(found[q].error), BAND) for q in found}

    def said(self):
        """Return {(name, test function): what plans say of how it is measured, and at how many points if not all}."""
        found: dict = {}
        for point in self.points:
            for running in point.running:
                for quantity, words in running.plan.said.items():
                    found.setdefault((quantity.opponent, self._name(quantity)), Counter())[words] += 1
        count = len(self.points)
        return {
            key: "; ".join(words if n == count else f"{words} at {n} of {count} points" for words, n in each.items())
            for key, each in found.items()
        }

    def doubts(self):
        """Return {(name, test function): why its standard errors are not to be trusted} of those that are not.

        Where, at some time of some point, a standard error is itself known to worse than 10 % by the spread over at
        least 8 groups of chunks (`chunks.relative_error_of_std_error`): few trajectories carry it, and the interval is
        no normal one. Standard errors below a millionth of the error do not count. And where a test function of a
        user's is the same for optimizer and reference on every trajectory: a rare event that nobody has seen.
        """
        found: dict = {}
        for index, point in self._run():
            for running in point.readable:
                for quantity, reading in self._read(index, running)[0].items():
                    if np.any(np.isfinite(reading.error) & np.isnan(reading.std_error)):
                        found[quantity.opponent, self._name(quantity)] = (
                            f"but at {self.study.points[index]} no trajectory shows a difference: "
                            "a rare event was not seen, and its standard error is not known"
                        )
                groups = running.groups()
                for quantity in groups[0] if len(groups) >= _LEAST_GROUPS else ():
                    errors = np.array([each[quantity].error for each in groups])
                    spreads = np.array([each[quantity].std_error for each in groups])
                    counts = spreads.mean(axis=0) > _NEGLIGIBLE * np.abs(errors.mean(axis=0))
                    worst = np.max(relative_error_of_std_error(spreads), where=counts, initial=0.0)
                    if worst > _DOUBTFUL:
                        known = f"is known to {100.0 * worst:.0f} % only at {self.study.points[index]}"
                        found[quantity.opponent, self._name(quantity)] = (
                            f"but few trajectories carry its standard error, which {known}: "
                            "the interval may be too short"
                        )
        return found

    def _unseen(self, index, g, reading):
        """Return where g, a user's function, is the same on every trajectory at a point, shape (times,).

        A rare event that nobody has seen: its standard error is not 0 but unknown. The first step is left out, in
        which a slot need not have moved, and so is an oracle without noise: 0 is true there.
        """
        oracle = self.study.oracle
        is_noisy = oracle.is_state_dependent or bool(np.any(oracle.covariance))
        if not isinstance(self.study.test_functions[g], test_functions.TestFunction) or not is_noisy:
            return np.zeros(len(reading.error), dtype=bool)
        later = self.study.record_times[index] - self.study.t0 > 1.5 * self.study.points[index].h
        return np.logical_not(reading.seen) & ((reading.error == 0.0) | later)

    def lost(self):
        """Return where trajectories, or test functions of others, left the finite numbers; "" for nowhere."""
        gone, undefined, most = [], [], 0
        for index, point in self._run():
            most = max(most, point.trajectories)
            where = self.study.points[index]
            bad, first = point.nonfinite
            gone += [f"{bad} at {where} (the first: {first})"] * bool(bad)
            for running in point.readable:
                found, wrong = self._read(index, running)
                for quantity, reading in found.items():
                    if not bad and not np.all(np.isfinite(reading.error)):
                        reason = wrong.get(quantity, "is not finite")
                        undefined.append(f"test function {self._name(quantity)!r} {reason} at {where}")
        if not gone:
            return "; ".join(undefined)
        left = f"of {most} trajectories these left the finite numbers: {'; '.join(gone)}"
        return f"{left}; smaller steps may help"

    def _name(self, quantity):
        """Return what tables call the test function of a Quantity."""
        return test_functions.name_of(self.study.test_functions[quantity.function])
