"""The warehouse file, opened per call and closed at once. The only module beside landing that imports an engine.

An open connection keeps dbt's child process out of the file, so nothing here hands one to a caller that
could keep it.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.resources.lock import POLL_SECONDS, WriterBusyError, WriterLock

Connection = duckdb.DuckDBPyConnection
EngineError = duckdb.Error

# The engine's message where another process has the file open; it names that process.
_FILE_IS_OPEN_ELSEWHERE = "Could not set lock on file"


class NoNightError(RuntimeError):
    """The warehouse holds no night yet, so there is no as_of_date to work for."""


@dataclass(frozen=True)
class Night:
    """What every step of one night shares; `landing.night` holds the newest one as its only row."""

    run_id: str
    as_of_date: date
    shop_timezone: str


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """A text as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


@contextmanager
def open_engine(
    file: Path | None = None, *, read_only: bool = False, settings: Mapping[str, str] | None = None
) -> Iterator[Connection]:
    """A connection to `file` (None: memory only), closed at the end whatever happens."""
    target = ":memory:" if file is None else str(file)
    connection = duckdb.connect(target, read_only=read_only, config=dict(settings or {}))
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        # `prepare` puts the setting there for dbt, which has an engine of its own.
        if limit := os.environ.get("RETENTION_MEMORY_LIMIT"):
            connection.execute(f"set memory_limit = {literal(limit)}")
        yield connection
    finally:
        connection.close()


@dataclass(frozen=True)
class Warehouse:
    """Reads and writes of the night's Python steps."""

    file: Path
    lock: WriterLock

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only connection; waits while another process has the file open for writing."""
        with self._opened(read_only=True) as connection:
            yield connection

    @contextmanager
    def writing(self, what: str) -> Iterator[Connection]:
        """A connection under the writer's lock; what was not committed is undone on an error."""
        with self.lock.hold(what), self.writing_under_held_lock() as connection:
            yield connection

    @contextmanager
    def writing_under_held_lock(self) -> Iterator[Connection]:
        """As `writing`, for a step that holds the lock around more than this connection."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self._opened(read_only=False) as connection:
            connection.execute("begin")
            yield connection
            connection.execute("commit")

    def wait_until_free(self) -> None:
        """Wait for a process that has the file open without the lock: a dbt whose parent was killed runs on."""
        if self.file.exists():
            with self._opened(read_only=False):
                pass

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        with self.reading() as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def read(self, relation: str, customer_ids: pa.Array | None = None) -> pa.Table:
        """A relation (`schema.name`) as Arrow: whole, or the rows of these customers."""
        with self.reading() as connection:
            if customer_ids is None:
                return connection.sql(f"select * from {relation}").to_arrow_table()
            connection.register("asked", pa.table({"customer_id": customer_ids}))
            return connection.sql(
                f"select * from {relation} semi join asked using (customer_id)"
            ).to_arrow_table()

    def replace(self, tables: Mapping[str, pa.Table]) -> None:
        """Replace relations (`schema.name`) by Arrow tables, all of them or, on an error, none."""
        with self.writing(f"write {', '.join(tables)}") as connection:
            for relation, table in tables.items():
                connection.register("incoming", table)
                connection.execute(f"create schema if not exists {relation.split('.')[0]}")
                connection.execute(f"create or replace table {relation} as select * from incoming")
                connection.unregister("incoming")

    def relations(self) -> set[str]:
        """Every table and view as `schema.name`."""
        rows = self.query("select table_schema || '.' || table_name from information_schema.tables")
        return {name for (name,) in rows}

    def row_counts(self, relations: Iterable[str]) -> dict[str, int]:
        """Rows of each relation that exists, in one connection and one statement."""
        existing = sorted(set(relations) & self.relations()) if self.file.exists() else []
        if not existing:
            return {}
        counts = " union all ".join(
            f"select {literal(relation)}, count(*) from {relation}" for relation in existing
        )
        return dict(self.query(counts))

    def night(self) -> Night:
        """The night that the newest ingest began."""
        if not self.file.exists() or "landing.night" not in self.relations():
            raise NoNightError(
                f"{self.file} holds no night yet: run `retention refresh`, which lands the "
                "deliveries and settles the as_of_date"
            )
        [row] = self.query("select run_id, as_of_date, shop_timezone from landing.night")
        return Night(*row)

    @contextmanager
    def _opened(self, *, read_only: bool) -> Iterator[Connection]:
        deadline = time.monotonic() + self.lock.patience_seconds
        with ExitStack() as stack:
            while True:
                try:
                    connection = stack.enter_context(open_engine(self.file, read_only=read_only))
                    break
                except duckdb.IOException as error:
                    if _FILE_IS_OPEN_ELSEWHERE not in str(error):
                        raise
                    if time.monotonic() >= deadline:
                        raise WriterBusyError(
                            f"{self.file} is open in another process ({_process_in(str(error))}). "
                            "Close it there; to read numbers, open the published copy "
                            "serving/serving.duckdb instead."
                        ) from error
                    time.sleep(POLL_SECONDS)
            yield connection


def _process_in(message: str) -> str:
    """The part of the engine's message that names the process."""
    start = message.find("Conflicting lock is held in")
    return message[start:].split(").")[0] + ")" if start >= 0 else "unknown"
