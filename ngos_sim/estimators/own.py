"""Whether a user's own estimator is one: what is missing, or of another kind, is said in one line.

`choose` asks when a study is made: of what `estimator=` is given, of every answer, and of a plan of one step.
"""

import inspect

import numpy as np

from ngos_sim.estimators.estimator import Estimator, Plan, Quantity, Reading, Refused, Served
from ngos_sim.statistics.chunks import Measured
from ngos_sim.validation import described

_NEEDED = "an estimator has a name, serves(problems, opponent, function) and plan(problem, wanted)"


def check(estimator, names):
    """Raise TypeError or ValueError unless this is an instance of a complete Estimator, named unlike the built-ins."""
    if inspect.isclass(estimator):
        raise TypeError(f"estimator={estimator.__name__} is a class: give an instance, {estimator.__name__}()")
    if not isinstance(estimator, Estimator):
        raise TypeError(
            f"estimator={described(estimator)}; allowed: {', '.join(names)}, "
            "or an instance of a subclass of ns.Estimator"
        )
    kind = type(estimator)
    for method in ("serves", "plan"):
        if getattr(kind, method) is getattr(Estimator, method):
            raise TypeError(f"estimator {kind.__name__} has no {method}; {_NEEDED}")
    if not isinstance(estimator.name, str) or not estimator.name:
        raise TypeError(f"estimator {kind.__name__}: name={estimator.name!r} must be a string; {_NEEDED}")
    if estimator.name in names:
        raise ValueError(f"estimator {kind.__name__}: name={estimator.name!r} is that of a built-in one; take another")


def answered(estimator, answer):
    """Return what `serves` returned; raise TypeError unless it is Served or Refused."""
    if not isinstance(answer, (Served, Refused)):
        forgotten = " (is there a return?)" if answer is None else ""
        raise TypeError(
            f"estimator {estimator.name!r}: serves returns {described(answer)}{forgotten}; "
            "ns.Served(..) or ns.Refused(reason) is needed"
        )
    return answer


def try_plan(estimator, problem, wanted):
    """Raise TypeError or ValueError unless an estimator plans a point, and reads of zeros all that is wanted there."""
    plans, who = estimator.plan(problem, wanted), f"estimator {estimator.name!r}"
    if not isinstance(plans, (list, tuple)) or not all(isinstance(plan, Plan) for plan in plans):
        raise TypeError(f"{who}: plan returns {described(plans)}; a tuple of ns.Plan(jobs, read) is needed")
    found: dict = {}
    for plan in plans:
        found |= plan.read([_zeros(job.inputs) for job in plan.jobs])
    asked = {Quantity(opponent.name, g) for opponent, mine in wanted.items() for g in mine}

    def told(quantity):
        opponent, function = quantity
        named = problem.name_of(function) if function in range(len(problem.test_functions)) else function
        return f"{named!r} against {opponent!r}"

    if set(found) != asked:
        returned, needed = (", ".join(map(told, sorted(each))) or "nothing" for each in (found, asked))
        raise ValueError(f"{who}: read returns {returned}; asked for: {needed}")
    for quantity, reading in found.items():
        if not isinstance(reading, Reading) or np.shape(reading.error) != problem.records.shape:
            raise TypeError(
                f"{who}: read returns {described(reading)} for {told(quantity)}; ns.Reading(optimizer, reference, "
                f"error, std_error) is needed, each of shape {problem.records.shape}"
            )


def _zeros(inputs):
    """Return what would be Measured in a job if all was 0."""
    nothing = np.zeros((len(inputs.records), inputs.test_functions, len(inputs.combinations)))
    return Measured(nothing, nothing)
