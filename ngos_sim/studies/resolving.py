"""From what a user gave to a study that can be run: points, record times, SDEs, estimators, each checked.

`ConvergenceStudy` comes here when it is made.
"""

import warnings

from ngos_sim.errors import StudyWarning
from ngos_sim.estimators import choose, test_functions
from ngos_sim.processes.variations import SVAG
from ngos_sim.studies import batches, first_step, given, grid, notes, problems, start
from ngos_sim.studies.points import made_points, step_sizes


def resolve(study):
    """Set a study's points, record_times, sdes, dimension, served and notes; raise for what is not allowed."""
    for name in ("oracle", "optimizer", "reference", "initial"):
        given.check(name, getattr(study, name))
    choose.check(study.estimator)
    sdes = tuple(sde.beside(study.rule) for sde in given.sdes(study.sde))
    given.check_together(study, sdes)
    kappa = study.reference.kappa if study.reference else (1,)
    ell = study.optimizer.ell if isinstance(study.optimizer, SVAG) else (1.0,)
    sizes = step_sizes(study.rule, study.eta2, study.eta, study.steps, study.batch_size)
    given_as = (study.rule.parameters, study.rule.clock, study.batch_size)
    points = made_points(sizes, study.steps, study.horizon, ell, kappa, *given_as)
    points = batches.of_points(points, study.oracle, study.rule, study.batch_size)
    times = grid.record_times(points, study.t0, study.horizon, study.times)
    for name, value in (("sdes", sdes), ("points", points), ("record_times", times)):
        object.__setattr__(study, name, value)
    (dimension, *_) = (start.dimension(study.initial, study.rule, study.oracle, point.size) for point in points)
    object.__setattr__(study, "dimension", dimension)
    object.__setattr__(study, "notes", notes.notes(study))
    first_step.check_noise(study)
    test_functions.check(study.test_functions, study.rule.slots, study.dimension, study.oracle)
    test_functions.try_at(study.test_functions, start.state(study.initial, study.rule.slots, dimension, points[0].size))
    notes.check_slots(study)
    here = problems.problems(study)
    first_step.try_functions(here)
    first_step.check_loss(here)
    object.__setattr__(study, "served", choose.choose(study.estimator, here))
    choose.try_first_steps(study.served, here)
    for note in study.notes:
        warnings.warn(note, StudyWarning, stacklevel=5)  # whoever made the study
