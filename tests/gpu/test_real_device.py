"""On a real GPU: every program, and whole studies, against the CPU; skipped where no kernel can be launched."""

import math
import sys

import numpy as np
import pandas as pd
import pytest

import ngos_sim as ns
from ngos_sim import cli
from ngos_sim.engines import devices, rng
from ngos_sim.engines.compiling.bind import bound
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.cuda import engine as gpu
from ngos_sim.engines.cuda import package as cuda_package
from ngos_sim.engines.cuda.package import cuda
from ngos_sim.engines.program import CHUNK
from tests.support import families, programs
from tests.support.command_line import FILES, STUDY, names
from tests.support.philox import KNOWN, words

_MISSING = cuda_package.missing() or ("Numba's simulator stands in its place" if cuda_package.simulated() else "")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(bool(_MISSING), reason=f"no kernel can be launched on a GPU here: {_MISSING}"),
    pytest.mark.filterwarnings("error:.*Grid size"),
]

FIRST, COUNT = 1, 3  # chunks
PROGRAMS = {**families.cases(), **{f"local, {name}": made for name, made in programs.locals_on_matrices().items()}}
TOLERANCE = {"f32": 4e-6, "mix": 4e-6, "f64": 1e-12}  # of a value's root mean square; see `test_sums_are_the_cpus`


def is_single(name):
    """Return whether a program may run in f32: those of the local estimator may not."""
    return not name.startswith("local")


CASES = [(name, precision) for name in PROGRAMS for precision in TOLERANCE if precision != "f32" or is_single(name)]


@pytest.mark.parametrize(("name", "precision"), CASES)
def test_sums_are_the_cpus(name, precision):
    """Sums over chunks and squared deviations, within what rounding alone can make of them.

    A GPU contracts a b + c where the CPU does not, so that a value v of a trajectory differs by some units in the
    last place of numbers of its size: |dv| <= tolerance * r, r the root of the mean square of v over the chunk. So
    a sum of n differs by n tolerance r, and, by Cauchy and Schwarz, a sum of squared deviations from the mean by
    twice n tolerance r^2. In mix the normals are float32, but enter times eta = 1/4 into float64.
    """
    program, inputs = PROGRAMS[name]
    found = gpu.run(program, inputs, FIRST, COUNT, precision=precision)
    expected = cpu.run(program, inputs, FIRST, COUNT, precision=precision)
    np.testing.assert_array_equal(found.nonfinite, expected.nonfinite)
    assert not found.nonfinite[:, 0].any()
    total, spread = expected.sums[..., 0], expected.sums[..., 1]
    size = np.sqrt(np.square(total / CHUNK) + spread / CHUNK)
    differ = np.abs(found.sums - expected.sums) / CHUNK
    allowed = TOLERANCE[precision]
    with np.errstate(divide="ignore", invalid="ignore"):
        said = f"{np.nanmax(differ[..., 0] / size):.1e} and {np.nanmax(differ[..., 1] / (2 * size**2)):.1e}"
    assert np.all(differ[..., 0] <= allowed * size), said
    assert np.all(differ[..., 1] <= 2.0 * allowed * size**2), said


@pytest.mark.parametrize("precision", TOLERANCE)
def test_sums_do_not_depend_on_launches(precision, monkeypatch):
    """Bit for bit: launched twice, chunks in two runs, and one chunk a launch."""
    program, inputs = PROGRAMS["two channels, matrices"]

    def sums(*ranges):
        return np.concatenate([gpu.run(program, inputs, *each, precision=precision).sums for each in ranges])

    whole, told = sums((FIRST, 5)), []
    np.testing.assert_array_equal(sums((FIRST, 5)), whole)
    np.testing.assert_array_equal(sums((FIRST, 2), (FIRST + 2, 3)), whole)
    for limit in ("_LAUNCH_STEPS", "_MEMORY"):
        with monkeypatch.context() as patched:
            patched.setattr(gpu, limit, 0.0)
            told.clear()
            found = gpu.run(program, inputs, FIRST, 5, precision=precision, progress=told.append)
            np.testing.assert_array_equal(found.sums, whole)
            assert len(told) == 5, limit


def cubic(a):
    """Return a loss whose paths from far out leave the finite numbers."""
    return ns.Loss("cubic", lambda x, p: p.a * x * x * x, lambda x, p: 0.25 * p.a * x * x * x * x, a=a)


@pytest.mark.parametrize("precision", TOLERANCE)
def test_lost_trajectories_are_the_cpus(precision):
    """Some of the paths of a chunk overflow, and then its last sums are not finite."""
    rule = ns.sgd(sigma=1.0)
    parts = [(rule, ns.gaussian(), 1)]
    program, inputs = programs.build(ns.NGOS(cubic(1.0)), parts, ["theta[0]"], [[2.75]], 0.25, 24, records=[1, 24])
    found, expected = (each.run(program, inputs, 2, 4, precision=precision) for each in (gpu, cpu))
    np.testing.assert_array_equal(found.nonfinite, expected.nonfinite)
    assert np.all(found.nonfinite[:, 0] > 0)
    assert np.all(found.nonfinite[:, 0] < CHUNK)
    np.testing.assert_array_equal(np.isfinite(found.sums), np.isfinite(expected.sums))


def test_a_study_names_what_it_lost_as_the_cpu_does():
    def said(device):
        start = dict(initial=dict(theta=2.75), eta=[0.25], horizon=6.0, test_functions=["theta[0]"])
        study = ns.ConvergenceStudy(ns.NGOS(cubic(1.0)), ns.sgd(sigma=1.0), ns.sgd_sde(), estimator="coupled", **start)
        with pytest.raises(ns.NonFiniteError) as stopped:
            study.run(2048, device=device, precision="f64")
        return str(stopped.value)

    assert said("cuda") == said("cpu")


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_known_answers(counter, key, answer):
    philox = bound(rng.philox4x32, "f64", "cuda")

    @cuda.jit
    def kernel(given, out):
        four = philox(given[0], given[1], given[2], given[3], given[4], given[5])
        for i in range(4):
            out[i] = four[i]

    found = cuda.to_device(np.zeros(4, np.uint64))
    kernel[128, 1](cuda.to_device(np.array(words([counter, key]))), found)
    assert found.copy_to_host().tolist() == words([answer])


def study(**changes):
    """Return a study of RMSprop and its SDE: of the local estimator, and of the coupled one."""
    settings = dict(
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        eta2=[0.25, 0.125],
        horizon=1.0,
        test_functions=["theta[0]"],
    )
    rule = ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3)
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(0.9)), rule, **(settings | changes))


OF_STUDIES = [
    ("local", "mix", 1e-3),
    ("local", "f64", 1e-6),
    ("coupled", "f64", 1e-6),
    ("coupled", "mix", 1e-2),
    ("coupled", "f32", 1e-1),
]


@pytest.mark.parametrize(("estimator", "precision", "tolerance"), OF_STUDIES)
def test_a_study_is_the_cpus_far_within_its_errors(estimator, precision, tolerance):
    """Errors differ by less than a part of their standard errors, as these do, but for what rounding can do."""
    on_cpu = study(estimator=estimator).run(8192, seed=3, device="cpu", precision=precision.replace("f32", "mix"))
    on_gpu = study(estimator=estimator).run(8192, seed=3, device="cuda", precision=precision)
    ours, theirs = on_gpu.table, on_cpu.table
    assert set(ours.estimator) == {estimator}
    rounding = ours.rounding + theirs.rounding
    assert np.all(np.abs(ours.error - theirs.error) <= tolerance * theirs.std_error + rounding)
    assert np.all(np.abs(ours.std_error - theirs.std_error) <= tolerance * theirs.std_error + rounding)
    assert ours.trajectories.tolist() == theirs.trajectories.tolist()


def test_auto_takes_the_gpu_where_it_gains(monkeypatch):
    small, by_cpu, by_gpu = (study().run(4096, device=device).table for device in ("auto", "cpu", "cuda"))
    pd.testing.assert_frame_equal(small, by_cpu, check_exact=True)
    monkeypatch.setattr(devices, "_COMPILATION", 0.0)
    pd.testing.assert_frame_equal(study().run(4096, device="auto").table, by_gpu, check_exact=True)


def test_the_command_line_runs_on_it(tmp_path, monkeypatch, capsys):
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    tables = {}
    for device in ("cuda", "cpu"):
        monkeypatch.setattr(
            sys, "argv", ["ngos-sim", "run", "study.toml", "--device", device, "--out", device, "--precision", "f64"]
        )
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert stopped.value.code in (0, None), capsys.readouterr().err
        assert names(tmp_path / device) == FILES
        tables[device] = pd.read_csv(tmp_path / device / "table.csv")
    np.testing.assert_allclose(tables["cuda"].error, tables["cpu"].error, rtol=1e-6)


def test_a_function_that_it_cannot_compile_is_named_by_its_line():
    def slope(theta, p):
        return math.sin(theta) + len([theta])

    loss = ns.Loss("mine", slope, lambda theta, p: theta - math.cos(theta))
    settings = dict(sde=ns.rmsprop_sde(), initial=dict(theta=1.2, u=1.0), eta2=[0.25], horizon=0.5)
    settings["test_functions"] = ["theta[0]"]
    one = ns.ConvergenceStudy(ns.NGOS(loss), ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3), estimator="coupled", **settings)
    with pytest.raises(TypeError, match=r"test_real_device\.py, line \d+ \(return math.*cannot be compiled"):
        one.run(1024, device="cuda", precision="f64")
