"""The independent estimator: an optimizer and its opponents on random numbers of their own, the honest baseline."""

import numpy as np

from ngos_sim.estimators import paired
from ngos_sim.estimators.coupled import Coupled


class Independent(Coupled):
    """What the coupled estimator runs, in two jobs: nothing falls out."""

    name = "independent"

    def _jobs(self, optimizer, references, sdes):
        if sdes:
            yield [optimizer], np.eye(1), " optimizer"
            yield references, paired.independent(sdes), " reference"
        else:  # both run in both jobs, as the optimizer's steps are those that are counted
            yield [optimizer, *references], np.eye(1, 2), " optimizer"
            yield [optimizer, *references], np.eye(1, 2, 1), " reference"

    def _difference(self, measured, function, opponent, steps):
        optimizer, references = measured
        return paired.read_apart(optimizer, references, function, opponent, steps)
