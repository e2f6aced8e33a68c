"""Versions and parcels of the sample shop beside what its generator planted and counted."""

import csv

import pytest

from tests.shared import TRUTH


def rows_of(name: str) -> list[dict[str, str]]:
    with (TRUTH / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def defects(outcome: str) -> list[dict[str, str]]:
    found = [row for row in rows_of("planted_defects.csv") if row["outcome"] == outcome]
    assert found, f"the sample shop plants nothing that ends as {outcome}"
    return found


@pytest.mark.parametrize(
    ("outcome", "condition"),
    [
        ("superseded", "_version_rank > 1"),
        ("deleted", "_version_rank = 1 and is_deleted"),
        ("staged", "_version_rank = 1 and not is_deleted"),
    ],
)
def test_every_other_planted_row_ends_where_it_must(sample_shop, outcome, condition) -> None:
    wrong = []
    for table in {row["table"] for row in defects(outcome)}:
        found = sample_shop.warehouse.query(
            f"select _key, _source from staging.base_{table} where {condition}"
        )
        wrong += [
            row
            for row in defects(outcome)
            if row["table"] == table and (row["key"], row["file"]) not in set(found)
        ]
    assert wrong == []


def test_parcels_delivered_and_late_are_those_of_the_truth(sample_shop) -> None:
    found = sample_shop.warehouse.query(
        """
        select carrier, service_level,
            count(*) filter (where delivered_date is not null),
            count(*) filter (where days_late > 0)
        from marts.fct_deliveries group by all
        """
    )
    assert {row[:2]: row[2:] for row in found} == {
        (row["carrier"], row["service_level"]): (int(row["delivered"]), int(row["late"]))
        for row in rows_of("lateness.csv")
    }
