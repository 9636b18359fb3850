"""What a function's code reads by name: the one place that knows how Python's instructions are called.

`compiling.fingerprint` looks up what is found, and where a function ends without a value; `engines.observation` asks
which attributes a rule reads.
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


@functools.cache
def valueless_line(code):
    """Return the line at which a function that elsewhere returns a value returns None; None where there is no such."""
    values, lines, before = False, [], None
    for each in dis.get_instructions(code):
        if each.opname.startswith("MATCH_"):
            return None  # Numba knows no match, and names its line
        if each.opname in ("RETURN_VALUE", "RETURN_CONST"):
            of = each if each.opname == "RETURN_CONST" else before  # the constant may have an instruction of its own
            is_none = of is not None and of.opname in ("LOAD_CONST", "RETURN_CONST") and of.argval is None
            values = values or not is_none
            lines += [each.positions.lineno] * is_none
        before = each
    return lines[0] if values and lines else None
