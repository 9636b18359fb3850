"""Equations of docstrings: every built-in process has some, and each is a MathML tree of the right shape."""

import re
from xml.etree import ElementTree

import pytest

from ngos_sim.reporting.equations import told
from ngos_sim.reporting.mathml import mathml
from ngos_sim.studies.kinds import KINDS

_CHILDREN = {"mfrac": 2, "msup": 2, "msub": 2, "msubsup": 3, "msqrt": 1}
PROCESSES = [
    (kind, name, order)
    for kind in ("optimizer", "sde")
    for name, each in KINDS[kind].items()
    for order in (map(int, each.order.split(",")) if each.order else [None])
]


def tree(text):
    """Return an equation's tree; XML has no &theta;, so names stand for what HTML calls them."""
    return ElementTree.fromstring(re.sub(r"&(\w+);", r"{\1}", mathml(text)))


def shown(text):
    return "".join(tree(text).itertext())


@pytest.mark.parametrize(("kind", "name", "order"), PROCESSES)
def test_every_process_has_equations(kind, name, order):
    found = told(KINDS[kind][name].make, order)
    assert found.summary.endswith(".")
    assert found.equations[0].startswith({"sde": "d theta = ", "optimizer": ("theta' = ", "m' = ", "v' = ")}[kind])
    for equation in found.equations:
        root = tree(equation)
        for node in root.iter():
            assert len(node) == _CHILDREN.get(node.tag, len(node)), (equation, node.tag)
        words = re.sub(r"[^A-Za-z\d]", "", equation.replace("sqrt", ""))
        letters = "".join(root.itertext()).replace("{epsilon}", "eps").replace("{Eopf}", "E")
        letters = re.sub(r"\{(minus|prime|Prime)\}", "", letters)
        assert sorted(re.sub(r"[^A-Za-z\d]", "", letters)) == sorted(words)  # nothing is lost


def test_equations_of_losses_covariances_and_noises_are_equations():
    every = [each.make for kinds in KINDS.values() for each in kinds.values()]
    equations = [equation for make in every for equation in told(make).equations]
    assert sum(map(len, map(shown, equations))) > 1000


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ("P^-1", "<msup><mi>P</mi><mrow><mo>&minus;</mo><mn>1</mn></mrow></msup>"),
        ("beta1^(k + 1)", "<msubsup><mi>&beta;</mi><mn>1</mn>"),
        ("eta / (2 u)", "<mfrac><mi>&eta;</mi><mrow><mn>2</mn>"),
        ("(eta / 2) H", "<mrow><mfrac><mi>&eta;</mi><mn>2</mn></mfrac><mspace"),
        ("f'^2", "<msup><mi>f</mi><mrow><mo"),
        ("sqrt(u)", "<msqrt><mi>u</mi></msqrt>"),
        ("Sigma^(1/2)", "<mn>1</mn><mo>/</mo><mn>2</mn>"),
        ("theta - d / u", "<mfrac><mi>d</mi><mi>u</mi></mfrac>"),
        ("dt + d theta", '<mi mathvariant="normal">d</mi><mi>&theta;</mi>'),
    ],
)
def test_what_an_equation_becomes(text, within):
    assert within in mathml(text)


@pytest.mark.parametrize("text", ["a < b", "(a", "a)", "a /", "<script>", "{{7*7}}", "u^"])
def test_what_is_no_equation_is_refused(text):
    with pytest.raises(ValueError, match="equation "):
        mathml(text)


def test_orders_are_told_apart():
    first, second = (told(KINDS["sde"]["sgd"].make, order).equations for order in (1, 2))
    assert first == ("d theta = -f' dt + sqrt(eta) sigma Sigma^(1/2) dW",)
    assert second == ("d theta = -(f' + (eta / 2) H f') dt + sqrt(eta) sigma Sigma^(1/2) dW",)


def test_an_indented_line_goes_on():
    equations = told(KINDS["sde"]["ballistic-rmsprop"].make, 2).equations
    assert equations[0].endswith("f' w)) dt - sqrt(h) phi sigma Sigma^(1/2) dW")
    assert len(equations) == 4
    assert not any("order" in each for each in equations)
