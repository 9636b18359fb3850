"""order_effect: how much the order of samples alone moves where an optimizer arrives, and how that falls with eta.

(docs/theory.md, "The order of samples".)
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from ngos_sim.engines import devices
from ngos_sim.engines.program import CHUNK
from ngos_sim.errors import NonFiniteError
from ngos_sim.estimators.problem import Problem, Shared
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.processes.optimizer import Optimizer, check_admissible
from ngos_sim.statistics import order
from ngos_sim.statistics.chunks import normal_quantile
from ngos_sim.studies import batches, first_step, given, start
from ngos_sim.studies.points import Point
from ngos_sim.validation import coordinate_values, integer, known_keywords, of_kind

_LEAST = 8  # chunks, for a standard error of a variance
_MADE_BY = "ns.heavy_ball(sigma=.., mu=..), or a function of eta that returns one,"


@dataclass(frozen=True)
class Slope:
    """The power q of eta in variance = C eta^q (1 + further terms): twice the order of the standard deviation.

    std_error, ci_low, ci_high : half its 68 % interval, and its 95 % interval
    p_value : of the fit
    """

    value: float
    std_error: float
    ci_low: float
    ci_high: float
    p_value: float

    def __str__(self):
        if math.isnan(self.value):
            return "slope: too few resolved points, 3 learning rates are needed"
        return f"slope {self.value:.2f} ({self.std_error:.2f}), 95 % {self.ci_low:.2f} .. {self.ci_high:.2f}"


@dataclass(frozen=True, eq=False)
class OrderEffect:
    """What `order_effect` measured.

    Attributes
    ----------
    table : DataFrame
        One row a learning rate: eta, batch_size, steps (of all epochs), variance over orders of the end point,
        summed over coordinates, with its standard error, rounding included, and trajectories, each an order.
    slope : Slope
    seed : int
    """

    table: pd.DataFrame
    slope: Slope
    seed: int

    def __repr__(self) -> str:
        return f"{self.table.to_string(index=False, float_format='{:.5g}'.format)}\n{self.slope}"


@known_keywords(eta2="give eta=, learning rates, whatever the clock", lr="give eta=", permutations="give trajectories=")
def order_effect(
    oracle: NGOS,
    optimizer: Optimizer | Callable[[float], Optimizer],
    *,
    initial: Mapping[str, ArrayLike | Callable],
    eta: ArrayLike,
    epochs: int = 1,
    trajectories: int = 32 * CHUNK,
    seed: int = 0,
    device: str = "cpu",
    threads: int | None = None,
) -> OrderEffect:
    """Measure the variance of an optimizer's end point over random orders of the same samples (arXiv 2606.29554).

    Every trajectory starts at one point and takes each sample once an epoch, in an order of its own, cut into
    minibatches: without replacement, whatever the oracle says. All that differs between trajectories is the order. For
    eta to 0 the variance falls like eta^4 for SGD, whose steps nearly commute, and for momentum with 1 - beta = c eta;
    like eta^2 for a fixed beta, which weighs the last samples less (docs/theory.md, "The order of samples").

    Parameters
    ----------
    oracle : NGOS
        As `finite_data` makes it.
    optimizer : Optimizer or function of eta that returns one
        Its noise scale says the batch size, 1 / sigma^2 (clock "eta2": eta^2 / sigma0^2). A function where what
        is fixed is no constant of it, as betas and batch size of Adam:
        lambda eta: ns.from_hyperparameters("adam", lr=eta, betas=(0.9, 0.99), eps=1e-8, batch_size=1)[0].
    initial : mapping of str to float, sequence of float, or function
        The start of every slot, as in `ConvergenceStudy`; without t0.
    eta : float or sequence of float
        Learning rates, whatever the clock; at least three for a slope.
    epochs : int
        How often every sample is taken, each time in another order.
    trajectories : int
        How many orders, rounded up to whole chunks of 1024: at least 8 of these.
    seed, device, threads
        As in `ConvergenceStudy.run`; in double precision.

    Returns
    -------
    OrderEffect

    Raises
    ------
    ValueError, TypeError
        Anything above is not as described, or an epoch is no whole number, at least two, of minibatches.
    NonFiniteError
        Trajectories left the finite numbers.

    Examples
    --------
    >>> import ngos_sim as ns
    >>> oracle = ns.finite_data([[1.0], [0.7], [1.3], [0.9]], [0.5, -1.0, 0.2, 1.1], model="least_squares")
    >>> found = ns.order_effect(oracle, ns.sgd(sigma=1.0), initial=dict(theta=1.0), eta=[2**-5, 2**-6, 2**-7])
    >>> found.slope.ci_low < 4.0 < found.slope.ci_high
    True
    """
    given.check("oracle", oracle)
    given.check("initial", initial)
    if oracle.data is None:
        raise ValueError("oracle: its gradients are not of data, so no order of samples; ns.finite_data(..) makes one")
    if "t0" in initial:
        raise ValueError("initial.t0: epochs begin at time 0; leave it out")
    rates = sorted(set(coordinate_values("eta", eta)), reverse=True)
    epochs, seed, asked = integer("epochs", epochs, 1), integer("seed", seed), integer("trajectories", trajectories, 1)
    chunks = -(-asked // CHUNK)
    if chunks < _LEAST:
        raise ValueError(f"trajectories={trajectories!r} must be at least {_LEAST * CHUNK}, for standard errors")
    devices.checked(device, "f64")
    batches_of: Any = oracle.noise  # Minibatches
    oracle = replace(oracle, noise=replace(batches_of, replacement=False))
    problems = [_problem(oracle, optimizer, initial, rate, epochs, seed) for rate in rates]
    first_step.try_functions(problems)
    run = (device, chunks, threads if threads is None else integer("threads", threads, 1))
    table = pd.DataFrame([_measured(problem, *run) for problem in problems])
    return OrderEffect(table, _slope(table, chunks), seed)


def _problem(oracle, optimizer, initial, eta, epochs, seed):
    """Return the Problem of one learning rate."""
    made = optimizer(eta) if callable(optimizer) else optimizer
    rule = of_kind("optimizer", made, Optimizer, "an optimizer", _MADE_BY)
    h = eta if rule.clock == "eta" else eta * eta
    check_admissible(rule.parameters, h, rule.clock)
    if reason := rule.domain.refusal(oracle):
        raise ValueError(f"optimizer {rule.name!r}: {reason}")
    (point,) = batches.of_points([Point(h, clock=rule.clock)], oracle, rule, None)
    steps = epochs * _minibatches(oracle.data.samples, point.batch_size)
    dimension = start.dimension(initial, rule, oracle, h)
    return Problem(
        label=f"eta={eta:g}",
        oracle=oracle,
        rule=rule,
        law=oracle.noise,
        sigma=rule.noise_scale(eta),
        state=start.state(initial, rule.slots, dimension, h),
        t0=0.0,
        horizon=steps * h,
        h=h,
        size=h,
        ell=1.0,
        kappa=1,
        records=np.array([steps], dtype=np.int64),
        test_functions=tuple(f"theta[{j}]" for j in range(dimension)),
        opponents=(),
        shared=Shared(),
        seed=seed,
    )


def _minibatches(samples, batch_size):
    """Return how many minibatches an epoch has; raise ValueError unless it is a whole number, at least two."""
    count, rest = divmod(samples, batch_size)
    if rest or count < 2:
        allowed = [b for b in range(1, samples // 2 + 1) if samples % b == 0]
        named = ", ".join(map(str, allowed[:8])) + ", .." * (len(allowed) > 8)
        reason = "has one minibatch, and no order" if count == 1 and not rest else "is no whole number of minibatches"
        raise ValueError(f"batch size {batch_size}: an epoch of {samples} samples {reason}; allowed: {named}")
    return count


def _measured(problem, device, chunks, threads):
    """Return the row of the table of one learning rate."""
    every = range(problem.dimension)
    job = problem.job([problem.optimizer()], np.eye(1), problem.observables(every), role=" order")
    device = devices.chosen(device, job.cost * chunks, 1, threads, [job.program])
    found = devices.run(device, job.program, job.inputs, 0, chunks, precision="f64", threads=threads)
    if lost := int(found.nonfinite[:, 0].sum()):
        raise NonFiniteError(f"{problem.label}: {lost} of {chunks * CHUNK} trajectories left the finite numbers")
    total, squares = np.moveaxis(found.sums[:, 0, :, 0], -1, 0)  # of chunks, (chunks, coordinates)
    each = squares.sum(axis=1) / (CHUNK - 1)
    variance, rounding = float(each.mean()), _rounding(problem, total.mean(axis=0) / CHUNK)
    return {
        "eta": problem.size if problem.rule.clock == "eta" else math.sqrt(problem.size),
        "batch_size": round(problem.sigma**-2),
        "steps": problem.steps,
        "variance": variance,
        "std_error": math.hypot(
            each.std(ddof=1) / math.sqrt(chunks), rounding * (2.0 * math.sqrt(variance) + rounding)
        ),
        "trajectories": chunks * CHUNK,
    }


def _rounding(problem, end):
    """Return what rounding adds to the standard deviation of the end point: at most a unit of theta a step."""
    largest = np.maximum(np.abs(problem.state[:, 0]), np.abs(end))
    return float(np.finfo(np.float64).eps * math.sqrt(problem.steps) * np.linalg.norm(largest))


def _slope(table, chunks):
    """Return the Slope, of the standard deviation's order: sqrt(variance) = C eta^p + D eta^(p + 1) + .. ."""
    spread = np.sqrt(table.variance.to_numpy())
    std_error = np.divide(table.std_error.to_numpy(), 2.0 * spread, out=np.zeros(len(spread)), where=spread > 0.0)
    widening = float(special.stdtrit(chunks - 1, 0.975)) / normal_quantile(0.95)  # Student's t: of so few chunks
    fitted = order.fit(table.eta.to_numpy(), spread, std_error, theorem=2.0, widening=widening)
    twice = (2.0 * each for each in (fitted.order, fitted.std_error, fitted.ci_low, fitted.ci_high))
    return Slope(*twice, fitted.p_value)
