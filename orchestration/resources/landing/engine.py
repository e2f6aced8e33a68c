"""DuckDB as landing uses it: a private connection, and text that is safe inside a statement."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb


@contextmanager
def connection(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A private in-memory engine that spills into `scratch`; the warehouse file stays closed."""
    engine = duckdb.connect()
    try:
        engine.execute(f"set temp_directory = {literal(str(scratch / '.spill'))}")
        engine.execute("set enable_progress_bar = false")
        yield engine
    finally:
        engine.close()


def literal(value: str | None) -> str:
    """A text as an SQL literal."""
    return "null" if value is None else "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column's name as an SQL identifier, whatever signs it holds."""
    return '"' + name.replace('"', '""') + '"'


def parquet(*paths: Path) -> str:
    """Parquet files as one relation; their names are taken literally, never as a pattern."""
    return f"read_parquet([{', '.join(file_name(path) for path in paths)}])"


def file_name(path: Path) -> str:
    """A path as an SQL literal, with the signs of file patterns escaped."""
    escaped = "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path))
    return literal(escaped)
