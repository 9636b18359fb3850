"""Study files in a directory of their own, and results that are saved without most of their drawing."""

import pytest

from ngos_sim.reporting import figures
from ngos_sim.studies import study_file


@pytest.fixture
def load(tmp_path):
    """Load a text as a study file."""

    def call(text):
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return study_file.load(path)

    return call


@pytest.fixture
def blank_page(monkeypatch):
    """Leave the figures of report.html blank, where errors.png is the subject."""
    monkeypatch.setattr(figures, "svg", lambda draw, letters: b"<svg></svg>")
