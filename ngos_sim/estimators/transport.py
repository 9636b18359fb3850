"""The transport estimator: weak errors that are computed, not sampled, by carrying the law of each coordinate forward.

`transport_answer` computes, `transport_law` carries, `transport_means` takes means; `choose` asks this one.
"""

from types import MappingProxyType

import numpy as np

from ngos_sim.estimators.estimator import Checked, Estimator, Plan, Quantity, Reading, Refused, Served
from ngos_sim.estimators.schedules import jump
from ngos_sim.estimators.starts import near_root, singular
from ngos_sim.estimators.transport_answer import LEAST, LEVELS, answers
from ngos_sim.estimators.transport_law import Carrier
from ngos_sim.estimators.transport_means import Unserved, coordinates, expanded

SAID = (
    "the law of each coordinate was carried forward on a grid, for optimizer and SDE alike; "
    "numerical is what grids and step sizes differ by, times three, and not a confidence interval; "
    "estimator='coupled' at a coarse step is the independent check"
)
_UNCERTAIN = 0.05  # of the greatest error over the records
DOUBTED = "of a test function with a kink it leaves over 5 % of the error uncertain"
_MOST_SLOTS = 3
_MOST_STEPS = 500_000  # a quarter of an hour of RMSprop, an hour of Adam


class _Answers:
    """What has been computed at the points of a study, once for all.

    steps : how many steps of the optimizer's laws all points take together, coordinates that are alike counted once
    checked : {point: the answers that `Transport.check` has looked at}, with those that it rules out
    """

    def __init__(self, problems):
        self._found, self.checked = {}, {}
        self.steps = sum(len(set(coordinates(problem))) * problem.steps for problem in problems)

    def has(self, problem, wanted):
        """Return whether what is wanted at a Problem has been computed."""
        return _key(problem, *_asked(wanted)) in self._found

    def of(self, problem, wanted):
        """Return {Quantity: Answer, or why there is none} of what is wanted at a Problem."""
        sdes, functions = _asked(wanted)
        key = _key(problem, sdes, functions)
        if key not in self._found:
            computed = answers(problem, sdes, functions)
            self._found[key] = MappingProxyType({Quantity(*each): answer for each, answer in computed.items()})
        return self._found[key]


def _asked(wanted):
    """Return the SDEs and the test functions of what is wanted."""
    return [opponent.sde for opponent in wanted], sorted({g for mine in wanted.values() for g in mine})


def _place(problem):
    return problem.label, tuple(problem.records.tolist())


def _key(problem, sdes, functions):
    return _place(problem), tuple(sde.name for sde in sdes), tuple(functions)


def computed(problem, wanted):
    """Return {Quantity: Answer, or why there is none} of what is wanted at a Problem; computed once a study."""
    return problem.shared.once(_Answers).of(problem, wanted)


class Transport(Estimator):
    """The law of one coordinate, carried forward on nodes that optimizer and SDE share."""

    name = "transport"
    merit = "it is computed, not sampled"

    def serves(self, problems, opponent, function):
        """Serve smooth functions of independent coordinates of at most three slots."""
        if reason := _unsuited(problems[0]) or _unsuited_sde(problems, opponent) or _start(problems):
            return Refused(reason)
        try:
            expanded(problems[0], function)
        except Unserved as why:
            return Refused(str(why))
        return Served()

    def plan(self, problem, wanted):
        """Plan no job: what is read is computed."""

        def read(measured):
            checked = problem.shared.once(_Answers).checked.get(_place(problem))
            found = computed(problem, wanted) if checked is None else checked
            return {quantity: _reading(problem, found[quantity]) for quantity in _quantities(wanted)}

        return (Plan((), read, said=dict.fromkeys(_quantities(wanted), SAID)),)

    def work(self, problem, wanted):
        """Count the sizes that every law is carried at; a finer one comes on top where these do not agree."""
        if problem.shared.once(_Answers).has(problem, wanted):
            return 0.0
        sdes, functions = _asked(wanted)
        terms = [term for g in functions for term in expanded(problem, g)]
        carried = {factor.coordinate for _, powers in terms for factor in powers}
        return float(sum(Carrier(problem, each, sdes).work(level) for each in carried for level in LEVELS[:LEAST]))

    def precision(self, asked):
        """Compute in f64, whatever is asked for."""
        return "f64"

    def check(self, problem, wanted, look):
        """Bar what cannot be carried, and doubt what is too uncertain: it is all computed here, and then read."""
        found = problem.shared.once(_Answers).checked[_place(problem)] = computed(problem, wanted)
        found = {quantity: found[quantity] for quantity in _quantities(wanted)}
        barred = {quantity: answer for quantity, answer in found.items() if isinstance(answer, str)}
        doubted = {quantity: DOUBTED for quantity, answer in found.items() if _is_doubtful(answer)}
        return Checked(barred, doubted=doubted)


def _quantities(wanted):
    return [Quantity(opponent.name, g) for opponent, mine in wanted.items() for g in mine]


def _reading(problem, answer):
    """Return an Answer as a Reading without a standard error."""
    if isinstance(answer, str):
        nothing = np.full(len(problem.records), np.nan)
        return Reading(nothing, nothing, nothing, nothing)
    return Reading(answer.optimizer, answer.sde, answer.error, np.zeros_like(answer.error), numerical=answer.of_error)


def _is_doubtful(answer):
    """Return whether a computed error of a test function with a kink is too uncertain to be taken for its own sake.

    Of a smooth one it is not asked: where its uncertainty is a large part of its error that is because the error is
    small, which is no easier to sample.
    """
    if isinstance(answer, str) or not answer.is_kinked:
        return False
    return bool(np.max(answer.of_error) > _UNCERTAIN * np.max(np.abs(answer.error)))


def _unsuited(problem):
    """Return why an oracle or an optimizer is not served, as a clause, or an empty string."""
    oracle, rule, law = problem.oracle, problem.rule, problem.law
    if oracle.data is not None:
        return "the noise is that of minibatches of data, whose coordinates are not independent"
    if oracle.coupling:
        return f"{oracle.coupling}: the law of one coordinate alone is not carried forward"
    if oracle.is_dense:
        what = "Hessian" if oracle.loss.matrix is not None else "covariance"
        return f"the {what} is a matrix: the law of one coordinate alone is not carried forward"
    if len(rule.slots) > _MOST_SLOTS:
        return f"{rule.name!r} has {len(rule.slots)} slots, and the law of at most {_MOST_SLOTS} is carried forward"
    if (steps := problem.shared.once(_Answers).steps) > _MOST_STEPS:
        return f"laws would be carried through {steps} steps in all, over {_MOST_STEPS}"
    return "" if min(law.moments, law.moments_seen) == np.inf else f"noise {law.name!r} has a heavy tail"


def _unsuited_sde(problems, opponent):
    """Return why an opponent is not served, as a clause, or an empty string."""
    if opponent.sde is None:
        return "the reference is the optimizer at another batch size, not an SDE"
    return singular(problems[0], opponent.sde) or jump(problems, opponent.sde)


def _start(problems):
    """Return why a start is not served, as a clause, or an empty string."""
    slots = problems[0].rule.slots
    if "u" in slots and any(np.any(problem.state[:, slots.index("u")] <= 0.0) for problem in problems):
        return "u starts at 0, and is carried forward as its logarithm"
    return near_root(problems)
