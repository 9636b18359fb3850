"""The door of estimators: what each is asked, and what it answers.

`choose` asks every estimator, `studies.measurement` runs what it plans and turns what it reads into tables. A user's
own estimator is a subclass of Estimator too, and an instance of it is a study's `estimator=`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np

from ngos_sim.estimators.assembly import Job
from ngos_sim.estimators.polynomials import Term
from ngos_sim.estimators.problem import Opponent, Problem
from ngos_sim.identity import meaning
from ngos_sim.statistics.chunks import Measured


class Quantity(NamedTuple):
    """What is measured: a weak error.

    opponent : the name of what the optimizer is compared with
    function : the index of the test function
    """

    opponent: str
    function: int


@dataclass(frozen=True)
class Served:
    """An estimator's yes.

    terms : of the test function, or whatever else the estimator's `plan` wants to be told again
    integrates : whether the opponent itself takes steps, the first of which is then tried when a study is made
    how : what `why` says behind the merit: by which detour, if by any
    doubt : what `why` says last: where the estimator is less sure than elsewhere
    """

    terms: Sequence[Term] = ()
    integrates: bool = True
    how: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Refused:
    """An estimator's no.

    reason : why, a clause that goes on from "not local, as"
    """

    reason: str


@dataclass(frozen=True)
class Reading:
    """One quantity at the recorded times, each field of shape (times,) or a number for all times.

    optimizer, reference : the means of the test function
    error : their difference
    std_error : of the error, statistical; what rounding may leave is in it
    bias : of the integrator, removed from `reference`
    residual : what of it may be left
    rounding : what the standard error holds that more trajectories do not remove
    seen : whether the test function differed between trajectories, without which a spread of 0 says nothing
    numerical : of what is computed and not sampled: a bound on how far the error may be off, no Gaussian error, which
        intervals hold as it is

    bias, residual, rounding and numerical are NaN where there is nothing of the kind.
    """

    optimizer: np.ndarray | float
    reference: np.ndarray | float
    error: np.ndarray | float
    std_error: np.ndarray | float
    bias: np.ndarray | float = np.nan
    residual: np.ndarray | float = np.nan
    rounding: np.ndarray | float = np.nan
    seen: np.ndarray | bool = True
    numerical: np.ndarray | float = np.nan

    def at(self, which: int | np.ndarray) -> "Reading":
        """Return the Reading at some times, which : their indices; at one time of floats."""
        shape = np.shape(self.error)
        now: list[Any] = [np.broadcast_to(getattr(self, each.name), shape)[which] for each in fields(self)]
        if not np.ndim(which):
            now = [float(each) + 0.0 for each in now]  # never -0
        return Reading(*now)

    def with_rounding(self, left: np.ndarray | float) -> "Reading":
        """Return the Reading with what rounding or few nodes may leave beside what it holds of it.

        left : shape (times,), as a standard error
        """
        rounding = left if np.all(np.isnan(self.rounding)) else np.hypot(self.rounding, left)
        return replace(self, std_error=np.hypot(self.std_error, left), rounding=rounding)


def _nothing(measured: Sequence[Measured], trajectories: int) -> dict[Quantity, str]:
    return {}


@dataclass(frozen=True)
class Plan:
    """What is run at a point, and how it is read.

    jobs : run with the same trajectories; without any nothing is sampled, and `read(())` computes: it is called once,
        when a study is run or read again, and what it returns is the same whatever the seed, device and precision
    read : function (what was Measured of each job) -> {Quantity: Reading}; of what is computed std_error is 0, and
        `numerical` says how far it may be off
    disproved : function (the same, how many trajectories) -> {Quantity: why what was taken as known of it is wrong}
    said : what `why` says, after a run, of how quantities are measured at this point
    """

    jobs: tuple[Job, ...]
    read: Callable[[Sequence[Measured]], dict[Quantity, Reading]]
    disproved: Callable[[Sequence[Measured], int], dict[Quantity, str]] = _nothing
    said: Mapping[Quantity, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Checked:
    """What a look at the first trajectories of a point found.

    barred : why a quantity cannot be measured there after all
    remainders : what numbers that were looked at may leave in an error, shape (times,), as a standard error
    doubted : why the next estimator would measure it better there: where that is so at most points, "auto" takes it
    """

    barred: Mapping[Quantity, str] = field(default_factory=dict)
    remainders: Mapping[Quantity, np.ndarray] = field(default_factory=dict)
    doubted: Mapping[Quantity, str] = field(default_factory=dict)


# What an estimator serves at a point: for each opponent the Served of test functions, by their indices.
Wanted = Mapping[Opponent, Mapping[int, Served]]
Look = Callable[[Sequence[Job], int], list[Measured]]


class Estimator:
    """How weak errors are measured; a subclass has a `name`, `serves` and `plan`.

    name : str
        What tables call it.
    merit : str
        Why it is worth taking where it serves: what `why` says of it. Empty: only that it serves.

    Raises
    ------
    NotImplementedError
        `serves` or `plan` is missing, when a study asks.
    """

    name: str = ""
    merit: str = ""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and meaning(vars(self)) == meaning(vars(other))

    def __hash__(self) -> int:
        return hash(type(self))  # whatever an instance writes to itself later

    def serves(self, problems: Sequence[Problem], opponent: Opponent, function: int) -> Served | Refused:
        """Return whether it measures a test function against an opponent, at every one of these points.

        problems : one a point of the study
        opponent : what the optimizer is compared with: an SDE, or the reference of the scaling rule (its sde is None)
        function : the index of the test function

        An estimator must have this: without it a study raises NotImplementedError.
        """
        raise NotImplementedError

    def plan(self, problem: Problem, wanted: Wanted) -> Sequence[Plan]:
        """Return the Plans of one point for all that it serves there.

        problem : of the point
        wanted : {opponent: {index of a test function: its Served}}

        An estimator must have this: without it a study raises NotImplementedError.
        """
        raise NotImplementedError

    def work(self, problem: Problem, wanted: Wanted) -> float | None:
        """Return how much is left to be computed at a point, in a unit of its own; None of one that does not watch.

        problem, wanted : as for `plan`

        The bar moves, and a plan foresees seconds, by what of it `problem.watch` is told.
        """
        return None

    def precision(self, asked: str) -> str:
        """Return in which precision its jobs are run, "mix", "f64" or "f32"; raise ValueError for none.

        asked : that of the study
        """
        return asked

    def check(self, problem: Problem, wanted: Wanted, look: Look) -> Checked:
        """Return what a look at the first trajectories of a point rules out, before the run.

        problem, wanted : as for `plan`
        look : function (jobs, chunks) -> what was Measured of each, in f64
        """
        return Checked()
