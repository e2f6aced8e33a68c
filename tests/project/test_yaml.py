"""Rules for the text of the YAML: what dbt reads is what was meant, and it can read its own parse again."""

from collections.abc import Iterator

import msgpack
import yaml

from tests.project.conftest import PROJECT

FILES = sorted(
    file for folder in ("models", "seeds/reference") for file in (PROJECT / folder).rglob("*.yml")
)


def pairs(content: object) -> Iterator[tuple[object, object]]:
    """Every key with its value, at any depth."""
    if isinstance(content, dict):
        yield from content.items()
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from pairs(each)


def torn_keys(text: str) -> list[object]:
    """Keys that are the rest of a text: no word of the project's YAML stands without a value, or is a number."""
    content = yaml.safe_load(text)
    # The rows of a unit test are data: an empty cell has no value.
    content.pop("unit_tests", None)
    return [
        key
        for key, value in pairs(content)
        if not isinstance(key, str) or (value is None and not key.isidentifier())
    ]


def test_no_text_is_torn_at_a_comma():
    """Inside {braces} an unquoted comma ends a text, and its rest becomes keys without values."""
    torn = [
        (str(file.relative_to(PROJECT)), key)
        for file in FILES
        for key in torn_keys(file.read_text(encoding="utf-8"))
    ]
    assert torn == []


def test_a_torn_text_is_found():
    line = "columns: [{name: a, description: First of all, then 1, 2, ..., config: {at_least: 0}}]"
    assert torn_keys(line) == ["then 1", 2, "..."]


def test_dbt_can_read_its_saved_parse_again(target_directory):
    """A key that is no text makes dbt throw its parse away and, without a word, parse all anew at every start."""
    saved = msgpack.unpackb((target_directory / "partial_parse.msgpack").read_bytes())
    assert saved["nodes"]
