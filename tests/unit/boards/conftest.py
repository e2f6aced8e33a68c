"""A published copy small enough to count by hand, and a board over it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.boards.reading import Night
from orchestration.boards.specification import Board, load_board

BOARD = """
title: Orders
question: How many?
readers: everyone
place: 1
filters:
  - name: country
    label: Country
    options: select 'all' as value, 'All' as label union all select 'GB', 'Britain' order by value desc
sections:
  - title: Numbers
    charts:
      - id: orders
        kind: number
        title: Orders
        unit: orders
        definition: {metric: orders, variant: all, text: Counted once.}
        options: {better: higher}
        sql: |
          select sum(orders) as value, 40 as before, 'in May' as before_period
          from fct_orders where $country = 'all' or country = $country
      - id: members
        kind: number
        title: Members
        unit: members
        definition: People who pay.
        sql: select sum(members) as value from fct_members
      - id: parcels
        kind: number
        title: Parcels
        unit: parcels
        definition: Boxes.
        sql: select count(*) as value from fct_parcels
"""


class MemoryCopy:
    """A copy that lives in memory, asked like a published file."""

    label = "20260101T000000_abc"

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("create schema marts; set schema = 'marts'")

    def query(
        self, sql: str, parameters: Mapping[str, str]
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        used = {name: value for name, value in parameters.items() if f"${name}" in sql}
        result = self.connection.execute(sql, used or None)
        return [column[0] for column in result.description or []], result.fetchall()


@pytest.fixture
def copy() -> MemoryCopy:
    made = MemoryCopy()
    for sql in (
        "create table publication as select date '2026-05-31' as as_of_date",
        "create table fct_orders as select * from (values ('GB', 30), ('US', 20)) t (country, orders)",
        "create table fct_members (members integer)",
        "create table dim_metrics as select 'orders' as metric, 'all' as variant, 'Orders paid.' as definition",
        "create table fct_mart_status as select 'fct_members' as mart_name, "
        "'memberships' as missing_sources, false as has_data",
    ):
        made.connection.execute(sql)
    return made


@pytest.fixture
def night(copy: MemoryCopy) -> Night:
    return Night(copy)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return board_of(tmp_path, BOARD)


def board_of(directory: Path, text: str) -> Board:
    file = directory / "orders.yml"
    file.write_text(text)
    return load_board(file)
