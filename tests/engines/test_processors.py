"""Processors by affinity and quota, on file systems as kernels and containers lay them out."""

import os

import pytest

from ngos_sim.engines import processors

V1 = "4:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n1:name=systemd:/docker/a\n0::/docker/a\n"
CASES = {
    "nothing": ("", {}, 8),
    "v2, no quota": ("0::/user\n", {"user/cpu.max": "max 100000"}, 8),
    "v2": ("0::/user/job\n", {"user/job/cpu.max": "200000 100000"}, 2),
    "v2, the group above": ("0::/user/job\n", {"user/job/cpu.max": "max 100000", "user/cpu.max": "300000 100000"}, 3),
    "v2, a container's root": ("0::/\n", {"cpu.max": "150000 100000"}, 2),
    "v2, less than one": ("0::/\n", {"cpu.max": "5000 100000"}, 1),
    "v2, more than there are": ("0::/\n", {"cpu.max": "6400000 100000"}, 8),
    "v1": (
        V1,
        {"cpu,cpuacct/docker/a/cpu.cfs_quota_us": "400000", "cpu,cpuacct/docker/a/cpu.cfs_period_us": "100000"},
        4,
    ),
    "v1, mounted at the container's group": (
        V1,
        {"cpu,cpuacct/cpu.cfs_quota_us": "50000", "cpu,cpuacct/cpu.cfs_period_us": "100000"},
        1,
    ),
    "v1, no quota": (V1, {"cpu,cpuacct/cpu.cfs_quota_us": "-1", "cpu,cpuacct/cpu.cfs_period_us": "100000"}, 8),
    "another controller": ("3:cpuset:/\n", {"cpuset/cpu.max": "100000 100000"}, 8),
}


@pytest.mark.parametrize(("groups", "files", "wanted"), CASES.values(), ids=CASES)
def test_processors_are_those_of_affinity_and_quota(tmp_path, monkeypatch, groups, files, wanted):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(processors, "_ROOT", tmp_path)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(groups)
    for name, content in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    assert processors.available() == wanted


def test_affinity_alone_where_there_are_no_groups(monkeypatch, tmp_path):
    monkeypatch.setattr(processors, "_ROOT", tmp_path)
    assert processors.available() == len(os.sched_getaffinity(0))
