"""Publishing as readers live through it: three publications under a board that refreshes, and a killed one."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestration.resources.dbt_manifest import PublicTable
from orchestration.resources.serving import PublicationError, ServingFolder
from orchestration.resources.warehouse import Night, open_engine

TABLES = [
    PublicTable("fct_orders", ("order_id", "net_amount", "as_of_date"), "One row per order."),
    PublicTable("fct_returns", ("return_id", "as_of_date")),
    PublicTable("dim_metrics", ("metric",)),
]

# A board of three tables, drawn over and over; each refresh opens the pointer afresh, as BI tools do.
READER = """
    import json, sys, time
    from pathlib import Path
    import duckdb

    pointer, stop = sys.argv[1], Path(sys.argv[2])
    boards, errors, torn, seen = 0, [], 0, []
    print("reading", flush=True)
    while not stop.exists():
        try:
            with duckdb.connect(pointer, read_only=True) as board:
                runs = set()
                for table in ("fct_orders", "fct_returns", "dim_metrics", "publication"):
                    rows = board.execute(f"select distinct published_run_id from marts.{table}").fetchall()
                    runs |= {run for (run,) in rows}
                    time.sleep(0.005)
            boards += 1
            torn += len(runs) != 1
            seen += [run for run in runs if run not in seen]
        except Exception as error:
            errors.append(repr(error))
    print(json.dumps({"boards": boards, "errors": errors, "torn": torn, "seen": seen}))
"""

KILLED = """
    import os, sys
    from datetime import date
    from pathlib import Path
    from test_publish import TABLES
    from orchestration.resources.serving import ServingFolder
    from orchestration.resources.warehouse import Night

    def say(done, total, name):
        if name == "dim_metrics":
            print("copying", flush=True)
            sys.stdin.readline()

    folder = ServingFolder(Path(sys.argv[2]), keep=3)
    folder.publish(Path(sys.argv[1]), TABLES, Night("killed", date(2025, 12, 31), "UTC"), say=say)
"""


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def night(run_id: str, as_of_date: date = date(2025, 12, 31)) -> Night:
    return Night(run_id, as_of_date, "Europe/London")


@pytest.fixture
def warehouse_file(tmp_path) -> Path:
    """A warehouse with three marts: 50,000 orders, 3 returns, 2 metrics."""
    file = tmp_path / "warehouse.duckdb"
    with open_engine(file) as connection:
        connection.execute("""
            create schema marts;
            create table marts.fct_orders as select
                'O' || range as order_id, cast(range / 7.0 as double) as net_amount,
                'someone@example.org' as email, date '2025-12-31' as as_of_date
            from range(50000);
            create table marts.fct_returns as
                select 'R' || range as return_id, date '2025-12-31' as as_of_date from range(3);
            create table marts.dim_metrics as select unnest(['churn', 'churn']) as metric;
        """)
    return file


@pytest.fixture
def folder(tmp_path) -> ServingFolder:
    return ServingFolder(tmp_path / "serving", keep=3)


def test_a_reader_that_refreshes_through_three_publications_sees_no_error_and_no_torn_board(
    tmp_path, warehouse_file, folder
):
    folder.publish(warehouse_file, TABLES, night("night-0"))
    stop = tmp_path / "stop"
    reader = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(READER), str(folder.pointer), str(stop)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert reader.stdout.readline().strip() == "reading"
        for number in (1, 2, 3):
            time.sleep(1)
            folder.publish(warehouse_file, TABLES, night(f"night-{number}"))
        time.sleep(1)
    finally:
        stop.touch()
        output, _ = reader.communicate(timeout=60)
    result = json.loads(output)
    assert result["errors"] == []
    assert result["torn"] == 0
    assert result["seen"] == ["night-0", "night-1", "night-2", "night-3"]
    assert result["boards"] >= 4


def test_a_publication_that_is_killed_leaves_the_pointer_and_no_trace_after_the_next(
    warehouse_file, folder
):
    folder.publish(warehouse_file, TABLES, night("night-0"))
    before = folder.current_file(), digest(folder.current_file())
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(warehouse_file), str(folder.directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert process.stdout.readline().strip() == "copying"
    process.send_signal(signal.SIGKILL)
    process.wait()

    assert (folder.current_file(), digest(folder.current_file())) == before
    assert list(folder.directory.glob(".*.part*")) != [], "it was killed in the middle"
    folder.publish(warehouse_file, TABLES, night("night-1"))
    assert list(folder.directory.glob(".*")) == []


def test_the_same_content_has_the_same_fingerprint_whatever_its_order_and_its_run(
    warehouse_file, folder
):
    first = folder.publish(warehouse_file, TABLES, night("night-0"))
    with open_engine(warehouse_file) as connection:
        connection.execute(
            "create or replace table marts.fct_orders as from marts.fct_orders order by order_id desc"
        )
    second = folder.publish(warehouse_file, TABLES, night("night-1"))
    assert second.fingerprint == first.fingerprint

    with open_engine(warehouse_file) as connection:
        connection.execute(
            "update marts.fct_orders set net_amount = net_amount + 0.01 where order_id = 'O7'"
        )
    third = folder.publish(warehouse_file, TABLES, night("night-2"))
    assert third.fingerprint != first.fingerprint


def test_the_copy_holds_the_allowed_columns_and_the_run_and_the_day_in_every_table(
    warehouse_file, folder
):
    folder.publish(warehouse_file, TABLES, night("night-0"))
    _, columns = folder.query(
        "select table_name, list_sort(list(column_name)) from information_schema.columns"
        " where table_schema = 'marts' group by table_name"
    )
    found = dict(columns)
    assert found["fct_orders"] == ["as_of_date", "net_amount", "order_id", "published_run_id"]
    assert found["dim_metrics"] == ["as_of_date", "metric", "published_run_id"]
    _, [(run, tables, rows)] = folder.query(
        "select published_run_id, table_count, row_count from publication"
    )
    assert (run, tables, rows) == ("night-0", 3, 50_005)


def test_the_parquet_files_hold_the_same_rows(warehouse_file, folder):
    folder.publish(warehouse_file, TABLES, night("night-0"))
    rows = {file.stem: pq.read_metadata(file).num_rows for file in folder.parquet_pointer.iterdir()}
    assert rows == {"fct_orders": 50_000, "fct_returns": 3, "dim_metrics": 2, "publication": 1}


def test_a_published_file_is_read_only_and_of_a_format_that_older_clients_open(
    warehouse_file, folder
):
    folder.publish(warehouse_file, TABLES, night("night-0"))
    file = folder.current_file()
    assert stat.S_IMODE(file.stat().st_mode) == 0o444
    # The header of a database file: checksum, magic bytes, and the version of the storage. 64 to 67 are read
    # by clients from 0.10 to 1.4; the engine of today would write a later one.
    header = file.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") <= 67


def test_the_last_publications_are_kept_and_older_ones_go(warehouse_file, folder):
    for number in range(5):
        folder.publish(warehouse_file, TABLES, night(f"night-{number}"))
    files = sorted(folder.directory.glob("serving_*.duckdb"))
    assert [file.stem.split("_")[2] for file in files] == ["night-2", "night-3", "night-4"]
    assert len(list((folder.directory / "parquet").glob("2*"))) == 3


def test_a_mart_of_another_night_is_not_published(warehouse_file, folder):
    with pytest.raises(PublicationError, match=r"fct_orders is as of 2025-12-31 .* 2025-06-30"):
        folder.publish(warehouse_file, TABLES, night("night-0", date(2025, 6, 30)))
    assert not folder.pointer.exists()


def test_a_copy_that_differs_from_the_warehouse_is_not_published(
    warehouse_file, folder, monkeypatch
):
    folder.publish(warehouse_file, TABLES, night("night-0"))
    before = folder.current_file()

    def lose_a_row(self: ServingFolder, part: Path, publication: object) -> None:
        with open_engine(part) as connection:
            connection.execute("delete from marts.fct_orders where order_id = 'O7'")

    monkeypatch.setattr(ServingFolder, "_write_publication_table", lose_a_row)
    with pytest.raises(PublicationError, match=r"fct_orders differs .* 50,000 rows became 49,999"):
        folder.publish(warehouse_file, TABLES, night("night-1"))
    assert folder.current_file() == before
