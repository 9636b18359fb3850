"""The problems of docs/theory.md, "Reference problems", and programs for engine tests; BLAS on one thread."""

import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is there: see `ngos_sim.cli.main`

import signal

import matplotlib
import pytest

import ngos_sim as ns
from ngos_sim.reporting import figures
from tests.support import programs

matplotlib.use("Agg")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # of what a script runs in the background, and all that it starts
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path, config):
    """Import no module that is not asked for: the GPU's make every program, for seconds, and the others are many."""
    asked, gpu = config.option.markexpr, Path(__file__).parent / "gpu"
    its = gpu in (collection_path, *collection_path.parents)
    return True if ("not gpu" in asked and its) or (asked == "gpu" and not its and collection_path.is_file()) else None


@pytest.fixture
def blank_figures():
    """Leave figures blank where another thing is the subject: most of the time of saving goes to them."""
    with pytest.MonkeyPatch.context() as patch:  # its own: a test may undo what it has patched
        patch.setattr(figures, "png", lambda draw: b"\x89PNG")
        patch.setattr(figures, "svg", lambda draw, letters: b"<svg></svg>")
        yield


@pytest.fixture
def build():
    """Return a function that assembles a program on one stream from (rule, noise, steps) triples."""
    return programs.build


@pytest.fixture
def problem():
    """Return a function that makes the study of a problem: P1, P2 (RMSprop), P3, P4 (Adam)."""

    def study(name, optimizer=None, noise=None, **changes):
        rmsprop = dict(sigma0=0.8, eps0=0.0, c2=1.3)
        kinds = dict(
            P1=(ns.linear(0.7), ns.rmsprop(**rmsprop), ns.rmsprop_sde(), dict(theta=0.0, u=1.0), 1.0),
            P2=(ns.quadratic(0.9), ns.rmsprop(**rmsprop), ns.rmsprop_sde(), dict(theta=1.2, u=1.0), 1.0),
            P3=(
                ns.linear(0.6),
                ns.adam(c1=2.0, **rmsprop),
                ns.adam_sde(),
                dict(theta=0.0, m=-0.4, u=1.4, t0=0.5),
                1.5,
            ),
            P4=(
                ns.quadratic(0.9),
                ns.adam(c1=2.0, **(rmsprop | dict(eps0=0.1))),
                ns.adam_sde(),
                dict(theta=1.2, m=-0.4, u=1.4, t0=0.5),
                1.5,
            ),
        )
        loss, rule, sde, initial, horizon = kinds[name]
        settings = dict(
            sde=sde,
            initial=initial,
            horizon=horizon,
            eta2=[2**-4, 2**-5, 2**-6, 2**-7],
            times=[horizon],
            estimator="coupled",
        )
        if "reference" in changes:
            del settings["sde"]
        covariance = changes.pop("covariance", 1.0)
        oracle = ns.NGOS(loss, covariance, noise or ns.gaussian())
        return ns.ConvergenceStudy(oracle, optimizer or rule, **(settings | changes))

    return study
