"""The coupled estimator: an optimizer and its opponents on one stream of random numbers; it serves everything.

SDEs are integrated at three steps to one of the optimizer each and extrapolated (`paired`); the scaling rule's
reference takes its own steps.
"""

import numpy as np

from ngos_sim.estimators import paired, rounding
from ngos_sim.estimators.estimator import Estimator, Plan, Quantity, Refused, Served
from ngos_sim.estimators.near import rough_start
from ngos_sim.estimators.schedules import jump_within_a_step
from ngos_sim.estimators.starts import singular

_SAME_SAMPLES = "the larger minibatch being made of the smaller ones' samples"
_APART = (
    "though samples and the SDE's dW have nothing in common, so that an error has the standard error of independent "
    "runs (plan measures it)"
)
_WATCHED = 8  # times at which the integrator is watched beside those asked for


class Coupled(Estimator):
    """The same Gaussians drive the optimizer and its opponents: what they have in common falls out."""

    name = "coupled"

    def serves(self, problems, opponent, function):
        """Refuse an SDE without coefficients at the start or with a jump that its integrator does not meet.

        One that starts near a singularity is doubted.
        """
        of_data = problems[0].oracle.data is not None
        if opponent.sde is None:
            return Served(how=_SAME_SAMPLES if of_data else "")
        if reason := singular(problems[0], opponent.sde) or jump_within_a_step(problems, opponent.sde):
            return Refused(reason)
        rough = rough_start(problems, opponent)
        doubt = f"{rough}: the powers of the extrapolation are not assured there, see integrator_residual"
        return Served(how=_APART if of_data else "", doubt=doubt if rough else "")

    def plan(self, problem, wanted):
        """Plan one job of all opponents."""
        functions = sorted({g for mine in wanted.values() for g in mine})
        sdes = [opponent.sde for opponent in wanted if opponent.sde is not None]
        records = problem.records
        if sdes:
            records = np.union1d(records, _watched(problem.steps))
            references = [problem.integrated(sde, level) for sde in sdes for level in paired.levels(sde)]
        else:
            references = [problem.larger_batch()]
        observed = problem.observables(functions, records)
        jobs = tuple(  # recorded after steps of the first part, the optimizer or not
            problem.job(parts, combinations, observed, records=records * (parts[0].steps // problem.kappa), role=role)
            for parts, combinations, role in self._jobs(problem.optimizer(), references, len(sdes))
        )
        starts = {g: rounding.at_start(problem.test_functions[g], problem.rule.slots, problem.state) for g in functions}
        own = np.searchsorted(records, problem.records)

        def read(measured):
            found = {}
            for which, (opponent, mine) in enumerate(wanted.items()):
                finer = 1 if opponent.sde is None else opponent.sde.refinement
                steps = None if opponent.sde is None else problem.steps * finer
                for g in mine:
                    reading = self._difference(measured, functions.index(g), which, steps)
                    left = rounding.bound(starts[g], reading.optimizer, records * finer, problem.precision)
                    found[Quantity(opponent.name, g)] = reading.with_rounding(left).at(own)
            return found

        return (Plan(jobs, read),)

    def _jobs(self, optimizer, references, sdes):
        """Yield the parts, the combinations recorded and the role of each job; sdes : how many there are."""
        yield [optimizer, *references], paired.coupled(sdes) if sdes else paired.coupled_pair(), ""

    def _difference(self, measured, function, opponent, steps):
        (together,) = measured
        return paired.read_together(together, function, opponent, steps)


def _watched(last):
    """Return _WATCHED steps up to the last one, evenly, at least 1; int64."""
    return np.maximum(last * np.arange(1, _WATCHED + 1) // _WATCHED, 1)
