"""The PostgreSQL copy on a server of its own: what it holds, who may read it, and what its readers see meanwhile."""

import itertools
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from conftest import Shop

from orchestration.assets.postgres import postgres_assets
from orchestration.resources.dbt_manifest import PublicTable
from orchestration.resources.postgres import Filled, publish_to_postgres
from orchestration.resources.progress import SilentProgress
from orchestration.resources.serving import PostgresError, ServingFolder
from orchestration.resources.warehouse import Night, open_engine
from orchestration.settings import from_environment
from tests.integration.reading.throwaway_postgres import running_postgres, server_programs

pytestmark = pytest.mark.skipif(
    server_programs() is None, reason="no PostgreSQL server programs on this machine"
)
NIGHTS = (date(2025, 12, 29), date(2025, 12, 30), date(2025, 12, 31))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_postgres() as conninfo:
        yield conninfo


def empty_database(server: str, number: int) -> str:
    with psycopg.connect(server, autocommit=True) as owner:
        owner.execute(f"create database shop_{number}")
    return server.replace("dbname=postgres", f"dbname=shop_{number}")


@pytest.fixture
def database(server: str, counter: Iterator[int]) -> str:
    """An empty database; the reader's role belongs to the server and stays."""
    return empty_database(server, next(counter))


@pytest.fixture(scope="module")
def counter() -> Iterator[int]:
    return itertools.count()


@pytest.fixture(scope="module")
def sample_database(server: str, counter: Iterator[int], sample_shop: Shop) -> tuple[str, Filled]:
    """The sample shop's night in PostgreSQL, for those who only read it."""
    database = empty_database(server, next(counter))
    return database, publish_to_postgres(sample_shop.serving, database)


def as_reader(database: str) -> psycopg.Connection:
    return psycopg.connect(database.replace("user=owner", "user=bi_reader"), autocommit=True)


@pytest.fixture
def folder(tmp_path: Path) -> ServingFolder:
    return ServingFolder(tmp_path / "serving", keep=5)


def published_night(folder: ServingFolder, tmp_path: Path, night: date, **columns: str) -> None:
    """Two tables of 5,000 rows in which every row names the night, and so must every row of both."""
    columns = {"amount": "cast(range as decimal(18, 2))", **columns}
    warehouse = tmp_path / f"{night}_{len(list(tmp_path.iterdir()))}.duckdb"
    with open_engine(warehouse) as connection:
        connection.execute("create schema marts")
        for name in ("fct_orders", "fct_refunds"):
            listed = ", ".join(
                f"{expression} as {column}" for column, expression in columns.items()
            )
            connection.execute(
                f"create table marts.{name} as "
                f"select {listed}, date '{night}' as as_of_date from range(5000)"
            )
    tables = [
        PublicTable(name, (*columns, "as_of_date"), f"About {name}.", (("amount", "It's money."),))
        for name in ("fct_orders", "fct_refunds")
    ]
    folder.publish(warehouse, tables, Night(f"run-{night}", night, "UTC"))


def test_the_copy_holds_the_published_night_value_for_value(sample_shop, sample_database):
    database, filled = sample_database
    publication = sample_shop.serving.current()
    assert (filled.as_of_date, filled.rows) == (publication.as_of_date, publication.rows + 1)

    # Decimals, moments and flags; free text; doubles and NULLs.
    with as_reader(database) as reader:
        for table in ("fct_orders", "published_benchmarks", "fct_customer_value"):
            names, expected = sample_shop.serving.query(f"select * from {table}")
            found = reader.execute(f"select * from {table}")
            assert [column.name for column in found.description or []] == names
            assert sorted(found.fetchall(), key=str) == sorted(expected, key=str)


def test_decimals_stay_exact_and_words_come_along(sample_shop, sample_database):
    with as_reader(sample_database[0]) as reader:
        [(data_type, table_words, column_words)] = reader.execute("""
            select format_type(atttypid, atttypmod), obj_description('fct_orders'::regclass),
                col_description('fct_orders'::regclass, attnum)
            from pg_attribute where attrelid = 'fct_orders'::regclass and attname = 'net_amount'
        """).fetchall()
        [(total,)] = reader.execute(
            "select sum(net_amount) from fct_orders where is_sale"
        ).fetchall()
    assert data_type == "numeric(18,2)"
    assert table_words.startswith("One row per order")
    assert column_words.startswith("Items minus discounts minus refunds")
    _, [(expected,)] = sample_shop.serving.query(
        "select sum(net_amount) from fct_orders where is_sale"
    )
    assert isinstance(total, Decimal)
    assert total == expected


def test_empty_text_null_and_odd_characters_survive(folder, tmp_path, database):
    word = """case range % 4 when 0 then '' when 1 then 'a "b", c' || chr(10) || 'd\\N' when 2 then 'é€' end"""
    published_night(folder, tmp_path, NIGHTS[0], word=word)
    publish_to_postgres(folder, database)
    with as_reader(database) as reader:
        found = reader.execute("select distinct word from fct_orders").fetchall()
    assert set(found) == {("",), ('a "b", c\nd\\N',), ("é€",), (None,)}


@pytest.mark.parametrize(
    "statement",
    [
        "create table marts.mine (n integer)",
        "create table public.mine (n integer)",
        "create temporary table mine (n integer)",
        "create schema mine",
        "insert into marts.fct_orders (amount) values (1)",
        "delete from marts.fct_orders",
        "truncate marts.fct_orders",
        "select * from private.secrets",
        "select * from public.notes",
    ],
)
def test_the_reader_can_read_the_marts_and_do_nothing_else(folder, tmp_path, database, statement):
    with psycopg.connect(database) as owner:
        owner.execute("create schema private; create table private.secrets (n integer)")
        owner.execute("create table public.notes (n integer)")
    published_night(folder, tmp_path, NIGHTS[0])
    publish_to_postgres(folder, database)
    with as_reader(database) as reader:
        assert reader.execute("select count(*) from fct_orders").fetchone() == (5000,)
        # A setting that a reader can change is no fence, so it is out of the way here.
        reader.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement)


def test_a_session_of_the_reader_starts_read_only_repeatable_and_with_a_time_limit(
    folder, tmp_path, database
):
    published_night(folder, tmp_path, NIGHTS[0])
    publish_to_postgres(folder, database)
    with as_reader(database) as reader:
        found = {
            name: reader.execute(f"show {name}").fetchone()
            for name in (
                "transaction_read_only",
                "transaction_isolation",
                "statement_timeout",
                "search_path",
            )
        }
    assert found == {
        "transaction_read_only": ("on",),
        "transaction_isolation": ("repeatable read",),
        "statement_timeout": ("1min",),
        "search_path": ("marts",),
    }


def test_an_owner_who_may_make_no_roles_is_told_what_to_have_run_once(
    server, folder, tmp_path, database
):
    name = database.split("dbname=")[1]
    with psycopg.connect(server, autocommit=True) as superuser:
        superuser.execute(f"create role plain_{name} login")
        superuser.execute(f"alter database {name} owner to plain_{name}")
    plain = database.replace("user=owner", f"user=plain_{name}")
    published_night(folder, tmp_path, NIGHTS[0])
    with pytest.raises(PostgresError, match="a superuser must once run") as refused:
        publish_to_postgres(folder, plain)
    statements = str(refused.value).split("in this database: ")[1]
    with psycopg.connect(database, autocommit=True) as superuser:
        superuser.execute(statements)
    publish_to_postgres(folder, plain)
    with as_reader(database) as reader:
        assert reader.execute("show statement_timeout").fetchone() == ("1min",)
        assert reader.execute("select count(*) from fct_orders").fetchone() == (5000,)


def test_a_reader_with_somebody_elses_grant_is_refused_and_the_old_night_stands(
    folder, tmp_path, database
):
    published_night(folder, tmp_path, NIGHTS[0])
    publish_to_postgres(folder, database)
    with psycopg.connect(database) as owner:
        owner.execute("create schema private; create table private.secrets (n integer)")
        owner.execute("grant usage on schema private to bi_reader")
        owner.execute("grant select on private.secrets to bi_reader")
    published_night(folder, tmp_path, NIGHTS[1])
    with pytest.raises(PostgresError, match=r"it may select private\.secrets"):
        publish_to_postgres(folder, database)
    with as_reader(database) as reader:
        assert reader.execute("select distinct as_of_date from fct_orders").fetchall() == [
            (NIGHTS[0],)
        ]


def test_readers_through_three_publishes_see_no_error_and_no_torn_night(folder, tmp_path, database):
    published_night(folder, tmp_path, NIGHTS[0])
    publish_to_postgres(folder, database)
    seen: list[set] = []
    errors: list[Exception] = []
    done = threading.Event()

    def refresh_boards() -> None:
        """One connection for good, as a pool has it; each refresh is four questions in one transaction."""
        try:
            with as_reader(database) as reader:
                while not done.is_set():
                    with reader.transaction():
                        night: set = set()
                        for table in ("fct_orders", "fct_refunds", "publication", "fct_orders"):
                            night |= set(
                                reader.execute(
                                    f"select distinct as_of_date from {table}"
                                ).fetchall()
                            )
                        [(rows,)] = reader.execute("select count(*) from fct_refunds").fetchall()
                    seen.append(night | {rows})
        except Exception as error:
            errors.append(error)

    readers = [threading.Thread(target=refresh_boards) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(3):
        # The last one has a column more: the shape of a table changes under its readers too.
        extra = {"unit_count": "cast(1 as bigint)"} if number == 2 else {}
        published_night(folder, tmp_path, NIGHTS[number], **extra)
        publish_to_postgres(folder, database)
    done.wait(0.5)
    done.set()
    for reader in readers:
        reader.join()
    assert errors == []
    assert len(seen) > 20
    assert {frozenset(night) for night in seen} == {frozenset({(night,), 5000}) for night in NIGHTS}


def test_a_reader_who_holds_a_table_through_a_change_of_shape_stops_the_publish_and_not_the_others(
    folder, tmp_path, database, monkeypatch
):
    published_night(folder, tmp_path, NIGHTS[0])
    publish_to_postgres(folder, database)
    monkeypatch.setattr("orchestration.resources.postgres.LOCK_TIMEOUT", "200ms")
    published_night(folder, tmp_path, NIGHTS[1], unit_count="1")
    with as_reader(database) as holding, as_reader(database) as other:
        with holding.transaction():
            holding.execute("select count(*) from fct_orders")
            with pytest.raises(PostgresError, match="lock timeout"):
                publish_to_postgres(folder, database)
        assert other.execute("select distinct as_of_date from fct_orders").fetchall() == [
            (NIGHTS[0],)
        ]
    publish_to_postgres(folder, database)


def test_columns_that_changed_their_type_and_tables_that_left_follow_the_night(
    folder, tmp_path, database
):
    published_night(folder, tmp_path, NIGHTS[0], unit_count="cast(1 as integer)", gone="1")
    publish_to_postgres(folder, database)
    with psycopg.connect(database) as owner:
        owner.execute("alter table marts.fct_refunds rename to fct_former")
        owner.execute("create table marts.of_somebody_else (n integer)")
    published_night(folder, tmp_path, NIGHTS[1], unit_count="cast(1 as bigint)")
    publish_to_postgres(folder, database)
    with as_reader(database) as reader:
        types = reader.execute("""
            select column_name, data_type from information_schema.columns
            where table_name = 'fct_orders' order by column_name
        """).fetchall()
        tables = reader.execute(
            "select tablename from pg_tables where schemaname = 'marts'"
        ).fetchall()
    assert types == [
        ("amount", "numeric"),
        ("as_of_date", "date"),
        ("published_run_id", "text"),
        ("unit_count", "bigint"),
    ]
    assert sorted(tables) == [
        ("fct_orders",),
        ("fct_refunds",),
        ("of_somebody_else",),
        ("publication",),
    ]


def test_a_type_that_postgres_has_no_word_for_is_named(folder, tmp_path, database):
    published_night(folder, tmp_path, NIGHTS[0], tags="['a']")
    with pytest.raises(PostgresError, match=r"fct_orders\.tags has the type VARCHAR\[\]"):
        publish_to_postgres(folder, database)


def test_a_server_that_is_not_there_is_told_without_the_password(sample_shop: Shop, tmp_path):
    outcome = sample_shop.retention(
        "publish-postgres", RETENTION_POSTGRES=f"postgresql://me:hush@/shop?host={tmp_path}"
    )
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("Error: PostgreSQL did not answer")
    assert "hush" not in outcome.stdout + outcome.stderr


def test_the_step_of_the_night_fills_the_copy_and_tells_why_it_could_not(
    folder, tmp_path, database, own_environment
):
    published_night(folder, tmp_path, NIGHTS[0])
    resources = {"serving": folder, "progress": SilentProgress()}

    def step_with(conninfo: str) -> dg.ExecuteInProcessResult:
        settings = from_environment(
            {"RETENTION_DATA": str(tmp_path), "RETENTION_POSTGRES": conninfo}
        )
        assets = postgres_assets(settings, owner="team:data-engineering")
        upstream = dg.AssetSpec(["serving", "publication"])
        return dg.materialize([*assets, upstream], resources=resources, raise_on_error=False)

    outcome = step_with(database)
    assert outcome.success
    [made] = outcome.asset_materializations_for_node("postgres")
    assert made.metadata["dagster/row_count"].value == 10_001
    [failure] = step_with(f"host={tmp_path} dbname=shop").get_failed_step_keys()
    assert failure == "postgres"
