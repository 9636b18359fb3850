"""Words of figures: test functions as formulas, names of users as they are, intervals whose ends differ."""

import matplotlib
import pytest

from ngos_sim.reporting import figures
from ngos_sim.reporting.figures.names import interval, literal, written

FORMULAS = {
    "theta[0]^2": r"$\theta_{0}^{2}$",
    "theta[0]*u[12]": r"$\theta_{0}\,u_{12}$",
    "sqnorm(theta)": r"$\|\theta\|^{2}$",
    "sqnorm(m)**2": r"$\|m\|^{4}$",
    "2*theta[0]**2 - u[1]": r"$2\,\theta_{0}^{2} - u_{1}$",
    "loss": r"$f(\theta)$",
    "trace( Sigma )^2": r"$(\mathrm{tr}\,\Sigma)^{2}$",
    "norm(grad)": r"$\|\nabla f\|$",
    "my_slot[3]": r"$\mathrm{my\_slot}_{3}$",
}
NAMES = [
    "cos $\\th$",
    "100 % of $",
    "_hidden",
    "\u4f60",
    "a\tb",
    "",
    "x^{",
    "\\frac{",
    "theta",
    "theta[0] u[0]",
    "$x^2$",
]


@pytest.mark.parametrize(("name", "formula"), FORMULAS.items())
def test_the_grammar_is_written_as_formulas(name, formula):
    assert written(name) == formula
    assert figures.png(lambda axes: axes.set_title(written(name)))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_drawn_as_it_is(name):
    """What matplotlib makes of the words: no formula, and the name's own letters."""
    seen = []

    def draw(axes):
        text = axes.set_title(written(name))
        seen.append(text._preprocess_math(text.get_text()))

    assert figures.png(draw).startswith(b"\x89PNG")
    assert seen == [(name, False)]


def test_names_stand_beside_formulas():
    def draw(axes):
        axes.set_title(f"{literal('cos $t')}, {written('theta[0]')}")
        assert axes.title._preprocess_math(axes.title.get_text())[1] is True

    assert figures.png(draw)


def test_latex_gets_no_commands_of_a_users_name():
    with matplotlib.rc_context({"text.usetex": True}):
        assert literal("50 % of_my $x^2$ #1 \\cmd") == (
            r"50 \% of\_my \$x\textasciicircum{}2\$ \#1 \textbackslash{}cmd"
        )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((1.00042, 0.99912, 1.00123), "1.0004 [0.9991, 1.0012]"),
        ((1.0, 0.7, 1.12), "1.00 [0.70, 1.12]"),
        ((2.00005, 1.99999, 2.00011), "2.00005 [1.99999, 2.00011]"),
        ((3.0, -1.0, 4.0), "3.0 [-1.0, 4.0]"),
        ((1.0, 1.0 - 2e-12, 1.0 + 2e-12), "1.00000000 \xb1 2e-12"),
        ((1.0, 0.5, float("inf")), "1.00 [0.50, \u221e]"),
        ((1.0, -float("inf"), 1.5), "1.00 [-\u221e, 1.50]"),
    ],
)
def test_an_interval_has_the_digits_it_has(given, words):
    assert interval(*given) == words


@pytest.mark.parametrize("half", [10.0**-k * f for k in range(8) for f in (0.4, 1.0, 2.9, 3.1)])
def test_the_ends_of_an_interval_differ(half):
    value, low, high = interval(1.0, 1.0 - half, 1.0 + half).replace("]", "").replace("[", "").split()
    assert low.rstrip(",") < value < high or half > 1.0
