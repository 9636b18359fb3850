"""Study files in a directory of their own."""

import pytest

from ngos_sim.studies import study_file


@pytest.fixture
def load(tmp_path):
    """Load a text as a study file."""

    def call(text):
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return study_file.load(path)

    return call
