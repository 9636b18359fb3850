"""What a docstring says of a built-in: what it is, its equations, and what else there is to know of it.

The indented lines before a docstring's first section are its equations, one a line; a line that is indented more goes
on with the one above it. "order 2: .." is an equation of that order alone. `studies.told` reads them for a report.
"""

import inspect
import re
from typing import NamedTuple

_INDENT, _LABEL = "    ", re.compile(r"order (\d+): ")


class Told(NamedTuple):
    """summary : its first line; equations : in ASCII, see `mathml`; paragraphs : all else before its first section."""

    summary: str
    equations: tuple[str, ...]
    paragraphs: tuple[str, ...]


def told(function, order=None):
    """Return what the docstring of a built-in's constructor says; of several orders the equations of one.

    Parameters
    ----------
    function : function
    order : int, optional
        Whose equations: those without an order belong to all.
    """
    text = inspect.getdoc(function) or ""  # python -OO has none
    before = re.split(r"\n\n?[A-Z]\w+\n-{4,}", text, maxsplit=1)[0]
    summary, _, rest = before.partition("\n")
    equations, lines = [], []
    for line in rest.splitlines():
        if not line.startswith(_INDENT):
            lines.append(line)
        elif line.startswith(2 * _INDENT):
            equations[-1] += f" {line.strip()}"
        else:
            equations.append(line.strip())
    paragraphs = (" ".join(each.replace("`", "").split()) for each in "\n".join(lines).split("\n\n"))
    own = tuple(_LABEL.sub("", each) for each in equations if _of_order(each, order))
    return Told(summary, own, tuple(filter(None, paragraphs)))


def _of_order(equation, order):
    label = _LABEL.match(equation)
    return label is None or order is None or int(label[1]) == order
