"""Dagster's event log in SQLite, with its connections kept open. Named in dagster.yaml; nothing else belongs here.

The log that Dagster brings opens, compiles for and closes a connection at every event, and each close folds the
write-ahead log back into the file. A night has some thousand events (three for every dbt test), and they took
longer than dbt itself: 125 ms for each check, against 11 ms this way (measured with 100 checks, one busy core).
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine

BUSY_SECONDS = 60
# Each run has a file of its own; the web pages look at many, a night at one.
RUNS_KEPT_OPEN = 4


class KeptOpenEventLog(SqliteEventLogStorage):
    """The same files and the same statements; only how a connection comes and goes is different."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._engines_lock = threading.RLock()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "KeptOpenEventLog":
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).connect() as connection, connection.begin():
            yield connection

    def _engine(self, shard: str) -> Engine:
        with self._engines_lock:
            if shard not in self._engines:
                engine = create_engine(
                    self.conn_string_for_shard(shard),
                    pool_size=1,
                    connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
                )
                event.listen(engine, "connect", _sync_now_and_then)
                self._initdb(engine, for_index_shard=shard == INDEX_SHARD_NAME)
                self._engines[shard] = engine
            self._engines.move_to_end(shard)
            self._close_oldest()
            return self._engines[shard]

    def _close_oldest(self) -> None:
        runs = [shard for shard in self._engines if shard != INDEX_SHARD_NAME]
        for shard in runs[:-RUNS_KEPT_OPEN]:
            self._engines.pop(shard).dispose()

    def dispose(self) -> None:
        with self._engines_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()
        super().dispose()


def _sync_now_and_then(connection: sqlite3.Connection, record: object) -> None:
    # With a write-ahead log this may cost the newest events in a power cut, and corrupts nothing.
    connection.execute("pragma synchronous = normal")
