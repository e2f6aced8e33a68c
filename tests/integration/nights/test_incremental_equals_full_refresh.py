"""A warehouse that grew night by night equals one built at once from the same deliveries, row for row.

Batches arrive in random order of meaning (random_deliveries.py); tables that grow by delivery must not show it.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.resources.landing import Landing
from tests.integration.nights.random_deliveries import RandomShop, write_csv
from tests.integration.staged_shop import StagedShop

NIGHTS = 3
MODELS = ("--select", "+int_orders__valued", "+quarantine_rows")
FIRST_NIGHT = datetime(2025, 12, 1, 3, tzinfo=UTC)


class GrowingShop:
    """Deliveries of one seed, and what each night could see of the lines."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.landing = Landing(directory, clock=self._now)
        self.grown = StagedShop(directory / "grown")
        self.rebuilt = StagedShop(directory / "rebuilt")
        self.night = 0
        self.staged_lines: list[set[str]] = []
        self.quarantined_lines: list[set[str]] = []
        for self.night, tables in enumerate(RandomShop(seed).nights(NIGHTS)):
            for table, rows in tables.items():
                name = f"{table}_{self.night}.csv"
                self.landing.deliver(write_csv(directory / name, rows))
            self._build(self.grown)
            self._remember_lines()
        self._build(self.rebuilt, "--full-refresh")

    def _now(self) -> datetime:
        return FIRST_NIGHT + timedelta(days=self.night)

    def _build(self, shop: StagedShop, *arguments: str) -> None:
        shop.show_landing(self.landing.relations())
        shop.build("run", *MODELS, *arguments)

    def _remember_lines(self) -> None:
        staged = self.grown.rows("select order_line_id as id from staging.stg_order_lines")
        quarantined = self.grown.rows(
            "select source_key as id from quarantine.rows where source_table = 'order_lines' "
            "and reasons = 'order_id has no row in orders'"
        )
        self.staged_lines.append({row["id"] for row in staged})
        self.quarantined_lines.append({row["id"] for row in quarantined})


@pytest.fixture(scope="module", params=[1, 2], ids="seed {}".format)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> GrowingShop:
    return GrowingShop(request.param, tmp_path_factory.mktemp("growing"))


def test_every_table_is_the_same_row_for_row(shop: GrowingShop) -> None:
    tables = shop.rebuilt.rows(
        """
        select
            table_schema || '.' || table_name as name,
            string_agg(column_name, ', ' order by column_name) as columns
        from information_schema.columns
        where table_schema in ('staging', 'quarantine', 'intermediate')
        group by 1
        """
    )
    names = {table["name"] for table in tables}
    assert {"staging.base_orders", "staging.stg_refunds", "quarantine.rows"} <= names
    assert {"intermediate.int_orders__lines", "intermediate.int_orders__valued"} <= names
    different = {}
    for table in tables:
        sql = f"select {table['columns']} from {table['name']}"
        grown, rebuilt = (
            Counter(tuple(row.values()) for row in one.rows(sql))
            for one in (shop.grown, shop.rebuilt)
        )
        if grown != rebuilt:
            different[table["name"]] = (list(grown - rebuilt)[:3], list(rebuilt - grown)[:3])
    assert different == {}


def test_no_landed_row_is_lost_or_doubled(shop: GrowingShop) -> None:
    for table in shop.landing.contract.table_names:
        landed = sum(batch.rows for batch in shop.landing.batches(table))
        (kept,) = shop.grown.rows(
            f"select count(*) as total, count(distinct (_batch_id, _row_number)) as different "
            f"from staging.base_{table}"
        )
        assert kept == {"total": landed, "different": landed}


def test_the_nights_held_what_the_comparison_is_for(shop: GrowingShop) -> None:
    """Without these the tables would be the same for want of anything to get wrong."""
    steps = list(zip(shop.staged_lines, shop.staged_lines[1:], strict=False))
    adopted = shop.quarantined_lines[0] & shop.staged_lines[-1]
    assert adopted, "no line waited for its order"
    assert any(before - after for before, after in steps), "no staged line lost its order"
    (counts,) = shop.grown.rows(
        """
        select
            count(*) filter (where _version_rank > 1) as superseded,
            count(*) filter (where _version_rank = 1 and is_deleted) as deleted,
            count(*) filter (where _problems is not null) as broken
        from staging.base_orders
        """
    )
    assert min(counts.values()) > 0


def test_a_contract_that_has_grown_stops_the_night_until_all_deliveries_are_read_again(
    tmp_path: Path,
) -> None:
    shop = StagedShop(tmp_path)
    shop.land("experiments", [{"experiment_id": "X1", "name": "A holdout"}])
    shop.build("run", "--select", "base_experiments")
    with shop.connect() as warehouse:
        # As a version kept it whose contract did not know the column yet.
        warehouse.execute("alter table staging.base_experiments drop column campaign_id")
    with pytest.raises(AssertionError, match=r"has grown by campaign_id.*--full-refresh"):
        shop.build("run", "--select", "base_experiments")
    shop.build("run", "--select", "base_experiments", "--full-refresh")
    assert shop.rows("select experiment_id, campaign_id from staging.base_experiments") == [
        {"experiment_id": "X1", "campaign_id": None}
    ]
