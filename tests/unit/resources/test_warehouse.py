"""The warehouse file: opened per call, written whole or not at all, patient with another process."""

import subprocess
import sys
import textwrap
from datetime import date

import pyarrow as pa
import pytest

from orchestration.resources.lock import WriterBusyError, WriterLock
from orchestration.resources.warehouse import NoNightError, Warehouse, open_engine

OPEN_FILE = """
    import sys, time, duckdb
    connection = duckdb.connect(sys.argv[1])
    print("open", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def warehouse(tmp_path) -> Warehouse:
    lock = WriterLock(tmp_path / "warehouse.lock", patience_seconds=0.5)
    return Warehouse(tmp_path / "warehouse.duckdb", lock)


def open_elsewhere(warehouse: Warehouse, seconds: float) -> subprocess.Popen:
    """Another process with the file open for writing, as an orphaned dbt has it."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OPEN_FILE), str(warehouse.file), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline().strip() == "open"
    return process


def test_a_table_that_was_replaced_is_read_back_as_it_was(warehouse):
    table = pa.table({"customer_id": ["C1", "C2"], "p_alive": [0.25, None]})
    warehouse.replace({"scores.customer_clv": table})
    assert warehouse.read("scores.customer_clv").to_pylist() == table.to_pylist()


def test_rows_of_the_asked_customers_alone_are_read(warehouse):
    rows = pa.table({"customer_id": ["ann", "zed", "ann"], "day": [1, 2, 3]})
    warehouse.replace({"scores.days": rows})
    found = warehouse.read("scores.days", pa.array(["ann", "stranger"]))
    assert sorted(found["day"].to_pylist()) == [1, 3]


def test_tables_are_replaced_together_or_not_at_all(warehouse):
    warehouse.replace({"scores.a": pa.table({"n": [1]}), "scores.b": pa.table({"n": [1]})})
    broken = object()
    with pytest.raises(Exception, match=r"(?i)object|register"):
        warehouse.replace({"scores.a": pa.table({"n": [2]}), "scores.b": broken})
    assert warehouse.query("select n from scores.a") == [(1,)]


def test_no_connection_stays_open_after_a_call(warehouse):
    warehouse.replace({"scores.a": pa.table({"n": [1]})})
    warehouse.query("select 1")
    other = open_elsewhere(warehouse, 0)
    assert other.wait(timeout=30) == 0


def test_a_writer_waits_for_a_process_that_has_the_file_open(tmp_path, warehouse):
    patient = Warehouse(warehouse.file, WriterLock(tmp_path / "lock", patience_seconds=30))
    patient.replace({"scores.a": pa.table({"n": [1]})})
    other = open_elsewhere(warehouse, 1.5)
    patient.wait_until_free()
    assert other.wait(timeout=5) == 0


def test_a_file_that_stays_open_elsewhere_is_an_error_that_names_the_process(warehouse):
    warehouse.replace({"scores.a": pa.table({"n": [1]})})
    other = open_elsewhere(warehouse, 60)
    try:
        with pytest.raises(WriterBusyError, match=f"PID {other.pid}"):
            warehouse.query("select 1")
    finally:
        other.kill()
        other.wait()


def test_rows_are_counted_for_the_relations_that_exist(warehouse):
    warehouse.replace({"scores.a": pa.table({"n": [1, 2, 3]}), "scores.b": pa.table({"n": [1]})})
    counts = warehouse.row_counts(["scores.a", "scores.b", "scores.never_made"])
    assert counts == {"scores.a": 3, "scores.b": 1}


def test_a_warehouse_without_a_night_says_which_command_makes_one(warehouse):
    with pytest.raises(NoNightError, match="retention refresh"):
        warehouse.night()


def test_the_night_is_the_row_that_landing_wrote(warehouse):
    warehouse.replace(
        {
            "landing.night": pa.table(
                {
                    "run_id": ["r1"],
                    "as_of_date": [date(2025, 12, 31)],
                    "shop_timezone": ["Europe/London"],
                }
            )
        }
    )
    night = warehouse.night()
    assert (night.run_id, night.as_of_date) == ("r1", date(2025, 12, 31))


def test_an_engine_keeps_to_the_limit_of_memory(monkeypatch):
    monkeypatch.setenv("RETENTION_MEMORY_LIMIT", "512MB")
    with open_engine() as connection:
        [(limit,)] = connection.execute("select current_setting('memory_limit')").fetchall()
    assert limit == "488.2 MiB"
