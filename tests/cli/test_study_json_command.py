"""`ngos-sim run study.json`: the same files again, and plug-ins."""

import json

from ngos_sim.studies import session
from tests.support.command_line import broken, one_line

PLUGIN = """
def cube(x):
    return x[0] * x[0] * x[0]
"""


def test_a_run_is_repeated_from_its_record(call, study, tmp_path):
    call(
        "run", study(("trajectories = 2048", "trajectories = 2048\nseed = 5\nexpect = { order = 1 }")), "--out", "first"
    )
    _, said, _ = call("run", "first/study.json", "--out", "again")
    assert "written to again" in said
    for name in ("table.csv", "orders.csv", "study.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "first" / name).read_bytes()
    assert json.loads((tmp_path / "again" / "study.json").read_text())["study"]["expect"] == {"order": 1.0}


def test_plug_ins_are_files_that_are_named(call, study, tmp_path, monkeypatch):
    def file(source=""):
        return study(('"u[0]^2"', f'{{ name = "cube", g = {{ function = "mine:cube"{source} }} }}'))

    (tmp_path / "mine.py").write_text(PLUGIN)
    with monkeypatch.context() as context:
        context.setattr(session, "run", broken(ValueError("it ran")))
        assert call("run", file(), "--plugins", "mine.py")[2] == "ngos-sim: it ran\n"
    for more, said in (
        ((), "test_functions[1].g: 'mine:cube' is not in a plug-in: give --plugins mine.py (given: none)"),
        (("--plugins", "mine.py"), "the source of 'mine:cube' has changed: 0123456789abcdef in the study file, "),
        (("--plugins", "none.py"), "--plugins none.py: not a Python file that is there"),
    ):
        for command in ("run", "plan"):
            status, out, words = call(command, file(', source = "0123456789abcdef"'), *more)
            assert (status, out, one_line(words)) == (2, "", True)
            assert said in words
