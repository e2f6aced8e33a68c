"""The published copy: a read-only DuckDB file per night behind one pointer, and Parquet beside it.

    serving/serving_<label>.duckdb    one night's public tables, mode 0444, with its facts in serving_<label>.json
    serving/serving.duckdb            the pointer, a symlink that moves last and at once
    serving/parquet/<label>/          the same tables, behind parquet/current

What may be published, and whether tonight may be, is decided elsewhere (assets/publish.py).
"""

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from orchestration.resources.dbt_manifest import PublicTable
from orchestration.resources.warehouse import Connection, Night, literal, open_engine, quoted

SCHEMA = "marts"
PUBLICATION_TABLE = "publication"
# The copy writes this one itself, into every table.
RUN_COLUMN = "published_run_id"
# Clients of the last long-term release can open it; the engine's newest format they refuse.
STORAGE_VERSION = "v1.4.0"
# Who made a row, from which delivery and when: true of a run or a machine and not of the shop, so no part of
# what the numbers are. A check of a delivery is dated by the day on which the machine took it.
_BOOKKEEPING = re.compile(
    r"published_run_id|fitted_at|checked_date|since_date|(.*_)?loaded_at|(.*_)?batch_id"
)


class PublicationError(RuntimeError):
    """The copy could not be made whole; the pointer has not moved."""


class PostgresError(RuntimeError):
    """The PostgreSQL copy could not be filled, or would show more than the marts; what stood there stands.

    Here and not beside the filling, so that the command line knows it without loading the driver.
    """


class NothingPublishedError(RuntimeError):
    """No night has been published yet."""


@dataclass(frozen=True)
class PublishedTable:
    """One table as published: its rows and the hash of its content, whatever the order of the rows."""

    name: str
    rows: int
    content_hash: str
    numbers_hash: str


@dataclass(frozen=True)
class Publication:
    """One published night. `fingerprint` says what the numbers are: equal numbers, equal fingerprint.

    It does not depend on the folder or the run. It does on the kind of processor: linear algebra
    picks its kernels by it (OPENBLAS_CORETYPE names others), and a search for a summit ends in another eighth digit.
    """

    label: str
    run_id: str
    as_of_date: date
    published_at: datetime
    fingerprint: str
    tables: tuple[PublishedTable, ...]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


@dataclass(frozen=True)
class ServingFolder:
    """The folder that readers open; every write ends in one move of the pointer."""

    directory: Path
    keep: int

    @property
    def pointer(self) -> Path:
        return self.directory / "serving.duckdb"

    @property
    def parquet_pointer(self) -> Path:
        return self.directory / "parquet" / "current"

    def current_file(self) -> Path:
        """The file that the pointer names now; open this one and not the pointer, which may move meanwhile."""
        if not self.pointer.exists():
            raise NothingPublishedError(
                f"nothing is published yet under {self.directory}: run `retention refresh`"
            )
        return self.pointer.resolve()

    def current(self) -> Publication | None:
        """The facts of the published night, None before the first one."""
        if not self.pointer.exists():
            return None
        content = json.loads(self.current_file().with_suffix(".json").read_text(encoding="utf-8"))
        return Publication(
            label=content["label"],
            run_id=content["run_id"],
            as_of_date=date.fromisoformat(content["as_of_date"]),
            published_at=datetime.fromisoformat(content["published_at"]),
            fingerprint=content["fingerprint"],
            tables=tuple(PublishedTable(**table) for table in content["tables"]),
        )

    def query(self, sql: str, limit: int | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows of a query on the published copy, which cannot reach any other file."""
        # Read-only alone is no fence: COPY TO and read_csv of any path would still work.
        fence = {"enable_external_access": "false"}
        with open_engine(self.current_file(), read_only=True, settings=fence) as connection:
            connection.execute(f"set schema = {literal(SCHEMA)}")
            connection.execute("set lock_configuration = true")
            result = connection.execute(sql)
            names = [column[0] for column in result.description or []]
            return names, result.fetchall() if limit is None else result.fetchmany(limit)

    def publish(
        self,
        warehouse_file: Path,
        tables: Sequence[PublicTable],
        night: Night,
        say: Callable[[int, int, str], None] = lambda done, total, name: None,
    ) -> Publication:
        """Copy the tables, verify the copy, and move the pointer; on any error the old copy stands."""
        published_at = datetime.now(UTC)
        # Labels sort by time, also two of one second.
        label = f"{published_at:%Y%m%dT%H%M%S%f}_{night.run_id[:8]}"
        self.directory.mkdir(parents=True, exist_ok=True)
        self._remove_leftovers()
        part = self.directory / f".serving_{label}.duckdb.part"
        facts = self._copy(warehouse_file, part, tables, night, say)
        publication = Publication(
            label, night.run_id, night.as_of_date, published_at, _fingerprint(night, facts), facts
        )
        self._write_publication_table(part, publication)
        self._verify(part, tables, publication)
        parquet = self._write_parquet(part, publication)
        self._seal(part, parquet, publication)
        self._move_pointers(publication)
        self._prune()
        return publication

    def _copy(
        self,
        warehouse_file: Path,
        part: Path,
        tables: Sequence[PublicTable],
        night: Night,
        say: Callable[[int, int, str], None],
    ) -> tuple[PublishedTable, ...]:
        facts = []
        with open_engine() as connection:
            connection.execute("set preserve_insertion_order = false")
            connection.execute(f"attach {literal(warehouse_file)} as warehouse (read_only)")
            connection.execute(
                f"attach {literal(part)} as serving (storage_version '{STORAGE_VERSION}')"
            )
            connection.execute(f"create schema serving.{SCHEMA}")
            for done, table in enumerate(tables):
                say(done, len(tables), table.name)
                source = f"warehouse.{SCHEMA}.{quoted(table.name)}"
                _refuse_other_nights(connection, source, table, night)
                facts.append(_facts(connection, source, table.name, table.columns))
                columns = ", ".join(quoted(name) for name in table.columns if name != RUN_COLUMN)
                own_date = (
                    ""
                    if "as_of_date" in table.columns
                    else (f", date {literal(night.as_of_date)} as as_of_date")
                )
                target = f"serving.{SCHEMA}.{quoted(table.name)}"
                connection.execute(
                    f"create table {target} as select {columns}{own_date}, "
                    f"{literal(night.run_id)} as {RUN_COLUMN} from {source}"
                )
                _describe(connection, target, table)
            connection.execute("detach serving")
        return tuple(facts)

    def _write_publication_table(self, part: Path, publication: Publication) -> None:
        with open_engine(part) as connection:
            connection.execute(f"""
                create table {SCHEMA}.{PUBLICATION_TABLE} as select
                    {literal(publication.run_id)} as published_run_id,
                    date {literal(publication.as_of_date)} as as_of_date,
                    timestamp {literal(publication.published_at.replace(tzinfo=None))} as published_at,
                    cast({len(publication.tables)} as integer) as table_count,
                    cast({publication.rows} as bigint) as row_count,
                    {literal(publication.fingerprint)} as fingerprint
            """)

    def _verify(self, part: Path, tables: Sequence[PublicTable], publication: Publication) -> None:
        """Read the copy afresh and compare rows and content with what the warehouse held."""
        with open_engine(part, read_only=True) as connection:
            for table, expected in zip(tables, publication.tables, strict=True):
                copied = f"{SCHEMA}.{quoted(table.name)}"
                found = _facts(connection, copied, table.name, table.columns)
                if found != expected:
                    raise PublicationError(
                        f"the copy of {table.name} differs from the warehouse: {expected.rows:,} rows "
                        f"became {found.rows:,}, content {expected.content_hash} became "
                        f"{found.content_hash}. Nothing was published; look for a full or failing disk."
                    )

    def _write_parquet(self, part: Path, publication: Publication) -> Path:
        folder = self.directory / "parquet" / f".{publication.label}.part"
        folder.mkdir(parents=True)
        names = [*(table.name for table in publication.tables), PUBLICATION_TABLE]
        with open_engine(part, read_only=True) as connection:
            connection.execute("set preserve_insertion_order = false")
            for name in names:
                file = folder / f"{name}.parquet"
                # Higher levels cost a quarter more time and save next to nothing.
                connection.execute(
                    f"copy {SCHEMA}.{quoted(name)} to {literal(file)} "
                    "(format parquet, compression zstd, compression_level 1)"
                )
        return folder

    def _seal(self, part: Path, parquet: Path, publication: Publication) -> None:
        """Make what was written durable and read-only, under its final name."""
        for file in [part, *parquet.iterdir()]:
            file.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
            sync(file)
        facts = self.directory / f"serving_{publication.label}.json"
        facts.write_text(json.dumps(asdict(publication), default=_as_text, indent=2) + "\n")
        sync(facts)
        part.rename(self.directory / f"serving_{publication.label}.duckdb")
        parquet.rename(parquet.with_name(publication.label))
        sync(parquet.parent)
        sync(self.directory)

    def _move_pointers(self, publication: Publication) -> None:
        point(self.parquet_pointer, publication.label)
        point(self.pointer, f"serving_{publication.label}.duckdb")

    def _labels(self) -> list[str]:
        files = self.directory.glob("serving_*.duckdb")
        return sorted(file.stem.removeprefix("serving_") for file in files)

    def _prune(self) -> None:
        """Forget the oldest; a reader that still has one open keeps it until it closes."""
        current = self.current_file().stem.removeprefix("serving_")
        for label in self._labels()[: -self.keep]:
            if label != current:
                (self.directory / f"serving_{label}.duckdb").unlink()
                (self.directory / f"serving_{label}.json").unlink(missing_ok=True)
                shutil.rmtree(self.directory / "parquet" / label, ignore_errors=True)

    def _remove_leftovers(self) -> None:
        """What a killed publish left behind under its unfinished name."""
        for path in [*self.directory.glob(".*.part*"), *self.directory.glob("parquet/.*.part")]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _facts(
    connection: Connection, relation: str, name: str, columns: Sequence[str]
) -> PublishedTable:
    """Rows and hashes of a table in one pass. Hashes are the engine's own: compare within one version of it.

    A sum of row hashes does not depend on the order of rows, and counts a row as often as it is there. In the
    hash of the numbers a double has seven digits: sums in parallel may differ in the last of sixteen.
    """
    types = dict(
        connection.execute(
            "select column_name, column_type from (describe select * from " + relation + ")"
        ).fetchall()
    )
    exact = ", ".join(quoted(column) for column in columns)
    numbers = ", ".join(
        f"cast({quoted(column)} as float)" if types[column] == "DOUBLE" else quoted(column)
        for column in columns
        if not _BOOKKEEPING.fullmatch(column)
    )
    [(rows, content, published)] = connection.execute(
        f"select count(*), coalesce(sum(hash({exact})), 0), coalesce(sum(hash({numbers or 1})), 0) "
        f"from {relation}"
    ).fetchall()
    return PublishedTable(name, rows, f"{content:x}", f"{published:x}")


def _refuse_other_nights(
    connection: Connection, source: str, table: PublicTable, night: Night
) -> None:
    """A mart of another night would tear the board: all tables of one copy tell of the same day."""
    if "as_of_date" not in table.columns:
        return
    [(newest,)] = connection.execute(f"select max(as_of_date) from {source}").fetchall()
    if newest is not None and newest != night.as_of_date:
        raise PublicationError(
            f"{table.name} is as of {newest} but the night is as of {night.as_of_date}: build the "
            "marts again (`retention refresh`), then publish"
        )


def _describe(connection: Connection, target: str, table: PublicTable) -> None:
    if table.description:
        connection.execute(f"comment on table {target} is {literal(table.description)}")
    for column, description in table.column_descriptions:
        connection.execute(f"comment on column {target}.{quoted(column)} is {literal(description)}")


def _fingerprint(night: Night, facts: Sequence[PublishedTable]) -> str:
    lines = [str(night.as_of_date)]
    lines += [f"{table.name} {table.rows} {table.numbers_hash}" for table in facts]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def point(pointer: Path, target: str) -> None:
    """Move a symlink in one step: readers see the old target or the new one, and never none."""
    fresh = pointer.with_name(f".{pointer.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    os.replace(fresh, pointer)
    sync(pointer.parent)


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)
