"""Thousands of runs of a study at the price of a few: the blocks of long ones, or normal draws like them.

A run of 1,024 trajectories is mostly the tables made for it. One of a hundred times as many makes these once, and each
block of its chunks is a run of its own. Of 65,536 trajectories and more, means are normal: what such runs give is drawn
about what all of them say, with the correlations that a hundred of them have and the standard errors that they state.
"""

import itertools
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from ngos_sim.engines.program import CHUNK
from ngos_sim.statistics.chunks import normal_quantile
from ngos_sim.statistics.sums import GROUPS
from ngos_sim.studies import collect
from ngos_sim.studies.collect import Found
from ngos_sim.studies.measurement import Measurement
from ngos_sim.studies.prediction import spacing
from ngos_sim.studies.progress import Progress

BLOCKS = 2 * GROUPS - 1  # of a run: as many as are kept
BAND = 0.95


@dataclass(frozen=True)
class Runs:
    """What many runs of a study say.

    table : the table of one of them
    error, std_error, residual : ndarray, shape (runs, rows of the table)
    """

    table: pd.DataFrame
    error: np.ndarray
    std_error: np.ndarray
    residual: np.ndarray

    def __len__(self):
        return len(self.error)

    @cached_property
    def total(self):
        """Total standard errors, shape (runs, rows)."""
        return collect.total_std_error(self.std_error, self.residual)

    @property
    def band(self):
        """The quantile of a band over all times, by Sidak."""
        return normal_quantile(BAND ** (1.0 / self.table.time.nunique()))

    def tables(self):
        """Yield the table of every run."""
        for error, std_error, residual, total in zip(
            self.error, self.std_error, self.residual, self.total, strict=True
        ):
            own, band = normal_quantile(0.95) * total, self.band * total
            yield self.table.assign(
                error=error,
                std_error=std_error,
                integrator_residual=residual,
                ci_low=error - own,
                ci_high=error + own,
                band_low=error - band,
                band_high=error + band,
            )

    def mean(self):
        """Return the errors of all runs together, shape (rows,)."""
        return self.error.mean(axis=0)

    def drawn(self, count, seed=0):
        """Return Runs whose errors are normal about the mean of these, standard errors those of one of them.

        Errors of one point have the correlation of these, those of different points none, as in runs of `local`;
        their variance is the square of what these call their standard error.
        """
        rng, error = np.random.default_rng(seed), np.empty((count, self.error.shape[1]))
        which = rng.integers(len(self), size=count)
        away = self.error - self.mean()
        length = np.sqrt((away**2).sum(axis=0))
        each = np.divide(away, length, out=np.zeros_like(away), where=length > 0.0)
        each *= np.sqrt(np.mean(self.std_error**2, axis=0))
        for rows in self.table.reset_index(drop=True).groupby("h").groups.values():
            error[:, rows] = self.mean()[rows] + rng.standard_normal((count, len(self))) @ each[:, rows]
        return replace(self, error=error, std_error=self.std_error[which], residual=self.residual[which])


def runs(study, trajectories, count, first_seed=0):
    """Return Runs: `count` blocks of `trajectories`, a power of two times 1,024, of long runs, a seed each."""
    found, table = [], None
    for seed in itertools.count(first_seed):
        left = count - len(found)
        if left <= 0:
            return Runs(table, *map(np.array, zip(*found, strict=True)))
        measured = Measurement(study, seed, bar=Progress(), **study.settings("cpu", None, 1))
        measured.extend(BLOCKS * trajectories // CHUNK)
        for each in _blocks(measured, trajectories)[:left]:
            table = each if table is None else table
            found.append([each[name].to_numpy() for name in ("error", "std_error", "integrator_residual")])


def _blocks(measured, trajectories):
    """Return the table of every block of a Measurement."""
    study, rows = measured.study, [[] for _ in range(BLOCKS)]
    for index, point in enumerate(measured.points):
        quantile = normal_quantile(BAND ** (1.0 / len(study.record_times[index])))
        found = [{} for _ in range(BLOCKS)]
        for running in point.readable:
            for block, readings in zip(found, running.groups(), strict=True):
                for quantity, reading in readings.items():
                    block[quantity] = Found(running.estimator.name, reading, quantile, trajectories, 0)
        for block, quantities in zip(rows, found, strict=True):
            block += collect.rows(study, index, quantities, spacing(study))
    return [pd.DataFrame(block) for block in rows]
