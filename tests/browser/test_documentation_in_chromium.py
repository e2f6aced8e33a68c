"""The pages of the documentation site as people see them, without dbt's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from orchestration.documentation.lineage import ColumnLineage
from orchestration.documentation.site import write_pages
from orchestration.resources.dbt_manifest import ensure_manifest
from orchestration.settings import from_environment

WIDTHS = {"desk": 1440, "phone": 390}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    settings = from_environment({"RETENTION_DATA": str(tmp_path_factory.mktemp("data"))})
    lineage = ColumnLineage(
        {("fct_orders", "net_amount"): frozenset({("int_orders__valued", "net_amount")})}
    )
    write_pages(folder, ensure_manifest(settings), lineage)
    return folder


@pytest.fixture(params=WIDTHS.values(), ids=WIDTHS)
def page(chromium, request) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": request.param, "height": 900}, bypass_csp=True)
    yield page
    page.close()


def test_every_page_fits_the_screen_asks_nobody_and_is_quiet(site, page):
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    files = sorted(site.glob("*.html"))
    wide = {}
    for file in files:
        page.goto(file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        wide[file.name] = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert {name: by for name, by in wide.items() if by > 0} == {}
    assert said == []
    assert asked == [file.as_uri() for file in files]


def test_the_pages_can_be_read_by_everyone(site, page, axe):
    for name in ("index", "metrics", "bi", "marts_cohorts"):
        page.goto((site / f"{name}.html").as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        page.evaluate(axe)
        found = page.evaluate("axe.run()")["violations"]
        assert [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found] == [], name


def test_a_link_to_a_table_opens_its_columns(site, page):
    page.goto((site / "index.html").as_uri())
    page.get_by_role("link", name="fct_orders", exact=True).click()
    column = page.locator("#fct_orders code", has_text="int_orders__valued.net_amount").first
    column.wait_for(state="visible", timeout=5000)
