"""The pages that people read: each question runs on the published copy, and each mart is on the page of its family."""

import re
from pathlib import Path

import pytest
from conftest import Shop

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted((PROJECT / "docs" / "marts").glob("*.md"))
QUESTIONS = [
    (page.stem, question)
    for page in PAGES
    for question in re.findall(r"```sql\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]


@pytest.mark.parametrize(("family", "question"), QUESTIONS, ids=[family for family, _ in QUESTIONS])
def test_the_question_on_a_page_is_answered_by_the_published_copy(
    sample_shop: Shop, family: str, question: str
):
    names, rows = sample_shop.serving.query(question)
    assert rows, f"the question on the page of {family} has no answer in the sample shop"
    for position, name in enumerate(names):
        assert any(row[position] is not None for row in rows), f"{name} is empty in every row"


def test_every_family_of_marts_has_a_page_that_asks_something_and_names_its_tables():
    families = {
        folder.name: folder
        for folder in (PROJECT / "models" / "marts").iterdir()
        if folder.is_dir()
    }
    assert {page.stem for page in PAGES} == set(families) == {family for family, _ in QUESTIONS}
    silent = [
        table.stem
        for page in PAGES
        for table in families[page.stem].glob("*.sql")
        if f"`{table.stem}`" not in page.read_text(encoding="utf-8")
    ]
    assert silent == []
