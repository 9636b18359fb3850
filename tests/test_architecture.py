"""The rooms: imports follow the arrows, files stay short."""

import ast
from pathlib import Path

import pytest

import ngos_sim

ROOT = Path(ngos_sim.__file__).parent
ROOMS = ["oracles", "processes", "engines", "known", "statistics", "estimators", "reporting", "studies", "verification"]
FILES = sorted(ROOT.rglob("*.py"))


def room(parts):
    """Return how far down the arrows a module is: files beside the rooms come first or last."""
    if parts[0] in ROOMS:
        return ROOMS.index(parts[0])
    return {"arguments": -1, "arithmetic": -1, "errors": -1}.get(parts[0], len(ROOMS))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_follow_the_arrows(file):
    own = room(file.relative_to(ROOT).with_suffix("").parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("ngos_sim"):
            names = node.module.split(".")[1:] or [alias.name for alias in node.names]
            assert room(names) <= own, f"{file.name} imports {node.module}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_are_short_and_say_what_they_are(file):
    text = file.read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert text.count("\n") <= 300
    assert text.isascii()


def test_benchmarks_import_nothing_of_tests():
    """They run alone, as scripts; what both need (closed forms, the words of a lattice) is theirs."""
    files = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))
    assert files
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "tests" for name in names), file.name
