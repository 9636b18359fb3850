"""What a job computes: equal hashes for equal jobs, others for whatever changes a bit."""

from dataclasses import fields, replace

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.estimators import choose
from ngos_sim.estimators.job_identity import identity
from ngos_sim.studies.problems import problems


def job_of(study, seed=0):
    (planned, *_) = choose.plans(study.served, problems(study, seed)[0])
    return planned.plan.jobs[0]


@pytest.fixture
def made(problem):
    """Return a function that makes the study of a problem."""
    return lambda *given: problem(*given, test_functions=["theta[0]"])


@pytest.fixture
def job(made):
    return job_of(made("P2"))


def test_the_same_study_made_twice_computes_the_same(job, made):
    assert identity(job, "mix") == identity(job_of(made("P2")), "mix")


def test_precision_functions_and_seed_are_told(job, made):
    ours = identity(job, "mix")
    assert identity(job, "f64").functions != ours.functions
    assert identity(job_of(made("P1")), "mix").functions != ours.functions
    other = identity(job_of(made("P2"), seed=1), "mix")
    assert (other.functions, other.numbers != ours.numbers) == (ours.functions, True)
    changed = identity(job_of(made("P2", ns.rmsprop(sigma0=0.8, eps0=0.0, c2=np.nextafter(1.3, 2.0)))), "mix")
    assert changed.numbers != ours.numbers


def test_every_array_counts_to_its_last_bit(job):
    ours, arrays = identity(job, "mix"), 0
    for field in fields(job.inputs):
        value = getattr(job.inputs, field.name)
        if isinstance(value, np.ndarray) and value.size and value.dtype == np.float64:
            changed = value.copy()
            changed.flat[-1] = np.nextafter(changed.flat[-1], np.inf)
            inputs = replace(job.inputs, **{field.name: changed})
            assert identity(replace(job, inputs=inputs), "mix").numbers != ours.numbers
            arrays += 1
    assert arrays >= 2
