"""A plan at a point of a study while it runs: the sums of its jobs, and what is read of them."""

from dataclasses import dataclass

from ngos_sim.engines.program import CHUNK
from ngos_sim.estimators import choose
from ngos_sim.estimators.estimator import Estimator, Plan
from ngos_sim.statistics.chunks import means
from ngos_sim.statistics.sums import Sums


@dataclass(frozen=True)
class Running:
    """A plan without its jobs, the sums of these, and what its estimator's look at numbers leaves in errors."""

    estimator: Estimator
    plan: Plan
    sums: list[Sums]
    remainders: choose.Remainders

    @property
    def trajectories(self):
        """How many have been run, in every job."""
        return self.sums[0].chunks * CHUNK

    def read(self, measured):
        """Return {Quantity: Reading} of what was Measured of each job."""
        return {
            quantity: reading.with_rounding(self.remainders[quantity]) if quantity in self.remainders else reading
            for quantity, reading in self.plan.read(measured).items()
        }

    def measured(self):
        """Return what was Measured of each job, over all trajectories."""
        return [means(sums.total, self.trajectories) for sums in self.sums]

    def groups(self):
        """Return {Quantity: Reading} of every group of chunks."""
        each_job = [sums.group_means() for sums in self.sums]
        return [self.read(list(each)) for each in zip(*each_job, strict=True)]


def worst(point):
    """Return how many trajectories left the finite numbers in the job of a point that lost most, and the first there.

    Not summed over jobs: a trajectory that several run is one.
    """
    return max((sums.nonfinite for running in point for sums in running.sums), key=lambda each: each[0])
