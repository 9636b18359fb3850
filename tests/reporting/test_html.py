"""report.html: all that a result says stands in it, names are words and nothing else, and any result has one."""

import math
import warnings

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.errors import NonFiniteError
from ngos_sim.reporting import figures, tables
from tests.support.reports import NASTY, Page, harmless, study


def own_step(x, o, z, c, p):
    theta, u = x
    return theta - c[0] * o.gradient - c[1] * z, u


def own_drift(x, o, c, p):
    return -o.gradient, 0.0


def own_diffusion(x, o, c, p):
    return -p.sigma0, 0.0


def own_schedule(k, h, p):
    return h, math.sqrt(h) * p.sigma0


def own_gradient(theta, p):
    return p.slope * theta


def own_value(theta, p):
    return 0.5 * p.slope * theta * theta


def own_sample(xi, p):
    return math.copysign(1.0, xi)


def own_quadrature(nodes, p):
    return [-1.0, 1.0], [0.5, 0.5]


def own_function(x):
    return x[0] * x[0]


def reported(result, folder, **given):
    file = result.report(folder, **given)
    assert file == folder / "report.html"
    page = Page(file.read_text(encoding="utf-8"))
    assert harmless(page)
    return page


@pytest.fixture(scope="module")
def result():
    return study().run(2048)


@pytest.fixture(scope="module")
def page(result, tmp_path_factory):
    return reported(result, tmp_path_factory.mktemp("report"))


def test_every_number_of_the_tables_is_there(result, page):
    orders = result.order()
    made = [
        tables.orders(orders),
        tables.constants(orders),
        tables.errors(result.table),
        tables.ranking(result.compared),
    ]
    for table in made:
        assert table.rows
        for row in table.rows:
            for cell in row:
                assert cell.text in page.text
    last = result.table[result.table.time == 0.5]
    for error, std_error in zip(last.error, last.std_error, strict=True):
        assert f"{error:.5e}" in page.text
        assert f"{std_error:.1e}" in page.text
    assert all(f"{value:z.3f}" in page.text for value in [*orders.order, *orders.ci_low, *orders.ci_high])
    assert len(page.tags("tr")) == 5 + sum(len(table.rows) for table in made) + 3  # heads; step sizes


def test_verdicts_and_what_was_compared(result, page):
    for row in result.order().itertuples():
        assert row.verdict in page.text
    assert page.text.count("theory predicts") >= 1
    for words in ("rmsprop against the SDEs rmsprop, compagnoni-rmsprop", "3 step sizes", "2,048 trajectories"):
        assert words in page.text
    assert "Definition 4.1 of arXiv 2205.10287" in page.text
    assert len(page.tags("math")) == 4 + 3 + 3
    assert str(result.ranking().headlines.headline[0]) in page.text
    for why in result.why.values():
        assert why in page.text


def test_hyperparameters_at_every_step_size(result, page):
    for eta2 in (2**-3, 2**-4, 2**-5):
        at = result.study.optimizer.at(eta2)
        for value in (at.lr, *at.betas, at.sigma, at.sigma**-2):
            assert f"{value:.6g}" in page.text


def test_what_repeats_it(result, page):
    assert "ngos-sim run study.json --out again" in page.text
    assert "Seed 0" in page.text
    assert ns.__version__ in page.text
    for word in ("Processor", "Versions", "compilation included", '"trajectories": 2048'):
        assert word in page.text


def test_the_latex_table(result):
    text = tables.latex(result.order().assign(sde="a_b & 50 %"))
    assert text.startswith(r"\begin{tabular}{llrrrr}" + "\n" + r"\toprule")
    assert r"a\_b \& 50 \% & \texttt{u[0]\textasciicircum{}2}" in text
    assert text.count(r"\\") == 1 + 4
    assert r"\cdot 10^{" in tables.latex(result.order().assign(constant_std_error=3e-6))


def own_parts(name):
    """Return arguments of a study all of whose parts are a user's, of one name."""
    return dict(
        oracle=ns.NGOS(
            ns.Loss(name, own_gradient, own_value, slope=0.9), 1.0, ns.Noise(name, own_sample, own_quadrature)
        ),
        optimizer=ns.Optimizer(name, own_step, ("theta", "u"), own_schedule, sigma0=0.8),
        sde=[ns.SDE(name, own_drift, own_diffusion, ("theta", "u"))],
        test_functions=[ns.TestFunction(name, own_function)],
        estimator="coupled",
    )


@pytest.mark.parametrize("name", NASTY)
def test_names_are_words(name, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        page = reported(study(**own_parts(name), eta2=[0.25]).run(1024, device="python"), tmp_path / "out")
    assert name in page.text
    assert "49" not in page.tags("title")
    for part in ("Loss", "Noise", "Optimizer", "SDE", "Test function"):
        assert f"{part}: {name}" in page.text
    assert "return theta - c[0] * o.gradient - c[1] * z, u" in page.text  # its source


def test_a_file_of_a_bad_name_is_a_word(blank_figures, result, tmp_path):
    folder = tmp_path / "<script>alert(1)<"
    result.save(folder)
    (folder / "chunks.sqlite").unlink()
    from ngos_sim.studies import of_folder

    page = Page(of_folder.report(folder).read_text(encoding="utf-8"))
    assert harmless(page)
    assert str(folder) in page.text


def test_a_folder_alone(result, page, tmp_path, monkeypatch):
    from ngos_sim.studies import of_folder

    with monkeypatch.context() as patch:  # its figures are drawn again below
        patch.setattr(figures, "png", lambda draw: b"\x89PNG")
        patch.setattr(figures, "svg", lambda draw, letters: b"<svg></svg>")
        result.save(tmp_path)
    (tmp_path / "report.html").unlink()
    assert of_folder.report(tmp_path) == tmp_path / "report.html"
    again = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert again.text.partition("How it was measured")[0] == page.text.partition("How it was measured")[0]
    (tmp_path / "chunks.sqlite").unlink()
    of_folder.report(tmp_path)
    bare = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "Of the folder's tables alone" in bare.text
    assert not bare.tags("math")
    for cell in (cell for row in tables.orders(result.order()).rows for cell in row):
        assert cell.text in bare.text
    (tmp_path / "orders.csv").unlink()
    with pytest.raises(ValueError, match="without orders.csv there are no tables to report"):
        of_folder.report(tmp_path)


KINDS = {
    "one point": dict(eta2=[0.25]),
    "scaling rule": dict(sde=None, reference=ns.scaling_rule([2, 4]), horizon=1.0),
    "svag": dict(optimizer=ns.svag(ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3), [1, 2, 3]), sde=ns.rmsprop_sde()),
    "unresolved": dict(test_functions=["theta[0]"], oracle=ns.NGOS(ns.quadratic(0.0)), sde=ns.rmsprop_sde()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_other_studies(kind, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = study(**KINDS[kind]).run(1024)
    page = reported(result, tmp_path)
    for verdict in result.order().verdict:
        assert verdict in page.text
    assert "nan" not in page.text.lower().split()
    if kind == "scaling rule":
        assert "against itself at 2 and 4 times the batch size" in page.text
        assert f"{result.study.optimizer.at(4 * 2**-5).lr:.6g}" in page.text
    if kind == "svag":
        assert "Under the SVAG operator at ell = 1, 2, 3." in page.text


def test_data(tmp_path):
    oracle = ns.finite_data([[1.0], [0.7], [1.3], [0.9]], [0.5, -1.0, 0.2, 1.1], model="least_squares")
    given = dict(oracle=oracle, initial=dict(theta=0.0), eta=[0.25, 0.125], test_functions=["theta[0]"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = study(**given, optimizer=ns.sgd(sigma=1.0), sde=ns.sgd_sde(), eta2=None).run(1024)
    page = reported(result, tmp_path)
    assert "Data: least_squares" in page.text
    assert oracle.data.sha256 in page.text
    assert "its data were given as arrays" in page.text
    assert "Outside the theory" in page.text


def test_not_finite(tmp_path):
    broken = study(oracle=ns.NGOS(ns.quadratic(1e60)), initial=dict(theta=1e60, u=1.0), sde=ns.rmsprop_sde())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(NonFiniteError) as raised:
            broken.run(1024)
        page = reported(raised.value.result, tmp_path)
    assert "ended by: nonfinite" in page.text


def test_the_uncertainty_of_what_is_computed(result):
    """The column `numerical` is shown where a table has it."""
    made = tables.errors(result.table.assign(numerical=1.5e-9))
    assert "numerical" in [column.head for column in made.head]
    assert any(cell.text == "1.5e-09" for cell in made.rows[0])
    assert "numerical" not in [column.head for column in tables.errors(result.table.assign(numerical=np.nan)).head]


def test_a_figure_that_cannot_be_drawn(result, tmp_path, monkeypatch):
    from ngos_sim.reporting import drawing

    def broken(draw):
        raise RuntimeError("no\nfont <b>")

    monkeypatch.setattr(drawing, "element", broken)
    assert "The figure cannot be drawn: no font <b>" in reported(result, tmp_path).text


def test_a_study_without_a_name_for_its_functions(blank_figures, tmp_path):
    own = own_parts("own") | dict(
        sde=[ns.SDE("own", lambda x, o, c, p: (-o.gradient, 0.0), own_diffusion, ("theta", "u"))]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        page = reported(study(**own, eta2=[0.25]).run(1024, device="python"), tmp_path)
    assert "The study file alone does not repeat it: no file has test_html:test_a_study" in page.text
