"""Results for the tests of reports, and what stands in a page, read as a browser reads it."""

from html.parser import HTMLParser

import ngos_sim as ns

NASTY = ["<script>alert(1)</script>", "{{7*7}}", '"\' onload="alert(1)']


def study(**changes):
    """Return a small study of RMSprop, with changes of its arguments."""
    given = dict(
        oracle=ns.NGOS(ns.quadratic(0.9)),
        optimizer=ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=[ns.rmsprop_sde(), ns.compagnoni_rmsprop_sde()],
        initial=dict(theta=1.2, u=1.0),
        eta2=[2**-3, 2**-4, 2**-5],
        horizon=0.5,
        test_functions=["theta[0]", "u[0]^2"],
    )
    return ns.ConvergenceStudy(**given | changes)


class Page(HTMLParser):
    """A page's elements as (tag, {attribute: value}), and its text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, text):
        self.words.append(text)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def tags(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


def harmless(page):
    """Return whether a page loads nothing and runs nothing."""
    loads = {"script", "link", "img", "iframe", "object", "embed", "base", "form", "foreignobject"}
    tags = {tag.lower() for tag, _ in page.elements}
    attributes = [(name, value or "") for _, each in page.elements for name, value in each.items()]
    runs = [name for name, _ in attributes if name.lower().startswith("on")]
    goes = [v for name, v in attributes if name.split(":")[-1] in ("href", "src", "srcset") and not v.startswith("#")]
    return not (tags & loads or runs or goes)
