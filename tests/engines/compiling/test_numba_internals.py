"""Numba's private parts: what a new version has moved, by name; and a disk cache that is damaged, full or nowhere."""

import importlib
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import llvmlite
import numba
import pytest
from llvmlite import binding, ir

import ngos_sim
from ngos_sim.engines.compiling import numba_internals

PACKAGE = Path(ngos_sim.__file__).parent
PRIVATE = """
    numba.core.caching FunctionCache.load_overload FunctionCache.save_overload FunctionCache.flush
    numba.core.caching FunctionCache.cache_path IndexDataCacheFile.save IndexDataCacheFile.load
    numba.core.caching IndexDataCacheFile._dump CacheImpl.filename_base CacheImpl.locator
    numba.core.caching InTreeCacheLocator.get_source_stamp
    numba.core.cgutils get_or_insert_function if_unlikely
    numba.core.registry cpu_target.target_context
    numba.core.codegen CPUCodegen.magic_tuple
    numba.core.callconv CPUCallConv.get_function_type CPUCallConv.call_function CPUCallConv.return_status_propagate
    numba.core.base BaseContext.cast BaseContext.make_tuple BaseContext.get_dummy_value BaseContext.get_constant_null
    numba.core.base BaseContext.get_value_type
    numba.core.cpu CPUContext.call_conv
    numba.core.codegen JITCodeLibrary.get_pointer_to_function
    numba.core.dispatcher Dispatcher.compile
    numba.np.arrayobj make_array
    numba.core.config DISABLE_JIT CPU_NAME CPU_FEATURES
    llvmlite.ir.values AttributeSet.add FunctionAttributes._known
    llvmlite.binding Target.from_triple parse_assembly
"""
PARTS = [(line.split()[0], part) for line in PRIVATE.strip().splitlines() for part in line.split()[1:]]


@pytest.mark.parametrize(("module", "part"), PARTS, ids=[f"{module}.{part}" for module, part in PARTS])
def test_a_private_part_is_where_it_was(module, part):
    where = (
        f"Numba {numba.__version__}, llvmlite {llvmlite.__version__}: {module}.{part} has moved; see numba_internals.py"
    )
    try:
        found = importlib.import_module(module)
    except ImportError:
        pytest.fail(where)
    for name in part.split("."):
        assert hasattr(found, name), where
        found = getattr(found, name)


def test_instances_have_the_private_parts():
    function = numba.njit(lambda x: x)
    assert hasattr(function, "_cache"), "a dispatcher's cache has moved"
    assert issubclass(ir.values.FunctionAttributes, set), "set.add no longer adds what llvmlite does not know"


def test_private_modules_are_imported_in_one_file():
    for file in sorted((PACKAGE).rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        private = [name for name in ("numba.core", "numba.np", "llvmlite.binding") if f"from {name}" in text]
        assert not private or file.name == "numba_internals.py", f"{file.name} imports {private}"
        assert "import njit" not in text.replace("numba_internals import njit", ""), f"{file.name}: Numba's own njit"


SCRIPT = """
    import sys
    import numpy as np
    sys.path.insert(0, "PLACE")
    from ngos_sim.engines.compiling.numba_internals import njit
    from kernel import double

    kernel = njit(cache=True)(double)
    print(kernel(21.0), sum(kernel.stats.cache_hits.values()))
"""


@pytest.fixture
def run(tmp_path):
    """Return run(prelude=""): stdout and stderr of a process that calls a kernel cached in a folder."""
    (tmp_path / "kernel.py").write_text("def double(x):\n    return x + x\n", encoding="utf-8")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}

    def script(prelude=""):
        code = prelude + "\n" + textwrap.dedent(SCRIPT).replace("PLACE", str(tmp_path))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.split(), done.stderr

    return script


def double(x):
    return x + x


def called():
    """Return what a kernel gives, and its hits in the disk cache: as in a new process, it knows no other kernel."""
    kernel = numba_internals.njit(cache=True)(double)
    return kernel(21.0), sum(kernel.stats.cache_hits.values())


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", ["empty", "cut", "zeros", "a bit"])
def test_a_damaged_cache_file_is_compiled_anew(tmp_path, monkeypatch, ending, damage):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert [called(), called()] == [(42.0, 0), (42.0, 1)]
    (file,) = tmp_path.rglob(f"*.{ending}")
    whole = file.read_bytes()
    half = len(whole) // 2
    flipped = whole[:half] + bytes([whole[half] ^ 1]) + whole[half + 1 :]
    file.write_bytes({"empty": b"", "cut": whole[:half], "zeros": bytes(len(whole)), "a bit": flipped}[damage])
    assert [called(), called()] == [(42.0, 0), (42.0, 1)]


def test_a_kernel_comes_from_another_process(run):
    assert run() == (["42.0", "0"], "")
    assert run() == (["42.0", "1"], "")


def test_a_full_disk_is_said_once_and_is_no_error(run):
    full = """
        import errno, tempfile, numba.core.caching as caching
        def full(*arguments): raise OSError(errno.ENOSPC, "No space left on device")
        caching.IndexDataCacheFile._save_index = full
    """
    (value, hits), said = run(textwrap.dedent(full))
    assert (value, hits) == ("42.0", "0")
    assert said.count("compiled kernels cannot be kept in") == 1
    assert "No space left on device" in said


def test_nowhere_to_cache_is_said_once_and_is_no_error(run):
    nowhere = "import numba.core.caching as caching; caching.CacheImpl._locator_classes = []"
    (value, hits), said = run(nowhere)
    assert (value, hits) == ("42.0", "0")
    assert said.count("compiled kernels cannot be kept: neither") == 1


def test_a_read_only_package_without_a_home_is_imported(tmp_path):
    """Where a file stands in the directory's place, root cannot write either."""
    package = tmp_path / "ngos_sim"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "engines" / "cpu" / "__pycache__").write_text("", encoding="utf-8")
    environment = {**os.environ, "HOME": "/dev/null", "PYTHONDONTWRITEBYTECODE": "1"}
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        environment.pop(name, None)
    command = [sys.executable, "-c", "import ngos_sim.engines.cpu.kernels as k; print(k.__file__)"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.stdout.strip() == str(package / "engines" / "cpu" / "kernels.py"), done.stderr
    assert done.stderr.count("compiled kernels cannot be kept: neither") == 1


@pytest.mark.skipif("X86" not in binding.get_default_triple().upper(), reason="names x86 processors")
@pytest.mark.parametrize(("name", "without"), [("nehalem", True), ("x86-64", True), ("haswell", False)])
def test_a_processor_without_fma_is_seen(name, without):
    assert numba_internals.without_fma(name, "", binding.get_default_triple()) is without


def test_a_processor_without_fma_is_said_once():
    code = "from ngos_sim.engines.compiling.numba_internals import warn_without_fma as w; w(); w()"
    for name, count in (("nehalem", 1), ("haswell", 0)):
        environment = os.environ | {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": ""}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        assert done.stderr.count(f"compiles for {name}, which has no fused multiply-add") == count


def test_without_compilation_there_is_one_line():
    code = "from ngos_sim.engines import devices; print(devices.checked('python', None)); devices.checked('cpu', None)"
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout == "f64\n"
    assert "EngineUnavailable: device='cpu': NUMBA_DISABLE_JIT=1 turns compilation off" in done.stderr
