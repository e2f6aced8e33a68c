"""What staging makes of a delivery, case by case; the cases stand in staging_cases.yml.

dbt's own unit tests cannot hold these: they hide the contract from which the staging macros write their SQL.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.staged_shop import StagedShop

CASES: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("staging_cases.yml").read_text(encoding="utf-8")
)
DEFAULTS = {
    "_batch_id": "b1",
    "_loaded_at": "2025-12-01 00:00:00",
    "_is_deleted": False,
    "_date_order": "ymd",
    "_timezone": "UTC",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> StagedShop:
    """All cases landed together and staged once: each case has keys of its own and names itself as `_source`."""
    shop = StagedShop(tmp_path_factory.mktemp("staging"))
    for case in CASES:
        for table, rows in case["given"].items():
            shop.land(
                table,
                [
                    DEFAULTS | {"_source": case["case"], "_row_number": number} | row
                    for number, row in enumerate(rows, start=1)
                ],
            )
    # What Python writes in a night is not there.
    written = ["models/staging/scores", "models/staging/night"]
    shop.build("run", "--select", "models/staging", "--exclude", *written)
    return shop


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_staging(shop: StagedShop, case: dict[str, Any]) -> None:
    place = case["look_at"]
    table = place if "." in place else f"staging.{place}"
    source = "source_file" if place == "quarantine.rows" else "_source"
    columns = list(case["expect"][0])
    found = shop.rows(f"select {', '.join(columns)} from {table} where {source} = '{case['case']}'")
    assert _in_order(found) == _in_order(case["expect"])


@pytest.mark.parametrize("table", sorted({table for case in CASES for table in case["given"]}))
def test_no_two_cases_share_a_key(shop: StagedShop, table: str) -> None:
    shared = shop.rows(
        f"select _key from staging.base_{table} where _key is not null "
        "group by 1 having count(distinct _source) > 1"
    )
    assert shared == []


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, str | None]]:
    """Rows as comparable text, sorted: numbers without their trailing zeros, times as ISO."""
    return sorted(({name: _as_text(value) for name, value in row.items()} for row in rows), key=str)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    text = str(value)
    if text.replace(".", "", 1).lstrip("-").isdigit() and "." in text:
        return text.rstrip("0").rstrip(".")
    return text.rstrip("0") if text.count(":") == 2 and "." in text else text
