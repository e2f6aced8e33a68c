"""The pages of the documentation site, without dbt's own: all there, and no link into nothing."""

import re
from pathlib import Path

import pytest

from orchestration.documentation.lineage import ColumnLineage
from orchestration.documentation.site import FAMILY_PAGES, write_pages
from tests.project.conftest import PROJECT
from tests.project.test_marts import marts


@pytest.fixture(scope="module")
def site(manifest, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    known = {("fct_orders", "net_amount"): frozenset({("int_orders__valued", "net_amount")})}
    write_pages(folder, manifest, ColumnLineage(known))
    (folder / "dbt.html").touch()
    return folder


def test_no_link_leads_nowhere_and_none_leaves_the_site(site):
    pages = list(site.glob("*.html"))
    assert len(pages) > 10
    for page in pages:
        text = page.read_text()
        for target in re.findall(r"(?:href|src)=[\"']([^\"']*)", text):
            name, _, anchor = target.partition("#")
            assert (site / name).exists(), f"{page.name} links to {target}"
            if anchor:
                assert f"id='{anchor}'" in (site / name).read_text(), (
                    f"{page.name} links to {target}"
                )


def test_every_column_of_every_mart_is_on_the_page_of_its_family(site, models):
    missing = []
    for model in marts(models):
        family = Path(model["original_file_path"]).parent.name
        text = (site / f"marts_{family}.html").read_text()
        part = text.split(f"id='{model['name']}'", 1)[1].split("</details>", 1)[0]
        missing += [name for name in model["columns"] if f"<code>{name}</code>" not in part]
    assert missing == []


def test_a_column_says_what_it_is_made_of(site):
    assert "<code>int_orders__valued.net_amount</code>" in (site / "marts_orders.html").read_text()


def test_every_family_of_marts_has_a_page_that_asks_something_and_names_its_tables():
    """docs/marts/<family>.md; its questions are run by tests/integration/test_documentation.py."""
    folders = [folder for folder in (PROJECT / "models" / "marts").iterdir() if folder.is_dir()]
    pages = {page.stem: page.read_text() for page in (PROJECT / FAMILY_PAGES).glob("*.md")}
    assert set(pages) == {folder.name for folder in folders}
    assert [family for family, text in pages.items() if "```sql\n" not in text] == []
    silent = [
        f"docs/marts/{folder.name}.md does not name {table.stem}"
        for folder in folders
        for table in folder.glob("*.sql")
        if f"`{table.stem}`" not in pages[folder.name]
    ]
    assert silent == []
