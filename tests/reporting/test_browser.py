"""report.html in a real browser, Debian's chromium, without a head: what it says, its sizes, and who can read it.

Skipped where there is no chromium or no playwright: `pip install -e '.[browser-test]'`.
"""

import shutil
import warnings

import pytest

import ngos_sim as ns
from ngos_sim.reporting import tables
from ngos_sim.verification import theorems, verify
from ngos_sim.verification.case import CONSISTENT, Case
from tests.support.reports import NASTY, study

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium"),
    pytest.mark.xdist_group("chromium"),
]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def looked_at():
    return study(test_functions=["theta[0]", "u[0]^2", "theta[0]*u[0]"])


def still(x, o, z, c, p):
    return x[0] - c[0] * o.gradient, x[1]


@pytest.fixture(scope="module")
def result():
    return looked_at().run(1024)


@pytest.fixture(scope="module")
def files(result, tmp_path_factory):
    """Write the reports that are looked at; return their paths by what they are of."""
    folder = tmp_path_factory.mktemp("reports")
    odd = ns.Optimizer(NASTY[2], still, ("theta", "u"), sigma0=0.8, eps0=0.0, c2=1.3)
    own = [ns.TestFunction(NASTY[0], lambda x: x[0])]
    named = dict(optimizer=odd, sde=ns.rmsprop_sde(), test_functions=own, eta2=[0.25], estimator="coupled")
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        names = study(**named).run(1024, device="python").report(folder / "names")
        patch.setattr(theorems, "CASES", {"small": Case("A small case <b>", looked_at, 1024, CONSISTENT)})
        section, _ = verify._verified("small", folder / "saved", 1)
    (folder / "cases").mkdir()
    cases = verify.write([section, section._replace(name=NASTY[0])], folder / "cases")
    return {"study": result.report(folder / "study"), "names": names, "cases": cases}


@pytest.fixture(params=["study", "names", "cases"])
def opened(request, browser, files):
    """Open a page; what it says and asks for is collected."""

    def look(size, **settings):
        page = browser.new_page(viewport=size, **settings)
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: (page.said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda asked: page.asked.append(asked.url))
        page.goto(files[request.param].as_uri())
        pages.append(page)
        return page

    pages: list = []
    yield look
    for page in pages:
        page.close()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_page_is_quiet_fits_and_its_figures_have_a_size(opened, size):
    page = opened(size)
    assert page.said == []
    assert len(page.asked) == 1  # the file itself
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    figures = page.evaluate("[...document.querySelectorAll('svg')].map(e => e.getBoundingClientRect().toJSON())")
    assert figures
    for each in figures:
        assert each["width"] > 300
        assert 0.3 < each["height"] / each["width"] < 2.0
    assert page.evaluate("document.querySelectorAll('script, svg script, [onload]').length") == 0
    shown = page.evaluate("[...document.querySelectorAll('math')].filter(e => !e.closest('details')).length")
    heights = page.evaluate("[...document.querySelectorAll('math')].map(e => e.getBoundingClientRect().height)")
    assert sum(height > 10 for height in heights) >= shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(opened, scheme):
    page = opened(PHONE, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    found = axe.Axe().run(page).response["violations"]
    assert [(each["id"], each["help"]) for each in found if each["impact"] in ("serious", "critical")] == []


def test_tables_have_their_rows_and_scroll(browser, files, result):
    page = browser.new_page(viewport=PHONE)
    page.goto(files["study"].as_uri())
    made = [tables.orders(result.order()), tables.constants(result.order())]
    counts = page.evaluate("[...document.querySelectorAll('tbody')].map(e => e.rows.length)")
    errors, ranked = tables.errors(result.table), tables.ranking(result.compared)
    assert counts == [len(made[0].rows), len(made[1].rows), 3, len(errors.rows), len(ranked.rows)]
    box = page.locator(".scroll", has=page.locator("table")).nth(3)
    assert box.evaluate("e => e.scrollWidth > e.clientWidth + 100")
    assert box.evaluate("e => { e.scrollLeft = 100; return e.scrollLeft }") == 100
    page.close()


def test_on_paper_nothing_is_left_out(browser, files):
    page = browser.new_page(viewport={"width": 680, "height": 960})
    page.goto(files["study"].as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    assert page.evaluate("[...document.querySelectorAll('table')].every(e => e.getBoundingClientRect().right < 681)")
    assert page.evaluate("document.querySelector('details pre').getBoundingClientRect().height") > 50
    assert page.evaluate("document.querySelector('nav').getBoundingClientRect().height") == 0
    assert len(page.pdf(format="A4")) > 10_000
    page.close()
