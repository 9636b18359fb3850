"""ConvergenceStudy: what is compared, at which step sizes, and how it is run. Read this first."""

import functools
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ngos_sim.engines import devices
from ngos_sim.estimators import choose, test_functions
from ngos_sim.estimators.estimator import Estimator
from ngos_sim.estimators.test_functions import TestFunction
from ngos_sim.identity import Remade
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.processes.sde import SDE
from ngos_sim.processes.variations import SVAG, ScalingRule
from ngos_sim.reporting import shown
from ngos_sim.studies import means, outside, paths, plan, resolving, session, start
from ngos_sim.studies.points import Point
from ngos_sim.studies.result import Result
from ngos_sim.studies.stopping import Bounds
from ngos_sim.validation import integer, known_keywords

_RATE = "give eta2=, the square of the learning rate (for an optimizer of the clock 'eta' eta=), or steps="
_OF_RUN = ("trajectories", "seed", "rel_error", "abs_error", "max_seconds", "device", "precision", "threads", "store")


@known_keywords(
    lr=_RATE, learning_rate=_RATE, sdes="give sde=, one or a list", **dict.fromkeys(_OF_RUN, "study.run(..) takes it")
)
@dataclass(frozen=True, eq=False)
class ConvergenceStudy(Remade):
    """Weak errors of an optimizer against its SDEs at several step sizes.

    The error at time t = k h is E g(x_k) - E g(X_t), signed (Definition 2.4 of arXiv 2205.10287);
    h is the time of one optimizer step: eta^2, or eta by the optimizer's clock, under SVAG eta^2 / ell^2.

    Parameters
    ----------
    oracle : NGOS
        The noisy gradient oracle.
    optimizer : Optimizer or SVAG
        What runs.
    sde : SDE or sequence of SDE
        What it is compared with; constants come from the optimizer.
    reference : ScalingRule
        Instead of `sde`: the optimizer at kappa times the batch size.
    initial : mapping of str to float, sequence of float, or function of eta2 (clock "eta": of eta)
        The start of every slot, scalars broadcast over coordinates; and t0, the time of the start.
    eta2 : float or sequence of float
        Squared learning rates, for an optimizer of the clock "eta2": step k is at time t = k eta2.
    steps : int or sequence of int
        Instead of `eta2` or `eta`: each is horizon / steps.
    horizon : float
        The last time; a horizon between two steps is cut to the earlier one, and `notes` says so.
    times : "all" or sequence of float, optional
        When errors are measured; by default at most 64 times common to all points. "all": after every
        step, under the scaling rule against step floor(k / kappa) of the larger batch (Theorem 5.3).
        Points to which one order is fitted must have a time in common: those of one kappa and, under SVAG
        with several ell, of one eta2.
    test_functions : sequence of str or TestFunction
        g. A string is a sum of products of numbers, powers slot[i]^n and words: "2*theta[0]^2 - u[1]",
        "theta[0]*theta[1]", "sqnorm(theta)" (the sum of theta_i^2), "loss", "trace(Sigma)", "norm(grad)", on data
        "accuracy" and "distance" (to the minimiser). help(ns.TestFunction) has the grammar, and what a function may be.
    estimator : "auto", "local", "transport", "control_variate", "coupled", "independent" or Estimator
        Local: the error carried along by each trajectory, of its own size. Transport: computed, the law of each
        coordinate carried forward. Control variate: less a linear companion of known mean. Coupled: one stream of
        Gaussians drives optimizer and SDEs. Auto takes the first of these that can serve. An instance of a subclass of
        `Estimator` is an estimator of your own.
    eta : float or sequence of float
        Learning rates, for an optimizer of the clock "eta": step k is at time t = k eta.
    batch_size : int or sequence of int
        Instead of `eta2`: eta2 = sigma0^2 B, as sigma = 1 / sqrt(B) where Sigma is that of one sample. On data B is a
        whole number, however step sizes are given.

    Raises
    ------
    ValueError, TypeError
        Anything above is not as described; the message names it, its value and what is allowed.

    Warns
    -----
    StudyWarning
        The horizon is cut, or a value is far outside what anyone means; `notes` holds the same lines.

    Examples
    --------
    >>> import ngos_sim as ns
    >>> study = ns.ConvergenceStudy(
    ...     ns.NGOS(ns.quadratic(0.9)),
    ...     ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
    ...     sde=ns.rmsprop_sde(),
    ...     initial=dict(theta=1.2, u=1.0),
    ...     eta2=[2**-3, 2**-4],
    ...     horizon=1.0,
    ...     test_functions=["theta[0]"],
    ... )
    >>> study.run(trajectories=1024, seed=0).table.trajectories.unique().tolist()
    [1024]
    """

    oracle: NGOS
    optimizer: Optimizer | SVAG
    sde: SDE | Sequence[SDE] | None = field(default=None, compare=False)  # `sdes` are compared, and `points`
    reference: ScalingRule | None = None
    initial: Mapping[str, Any] = field(default_factory=dict)
    eta2: ArrayLike | None = field(default=None, compare=False)
    steps: ArrayLike | None = field(default=None, compare=False)
    horizon: float = 1.0
    times: str | ArrayLike | None = field(default=None, compare=False)
    test_functions: Sequence[str | TestFunction] = ()
    estimator: str | Estimator = "auto"
    eta: ArrayLike | None = field(default=None, compare=False)
    batch_size: ArrayLike | None = field(default=None, compare=False)
    points: tuple[Point, ...] = field(init=False)
    record_times: list[np.ndarray] = field(init=False)
    sdes: tuple[SDE, ...] = field(init=False)
    dimension: int = field(init=False)
    served: choose.Choices = field(init=False, compare=False)
    notes: tuple[str, ...] = field(init=False, compare=False)
    found: dict = field(init=False, repr=False, compare=False, default_factory=dict)  # by estimators: `Shared`

    def __post_init__(self) -> None:
        resolving.resolve(self)

    def __repr__(self) -> str:
        return shown.text(self, shown.study)

    def _repr_html_(self) -> str | None:
        return shown.html(self, shown.study)

    @property
    def rule(self) -> Optimizer:
        """The optimizer itself, without SVAG."""
        return self.optimizer.optimizer if isinstance(self.optimizer, SVAG) else self.optimizer

    @property
    def t0(self) -> float:
        """The time of the start."""
        return start.time(self.initial)

    @functools.cached_property
    def outside_theory(self) -> tuple[str, ...]:
        """Why the study lies outside Definitions 2.5 - 2.7 of arXiv 2205.10287, a line each, as far as is known.

        It runs as any other, and its numbers and verdicts are what they are: `studies.outside`.
        """
        return outside.reasons(self)

    @property
    def why(self) -> dict[tuple[str, str], str]:
        """Why each is measured by its estimator, as far as is known without a run: {(sde, test function): str}."""
        return self.reasons(self.served)

    def reasons(self, choices: choose.Choices) -> dict[tuple[str, str], str]:
        """Return {(sde, test function): why its estimator is this one} of choices such as `served`."""
        names = [test_functions.name_of(function) for function in self.test_functions]
        return {(quantity.opponent, names[quantity.function]): choice.why for quantity, choice in choices.items()}

    def noise_scale(self, point: Point) -> float:
        """Return the oracle's sigma at a point, one of `points`: `Optimizer.noise_scale`."""
        return self.rule.noise_scale(point.eta)

    @known_keywords()
    def run(
        self,
        trajectories: int | None = None,
        seed: int = 0,
        *,
        rel_error: float | None = None,
        abs_error: float | None = None,
        max_seconds: float | None = None,
        device: str = "cpu",
        precision: str | None = None,
        threads: int | None = None,
        progress: bool = False,
        store: str | Path | None = None,
        first: int = 0,
        executor: Executor | None = None,
    ) -> Result:
        """Run every point, with the same number of trajectories, and return the weak errors.

        Parameters
        ----------
        trajectories : int, optional
            How many, rounded up to whole chunks of 1024; with the bounds below, at most.
        seed : int
            Same seed, number of trajectories, version, machine and libraries: the same bits, whatever the threads;
            on another machine the same numbers to rounding, below a hundredth of a standard error.
        rel_error, abs_error : float, optional
            Stop where at every point each error of norm "max" has a standard error of at most
            max(rel_error |error|, abs_error). rel_error needs another bound beside it, as an error may be 0.
        max_seconds : float, optional
            Stop after so long, compilation included, within 20 % or 1 s. Every point has 1024 trajectories at
            least: a warning says where these alone take longer. A run on `result.trajectories` repeats it. What is
            computed comes first, points of few steps before others; what was not computed in time has no rows, and a
            warning says of which points.
        device : "cpu", "cuda", "auto" or "python"
            "auto" takes the GPU where there is one and the work is large enough; "python" runs the same
            functions uncompiled, for a debugger.
        precision : "mix", "f64" or "f32"
            "mix" (default, but in Python): float64 state, float32 normals and preconditioner. "f32", on
            the GPU: all in float32, sums in float64; not for the local estimator.
        threads : int, optional
            Of the CPU. Default: all processors.
        progress : bool
            Show a bar on stderr.
        store : str or Path, optional
            A folder whose chunks.sqlite keeps the sums of chunks every second or so. Run again, whatever ended the
            first run, only what is missing is run; more trajectories, or other bounds, go on from what is there. The
            result is of all that is there, with the bits of a run that was never ended.
        first : int
            The number of the first trajectory, a multiple of 1024: other machines run others, and `merge` joins them.
        executor : concurrent.futures.Executor, optional
            Whose workers run the chunks, each on one thread, or on `threads`: a ProcessPoolExecutor that spawns, or
            dask's client.get_executor(). The same bits as without (docs/cluster.md).

        Returns
        -------
        Result
            Its `stopped` says which bound was reached first.

        Raises
        ------
        ValueError
            An argument out of range, or no bound at all; max_seconds is too short to compute anything of a study that
            does not sample; the store is of another study, seed, precision or version.
        StoreError
            The store is in use, damaged, or cannot be written; what was kept stays.
        WorkerLost
            A worker of the executor died, and the executor does not run its work again.
        EngineUnavailable
            device="cuda" cannot run here, or not this study; the message says what to install or to take.
        NonFiniteError
            Trajectories left the finite numbers; `.result` holds what was measured.
        """
        bounds = Bounds(trajectories, rel_error, abs_error, max_seconds)
        settings = self.settings(device, precision, threads)
        return session.run(self, bounds, seed, settings, store=store, first=first, progress=progress, executor=executor)

    @known_keywords()
    def plan(
        self, trajectories: int = 100_000, seed: int = 0, *, threads: int | None = None, compare: bool = False
    ) -> pd.DataFrame:
        """Run a pilot and return what a run would cost and resolve here; `Result.plan` says afterwards how good it was.

        Parameters
        ----------
        trajectories, seed, threads
            As in `run`.
        compare : bool
            Plan with every other estimator that serves too.

        Returns
        -------
        DataFrame
            One row per (sde, test function, point), and in its attrs seconds, compilation, memory: `studies.plan.plan`,
            which says what is raised as well.
        """
        return shown.Foreseen.of(plan.plan(self, Bounds(trajectories), seed, threads, compare))

    @known_keywords()
    def means(self) -> pd.DataFrame:
        """Compute E g of the optimizer and of each SDE alone over time, without trajectories and noise, for figures.

        By the transport estimator, whatever the study's own; an error's `numerical` is smaller than those of its means,
        which have most of what the grids leave in common. Ctrl-C ends it within a second; points that were done are
        not computed again.

        Returns
        -------
        DataFrame
            One row per (point, test function, process, time), the start included: h, time; process, "optimizer" or
            "sde"; name, of the optimizer or SDE; test_function; mean; numerical, by how much it may be off.

        Raises
        ------
        ValueError
            The transport estimator cannot serve; in its words.
        """
        return means.means(self)

    @known_keywords()
    def trajectories(self, n: int = 5, *, h: float | None = None, seed: int = 0) -> paths.Trajectories:
        """Return n sample paths of optimizer and SDEs on one stream, of a step h and a seed: `studies.paths`."""
        return paths.trajectories(self, n, h, seed)

    @staticmethod
    def settings(device: str, precision: str | None, threads: int | None) -> dict:
        """Return how a run computes: device, precision, threads; raise ValueError for what is not allowed."""
        threads = None if threads is None else integer("threads", threads, 1)
        precision = devices.checked(device, precision)
        return {"device": device, "precision": precision, "threads": threads}
