"""The generic data tests of the project, rendered as dbt does it and run on tables that are wrong in a known way."""

import re

import duckdb
import jinja2
import pytest

from orchestration.settings import PROJECT_DIRECTORY

LINES = """
    select * from (values
        ('L1', 2, 'paid', 5.00, false),
        ('L2', null, 'paid', -1.00, false),
        ('L3', 1, 'odd', 5.00, true),
        ('L3', 1, null, null, null),
        ('L5', 1, 'paid', -1.00, true)
    ) as lines (line_id, quantity, status, amount, is_deleted)
"""


class CompilationError(Exception):
    """What dbt raises for `exceptions.raise_compiler_error`."""


class Exceptions:
    @staticmethod
    def raise_compiler_error(message: str) -> None:
        raise CompilationError(message)


def failing_rows(test: str, **arguments: object) -> list[tuple]:
    source = (PROJECT_DIRECTORY / "tests" / "dbt" / "generic" / f"{test}.sql").read_text()
    as_macro = re.sub(r"{% test ", "{% macro ", source).replace("{% endtest %}", "{% endmacro %}")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals["exceptions"] = Exceptions
    sql = getattr(environment.from_string(as_macro).module, test)(model="lines", **arguments)
    with duckdb.connect() as connection:
        connection.execute(f"create table lines as {LINES}")
        return connection.execute(str(sql)).fetchall()


def broken(**arguments: object) -> list[tuple]:
    """Key and broken rules of each failing row."""
    return sorted((row[1], row[0]) for row in failing_rows("rules_hold", **arguments))


def test_a_null_where_none_may_be_breaks_the_rules():
    assert broken(never_null=["line_id", "quantity"]) == [("L2", "quantity is null")]


def test_a_value_outside_the_accepted_ones_breaks_the_rules_and_an_unknown_one_does_not():
    assert broken(accepted={"status": ["paid", "sent"]}) == [("L3", "status is not accepted")]


def test_a_rule_fails_where_it_is_false_and_not_where_it_is_unknown():
    rules = [{"name": "amounts_are_positive", "holds": "amount > 0"}]
    assert broken(rules=rules) == [("L2", "amounts_are_positive"), ("L5", "amounts_are_positive")]


def test_a_rule_for_some_rows_says_nothing_of_the_others():
    rules = [{"holds": "amount > 0", "where": "not is_deleted"}]
    assert broken(rules=rules) == [("L2", "amount > 0")]


def test_a_row_that_breaks_several_rules_names_them_all():
    found = broken(
        never_null=["quantity", "status"],
        accepted={"status": ["paid"]},
        rules=[{"holds": "amount > 0 or status = 'odd'"}],
    )
    assert found == [
        ("L2", "quantity is null; amount > 0 or status = 'odd'"),
        ("L3", "status is not accepted"),
        ("L3", "status is null"),
        ("L5", "amount > 0 or status = 'odd'"),
    ]


def test_rules_that_name_nothing_are_refused():
    with pytest.raises(CompilationError, match="could never fail"):
        failing_rows("rules_hold")


def test_a_key_fails_for_a_repeated_value_and_for_a_null():
    assert failing_rows("unique_combination", columns=["line_id"]) == [("L3", 2)]
    found = failing_rows("unique_combination", columns=["line_id", "quantity"])
    assert sorted(found, key=str) == [("L2", None, 1), ("L3", 1, 2)]
