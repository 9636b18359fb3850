"""What runs at a point of a study: plans with the sums of their jobs, and plans that compute.

A plan without jobs samples nothing: whoever reads it has it computed, once. That is all that sets such points apart,
and all of it is here: `studies.measurement` adds chunks to what samples, `studies.readings` reads both alike.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

from ngos_sim.engines.program import CHUNK
from ngos_sim.estimators import choose
from ngos_sim.estimators.estimator import Estimator, Plan
from ngos_sim.statistics.chunks import means
from ngos_sim.statistics.sums import Sums

_ENDLESS = 2**62  # a chunk that nobody reaches


@dataclass(frozen=True)
class Running:
    """A plan without its jobs, the sums of these, and what its estimator's look at numbers leaves in errors."""

    estimator: Estimator
    plan: Plan
    sums: list[Sums]
    remainders: choose.Remainders

    @property
    def samples(self):
        """Whether it has jobs, whose trajectories are run; else its plan computes."""
        return bool(self.sums)

    @property
    def trajectories(self):
        """How many have been run, in every job."""
        return self.sums[0].chunks * CHUNK if self.samples else 0

    @property
    def nonfinite(self):
        """How many trajectories left the finite numbers in the job that lost most, and the first there."""
        return max((sums.nonfinite for sums in self.sums), key=lambda each: each[0], default=(0, -1))

    @cached_property
    def computed(self):
        """{Quantity: Reading} of a plan without jobs."""
        return self.read(())

    @property
    def is_computed(self):
        """Whether `computed` is known: what that takes has been spent."""
        return "computed" in vars(self)

    @property
    def can_be_read(self):
        """Whether there are trajectories; where none are run, whether all has been computed."""
        return self.sums[0].chunks > 0 if self.samples else self.is_computed

    def read(self, measured):
        """Return {Quantity: Reading} of what was Measured of each job."""
        return {
            quantity: reading.with_rounding(self.remainders[quantity]) if quantity in self.remainders else reading
            for quantity, reading in self.plan.read(measured).items()
        }

    def readings(self):
        """Return {Quantity: Reading} of all trajectories, and {Quantity: why what was known of it is wrong}."""
        if not self.samples:
            return dict(self.computed), {}
        measured = [means(sums.total, self.trajectories) for sums in self.sums]
        return self.read(measured), self.plan.disproved(measured, self.trajectories)

    def groups(self):
        """Return {Quantity: Reading} of every group of chunks; nothing of what is computed."""
        if not self.samples:
            return []
        each_job = [sums.group_means() for sums in self.sums]
        return [self.read(list(each)) for each in zip(*each_job, strict=True)]

    @property
    def parts(self):
        """How many such groups all chunks are: of what is computed infinitely many, as nothing in it varies."""
        return self.sums[0].parts if self.samples else math.inf


class AtPoint:
    """All that runs at one point.

    Parameters
    ----------
    planned : sequence of Planned
    sums : iterator of Sums
        Of the plans' jobs, in their order.
    remainders : Remainders

    Attributes
    ----------
    is_left : bool
        Whether what is not computed stays so: there was no time.
    """

    def __init__(self, planned, sums, remainders):
        self.running = [
            Running(each.estimator, replace(each.plan, jobs=()), [next(sums) for _ in each.plan.jobs], remainders)
            for each in planned
        ]
        self.is_left = False

    @property
    def sums(self):
        """Those of every job."""
        return [sums for running in self.running for sums in running.sums]

    @property
    def samples(self):
        """Whether trajectories are run here; else all is computed."""
        return bool(self.sums)

    def missing(self, first, end):
        """Return which of the chunks first .. end - 1 are yet to be run, as (first, how many) in their order."""
        return self.sums[0].missing(first, end) if self.samples else []

    def done(self, first):
        """Return how many chunks from the first on there are; where all is computed, more than are ever asked for."""
        if self.samples:
            return self.missing(first, _ENDLESS)[0][0] - first
        return _ENDLESS if self.is_computed or self.is_left else 0

    @property
    def readable(self):
        """What can be read: of a run that was ended not all may."""
        return [each for each in self.running if each.can_be_read]

    @property
    def is_computed(self):
        """Whether nothing is left here to be computed."""
        return all(each.samples or each.is_computed for each in self.running)

    def compute(self):
        """Have computed what is left to be."""
        for each in self.running:
            if not each.samples:
                each.computed  # noqa: B018

    def take(self, other):
        """Take what another one of the same plans has computed."""
        for mine, its in zip(self.running, other.running, strict=True):
            if not mine.samples and its.is_computed:
                vars(mine)["computed"] = its.computed

    @property
    def trajectories(self):
        """How many have been run in every job; 0 where all is computed."""
        return max(each.trajectories for each in self.running)

    @property
    def nonfinite(self):
        """How many trajectories left the finite numbers in the job that lost most, and the first there.

        Not summed over jobs: a trajectory that several run is one.
        """
        return max((each.nonfinite for each in self.running), key=lambda each: each[0])
