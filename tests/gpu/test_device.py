"""device="cuda" where there is no GPU, no driver, no package: what is said, and that all else works."""

import sys
from types import SimpleNamespace

import pytest

import ngos_sim as ns
from ngos_sim import cli
from ngos_sim.engines import devices
from ngos_sim.engines.cuda import package as cuda_package
from tests.gpu.fresh import python, study
from tests.support.command_line import STUDY

pytestmark = pytest.mark.gpu
no_gpu = pytest.mark.skipif(not cuda_package.missing(), reason="kernels can be launched here")


def package(error):
    """Return what the CUDA package looks like where it cannot launch: no driver (an error), or no compiler (None)."""
    return SimpleNamespace(is_available=lambda: False, cuda_error=lambda: error)


@pytest.mark.parametrize(
    ("found", "clause"),
    [
        (None, "this Numba has no CUDA target: pip install "),
        (package("no libcuda"), "no NVIDIA driver was found: install one, then pip install "),
        (package(None), "the CUDA toolkit's compiler was not found: pip install "),
    ],
    ids=["no package", "no driver", "no compiler"],
)
def test_what_is_missing_has_its_own_advice(found, clause, monkeypatch):
    monkeypatch.setattr(cuda_package, "cuda", found)
    monkeypatch.setattr(cuda_package, "simulated", lambda: False)
    with pytest.raises(ns.EngineUnavailable, match=rf"^device='cuda': {clause}'ngos-sim\[cuda\]'"):
        study().run(1024, device="cuda")


def test_a_numpy_that_the_package_does_not_know_is_named(monkeypatch):
    """numba-cuda 0.30 reads np.row_stack, which NumPy 2.5 took away: compilation fails at that."""

    def fail(name):
        raise AttributeError("module 'numpy' has no attribute 'row_stack'")

    monkeypatch.setattr(cuda_package, "cuda", SimpleNamespace(is_available=lambda: True))
    monkeypatch.setattr(cuda_package, "simulated", lambda: False)
    monkeypatch.setattr(cuda_package, "importlib", SimpleNamespace(import_module=fail))
    with pytest.raises(
        ns.EngineUnavailable, match=r"^device='cuda': numba-cuda does not work with NumPy .*'numpy<2\.5'"
    ):
        study().run(1024, device="cuda")


@no_gpu
def test_without_a_gpu_it_says_what_to_install():
    with pytest.raises(ns.EngineUnavailable, match=r"^device='cuda': .*pip install 'ngos-sim\[cuda\]'.*device='cpu'"):
        study().run(1024, device="cuda")
    assert devices.chosen("auto", 1e30, 1, 1) == "cpu"


@no_gpu
def test_the_command_line_says_it_in_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ngos-sim", "run", "study.toml", "--device", "cuda"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    captured = capsys.readouterr()
    assert stopped.value.code == 2
    assert captured.out == ""
    assert captured.err.startswith("ngos-sim: device='cuda': ")
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "study").exists()


WITHOUT = """
import sys
sys.modules["numba.cuda"] = None  # its import fails
import ngos_sim as ns
from tests.gpu.fresh import study
try:
    study().run(1024, device="cuda")
except ns.EngineUnavailable as error:
    print(error)
print(len(study().run(1024, device="auto").table))
"""


def test_without_any_cuda_package_all_else_works():
    said, rows = python("-c", WITHOUT).splitlines()
    assert said.startswith("device='cuda': this Numba has no CUDA target: pip install 'ngos-sim[cuda]'")
    assert rows == "2"


def test_auto_takes_the_cpu_for_little_work_and_the_gpu_for_much(monkeypatch):
    monkeypatch.setattr(cuda_package, "missing", lambda: "")
    monkeypatch.setattr(cuda_package, "simulated", lambda: False)
    assert devices.chosen("auto", 1e9, 1, 4) == "cpu"
    assert devices.chosen("auto", 1e12, 1, 4) == "cuda"
    assert devices.chosen("cpu", 1e12, 1, 4) == "cpu"
