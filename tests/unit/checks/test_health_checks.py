"""What the checks of the deliveries say of the findings of a night."""

import dagster as dg
import pytest

from orchestration.checks.health import DATA_QUALITY, NO_LOST_ORDERS, data_quality_checks
from orchestration.resources.places import warehouse_of
from orchestration.settings import from_environment

COLUMNS = "check_name, source_table, status, severity, finding, failing_rows, since_date, is_newest"


@pytest.fixture
def judge(tmp_path):
    """Run the checks on findings given as rows of `COLUMNS`; returns each check's evaluation."""
    warehouse = warehouse_of(from_environment({"RETENTION_DATA": str(tmp_path)}))

    def run(*rows: str) -> dict[str, dg.AssetCheckEvaluation]:
        with warehouse.writing("findings of a test") as connection:
            connection.execute("create schema if not exists marts")
            connection.execute(
                "create table marts.fct_data_quality as select * from "
                f"(values {', '.join(rows)}) as findings ({COLUMNS})"
            )

        @dg.asset(key=DATA_QUALITY)
        def findings(): ...

        # A gate that closes ends the run, after it has said why.
        result = dg.materialize(
            [findings, data_quality_checks],
            resources={"warehouse": warehouse},
            raise_on_error=False,
        )
        return {each.check_name: each for each in result.get_asset_check_evaluations()}

    return run


def row(check: str, source: str, status: str, severity: str | None = None, newest=True) -> str:
    said = f"'{severity}'" if severity else "null"
    return (
        f"('{check}', '{source}', '{status}', {said}, '{source} is odd', 5, date '2025-03-30', "
        f"{'true' if newest else 'false'})"
    )


def test_all_is_well_where_every_newest_finding_passed(judge):
    found = judge(
        row("freshness", "orders", "passed"),
        row("volume", "orders", "warned", "warn", newest=False),
        row("schema", "products", "not_judged"),
    )
    assert len(found) == 5
    assert all(each.passed for each in found.values())
    unjudged = found["no_delivery_changed_its_columns"].metadata["not judged yet"].value
    assert unjudged == "products"


def test_a_warning_names_its_sources_and_a_failure_among_them_makes_it_an_error(judge):
    found = judge(
        row("freshness", "returns", "warned", "warn"),
        row("freshness", "refunds", "failed", "error"),
        row("volume", "orders", "warned", "warn"),
    )
    late = found["every_source_is_fresh"]
    assert (late.passed, late.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert late.description == "refunds: refunds is odd; returns: returns is odd"
    assert late.metadata["failing rows"].value == 10
    odd = found["every_source_brought_its_usual_rows"]
    assert (odd.passed, odd.severity) == (False, dg.AssetCheckSeverity.WARN)


def test_only_orders_that_lie_in_quarantine_keep_the_night_from_being_published(judge):
    [gate] = [spec for spec in data_quality_checks.check_specs if spec.blocking]
    assert gate.name == NO_LOST_ORDERS
    found = judge(row("quarantine", "orders", "failed", "block"))
    assert not found[NO_LOST_ORDERS].passed


def test_a_source_over_its_limit_alone_keeps_nothing_back(judge):
    found = judge(row("quarantine", "returns", "failed", "error"))
    assert found[NO_LOST_ORDERS].passed
    assert not found["no_source_fills_the_quarantine"].passed
