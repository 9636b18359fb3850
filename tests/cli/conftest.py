"""The command line in-process, in an empty directory; figures are drawn where a test asks for `drawn`."""

import sys

import pytest

from ngos_sim import cli
from tests.support.command_line import STUDY


@pytest.fixture
def drawn():
    """Ask for real figures: two thirds of the time of a run go to its two."""


@pytest.fixture(autouse=True)
def _blank(request):
    """Leave figures blank in tests of what a command prints, returns and leaves."""
    if "drawn" not in request.fixturenames:
        request.getfixturevalue("blank_figures")


@pytest.fixture
def call(monkeypatch, tmp_path, capsys):
    """Run a command line in an empty directory; return (exit status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["ngos-sim", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return (stopped.value.code, *capsys.readouterr())

    return command


@pytest.fixture
def study(tmp_path):
    """Write a study file, with edits (old, new), and return its path."""

    def write(*edits, name="study.toml"):
        text = STUDY
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write
