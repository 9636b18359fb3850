"""The rooms: imports follow the arrows and make no circle, files stay short, tests' helpers stand in tests/support."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import ngos_sim

ROOT = Path(ngos_sim.__file__).parent
ROOMS = ["oracles", "processes", "engines", "known", "statistics", "estimators", "reporting", "studies", "verification"]
FILES = sorted(ROOT.rglob("*.py"))
BESIDE = [file for room in ("tests", "benchmarks", "examples") for file in sorted((ROOT.parent / room).rglob("*.py"))]


def room(parts):
    """Return how far down the arrows a module is: files beside the rooms come first or last."""
    if parts[0] in ROOMS:
        return ROOMS.index(parts[0])
    return {"validation": -1, "arithmetic": -1, "errors": -1, "identity": -1}.get(parts[0], len(ROOMS))


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


def of_file(file):
    """Return the dotted name of a module of the package."""
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(node):
    """Yield the modules that a top-level statement imports, those under `if TYPE_CHECKING` and in functions apart."""
    if isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.Try):
        for each in node.body:
            yield from imported(each)


def test_modules_make_no_circle():
    """`prepare` raises CycleError with the modules of a circle; of a package's name alone none is made."""
    names = {of_file(file): file for file in FILES}
    graph = {}
    for name, file in names.items():
        body = ast.parse(file.read_text(encoding="utf-8")).body
        graph[name] = {found for node in body for found in imported(node) if found in names} - {name, "ngos_sim"}
    TopologicalSorter(graph).prepare()
    assert sum(map(len, graph.values())) > len(graph)  # it saw the imports


@pytest.mark.parametrize("file", BESIDE, ids=lambda file: str(file.relative_to(ROOT.parent)))
def test_files_beside_the_package_are_short(file):
    assert file.read_text(encoding="utf-8").count("\n") <= 300


@pytest.mark.parametrize("file", [file for file in BESIDE if "tests" in file.parts], ids=lambda file: file.name)
def test_tests_share_what_stands_in_support(file):
    """No test imports another one; what the GPU's tests share among themselves stands beside them."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "tests":
            assert not any(part.startswith("test_") for part in node.module.split(".")), node.module
            assert node.module.startswith(("tests.support", "tests.gpu")), node.module


def test_benchmarks_import_nothing_of_tests():
    """They run alone, as scripts; what both need (closed forms, the words of a lattice) is theirs."""
    files = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))
    assert files
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "tests" for name in names), file.name


@pytest.mark.parametrize("file", sorted((ROOT / "known").glob("*.py")), ids=lambda file: file.name)
def test_what_is_known_is_found_without_an_engine(file):
    assert "ngos_sim.engines" not in file.read_text(encoding="utf-8")
