"""The DuckDB copy as BI tools open it: SQLAlchemy on the pointer, read-only, across publishes."""

import threading
from datetime import date
from pathlib import Path

import pytest
from conftest import Shop
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from orchestration.resources.dbt_manifest import PublicTable
from orchestration.resources.serving import ServingFolder
from orchestration.resources.warehouse import Night, open_engine

TABLES = [PublicTable(name, ("amount", "as_of_date")) for name in ("fct_orders", "fct_refunds")]


def engine_on(folder: ServingFolder, **options: object) -> Engine:
    return create_engine(f"duckdb:///{folder.pointer}", connect_args={"read_only": True}, **options)


@pytest.fixture
def folder(tmp_path: Path) -> ServingFolder:
    return ServingFolder(tmp_path / "serving", keep=2)


def publish(folder: ServingFolder, night: date) -> None:
    """Two tables in which every row names the night."""
    warehouse = folder.directory.parent / f"warehouse_{night}.duckdb"
    with open_engine(warehouse) as connection:
        connection.execute("create schema marts")
        for table in TABLES:
            connection.execute(
                f"create table marts.{table.name} as select cast(range as decimal(18, 2)) as amount, "
                f"date '{night}' as as_of_date from range(2000)"
            )
    folder.publish(warehouse, TABLES, Night(f"run-{night}", night, "UTC"))


def board(engine: Engine) -> frozenset[date]:
    """The nights that one refresh of a board shows: one connection, three questions."""
    seen: set[date] = set()
    with engine.connect() as connection:
        for table in ("fct_orders", "fct_refunds", "publication"):
            seen |= set(
                connection.execute(text(f"select distinct as_of_date from marts.{table}")).scalars()
            )
    return frozenset(seen)


def test_boards_without_a_pool_see_each_new_night_whole_and_no_error(folder):
    nights = [date(2025, 12, day) for day in (28, 29, 30, 31)]
    publish(folder, nights[0])
    engine = engine_on(folder, poolclass=NullPool)
    seen: list[frozenset[date]] = []
    errors: list[Exception] = []
    done = threading.Event()

    def refresh() -> None:
        while not done.is_set():
            try:
                seen.append(board(engine))
            except Exception as error:
                errors.append(error)

    readers = [threading.Thread(target=refresh) for _ in range(2)]
    for reader in readers:
        reader.start()
    # A reader that has the old night open while the new one comes must not hold the others to it.
    for night in nights[1:]:
        with engine.connect() as held:
            publish(folder, night)
            rows = held.execute(text("select count(*) from marts.fct_orders")).scalar_one()
            assert rows == 2000
    done.wait(0.5)
    done.set()
    for reader in readers:
        reader.join()
    assert errors == []
    assert {len(night) for night in seen} == {1}
    assert set().union(*seen) == set(nights)
    assert board(engine) == {nights[-1]}


def test_a_pool_shows_the_old_night_until_it_is_disposed_of(folder):
    """Why docs/bi.md asks for NullPool: a kept connection never learns of a publish."""
    first, second = date(2025, 12, 30), date(2025, 12, 31)
    publish(folder, first)
    engine = engine_on(folder)
    assert board(engine) == {first}
    publish(folder, second)
    assert board(engine) == {first}
    engine.dispose()
    assert board(engine) == {second}


def test_tables_columns_and_words_are_reflected(sample_shop: Shop):
    inspector = inspect(engine_on(sample_shop.serving, poolclass=NullPool))
    published = {table.name for table in sample_shop.serving.current().tables}
    assert set(inspector.get_table_names(schema="marts")) == published | {"publication"}
    columns = {
        column["name"]: column for column in inspector.get_columns("fct_orders", schema="marts")
    }
    assert (columns["net_amount"]["type"].precision, columns["net_amount"]["type"].scale) == (18, 2)
    assert columns["is_valid_order"]["type"].python_type is bool
    assert columns["ordered_date"]["type"].python_type is date


def test_a_number_read_through_sqlalchemy_is_the_number_of_the_copy(sample_shop: Shop):
    question = "select sum(net_amount) from marts.fct_orders where is_valid_order"
    with engine_on(sample_shop.serving, poolclass=NullPool).connect() as connection:
        found = connection.execute(text(question)).scalar_one()
    _, [(expected,)] = sample_shop.serving.query(question)
    assert found == expected
