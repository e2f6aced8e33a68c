"""The hand-written script in a process of its own: `python -m tests.bench.script_process INBOX FILE AS_OF_DATE`."""

import os
import sys
from pathlib import Path

import duckdb

SCRIPT = Path(__file__).with_name("hand_written.sql")


def run_script(inbox: Path, file: Path, as_of_date: str) -> None:
    """Write the script's tables into a new DuckDB file."""
    with duckdb.connect(str(file)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        if limit := os.environ.get("RETENTION_MEMORY_LIMIT"):
            connection.execute(f"set memory_limit = '{limit}'")
        connection.execute("set variable inbox = ?", [str(inbox)])
        connection.execute("set variable as_of_date = cast(? as date)", [as_of_date])
        connection.execute(SCRIPT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    run_script(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
