"""What is imported when, and where the package's names and version stand."""

import ast
import importlib.metadata
import json
import os
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import pytest

import ngos_sim

ROOT = Path(ngos_sim.__file__).parents[1]


def python(*arguments, **environment):
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment).stdout


@pytest.mark.parametrize("module", ["ngos_sim", "ngos_sim.cli"])
def test_import_leaves_the_large_libraries_alone(module):
    large = ["numpy", "numba", "scipy", "pandas", "matplotlib", "jinja2"]
    found = python("-c", f"import sys, json, {module}; print(json.dumps([m for m in {large} if m in sys.modules]))")
    assert json.loads(found) == []


def test_a_study_needs_neither_figures_nor_a_gpu():
    code = "import json, sys, ngos_sim; ngos_sim.ConvergenceStudy; print(json.dumps(sorted(sys.modules)))"
    assert not {"matplotlib", "jinja2", "numba.cuda"} & set(json.loads(python("-c", code)))


def test_public_names_are_found_where_a_type_checker_finds_them():
    tree = ast.parse(Path(ngos_sim.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and "ngos_sim" in node.module]
    typed = {alias.name: node.module for node in imports for alias in node.names}
    assert typed == {name: f"ngos_sim.{home}" for name, home in ngos_sim._HOME.items()}
    assert sorted(typed) == sorted(ngos_sim.__all__)
    for name, home in typed.items():
        assert getattr(ngos_sim, name) is getattr(importlib.import_module(home), name)
    assert set(ngos_sim.__all__) <= set(dir(ngos_sim))
    with pytest.raises(AttributeError, match="module 'ngos_sim' has no attribute 'muon'"):
        _ = ngos_sim.muon


def test_version_is_the_package_s():
    assert importlib.metadata.version("ngos-sim") == ngos_sim.__version__
    assert python("-m", "ngos_sim", "--version") == f"ngos-sim {ngos_sim.__version__}\n"


def test_without_docstrings_the_command_line_works():
    assert "rmsprop" in python("-OO", "-m", "ngos_sim", "list", "optimizer")
    assert "verify" in python("-OO", "-m", "ngos_sim", "--help")


def test_a_checkout_runs_without_being_installed(tmp_path):
    """-S leaves out site-packages, and so the editable install: the sources and what they need are put on the path."""
    path = os.pathsep.join([str(ROOT), *(p for p in sys.path if p.endswith("site-packages"))])
    code = "import ngos_sim, sys; print(ngos_sim.__version__, ngos_sim.rmsprop_sde().name)"
    assert python("-S", "-c", code, PYTHONPATH=path).split() == [ngos_sim.__version__, "rmsprop"]
    assert "verify" in python("-S", "-m", "ngos_sim", "--help", PYTHONPATH=path)


def test_only_own_warnings_are_errors():
    """setup.cfg's filterwarnings: by module, or by path where Numba gives that."""
    with warnings.catch_warnings(record=True):
        warnings.warn_explicit("theirs", DeprecationWarning, "x.py", 1, module="pandas.core.frame")
        warnings.warn_explicit("theirs", UserWarning, "/home/me/ngos_sim/.venv/lib/other/module.py", 1)
        for own in (
            dict(filename="x.py", module="ngos_sim.studies.study"),
            dict(filename="x.py", module="test_packaging"),
            dict(filename="x.py", module="tests.naive"),
            dict(filename="/home/me/ngos_sim/engines/kernels.py"),
        ):
            with pytest.raises(UserWarning, match="ours"):
                warnings.warn_explicit("ours", UserWarning, lineno=1, **own)


def test_citation_is_of_this_version():
    """Without a YAML reader: top-level keys, each once, and the version in quotes."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    top = dict(line.split(":", 1) for line in text.splitlines() if not line.startswith(" "))
    assert top["cff-version"].strip() == "1.2.0"
    assert {"message", "title", "authors", "version", "references"} <= set(top)
    assert top["version"].strip() == f'"{ngos_sim.__version__}"'
    assert "https://arxiv.org/abs/2205.10287" in text


def test_the_source_distribution_holds_the_documents():
    manifest = (ROOT / "MANIFEST.in").read_text(encoding="utf-8").split()
    assert {"docs", "CITATION.cff", "CHANGELOG.md"} <= set(manifest)


def test_the_wheel_holds_what_reports_are_made_of():
    described = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = described["tool"]["setuptools"]["package-data"]["ngos_sim"]
    files = sorted((ROOT / "ngos_sim" / "reporting" / "templates").iterdir())
    assert {file.name for file in files} >= {"page.html", "study.html", "cases.html", "parts.html", "style.css"}
    packed = {file for pattern in patterns for file in (ROOT / "ngos_sim").glob(pattern)}
    assert set(files) <= packed
