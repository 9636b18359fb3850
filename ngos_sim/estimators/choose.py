"""Which estimator measures which test function against which opponent, and why: the one place where that is decided.

A study calls `choose` when it is made and `after_look` when it is run; `studies.measurement` runs the `plans`.
"""

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from ngos_sim.engines import devices
from ngos_sim.engines.program import CHUNK
from ngos_sim.estimators import own
from ngos_sim.estimators.control_variate import ControlVariate
from ngos_sim.estimators.coupled import Coupled
from ngos_sim.estimators.estimator import Checked, Estimator, Plan, Quantity, Refused, Served
from ngos_sim.estimators.independent import Independent
from ngos_sim.estimators.local import Local
from ngos_sim.estimators.near import growth
from ngos_sim.estimators.polynomials import noise_degree, too_heavy
from ngos_sim.estimators.problem import Problem, Unfinished
from ngos_sim.estimators.transport import Transport
from ngos_sim.statistics.chunks import means
from ngos_sim.statistics.sums import Sums

BUILT_IN = (Local(), Transport(), ControlVariate(), Coupled(), Independent())
AUTO = BUILT_IN[:4]  # the best first
NAMES = ("auto", *(each.name for each in BUILT_IN))
_LAST = "it serves everything"


@dataclass(frozen=True)
class Choice:
    """The estimator of a quantity, what it said of it, and why it is this one."""

    estimator: Estimator
    served: Served
    why: str


@dataclass(frozen=True)
class Planned:
    """A Plan and the estimator that made it."""

    estimator: Estimator
    plan: Plan


Choices = Mapping[Quantity, Choice]
Remainders = Mapping[Quantity, np.ndarray]


def check(asked):
    """Raise ValueError or TypeError unless a study's estimator= is a name or an instance of an Estimator."""
    if not isinstance(asked, str):
        own.check(asked, NAMES)
    elif asked not in NAMES:
        raise ValueError(f"estimator={asked!r}; allowed: {', '.join(NAMES)}")


def named(asked):
    """Return the Estimator of a built-in's name, or the one that is given."""
    return next((each for each in BUILT_IN if each.name == asked), asked)


def choose(asked, problems: Sequence[Problem], barred=None) -> Choices:
    """Choose an estimator for every test function against every opponent: the first that serves.

    Parameters
    ----------
    asked : str or Estimator
        "auto": local, transport, control_variate, coupled; else the one that is asked for.
    problems : sequence of Problem
        The points of a study.
    barred : dict of Quantity to {estimator's name: str}, optional
        Why an estimator does not serve, beside what it says itself.

    Raises
    ------
    ValueError
        An estimator is asked for where it cannot serve, none serves, or the noise has not the moments that a standard
        error needs.
    """
    found = {}
    opponents = dict.fromkeys(opponent for problem in problems for opponent in problem.opponents)
    for opponent in opponents:
        faced = [problem for problem in problems if opponent in problem.opponents]
        for function in range(len(problems[0].test_functions)):
            _require_moments(problems[0], function)
            quantity = Quantity(opponent.name, function)
            known = (barred or {}).get(quantity, {})
            found[quantity] = _first(asked, faced, opponent, function, known)
    return found


def _first(asked, problems, opponent, function, barred):
    """Return the Choice of the first estimator that serves."""
    refused: dict[str, str] = {}
    candidates = AUTO if asked == "auto" else (named(asked),)
    for estimator in candidates:
        answer = _answer(estimator, problems, opponent, function, barred)
        if isinstance(answer, Served):
            return Choice(estimator, answer, _why(asked, estimator, answer, refused))
        refused[estimator.name] = answer.reason
    name, best, last = problems[0].name_of(function), candidates[0].name, candidates[-1].name
    if asked == "auto":
        raise ValueError(f"test function {name!r}: {refused[last]}, but {refused[best]}")
    raise ValueError(f"estimator={last!r} cannot measure {name!r} against {opponent.name!r}: {refused[last]}")


def _answer(estimator, problems, opponent, function, barred):
    """Return Served or Refused."""
    if estimator.name in barred:
        return Refused(barred[estimator.name])
    return own.answered(estimator, estimator.serves(problems, opponent, function))


def _why(asked, estimator, served, refused):
    """Return why an estimator is taken, why those before it are not, and what is doubtful with it."""
    if asked == "auto" or estimator.merit:
        reason = ", ".join([f"{estimator.name}: {estimator.merit or _LAST}", *([served.how] if served.how else [])])
    else:
        reason = f"estimator={estimator.name!r} was asked for"
    by_text: dict[str, list[str]] = {}
    for name, text in refused.items():
        by_text.setdefault(text, []).append(name)
    others = [f"not {' nor '.join(names)}, as {text}" for text, names in by_text.items()]
    return "; ".join([reason, *others, *([served.doubt] if served.doubt else [])])


def _require_moments(problem, function):
    """Raise ValueError where the noise has not the moments that a polynomial's standard error needs."""
    terms = problem.polynomial(function)
    if terms is not None:
        degree = noise_degree(terms, growth(problem), problem.oracle.is_dense)
        if heavy := too_heavy(problem.oracle.noise, 2 * degree):
            raise ValueError(f"test function {problem.name_of(function)!r}: {heavy}")


def plans(choices: Choices, problem: Problem) -> list[Planned]:
    """Return all that is run at a point, each in the precision that its estimator has for the problem's."""
    found = []
    for estimator, wanted in _wanted(choices, problem).items():
        it = replace(problem, precision=estimator.precision(problem.precision))
        found += [Planned(estimator, plan) for plan in estimator.plan(it, wanted)]
    return found


def work(choices: Choices, problem: Problem) -> float | None:
    """Return how much is left to be computed at a point, in the units of `Estimator.work`; None where nobody knows."""
    each = [estimator.work(problem, wanted) for estimator, wanted in _wanted(choices, problem).items()]
    known = [work for work in each if work is not None]
    return sum(known) if known else None


def _wanted(choices, problem):
    """Return {estimator: what it serves at a point}, as `Estimator.plan` takes it."""
    found: dict = {}
    for opponent in problem.opponents:
        for quantity, choice in choices.items():
            if quantity.opponent == opponent.name:
                mine = found.setdefault(choice.estimator, {}).setdefault(opponent, {})
                mine[quantity.function] = choice.served
    return found


def try_first_steps(choices: Choices, problems: Sequence[Problem]):
    """Assemble a first step of every SDE that is integrated, and all that a user's own estimator plans for one.

    Raises
    ------
    ValueError, TypeError
        A function fails there, or the estimator does not return what it should.
    """
    for problem in problems:
        one = problem.of_one_step()
        integrated = {quantity.opponent for quantity, choice in choices.items() if choice.served.integrates}
        sdes = [each for each in problem.opponents if each.sde is not None and each.name in integrated]
        if sdes:
            Coupled().plan(one, {sde: {0: Served()} for sde in sdes})
        for estimator, wanted in _wanted(choices, problem).items():
            if estimator not in BUILT_IN:
                own.try_plan(estimator, one, wanted)


def after_look(asked, problems, choices, device, threads, looked) -> tuple[Choices, list[Remainders]]:
    """Return the choices without what a look at the first trajectories of every point rules out.

    Parameters
    ----------
    looked : function (job, chunks, function () -> Sums) -> Sums
        Has the sums of an earlier look, or calls the function (`studies.kept`).

    Returns
    -------
    choices : as `choose` returns them
    remainders : of each point, what is left in the errors of those quantities whose estimator looked
    """
    barred: dict = {}
    remainders: list[Remainders] = [{} for _ in problems]
    look = partial(_look, device=device, threads=threads, looked=looked)
    new = choices
    while new:  # what is taken instead of one that was ruled out is looked at as well
        checks = list(_checks(new, problems, look))
        for each in checks:
            remainders[each.at] = {**remainders[each.at], **each.checked.remainders}
        out = _ruled_out(checks, problems)
        if asked == "auto":
            out = _doubted_at_most(checks, len(problems)) | out
        for quantity, reasons in out.items():
            barred.setdefault(quantity, {}).update(reasons)
        if out:
            choices = choose(asked, problems, barred)
        remainders = [{q: each for q, each in left.items() if q not in out} for left in remainders]
        new = {quantity: choices[quantity] for quantity in out}
    return choices, remainders


class _Check(NamedTuple):
    """What an estimator Checked at a point, given its place among them."""

    at: int
    estimator: Estimator
    checked: Checked


def _checks(choices, problems, look):
    """Yield a _Check of every point, those of few steps first, and of every estimator there."""
    for at in sorted(range(len(problems)), key=lambda at: problems[at].steps):
        for estimator, wanted in _wanted(choices, problems[at]).items():
            with contextlib.suppress(Unfinished):  # no time is left to compute it: nothing is known against it
                yield _Check(at, estimator, estimator.check(problems[at], wanted, look))


def _ruled_out(checks, problems):
    """Return {Quantity: {estimator's name: why}} of what cannot be measured at a point."""
    out: dict = {}
    for at, estimator, checked in checks:
        for quantity, reason in checked.barred.items():
            out.setdefault(quantity, {})[estimator.name] = f"{reason} at {problems[at].label}"
    return out


def _doubted_at_most(checks, points):
    """Return {Quantity: {estimator's name: why}} of what is doubted at most points, of so many."""
    count = Counter(
        (quantity, each.estimator.name, why) for each in checks for quantity, why in each.checked.doubted.items()
    )
    most = ((key, n) for key, n in count.items() if n > points / 2)
    return {quantity: {name: f"{why} at {n} of {points} points"} for (quantity, name, why), n in most}


def _look(jobs, chunks, device, threads, looked):
    """Return what is Measured in the first chunks of jobs."""
    programs = [job.program for job in jobs]
    used = devices.chosen(device, chunks * sum(job.cost for job in jobs), len(jobs), threads, programs)

    def run(job):
        sums, ran = Sums(), devices.run(used, job.program, job.inputs, 0, chunks, precision="f64", threads=threads)
        sums.add(0, ran.sums, ran.nonfinite)
        return sums

    return [means(looked(job, chunks, partial(run, job)).total, chunks * CHUNK) for job in jobs]
