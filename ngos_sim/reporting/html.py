"""Documents as a page: one file of HTML that loads nothing and runs nothing, for a screen, a phone and paper.

`studies.reported` makes the page of one study, `verification.verify` that of all cases. Everything that is shown is
escaped, but the figures, which matplotlib escapes, and equations, whose letters `mathml` knows.
"""

import functools
from typing import NamedTuple

from ngos_sim.reporting import sentences, tables
from ngos_sim.reporting.document import Document
from ngos_sim.reporting.mathml import mathml


class Section(NamedTuple):
    """A case of `ngos-sim verify` : whether it shows what it must; documents : (label, Document) of its studies."""

    name: str
    title: str
    good: bool
    finding: str
    documents: tuple[tuple[str, Document], ...]


def page(document):
    """Return the page of a Document."""
    return _templates().get_template("study.html").render(document=document)


def pages(sections, title):
    """Return one page of many Sections, with an index of them."""
    studies = [document.study for case in sections for _, document in case.documents if document.study]
    processes = dict.fromkeys(process for study in studies for process in study.processes)  # each once
    numbers = {process: number for number, process in enumerate(processes, 1)}
    return _templates().get_template("cases.html").render(sections=sections, title=title, numbers=numbers)


@functools.cache
def _templates():
    """Return Jinja2's environment; it is imported where a page is made, as importing it takes a while."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    loader = PackageLoader("ngos_sim.reporting", "templates")
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.filters |= {
        "equation": lambda text: Markup(mathml(text)),
        "drawing": Markup,
        "orders": tables.orders,
        "constants": tables.constants,
        "errors": tables.errors,
        "ranking": tables.ranking,
        "plain": lambda frame, caption: tables.plain(caption, frame),
        "latex": tables.latex,
        "found": sentences.found,
        "headline": sentences.headline,
    }
    return found
