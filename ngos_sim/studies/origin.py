"""What chunks were made with, as a dict that json can write, and the words for how two such differ.

`studies.kept` puts it down in a store, and refuses a store of another one.
"""

import json

from ngos_sim.engines.compiling.bind import library
from ngos_sim.studies import description, provenance, written

_COMPARED = ("ngos-sim", "numba", "llvmlite")  # the versions that kernels are made by
_SHOWN, _MOST = 60, 3  # characters of a value, differences


def origin(study, seed, precision):
    """Return what makes the bits of a study's chunks: study, seed, precision, kernels and versions; and its file."""
    versions = provenance.machine()["versions"]
    made = {
        "study": description.study(study),
        "file": written.content(study, 1, seed, precision),
        "seed": seed,
        "precision": precision,
        "kernel_version": library().hex()[:16],
        "versions": {name: versions[name] for name in _COMPARED},
    }
    return json.loads(json.dumps(made))


def machine():
    """Return NumPy's version and the processor, which the numbers given to kernels may hang on, as a text."""
    made = provenance.machine()
    numpy, processor = made["versions"]["numpy"], made["processor"]
    return f"NumPy {numpy}, {processor['blas']} for {processor['blas_core']} on {processor['model']}"


def difference(a, b, one="there", other="here"):
    """Return how two dicts of `origin` differ, in words; "" where they do not.

    one, other : words for where each is
    """
    unequal = _unequal("", {**a, "file": None}, {**b, "file": None})  # it says the same as "study", as it was given
    found = [f"{name} is {_shown(its)} {one} and {_shown(others)} {other}" for name, its, others in unequal]
    more = f"; and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return "; ".join(found[:_MOST]) + more


def _unequal(name, there, here):
    """Yield (path, one value, other value) where two values of json differ."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in {**there, **here}:
            path = f"{name}.{key}" if name and name != "study" else key
            yield from _unequal(path, there.get(key), here.get(key))
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for at, (a, b) in enumerate(zip(there, here, strict=True)):
            yield from _unequal(f"{name}[{at}]", a, b)
    elif there != here:
        yield name, there, here


def _shown(value):
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}.."
