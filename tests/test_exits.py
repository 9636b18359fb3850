"""The command line as a process: signals, a killed worker, closed streams."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from ngos_sim.cli import main; main()"]


def children(pid):
    """Return the processes of `verify` under one, as {pid: command line}."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:  # it has just ended
                continue
            if parent == pid and "spawn_main" in words:
                found[int(entry.name)] = words
    return found


def is_alive(pid):
    """Return whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def verify(tmp_path):
    """Start `verify` of two cases that will compile for a minute; return (process, pids of its workers)."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one processor: verify starts no workers")
    process = subprocess.Popen(
        [*COMMAND, "verify", "4.2", "4.5-state"],
        cwd=tmp_path,
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cold")},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60.0
    while len(workers := children(process.pid)) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1.0)
    yield process, list(workers)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ended(process, workers):
    """Wait for a process and its workers, 20 seconds at most; return (exit status, stderr)."""
    _, err = process.communicate(timeout=20.0)
    deadline = time.monotonic() + 20.0
    while any(map(is_alive, workers)):
        assert time.monotonic() < deadline, "orphans"
        time.sleep(0.05)
    return process.returncode, err


def test_ctrl_c_ends_verify_at_once(verify):
    process, workers = verify
    time.sleep(5.0)  # into the runs, which have a bar and its lock by then
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    assert ended(process, workers) == (130, "")


def test_sigterm_to_verify_alone_ends_its_workers(verify):
    process, workers = verify
    process.terminate()
    assert ended(process, workers) == (143, "")


def test_workers_do_not_outlive_a_killed_verify(verify):
    process, workers = verify
    process.kill()
    assert ended(process, workers) == (-signal.SIGKILL, "")


def test_a_killed_worker_is_one_line_and_status_3(verify):
    process, workers = verify
    os.kill(workers[0], signal.SIGKILL)
    status, err = ended(process, workers)
    assert status == 3
    assert err.startswith("ngos-sim: case '4.")
    assert err.endswith("the process that ran it was killed; was there enough memory?\n")
    assert err.count("\n") == 1


def shell(line, **options):
    """Run a line of sh with $NGOS as the command; return (exit status, stdout, stderr)."""
    words = " ".join(f"'{word}'" for word in COMMAND)
    done = subprocess.run(["sh", "-c", line.replace("$NGOS", words)], capture_output=True, text=True, **options)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("$NGOS list noise >&-", (0, "", "")),
        ("$NGOS list nothing 2>&-", (2, "", "")),
        ("$NGOS list nothing 2>/dev/full", (2, "", "")),
        ("$NGOS list noise >/dev/full", (2, "", "ngos-sim: No space left on device\n")),
        ("{ $NGOS list; echo $? >&2; } | true", (0, "", "141\n")),
    ],
)
def test_a_stream_that_is_closed_or_full_is_no_traceback(line, wanted):
    assert shell(line) == wanted


def test_a_run_without_streams_writes_its_files(tmp_path):
    """Not into a file that has taken the number of a closed stream."""
    study = Path(__file__).parents[1] / "examples/study.toml"
    assert shell(f"$NGOS run {study} --out out --trajectories 1 <&- >&- 2>&-", cwd=tmp_path) == (0, "", "")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["chunks.sqlite", "errors.png", "orders.csv", "report.html", "study.json", "table.csv"]
    assert (tmp_path / "out/table.csv").read_text().startswith("h,eta_e,")
