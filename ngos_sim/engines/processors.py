"""How many processors this process may use: its affinity, cut by the CPU quota of its control groups."""

import math
import os
from pathlib import Path

_ROOT = Path("/")


def available():
    """Return how many processors this process may use, at least 1.

    The least of its affinity and, rounded up, of the quota over period of its control group and of every group above:
    cpu.max of version 2, cpu.cfs_quota_us over cpu.cfs_period_us of version 1 (Linux's cgroup-v2.rst and
    scheduler/sched-bwc.rst). A container on a large host is mostly cut by such a quota alone.
    """
    return max(1, min([len(os.sched_getaffinity(0)), *map(math.ceil, _quotas())]))


def _quotas():
    """Yield the processors that each group of this process may use, where one is cut."""
    for line in _read(_ROOT / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = _ROOT / "sys/fs/cgroup" / controllers
        group = mount / path.lstrip("/")
        for each in (group, *group.parents):  # what is not mounted here, as above a container's own group, reads as ""
            if not each.is_relative_to(mount):
                break
            quota = _read(each / "cpu.max").split()
            quota = quota or [*_read(each / "cpu.cfs_quota_us").split(), *_read(each / "cpu.cfs_period_us").split()]
            if len(quota) == 2 and all(map(str.isdecimal, quota)) and int(quota[1]):  # not "max", not -1
                yield int(quota[0]) / int(quota[1])


def _read(path):
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
