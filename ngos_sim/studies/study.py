"""ConvergenceStudy: what is compared, at which step sizes, and how it is run. Read this first."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from tqdm import tqdm

from ngos_sim.engines import cpu, python
from ngos_sim.engines.bind import PRECISIONS
from ngos_sim.engines.program import CHUNK, cost
from ngos_sim.errors import NonFiniteError
from ngos_sim.estimators import test_functions
from ngos_sim.estimators.chunks import means
from ngos_sim.estimators.test_functions import TestFunction
from ngos_sim.oracles.losses import is_number
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.processes.optimizers import Optimizer
from ngos_sim.processes.sdes import SDE
from ngos_sim.processes.variations import SVAG, ScalingRule
from ngos_sim.studies import collect, grid, runs, selection, start
from ngos_sim.studies.assemble import try_first_step
from ngos_sim.studies.result import Result

ESTIMATORS = ("auto", "local", "coupled", "independent")


@dataclass(frozen=True)
class ConvergenceStudy:
    """Weak errors of an optimizer against its SDEs at several step sizes.

    The error at time t = k eta_e is E g(x_k) - E g(X_t), signed (Definition 2.4 of arXiv 2205.10287).

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
    initial : mapping of str to float, sequence of float, or function of eta2
        The start of every slot, scalars broadcast over coordinates; and t0, the time of the start.
    eta2 : float or sequence of float
        Squared learning rates, the steps of time t = k eta2.
    steps : int or sequence of int
        Instead of `eta2`: eta2 = horizon / steps.
    horizon : float
        The last time; a horizon between two steps is cut to the earlier one.
    times : "all" or sequence of float, optional
        When errors are measured; by default at most 64 times common to all points. "all": after every
        step, under the scaling rule against step floor(k / kappa) of the larger batch (Theorem 5.3).
    test_functions : sequence of str or TestFunction
        g; the grammar is in `estimators.test_functions`.
    estimator : "auto", "local", "coupled" or "independent"
        Local: the error carried along by each trajectory, of its own size. Coupled: one stream of
        Gaussians drives optimizer and SDEs. Auto is local where that can serve, else coupled.

    Raises
    ------
    ValueError, TypeError
        Anything above is not as described; the message names it, its value and what is allowed.

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
    sde: SDE | Sequence[SDE] | None = None
    reference: ScalingRule | None = None
    initial: Mapping[str, float | Sequence[float] | Callable] = field(default_factory=dict)
    eta2: float | Sequence[float] | None = None
    steps: int | Sequence[int] | None = None
    horizon: float = 1.0
    times: str | Sequence[float] | None = None
    test_functions: Sequence[str | TestFunction] = ()
    estimator: str = "auto"
    points: tuple[grid.Point, ...] = field(init=False)
    record_times: list[np.ndarray] = field(init=False)
    sdes: tuple[SDE, ...] = field(init=False)
    dimension: int = field(init=False)
    local: dict = field(init=False)
    why: dict = field(init=False)

    def __post_init__(self):
        for name, value, kinds in (
            ("oracle", self.oracle, NGOS),
            ("optimizer", self.optimizer, (Optimizer, SVAG)),
            ("reference", self.reference, (ScalingRule, type(None))),
        ):
            if not isinstance(value, kinds):
                raise TypeError(f"{name}={value!r} is not of the kind that {name}= takes")
        if self.estimator not in ESTIMATORS:
            raise ValueError(f"estimator={self.estimator!r}; allowed: {', '.join(ESTIMATORS)}")
        sdes = () if self.sde is None else (self.sde,) if isinstance(self.sde, SDE) else tuple(self.sde)
        if bool(sdes) == (self.reference is not None):
            raise ValueError("give sde= or reference=: exactly one of them")
        if self.reference is not None and isinstance(self.optimizer, SVAG):
            raise ValueError("reference=scaling_rule does not go with svag")
        if self.reference is not None and self.oracle.noise.gaussians != 1:
            raise ValueError(f"noise {self.oracle.noise.name!r} takes two Gaussians: reference=scaling_rule needs one")
        for sde in sdes:
            if not isinstance(sde, SDE):
                raise TypeError(f"sde={sde!r} is not an SDE")
            if sde.slots != self.rule.slots:
                raise ValueError(
                    f"sde {sde.name!r} has slots {sde.slots}; optimizer {self.rule.name!r} has {self.rule.slots}"
                )
        if len({sde.name for sde in sdes}) < len(sdes):
            raise ValueError("two SDEs have the same name; tables could not tell them apart")
        kappa = self.reference.kappa if self.reference else (1,)
        ell = self.optimizer.ell if isinstance(self.optimizer, SVAG) else (1.0,)
        points = grid.points(self.eta2, self.steps, self.horizon, ell, kappa, self.rule.parameters)
        times = grid.record_times(points, self.t0, self.horizon, self.times)
        for name, value in (("sdes", sdes), ("points", points), ("record_times", times)):
            object.__setattr__(self, name, value)
        (dimension, *_) = (start.dimension(self.initial, self.rule, self.oracle, point.eta2) for point in points)
        object.__setattr__(self, "dimension", dimension)
        self._check_noise()
        test_functions.check(self.test_functions, self.rule.slots, self.dimension)
        local, why = selection.selected(self)
        for index in range(len(points)):
            for job in runs.first_steps(self, index, local):
                try_first_step(*job)
        object.__setattr__(self, "local", local)
        object.__setattr__(self, "why", why)

    @property
    def rule(self):
        """The optimizer itself, without SVAG."""
        return self.optimizer.optimizer if isinstance(self.optimizer, SVAG) else self.optimizer

    @property
    def t0(self):
        """The time of the start."""
        return start.time(self.initial)

    def _check_noise(self):
        """Raise ValueError unless the noise law has mean 0 and variance 1, by its rule and by its sampler."""
        for point in self.points:
            sigma = self.noise_scale(point)
            mean, variance, *_ = self.oracle.noise.cumulants(sigma)
            if max(abs(mean), abs(variance - 1.0)) > 1e-8:
                name = self.oracle.noise.name
                raise ValueError(f"noise {name!r} has mean {mean:.3g} and variance {variance:.3g}; 0 and 1 are needed")
        sampled = self.oracle.noise.sampled_moments(sigma)
        if sampled is not None and np.any(np.abs(sampled - self.oracle.noise.moments(sigma)) > 0.05):
            raise ValueError(f"noise {self.oracle.noise.name!r}: sample and quadrature are different laws")

    def noise_scale(self, point):
        """Return the oracle's sigma = sigma0 / eta at a point; NaN for an optimizer without sigma0."""
        return self.rule.parameters.get("sigma0", math.nan) / math.sqrt(point.eta2)

    def run(self, trajectories, seed=0, *, device="cpu", precision=None, threads=None, progress=False):
        """Run every point and return the weak errors.

        Parameters
        ----------
        trajectories : int
            How many, rounded up to whole chunks of 1024.
        seed : int
            Same seed and version: the same numbers, whatever the threads.
        device : "cpu" or "python"
            "python" runs the same functions uncompiled, for a debugger.
        precision : "mix" or "f64"
            "mix" (default on the CPU): float64 state, float32 normals and preconditioner.
        threads : int, optional
            Default: all processors.
        progress : bool
            Show a bar on stderr.

        Returns
        -------
        Result

        Raises
        ------
        ValueError
            An argument out of range.
        NonFiniteError
            Trajectories left the finite numbers; `.result` holds what was measured.
        """
        for name, value in (("trajectories", trajectories), ("threads", 1 if threads is None else threads)):
            if not is_number(value) or value != int(value) or value < 1:
                raise ValueError(f"{name}={value!r} must be a positive integer")
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError(f"seed={seed!r} must be an integer")
        precision = precision or ("mix" if device == "cpu" else "f64")
        allowed = {"cpu": PRECISIONS, "python": ("f64",)}
        if device not in allowed:
            raise ValueError(f"device={device!r}; allowed: {', '.join(allowed)}")
        if precision not in allowed[device]:
            raise ValueError(f"precision={precision!r}; allowed on {device}: {', '.join(allowed[device])}")
        chunks = -(-int(trajectories) // CHUNK)
        local, why = selection.after_node_check(self, seed, chunks, threads)
        plan = [runs.runs(self, index, seed, local) for index in range(len(self.points))]
        total = sum(cost(program, inputs) for each in plan for run in each for program, inputs, _ in run.jobs)
        rows, lost = [], []
        with tqdm(total=total * chunks, unit="step", unit_scale=True, disable=not progress) as bar:
            for index, each in enumerate(plan):
                readings, count = {}, 0
                for run in each:
                    measured = []
                    for program, inputs, _ in run.jobs:
                        if device == "python":
                            sums = python.run(program, inputs, 0, chunks)
                        else:
                            exact = "f64" if run.estimator == "local" else precision
                            sums = cpu.run(
                                program, inputs, 0, chunks, precision=exact, threads=threads, progress=bar.update
                            )
                        bad = sums.nonfinite[sums.nonfinite[:, 0] > 0]
                        if len(bad):
                            count += int(bad[:, 0].sum())
                            lost.append(f"{bad[:, 0].sum()} at {self.points[index]} (the first: {bad[0, 1]})")
                        measured.append(means(sums.sums, chunks * CHUNK))
                    readings |= {key: (run.estimator, reading) for key, reading in run.read(measured).items()}
                for (_, g), (_, reading) in readings.items():
                    if not count and not np.all(np.isfinite(reading.error)):
                        name = test_functions.name_of(self.test_functions[g])
                        lost.append(f"none, but test function {name!r} is not finite at {self.points[index]}")
                rows += collect.rows(self, index, readings, chunks * CHUNK, count)
        result = Result(self, pd.DataFrame(rows), why, seed=seed, precision=precision, device=device)
        if lost:
            raise NonFiniteError(
                f"of {chunks * CHUNK} trajectories these left the finite numbers: {'; '.join(lost)}; "
                f"smaller steps may help",
                result,
            )
        return result
