"""What a function's code reads by name: the one place that knows how Python's instructions are called.

`compiling.fingerprint` looks up what is found, and `engines.observation` asks which attributes a rule reads.
"""

import dis
import functools
from types import CodeType
from typing import NamedTuple

_GLOBALS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
_CELLS = {"LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"}
_ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD"}


class Names(NamedTuple):
    """What a code object and those inside it read.

    paths : of (whether of a cell, name, attribute, ..): globals, what a closure holds, and what is read of each at once
    attributes : the names of all attributes, whatever they are read of
    """

    paths: frozenset
    attributes: frozenset


@functools.cache
def names(code):
    """Return the Names that a code object or a function inside it reads."""
    paths, attributes, path = set(), set(), None
    for each in dis.get_instructions(code):
        if each.opname == "EXTENDED_ARG":
            continue
        is_attribute = each.opname in _ATTRIBUTES
        if is_attribute:
            attributes.add(each.argval)
        if path and is_attribute:
            path = (*path, each.argval)
            continue
        paths.add(path)
        path = (each.opname in _CELLS, each.argval) if each.opname in _GLOBALS | _CELLS else None
    inner = [names(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return Names(
        frozenset(paths - {None}).union(*(one.paths for one in inner)),
        frozenset(attributes).union(*(one.attributes for one in inner)),
    )
