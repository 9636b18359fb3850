"""Stationary laws with weight decay: closed forms against the SDEs' Gaussian laws and long runs of the optimizers."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.program import CHUNK
from ngos_sim.known import gaussian_law
from ngos_sim.known.joint_equation import JointEquation
from ngos_sim.known.joint_problem import JointProblem
from tests.support import programs

LAMBDA, S0, C1, W0 = 0.9, 0.8, 2.0, 0.6


def variance(adam, S, eps0=0.0, w0=W0, c1=C1):
    """Return Var theta at rest (docs/theory.md, "Weight decay")."""
    P = S0 * math.sqrt(S) + eps0
    return S0**2 * S / (2.0 * P * (LAMBDA + w0 * P)) * (c1 / (c1 + w0) if adam else 1.0)


def lemma_c57(S, eta, w0=W0):
    """Return the stationary variance of AdamW by Lemma C.57 of arXiv 2411.15958, in its own variables, eps = 0."""
    sigma, w = S0 / eta, w0 * eta
    return eta / 2.0 / (LAMBDA / math.sqrt(sigma**2 * S) + w)


def rule(adam, eps0=0.0, w0=W0, c1=C1):
    numbers = dict(sigma0=S0, eps0=eps0, c2=1.3, w0=w0)
    return ns.adam(c1=c1, bias_correction=False, **numbers) if adam else ns.rmsprop(**numbers)


def of_the_sde(adam, S, time=16.0, **numbers):
    """Return Var theta of Malladi's SDE by its moment equation, from u = S."""
    optimizer = rule(adam, **numbers)
    sde = (ns.adam_sde() if adam else ns.rmsprop_sde()).beside(optimizer)
    start = np.array([[0.3], [0.1], [S]] if adam else [[0.3], [S]])
    held = dict(optimizer.parameters)
    problem = JointProblem(np.array([LAMBDA]), np.zeros(1), np.array([[S]]), start, 0.0, time, held, 0.0)
    return gaussian_law.sde_law(JointEquation(sde, problem), np.array([time])).covariance[-1, 0, 0]


@pytest.mark.parametrize("adam", [False, True], ids=["rmspropw", "adamw"])
@pytest.mark.parametrize("numbers", [{}, dict(eps0=0.3), dict(w0=0.0), dict(w0=3.0)])
def test_closed_forms_are_the_sdes(adam, numbers):
    for S in (1.0, 0.4):
        assert of_the_sde(adam, S, **numbers) == pytest.approx(variance(adam, S, **numbers), rel=1e-6)


def square_at_rest(adam, h, chunks=128, time=4.0):
    """Return E theta^2 of the optimizer after free runs from 0, and its standard error: 8 relaxation times of it."""
    start, processes = [0.0, 0.0, 1.0] if adam else [0.0, 1.0], [(rule(adam), ns.gaussian(), 1)]
    made = programs.build(ns.NGOS(ns.quadratic(LAMBDA)), processes, ["theta[0]^2"], start, h, round(time / h))
    means = cpu.run(*made, 0, chunks).sums[..., 0].reshape(chunks) / CHUNK
    return means.mean(), means.std(ddof=1) / math.sqrt(chunks)


@pytest.mark.parametrize("adam", [False, True], ids=["rmspropw", "adamw"])
def test_optimizers_at_rest(adam):
    """At h = 1/32 and 1/64, extrapolated to h = 0, where the term of h^2 leaves .2 %."""
    (coarse, of_coarse), (fine, of_fine) = (square_at_rest(adam, h) for h in (1 / 32, 1 / 64))
    limit, std_error = 2.0 * fine - coarse, math.hypot(2.0 * of_fine, of_coarse)
    assert std_error < 0.01 * limit
    assert abs(limit - variance(adam, 1.0)) < 3.0 * std_error
    assert abs(limit - variance(not adam, 1.0)) > 10.0 * std_error  # the factor c1 / (c1 + w0) is seen


@pytest.mark.parametrize("c1", [2.0, 20.0])
def test_lemma_c57_holds_for_fast_momentum_only(c1):
    """It is the law of RMSpropW: of AdamW it is off by w0 / c1, 30 % at c1 = 2 and w0 = .6."""
    published = lemma_c57(1.0, eta=0.25)
    assert published == pytest.approx(variance(False, 1.0), rel=1e-12)
    assert published / of_the_sde(True, 1.0, c1=c1) - 1.0 == pytest.approx(W0 / c1, rel=1e-5)
