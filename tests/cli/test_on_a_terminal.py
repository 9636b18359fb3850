"""What a terminal shows of `ngos-sim run`: the bar, what Ctrl-C leaves, nothing with --quiet."""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

import pytest

COMMAND = [sys.executable, "-c", "from ngos_sim.cli import main; main()"]


def shown(words, pressed_at=()):
    """Run a command in a terminal of 30 lines by 100, Ctrl-C pressed once a text is shown; return (status, screen)."""
    process, screen = pty.fork()
    if process == 0:
        os.execv(sys.executable, [*COMMAND, *map(str, words)])
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    waiting, text, deadline = list(pressed_at), "", time.monotonic() + 60.0
    while time.monotonic() < deadline:
        if waiting and waiting[0] in text:
            os.write(screen, b"\x03")
            waiting.pop(0)
        if select.select([screen], [], [], 0.05)[0]:
            try:
                text += os.read(screen, 65536).decode()
            except OSError:  # it has ended
                break
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), left(text)


def left(text):
    """Return the lines of a screen once all is written: a carriage return goes back to the begin of a line."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        cells: list = []
        for part in line.split("\r"):
            cells[: len(part)] = part
        lines.append("".join(cells).rstrip())
    return lines


@pytest.fixture
def long(study):
    return study(("trajectories = 2048", "trajectories = 100000000"))


def test_ctrl_c_leaves_one_line_and_no_bar(long, tmp_path):
    status, lines = shown(["run", long, "--out", tmp_path / "out"], ["s left"])
    assert status == 130
    assert lines[0].startswith("  ")
    assert lines[0].endswith("^C")  # the bar as it was
    assert lines[1] == "ngos-sim: finishing the round in hand; once more stops at once"
    assert re.match(r"ngos-sim: stopped; \d+ trajectories at least at each of \d of 3 points; ", "".join(lines[2:]))
    assert lines[-1] == ""


def test_ctrl_c_while_it_compiles_says_that_it_stopped(long, tmp_path):
    status, lines = shown(["run", long, "--out", tmp_path / "out"], ["setting up"])
    assert status == 130
    assert lines[-2:] == ["ngos-sim: stopped at once; the same command goes on", ""]
    assert len(lines) == 3


def test_quiet_is_silent(study, tmp_path):
    assert shown(["run", study(), "--out", tmp_path / "out", "--quiet"]) == (0, [""])
