"""Deliveries as batches: what is taken, what is refused with which words, what is kept of it."""

import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow
import pyarrow.parquet
import pytest

from orchestration.contract import load_contract
from orchestration.resources.landing import (
    Delivery,
    DeliveryRefused,
    Landing,
    Refusal,
    store,
)

ORDERS = "order_id,email,ordered_at,total_amount\nO1,a@example.org,2025-03-04 10:00:00,12.50\n"
NIGHT = datetime(2025, 12, 1, 3, 30, tzinfo=UTC)


@pytest.fixture
def data(tmp_path) -> Path:
    (tmp_path / "data" / "inbox").mkdir(parents=True)
    return tmp_path / "data"


@pytest.fixture
def landing(data) -> Landing:
    return Landing(data, clock=lambda: NIGHT)


def drop(data: Path, name: str, content: str | bytes = ORDERS) -> Path:
    path = data / "inbox" / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(landing: Landing, columns: str, table: str = "orders") -> list[tuple]:
    relation = landing.relation_sql(table)
    return duckdb.sql(
        f"select {columns} from ({relation}) order by _batch_id, _row_number"
    ).fetchall()


def refusal_of(landing: Landing, path: Path, table: str | None = None) -> str:
    with pytest.raises(DeliveryRefused) as refused:
        landing.deliver(path, table)
    return str(refused.value)


# Batches


def test_a_delivery_becomes_a_batch_with_a_manifest_that_says_what_came(data, landing):
    content = ORDERS.encode()
    (delivery,) = (landing.deliver(drop(data, "orders.csv")),)
    assert delivery.is_new
    manifest = json.loads(
        (data / "landing" / "orders" / f"{delivery.manifest.batch_id}.json").read_text()
    )
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert (manifest["file"], manifest["bytes"]) == ("orders.csv", len(content))
    assert (manifest["rows"], manifest["loaded_at"]) == (1, "2025-12-01T03:30:00")
    assert (manifest["connector"], manifest["encoding"]) == ("contract", "utf-8")
    assert landing.batches("orders") == [delivery.manifest]
    assert Landing(data).batches("orders") == [delivery.manifest]


def test_a_batch_cannot_be_written_to(data, landing):
    delivery = landing.deliver(drop(data, "orders.csv"))
    assert landing.batch_path(delivery.manifest).stat().st_mode & 0o222 == 0


def test_batch_ids_rise_in_order_of_arrival_over_all_tables_even_when_the_clock_stands_or_goes_back(
    data,
):
    times = iter([NIGHT, NIGHT, NIGHT - timedelta(days=1)])
    landing = Landing(data, clock=lambda: next(times))
    files = [
        drop(data, "orders_1.csv"),
        drop(data, "customers.csv", "customer_id\nC1\n"),
        drop(data, "orders_2.csv", ORDERS.replace("O1", "O2")),
    ]
    batch_ids = [landing.deliver(path).manifest.batch_id for path in files]
    assert batch_ids == sorted(set(batch_ids))
    assert rows(landing, "order_id") == [("O1",), ("O2",)]


def test_the_same_content_is_one_delivery_under_any_name(data, landing):
    landing.deliver(drop(data, "orders.csv"))
    again = landing.deliver(drop(data, "orders_again.csv"))
    assert not again.is_new
    assert "already delivered" in again.message
    assert rows(landing, "order_id") == [("O1",)]


def test_the_same_content_for_another_table_is_another_delivery(data, landing):
    content = (
        "membership_id,customer_id,joined_at,usage_id,benefit_code,used_at\n"
        "M1,C1,2025-01-01,U1,shipping,2025-01-01\n"
    )
    drop(data, "memberships.csv", content)
    drop(data, "membership_benefit_usage.csv", content)
    assert [result.is_new for result in landing.deliver_inbox()] == [True, True]


def test_a_file_that_is_changed_under_its_name_is_a_new_delivery(data, landing):
    landing.deliver(drop(data, "orders.csv"))
    assert landing.deliver(drop(data, "orders.csv", ORDERS.replace("O1", "O2"))).is_new
    assert rows(landing, "order_id") == [("O1",), ("O2",)]


def test_a_batch_without_a_manifest_does_not_count(data, landing):
    delivery = landing.deliver(drop(data, "orders.csv"))
    landing.batch_path(delivery.manifest).with_suffix(".json").unlink()
    restarted = Landing(data)
    assert restarted.batches("orders") == []
    assert restarted.deliver(data / "inbox" / "orders.csv").is_new


def test_nothing_is_left_behind_of_a_refused_file(data, landing):
    refusal_of(landing, drop(data, "orders.csv", "order_id,email\nO1,a\n"))
    assert [path for path in (data / "landing").rglob("*")] == []


# The inbox


def test_the_inbox_is_taken_by_name_and_hidden_unfinished_and_nested_files_are_left(data, landing):
    drop(data, "orders_b.csv", ORDERS.replace("O1", "O2"))
    drop(data, "orders_a.csv")
    for name in (".orders.csv", "orders.csv.part", "orders.csv.tmp"):
        drop(data, name)
    (data / "inbox" / "archive").mkdir()
    results = landing.deliver_inbox()
    assert [result.manifest.file for result in results] == ["orders_a.csv", "orders_b.csv"]


def test_a_missing_inbox_is_an_empty_one(tmp_path):
    assert Landing(tmp_path / "nowhere").deliver_inbox() == []


def test_another_folder_may_be_taken_as_the_inbox(data, landing, tmp_path):
    (tmp_path / "orders.csv").write_text(ORDERS)
    (result,) = landing.deliver_inbox(tmp_path)
    assert isinstance(result, Delivery)


def test_a_refused_file_stops_no_other_is_told_every_night_and_taken_once_repaired(data, landing):
    bad = drop(data, "orders_1.csv", "order_id,email,total_amount\nO1,a,1\n")
    drop(data, "orders_2.csv")
    for is_first_night in (True, False):
        refusal, delivery = landing.deliver_inbox()
        assert isinstance(refusal, Refusal)
        assert (refusal.file, refusal.table) == ("orders_1.csv", "orders")
        assert "lacks the required column ordered_at" in refusal.message
        assert delivery.is_new == is_first_night
    assert bad.exists()
    drop(data, "orders_1.csv", ORDERS.replace("O1", "O3"))
    assert landing.deliver_inbox()[0].is_new


def test_new_files_are_those_that_are_not_in_landing_yet(data, landing):
    first, second = drop(data, "orders_1.csv"), drop(data, "orders_2.csv", "no header at all")
    assert landing.new_files() == [first, second]
    landing.deliver_inbox()
    assert landing.new_files() == [second]


# Refusals


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "orders.csv",
            "order_no,email,ordered_at,total_amount\n",
            "orders.csv lacks the required column order_id (it has: order_no, email, ordered_at, "
            "total_amount). Rename order_no to order_id in the export, or load the file through a "
            "connector: retention load <connector> orders.csv.",
        ),
        (
            "orders.csv",
            "order_id,ordered_at,total_amount\n",
            "orders.csv lacks one of the columns customer_id or email (it has: order_id, "
            "ordered_at, total_amount).",
        ),
        ("orders.csv", "", "orders.csv is empty."),
        ("orders.csv", "\n\n", "orders.csv has no header."),
        ("orders.csv", ",,,\n1,2,3,4\n", "orders.csv has no header."),
        (
            "orders.csv",
            "Order ID,order_id,email,ordered_at,total_amount\n",
            "orders.csv has the column order_id 2 times. Keep one of them",
        ),
        (
            "export.csv",
            ORDERS,
            "export.csv does not say which table it holds. Rename it so that it starts with one "
            "of campaigns, community_events,",
        ),
        ("orders.xlsx", b"PK\x03\x04", "orders.xlsx has a form that is not read (.xlsx)."),
        (
            "orders.csv",
            b"PK\x03\x04\x00\x00",
            "orders.csv is not a text file but an Excel workbook or zip archive.",
        ),
        ("orders.csv", b"a,b\n" + bytes(500), "orders.csv is not a text file"),
        ("orders.csv.gz", b"\x1f\x8b\x08broken", "orders.csv.gz cannot be unpacked"),
        ("orders.parquet", b"PAR1 and no more", "orders.parquet is not a readable Parquet file"),
        (
            "orders.json",
            '[{"order_id": 1}]',
            "orders.json holds one JSON array. Export JSON lines",
        ),
        ("orders.jsonl", "not json\n", "orders.jsonl has no JSON object in any line."),
        (
            "orders.jsonl",
            '{"order_id": 1, "email": "x", "total_amount": 2}\n',
            "orders.jsonl lacks the required column ordered_at",
        ),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_by_file_finding_and_remedy(
    data, landing, name, content, words
):
    message = refusal_of(landing, drop(data, name, content))
    assert message.startswith(words)
    assert message.endswith(".")
    assert rows(landing, "*") == []


def test_a_truncated_gzip_file_is_refused(data, landing):
    packed = gzip.compress((ORDERS + "O2,b,2025-03-05,1\n" * 10_000).encode())
    message = refusal_of(landing, drop(data, "orders.csv.gz", packed[: len(packed) // 2]))
    assert message.startswith("orders.csv.gz cannot be unpacked")


def test_a_file_that_is_not_there_is_refused(data, landing):
    assert refusal_of(landing, data / "inbox" / "orders.csv").startswith(
        "orders.csv cannot be opened (No such file or directory)."
    )


def test_an_unknown_table_is_refused_with_the_closest_name(data, landing):
    message = refusal_of(landing, drop(data, "x.csv"), table="order")
    assert "Did you mean orders?" in message


def test_a_file_that_grows_while_it_is_read_is_refused(data, landing, monkeypatch):
    path = drop(data, "orders.csv")
    read = store.read

    def read_while_written(*arguments):
        content = read(*arguments)
        path.write_text(ORDERS + "O2,b,2025-03-05,1\n")
        return content

    monkeypatch.setattr(store, "read", read_while_written)
    assert refusal_of(landing, path).startswith("orders.csv changed while it was read.")
    monkeypatch.undo()
    assert landing.deliver(path).manifest.rows == 2


# Parquet


def test_a_parquet_delivery_is_kept_byte_for_byte(data, landing):
    path = data / "inbox" / "orders.parquet"
    duckdb.execute(
        f"copy (select 'O1' as order_id, 'a' as email, date '2025-03-04' as ordered_at, "
        f"1 as total_amount) to '{path}'"
    )
    delivery = landing.deliver(path)
    assert landing.batch_path(delivery.manifest).read_bytes() == path.read_bytes()
    assert delivery.manifest.format == "parquet"


def test_parquet_values_keep_the_contracts_type_or_become_text_without_loss(data, landing):
    path = data / "inbox" / "orders_typed.parquet"
    duckdb.execute("set timezone = 'America/New_York'")
    duckdb.execute(
        f"""
        copy (
            select
                12345678901234567::bigint as "Order ID",
                13085.0::double as customer_id,
                timestamptz '2025-03-04 10:00:00.25+02:00' as ordered_at,
                timestamp '2025-03-04 10:00:00.000001' as processed_at,
                date '2025-03-05' as cancelled_at,
                12.50::decimal(18, 3) as total_amount,
                0.1::double as fx_rate_to_shop,
                true as is_test,
                ['A', 'B'] as promo_codes,
                'b''y'::blob as channel,
                '' as device_type,
                null::integer as tax_amount
        ) to '{path}'
        """
    )
    landing.deliver(path)
    columns = (
        "order_id, customer_id, ordered_at, processed_at, cancelled_at, total_amount, "
        "fx_rate_to_shop, is_test, promo_codes, channel, device_type, tax_amount"
    )
    assert rows(landing, columns) == [
        (
            "12345678901234567",
            "13085",
            "2025-03-04 08:00:00.25+00:00",
            datetime(2025, 3, 4, 10, 0, 0, 1),
            "2025-03-05",
            "12.500",
            0.1,
            True,
            "A,B",
            "b'y",
            None,
            None,
        )
    ]
    duckdb.execute("reset timezone")


def test_one_delivery_as_text_makes_the_column_text_in_all(data, landing):
    path = data / "inbox" / "orders_1.parquet"
    duckdb.execute(
        "copy (select 'O0' as order_id, 'a' as email, timestamp '2025-03-03 10:00:00' as ordered_at, "
        f"12.50::decimal(18, 2) as total_amount, true as is_test) to '{path}'"
    )
    landing.deliver(path)
    columns = "order_id, typeof(ordered_at), typeof(total_amount), total_amount, is_test"
    assert rows(landing, columns) == [("O0", "TIMESTAMP", "DECIMAL(18,2)", Decimal("12.50"), True)]
    landing.deliver(drop(data, "orders_2.csv"))
    # What the second file does not hold keeps its type.
    assert rows(landing, columns) == [
        ("O0", "VARCHAR", "VARCHAR", "12.50", True),
        ("O1", "VARCHAR", "VARCHAR", "12.50", None),
    ]


def test_a_parquet_file_with_a_damaged_page_is_refused(data, landing):
    path = data / "inbox" / "orders.parquet"
    names = ["order_id", "email", "ordered_at", "total_amount"]
    table = pyarrow.table({name: [f"{name}{n}" for n in range(5000)] for name in names})
    pyarrow.parquet.write_table(table, path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[200:2000] = bytes(1800)
    path.write_bytes(content)
    assert refusal_of(landing, path).startswith("orders.parquet is not a readable Parquet file")


def test_a_parquet_column_that_stands_twice_is_refused(data, landing):
    path = data / "inbox" / "orders.parquet"
    names = ["order_id", "order_id", "email", "ordered_at", "total_amount"]
    pyarrow.parquet.write_table(pyarrow.table([pyarrow.array(["x"])] * 5, names=names), path)
    assert "has the column order_id more than once" in refusal_of(landing, path)


def test_a_parquet_column_with_the_reader_s_own_name_is_refused(data, landing):
    path = data / "inbox" / "customers.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"customer_id": ["1"], "filename": ["x"]}), path)
    assert "has a column filename" in refusal_of(landing, path)


# The relation behind landing.<table>


def test_a_table_without_deliveries_is_empty_and_has_all_columns_and_types(landing):
    for table in load_contract():
        relation = duckdb.sql(landing.relation_sql(table.name))
        names = relation.columns
        assert tuple(names[: len(table.columns)]) == table.column_names
        assert {str(kind) for kind in relation.types[: len(table.columns)]} == {"VARCHAR"}
        meta = dict(zip(names, map(str, relation.types), strict=True))
        assert (meta["_row_number"], meta["_loaded_at"]) == ("BIGINT", "TIMESTAMP")
        assert (meta["_is_deleted"], meta["_batch_id"]) == ("BOOLEAN", "VARCHAR")
        assert relation.fetchall() == []


def test_batches_of_every_format_and_shape_stand_in_one_relation(data, landing):
    drop(data, "orders_1.csv")
    drop(data, "orders_2.csv", ORDERS.replace("O1", "O2").replace("2025-03-04 10", "4.3.2025 10"))
    drop(data, "orders_3.csv", "order_id,customer_id,ordered_at,total_amount\nO3,C3,2025-01-01,1\n")
    drop(data, "orders_4.jsonl", '{"order_id":"O4","email":"e","ordered_at":"x","total_amount":1}')
    duckdb.execute(
        "copy (select 5 as order_id, 'e' as email, 'x' as ordered_at, 1 as total_amount, "
        f"'only here' as ignored) to '{data / 'inbox' / 'orders_5.parquet'}'"
    )
    drop(data, "orders_6.csv", ORDERS.replace("O1", "O6"))
    landing.deliver_inbox()
    assert rows(landing, "order_id, _source, _row_number, customer_id, _date_order") == [
        ("O1", "orders_1.csv", 1, None, "ymd"),
        ("O2", "orders_2.csv", 1, None, "ymd"),
        ("O3", "orders_3.csv", 1, "C3", "ymd"),
        ("O4", "orders_4.jsonl", 1, None, "ymd"),
        ("5", "orders_5.parquet", 1, None, "ymd"),
        ("O6", "orders_6.csv", 1, None, "ymd"),
    ]
    names = duckdb.sql(landing.relation_sql("orders")).columns
    assert names == duckdb.sql(Landing(data / "none").relation_sql("orders")).columns


def test_a_filter_on_the_batch_reads_no_other_batch(data, landing):
    for number in range(5):
        drop(data, f"orders_{number}.csv", ORDERS.replace("O1", f"O{number}"))
    landing.deliver_inbox()
    others = landing.batches("orders")[1:-1]
    for manifest in others:
        path = landing.batch_path(manifest)
        path.chmod(0o644)
        path.write_bytes(b"no longer readable")
    relation = f"select order_id from ({landing.relation_sql('orders')})"
    with pytest.raises(duckdb.Error):
        duckdb.sql(relation).fetchall()
    newest_only = f"{relation} where _batch_id > '{others[-1].batch_id}'"
    assert duckdb.sql(newest_only).fetchall() == [("O4",)]


def test_folders_and_files_may_have_any_name(tmp_path):
    data = tmp_path / "it's [my] *data*"
    (data / "inbox").mkdir(parents=True)
    landing = Landing(data)
    drop(data, "orders_it's [1]*.csv")
    drop(data, "orders_it's [2]?.csv", ORDERS.replace("O1", "O2"))
    assert [result.is_new for result in landing.deliver_inbox()] == [True, True]
    assert rows(landing, "order_id, _source") == [
        ("O1", "orders_it's [1]*.csv"),
        ("O2", "orders_it's [2]?.csv"),
    ]


def test_an_unknown_default_date_order_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="ydm is not one of ymd, dmy, mdy"):
        Landing(tmp_path, default_date_order="ydm")
