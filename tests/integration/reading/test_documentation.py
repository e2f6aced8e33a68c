"""The pages that people read: each question runs on the published copy, and each mart is on the page of its family."""

import re
from pathlib import Path

import pytest
from conftest import Shop

from orchestration.resources.postgres_reader import READER, READER_SETTINGS

PROJECT = Path(__file__).resolve().parents[3]
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


def test_the_page_on_bi_tools_has_the_settings_of_the_reader():
    page = (PROJECT / "docs" / "bi.md").read_text(encoding="utf-8")
    lacking = [
        name
        for name, value in READER_SETTINGS.items()
        if f"alter role {READER} in database retention set {name} = '{value}';" not in page
    ]
    assert lacking == []
