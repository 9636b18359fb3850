"""The documents: every section that a docstring names, the reference problems' numbers, and every path."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import ngos_sim
from ngos_sim.known import constants
from ngos_sim.known.coordinate import Coordinate

ROOT = Path(ngos_sim.__file__).parents[1]
THEORY = (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (\d+)\. (.+)$", THEORY, re.MULTILINE)
SOURCES = [file for room in ("ngos_sim", "tests", "benchmarks", "examples") for file in (ROOT / room).rglob("*.py")]
NAMED = r'docs/theory\.md, ("[^"]+"(?:, "[^"]+")*)'


def words(file):
    """Return a file's text without its line breaks, comment signs and indentation."""
    return " ".join(file.read_text(encoding="utf-8").replace("\n# ", " ").split())


def test_sections_are_numbered_and_named_once():
    numbers, names = zip(*SECTIONS, strict=True)
    assert list(map(int, numbers)) == list(range(1, len(SECTIONS) + 1))
    assert len(set(names)) == len(names)
    assert THEORY.isascii()


def test_numbers_of_sections_in_the_text_exist():
    assert {int(n) for n in re.findall(r"section (\d+)\b(?!\.\d)", THEORY)} - {4} <= set(range(1, len(SECTIONS) + 1))


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_reference_names_a_section(file):
    text = words(file)
    for quoted in re.findall(NAMED, text):
        assert set(re.findall(r'"([^"]+)"', quoted)) <= {name for _, name in SECTIONS}
    if file != Path(__file__):
        assert text.count("theory.md") == len(re.findall(NAMED, text)), "theory.md without the name of a section"
        assert not re.search(r"\b(probing|estimators|interface|performance)\.md|\bshared/|theory notes", text)


def predicted(name, degrees, sde="malladi"):
    """Return C of the error of theta^i u^n on a reference problem, degrees = (i, n)."""
    rmsprop, adam = dict(sigma0=0.8, eps0=0.0, c2=1.3), dict(sigma0=0.8, eps0=0.0, c1=2.0, c2=1.3, bias_correction=1.0)
    problems = {
        "P1": (Coordinate(0.0, 0.7, 1.0, (0.0, 1.0), 0.0, 1.0, rmsprop, 0.0), 1.0),
        "P2": (Coordinate(0.9, 0.0, 1.0, (1.2, 1.0), 0.0, 1.0, rmsprop, 0.0), 1.0),
        "P3": (Coordinate(0.0, 0.6, 1.0, (0.0, -0.4, 1.4), 0.5, 1.5, adam, 0.0), 1.5),
        "P4": (Coordinate(0.9, 0.0, 1.0, (1.2, -0.4, 1.4), 0.5, 1.5, adam | dict(eps0=0.1), 0.0), 1.5),
    }
    problem, time = problems[name]
    momentum = name in ("P3", "P4")
    powers = (degrees[0], 0, degrees[1]) if momentum else degrees
    settings = dict(momentum=momentum, times=[time], degree=max(degrees), sde=sde)
    return constants.leading(problem, fourth=3.0, **settings)[powers].first[0]


DEGREES = {"theta": (1, 0), "theta^2": (2, 0), "u": (0, 1), "u^2": (0, 2), "theta u": (1, 1), "theta^4": (4, 0)}


@pytest.mark.parametrize("problem", ["P1", "P2", "P3", "P4"])
def test_constants_of_the_reference_problems(problem):
    (listed,) = re.findall(rf"\b{problem}((?:\s+C\[[^]]+\] -?[\d.]+)+)", THEORY)
    found = re.findall(r"C\[([^]]+)\] (-?[\d.]+)", listed)
    assert found
    for name, value in found:
        digits = len(value.split(".")[1])
        assert predicted(problem, DEGREES[name]) == pytest.approx(float(value), abs=0.6 * 10.0**-digits), name


def test_constants_of_both_sdes():
    """The table of Malladi's and Compagnoni's constants."""
    rows = re.findall(r"^\| (P\d) \| ([-.\d]+) \| ([-.\d]+) \| ([-.\d]+) \| ([-.\d]+) \|$", THEORY, re.MULTILINE)
    assert [name for name, *_ in rows] == ["P1", "P2", "P3", "P4"]
    for name, *values in rows:
        found = [predicted(name, degrees, sde) for degrees in ((1, 0), (0, 1)) for sde in ("malladi", "compagnoni")]
        assert list(map(float, values)) == pytest.approx(found, abs=6e-5)


DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "examples" / "README.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_path_and_link_in_a_document_exists(document):
    """Renaming a file renames it there."""
    text = document.read_text(encoding="utf-8")
    paths = re.findall(r"`((?:ngos_sim|tests|benchmarks|examples)/[\w./]*)`", text)
    paths += re.findall(r"\b(docs/\w+\.md|CITATION\.cff)", text)
    assert not [path for path in paths if not (ROOT / path).exists()]
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert not [link for link in links if not (document.parent / link).exists()]


def test_every_document_is_reached_from_the_readme():
    text = DOCUMENTS[0].read_text(encoding="utf-8")
    assert not [file.name for file in DOCUMENTS[1:] if f"({file.relative_to(ROOT)})" not in text]


def test_the_readme_is_read_to_the_end():
    lines = DOCUMENTS[0].read_text(encoding="utf-8").splitlines()
    assert len(lines) < 200
    assert not [line for line in lines if len(line) >= 100]


def python_blocks(document):
    """Return the fenced blocks of Python of a document."""
    return re.findall(r"^```python\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_readme_s_code_runs(tmp_path, monkeypatch, capsys):
    """As it is printed, with fewer trajectories; the second block's SDE is then compared as the text says."""
    monkeypatch.chdir(tmp_path)
    study, own = python_blocks(DOCUMENTS[0])
    assert len([line for line in study.splitlines() if line]) <= 12
    assert len([line for line in own.splitlines() if line]) <= 15
    names = {}
    exec(study.replace("100_000", "1024"), names)
    assert {"table.csv", "orders.csv", "study.json"} <= {file.name for file in (tmp_path / "my-study").iterdir()}
    assert "theta[0]*u[0]" in capsys.readouterr().out
    exec(own, names)
    ns = names["ns"]
    both = replace(names["study"], sde=[ns.rmsprop_sde(), names["mine"]], eta2=[2**-4, 2**-5, 2**-6])
    assert "rmsprop (a) or mine (b)?" in str(both.run(1024).ranking())


def test_the_code_of_documents_runs():
    """Where it needs nothing but the package; docs/cluster.md's is that of examples/cluster.py."""
    (block,) = python_blocks(ROOT / "docs" / "own.md")
    names = {}
    exec(block, names)
    assert names["study"].run(1024).table.sde.unique().tolist() == ["mine"]
