"""From a kernel to PTX and machine code with no GPU, no driver and no ptxas: numba-cuda, nvJitLink and nvdisasm."""

import functools
import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

from ngos_sim.engines.cuda.engine import signature

ARCHITECTURES = ("sm_80", "sm_90", "sm_100")
Usage = namedtuple("Usage", "registers stack spilled cubin")
Step = namedtuple("Step", "executed listed double")  # instructions a step, and those of float64 among them
_PHILOX = 4.0  # steps of one coordinate that share a Philox block
_PRODUCTS = 16  # at least so many of its 20 products are in the time loop, and nowhere else


def ptx(kernel, precision, cc=(8, 0), arguments=None):
    """Return the PTX of a kernel function. numba-cuda asks a driver for nothing but the compute capability.

    arguments : types, where they are not those of a program's kernel.
    """
    from numba import cuda
    from numba.cuda import dispatcher

    asked = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=cc)
    try:
        return cuda.compile_ptx(kernel, arguments or signature(precision), cc=cc)[0]
    finally:
        dispatcher.get_current_device = asked


def assemble(text, architecture):
    """Return the Usage of PTX as machine code of an architecture."""
    from cuda.bindings import nvjitlink

    options = [f"-arch={architecture}", "-verbose"]
    handle = nvjitlink.create(len(options), options)
    try:
        nvjitlink.add_data(handle, nvjitlink.InputType.PTX, text.encode(), len(text), "kernel.ptx")
        nvjitlink.complete(handle)
        cubin = bytearray(nvjitlink.get_linked_cubin_size(handle))
        nvjitlink.get_linked_cubin(handle, cubin)
        log = bytearray(nvjitlink.get_info_log_size(handle))
        nvjitlink.get_info_log(handle, log)
    finally:
        nvjitlink.destroy(handle)
    log = log.decode()
    found = {word: re.search(pattern, log) for word, pattern in _LOG.items()}
    registers, stack, spilled = (int(each[1]) if each else 0 for each in found.values())
    return Usage(registers, stack, spilled, bytes(cubin))


_LOG = dict(
    registers=r"[Uu]sed (\d+) registers",
    stack=r"(\d+) (?:bytes )?stack",
    spilled=r"(\d+) bytes (?:spill stores|lmem)",
)


@functools.cache
def disassembler():
    """Return the path of nvdisasm, or None."""
    root = Path(sysconfig.get_paths()["purelib"]) / "nvidia"
    return next(iter(map(str, root.glob("*/bin/nvdisasm"))), shutil.which("nvdisasm"))


def listing(cubin):
    """Return [(label or "", guard or "", instruction)] of every function of a cubin, in order."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        text = subprocess.run([disassembler(), "-c", file.name], capture_output=True, text=True, check=True).stdout
    found, label = [], ""
    for line in text.splitlines():
        if place := re.match(r"(\.L_x_\d+):", line):
            label = place[1]
        elif code := re.search(r"/\*[0-9a-f]{4,}\*/\s+(?:(@!?\w+)\s+)?(.*?)\s*;", line):
            found.append((label, code[1] or "", code[2]))
            label = ""
    return found


def _count(word, code):
    return sum(text.startswith(word) for _, _, text in code)


def step(cubin):
    """Return the Step of the time loop of one process with one coordinate.

    executed : of the way that all but a few steps take: the block of four normals counted by a quarter,
        the calls to the slow paths of division and root (denormals, infinities) not at all.
    listed : slow paths included, as if they were always taken.
    """
    code = listing(cubin)
    labels = {label: at for at, (label, _, _) in enumerate(code) if label}
    jumps = {at: labels[m[1]] for at, (_, _, text) in enumerate(code) if (m := re.search(r"BRA.*?(\.L_x_\d+)", text))}
    drawing = [(to, at) for at, to in jumps.items() if _count("IMAD.WIDE", code[to : at + 1]) >= _PRODUCTS]
    begin, end = min(drawing, key=lambda loop: loop[1] - loop[0])
    ahead = {at: to for at, to in jumps.items() if begin <= at < end and at < to and code[at][1]}
    draw = max(ahead, key=lambda at: ahead[at] - at)
    weight = [1.0 / _PHILOX if draw < at < ahead[draw] else 1.0 for at in range(begin, end + 1)]
    slow = set()
    for at, to in ahead.items():
        if to - at < 16 and _count("CALL", code[at:to]):
            slow |= set(range(at + 1, to))
    double = [weight[at - begin] for at in range(begin, end + 1) if re.match(r"D(ADD|MUL|FMA|SETP)|.*F64", code[at][2])]
    executed = sum(w for at, w in enumerate(weight, begin) if at not in slow)
    return Step(executed, sum(weight), sum(double))
