"""How good a plan was: what the pilot of `ConvergenceStudy.plan` foresaw beside what a run took and found.

`studies.session` makes it where a study has been planned; it is `Result.plan`.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ngos_sim.engines.program import CHUNK
from ngos_sim.reporting import report
from ngos_sim.studies.series import headline

PILOT = "pilot"  # the name by which a study keeps the Pilot of its last plan
_KEYS = ["sde", "test_function", "eta2", "ell", "h", "time"]


@dataclass(frozen=True, eq=False)
class Hindsight:
    """How good a plan was; printed it is a short report.

    Attributes
    ----------
    table : DataFrame
        One row per (sde, test function, point), at the time of the pilot's norm = max: planned, the standard error
        that the pilot foresees for as many trajectories as were run; std_error, the run's; ratio = std_error / planned.
    planned_seconds : float
        Of the chunks that this run added; NaN where it ran otherwise than the pilot: on another device, with other
        threads, another precision, or an executor.
    seconds : float
        That it took.
    trajectories : int
        That it ran at every point.
    """

    table: pd.DataFrame
    planned_seconds: float
    seconds: float
    trajectories: int

    @property
    def ratio(self):
        """Return seconds / planned_seconds."""
        return self.seconds / self.planned_seconds if self.planned_seconds else math.nan

    def __repr__(self):
        return report.hindsight(self)


def hindsight(pilot, table, settings, chunks, computing, seconds):
    """Return the Hindsight of a run.

    Parameters
    ----------
    pilot : Pilot
    table : DataFrame
        The run's.
    settings : dict or None
        How it computed, as `ConvergenceStudy.settings` has it; None where nothing can be said of its seconds.
    chunks : int
        That it ran at every point, in so many seconds in all.
    computing : list of float
        Seconds that it took to compute what is computed at every point: what the pilot has computed is not foreseen.
    """
    foreseen = {each.point for each in pilot.missing}
    known = [pilot.computing[at] if at in foreseen else took for at, took in enumerate(computing)]
    seen = pilot.cost(chunks, known).seconds if settings == pilot.settings else math.nan
    return Hindsight(_beside(pilot, table), seen, seconds, chunks * CHUNK)


def _beside(pilot, table):
    """Return the table of a Hindsight."""
    if pilot.table.empty:
        return pd.DataFrame(columns=[*_KEYS, "planned", "std_error", "ratio"])
    both = headline(pilot.table).merge(table, on=_KEYS, suffixes=("_pilot", ""))
    planned = expected_std_error(both.std_error_pilot, both.rounding_pilot, both.trajectories_pilot / both.trajectories)
    return both[_KEYS].assign(planned=planned, std_error=both.std_error, ratio=both.std_error / planned)


def expected_std_error(std_error, rounding, fewer):
    """Return the standard errors of a run from its pilot's, which had `fewer` times the trajectories.

    What rounding leaves, and what is computed and not sampled, does not shrink.
    """
    rounding = rounding.fillna(0.0)
    sampled = np.sqrt(np.maximum(std_error**2 - rounding**2, 0.0))
    return np.hypot(sampled * np.sqrt(np.nan_to_num(fewer)), rounding)
