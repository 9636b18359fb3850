"""The first call of a user's functions, in plain Python at construction: what gives no numbers is named in a line."""

import itertools
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from ngos_sim.engines.program import move
from ngos_sim.oracles import law_check
from ngos_sim.oracles.derivatives import check_about
from ngos_sim.oracles.joint import shown
from ngos_sim.processes.calling import BadFunctionError, called, cause, checked
from ngos_sim.processes.rule import Rule, parameters, with_own
from ngos_sim.studies import sum_of_noise

_STATES = 4  # at so many coordinates' starts a step is tried on minibatches
_COORDINATES = 64  # at most so many of them are tried


class _Role(NamedTuple):
    """A function of a process, whether it gets z, and how many rows it returns."""

    function: Callable
    takes_noise: bool = False
    channels: int = 1


def _called_at(owner, slots, functions, told, c, starts):
    """Call each of a process's functions, {role: _Role}, at some coordinates' starts."""
    for j in range(0, len(starts), -(-len(starts) // _COORDINATES)):
        x = tuple(starts[j].tolist())
        o, z, p = told(x, j)
        for role, each in functions.items():
            given = dict(x=x, o=o, z=z, c=c, p=p) if each.takes_noise else dict(x=x, o=o, c=c, p=p)
            value = called(owner, role, each.function, **given)
            if not all(map(math.isfinite, checked(owner, role, value, slots, each.channels))):
                raise BadFunctionError(f"{owner!r}: {role} returns {value} at x={x!r}; finite numbers are needed")


def _teller(problem, part, given, owner, constants, first, second):
    """Return told(x, j): o, z and p at coordinate j, as engines make them for a process of these two functions."""

    def see(x, o, z, c, p):
        return o, z, p, first, second  # what a step reads of the oracle is looked up in what it holds

    rule, noise = part.rule, part.noise
    probe = Rule(owner, see, rule.slots, rule.schedule, rule.clock, **constants)
    moved = move(probe, problem.oracle, noise)
    values = tuple(parameters(probe, part.h).values())
    pull, spread = _coupled_rows(problem.oracle, given.start[:, 0])

    def told(x, j):
        a, s = (tuple(float(column[j]) for column in kind) for kind in (given.loss, given.variance))
        try:
            return moved(x, 0.5, 0.5, -0.5, pull[j], 0.5, spread[j], a, s, given.noise, (), values)[:3]
        except Exception as error:
            who = f"loss {problem.oracle.loss.name!r}, its covariance or noise {noise.name!r}"
            raise BadFunctionError(f"{who} fails at theta={x[0]!r}: {cause(error)[0]}") from error

    return told


def _coupled_rows(oracle, theta):
    """Return grad f and the diagonal of Sigma where each couples coordinates; else 0.5, as nothing but H reads it."""
    pull = spread = [0.5] * len(theta)
    if oracle.loss.joint:
        pull = _at_start(f"loss {oracle.loss.name!r}: gradient", oracle.gradient_at, theta)
    if oracle.variance is None:
        spread = np.diag(_at_start(f"covariance {oracle.covariance.name!r}: Sigma", oracle.covariance_at, theta))
    return pull, spread


def _at_start(what, function, theta):
    """Return function(theta); raise BadFunctionError unless it is finite."""
    try:
        value = function(theta)
    except ArithmeticError as error:
        raise BadFunctionError(f"{what} fails at theta={shown(theta)}: {error}") from error
    if not np.all(np.isfinite(value)):
        raise BadFunctionError(f"{what} is {value.tolist()} at theta={shown(theta)}; finite numbers are needed")
    return value


def try_functions(problems):
    """Call the functions of a study's optimizer and SDEs once at the start of every point.

    Parameters
    ----------
    problems : sequence of Problem

    Raises
    ------
    BadFunctionError
        One cannot be called, or does not return finite numbers, one for each slot.
    """
    for problem in (each.of_one_step() for each in problems):
        every = range(len(problem.test_functions))
        job = problem.job([problem.optimizer()], np.eye(1), problem.observables(every))
        (part,), (given,) = job.parts, job.inputs.processes
        rule = part.rule
        told = _teller(problem, part, given, rule.name, rule.parameters, rule.step, rule.step)
        c, functions = tuple(given.table[0, 0].tolist()), {"step": _Role(rule.step, takes_noise=True)}
        _called_at(rule.name, rule.slots, functions, told, c, given.start)
        if problem.oracle.data is not None:
            sum_of_noise.check(rule, part.h, c, [tuple(x) for x in given.start[:_STATES].tolist()])
        for sde in (opponent.sde for opponent in problem.opponents if opponent.sde is not None):
            told = _teller(problem, part, given, sde.name, with_own(rule, sde), sde.drift, sde.diffusion)
            p = SimpleNamespace(**parameters(rule, part.h, sde))
            try:
                c = checked(sde.name, "schedule", called(sde.name, "schedule", sde.schedule, t=problem.t0, p=p))
            except BadFunctionError:
                raise
            except ValueError:  # a built-in's own refusal of a time: who serves it then says so
                continue
            functions = {"drift": _Role(sde.drift), "diffusion": _Role(sde.diffusion, channels=sde.channels)}
            _called_at(sde.name, sde.slots, functions, told, c, given.start)


def check_loss(problems):
    """Raise ValueError unless the functions of a loss are each other's derivatives about the study's starts.

    When it is made all scales of theta count alike, and a mistake beyond theta = 50 is on few of them. Nothing is
    checked here of joint losses and of data.
    """
    loss, data = problems[0].oracle.loss, problems[0].oracle.data
    if data is not None or loss.joint:
        return
    theta = np.concatenate([problem.state[:, 0] for problem in problems])
    functions = {"value": loss.value, "gradient": loss.gradient, "curvature": loss.curvature}
    pairs = itertools.pairwise((name, each) for name, each in functions.items() if each is not None)
    ends = {float(end) for end in (theta.min(), theta.max()) if end}
    for start, (function, derivative) in itertools.product(sorted(ends), pairs):
        check_about(start, f"loss {loss.name!r}", function, derivative, loss.parameters)


def check_noise(study):
    """Raise ValueError unless the noise law is one law of mean 0 and variance 1, at every point's sigma."""
    noise, checked = study.oracle.noise, []
    if study.oracle.data is not None:
        return
    for sigma in map(study.noise_scale, study.points):
        numbers = noise.numbers(sigma)
        if numbers not in checked:
            law_check.check(noise, sigma)
            checked.append(numbers)
