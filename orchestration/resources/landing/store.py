"""The landing folder: takes deliveries, keeps batches, says what has come. One writer at a time.

    landing/<table>/<batch_id>.parquet    the batch
    landing/<table>/<batch_id>.json       its manifest; the batch counts once this file is there

A batch is never changed. A text delivery is kept as one text column per header, with `_problem` and
`_raw` beside them where lines could not be split; a Parquet delivery is kept byte for byte.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import duckdb

from orchestration.contract import Contract, ContractError, Table, load_contract
from orchestration.resources.landing import view
from orchestration.resources.landing.columns import DeliveryRefused, Expected, check_headers
from orchestration.resources.landing.dates import DATE_ORDERS, date_order
from orchestration.resources.landing.engine import connection, parquet
from orchestration.resources.landing.manifest import Manifest, StoredColumn
from orchestration.resources.landing.readers import Content, inspect, read
from orchestration.resources.landing.readers.delivered_file import copy_to_parquet

_BATCH_ID_FORMAT = "%Y%m%dT%H%M%S%fZ"
_UNFINISHED_SUFFIXES = (".part", ".tmp", ".partial", ".crdownload", ".filepart")

# What a connector makes of an export: a table of the contract, and a SELECT of that table's columns
# as text with, where it has them, _row_number, _problem and _raw.
Part = tuple[str, str]


@dataclass(frozen=True)
class Delivery:
    """A file that is in landing as a batch of one table, now or since an earlier night."""

    table: str
    manifest: Manifest
    is_new: bool

    @property
    def message(self) -> str:
        manifest = self.manifest
        if not self.is_new:
            return f"{manifest.file}: already delivered to {self.table} as {manifest.batch_id}"
        problems = (
            f", {manifest.problem_rows:,} of them with a problem" if manifest.problem_rows else ""
        )
        return f"{manifest.file}: {manifest.rows:,} rows to {self.table}{problems}"


@dataclass(frozen=True)
class Refusal:
    """A file that was not taken, and why."""

    file: str
    message: str
    table: str | None = None


@dataclass(frozen=True)
class _Fingerprint:
    sha256: str
    bytes: int
    modified_ns: int


class Landing:
    """Deliveries under `<data folder>/landing`."""

    def __init__(
        self,
        data_directory: Path,
        *,
        contract: Contract | None = None,
        timezone: str = "UTC",
        default_date_order: str = "ymd",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if default_date_order not in DATE_ORDERS:
            raise ValueError(f"{default_date_order} is not one of {', '.join(DATE_ORDERS)}")
        self.directory = Path(data_directory) / "landing"
        self.inbox_directory = Path(data_directory) / "inbox"
        self.contract = contract or load_contract()
        self._timezone = timezone
        self._default_date_order = default_date_order
        self._clock = clock
        self._manifests: dict[Path, Manifest] = {}
        self._listed: dict[str, tuple[int, list[Manifest]]] = {}

    # What has come

    def batches(self, table: str) -> list[Manifest]:
        """The manifests of a table's batches in order of arrival."""
        folder = self.directory / self.contract.table(table).name
        if not folder.is_dir():
            return []
        # Listing a thousand nights for each of a thousand files took half a minute.
        changed = folder.stat().st_mtime_ns
        if self._listed.get(table, (None, []))[0] != changed:
            paths = sorted(folder.glob("[!.]*.json"))
            self._listed[table] = (changed, [self._manifest(path) for path in paths])
        return list(self._listed[table][1])

    def batch_path(self, manifest: Manifest) -> Path:
        return self.directory / manifest.table / f"{manifest.batch_id}.parquet"

    def relation_sql(self, table: str) -> str:
        """The SELECT behind `landing.<table>`."""
        batches = [(manifest, self.batch_path(manifest)) for manifest in self.batches(table)]
        return view.relation_sql(self.contract.table(table), batches)

    def relations(self) -> dict[str, str]:
        """`relation_sql` of every table of the contract."""
        return {name: self.relation_sql(name) for name in self.contract.table_names}

    def inbox_files(self, inbox: Path | None = None) -> list[Path]:
        """Finished files in the inbox, by name; hidden and unfinished ones are left alone."""
        folder = self.inbox_directory if inbox is None else inbox
        if not folder.is_dir():
            return []
        return sorted(
            path
            for path in folder.iterdir()
            if path.is_file()
            and not path.name.startswith(".")
            and not path.name.lower().endswith(_UNFINISHED_SUFFIXES)
        )

    def new_files(self, inbox: Path | None = None) -> list[Path]:
        """Files in the inbox that are not in landing yet, by name, size and time of change."""
        return [path for path in self.inbox_files(inbox) if self._known_by_name(path) is None]

    # Taking deliveries

    def deliver_inbox(self, inbox: Path | None = None) -> list[Delivery | Refusal]:
        """Take every file of the inbox; a refused one stays there and stops no other."""
        results: list[Delivery | Refusal] = []
        for path in self.inbox_files(inbox):
            table = self.contract.table_for_file(path.name)
            try:
                results.append(self.deliver(path))
            except DeliveryRefused as refused:
                results.append(Refusal(path.name, str(refused), table.name if table else None))
        return results

    def deliver(self, path: Path, table: str | None = None) -> Delivery:
        """Take one file written in the contract's columns; raises DeliveryRefused."""
        path = Path(path)
        target = self._table_of(path, table)
        if (known := self._known_by_name(path, target.name)) is not None:
            return Delivery(target.name, known, is_new=False)
        fingerprint = _fingerprint(path)
        if (known := self._known_by_content(target.name, fingerprint)) is not None:
            return Delivery(target.name, known, is_new=False)

        expected = Expected.of(target)
        with self._engine() as (engine, scratch):
            content = self._read(engine, path, expected, scratch, fingerprint)
            order, found = self._date_order(engine, content, expected.date_names)
            manifest = self._new_manifest(
                target, path, fingerprint, content, order=(order, found), connector="contract"
            )
            self._commit([(manifest, content.path)])
        return Delivery(target.name, manifest, is_new=True)

    def deliver_export(
        self,
        path: Path,
        connector: str,
        expected: Expected,
        parts: Callable[[duckdb.DuckDBPyConnection, str, str], Iterable[Part]],
        timezone: str | None = None,
    ) -> list[Delivery]:
        """Take one file of another system as batches of several tables, all of them or none.

        `parts` gets the engine, the relation that holds the export (its expected columns as text,
        with `_row_number`, `_problem` and `_raw`) and the export's date order.
        """
        path = Path(path)
        fingerprint = _fingerprint(path)
        known = [
            manifest
            for table in self.contract.table_names
            if (manifest := self._known_by_content(table, fingerprint, connector)) is not None
        ]
        if known:
            return [Delivery(manifest.table, manifest, is_new=False) for manifest in known]
        with self._engine() as (engine, scratch):
            content = self._read(engine, path, expected, scratch, fingerprint)
            order, found = self._date_order(engine, content, expected.date_names)
            engine.execute(f"create temp view export as {_export_sql(expected, content)}")
            batches = []
            for name, select in parts(engine, "export", order):
                target = self.contract.table(name)
                part = self._part(engine, target, select, scratch / f"{name}.parquet", content)
                manifest = self._new_manifest(
                    target,
                    path,
                    fingerprint,
                    part,
                    order=("ymd", found),
                    connector=connector,
                    timezone=timezone,
                    earlier=[manifest for manifest, _ in batches],
                )
                batches.append((manifest, part.path))
            self._commit(batches)
        return [Delivery(manifest.table, manifest, is_new=True) for manifest, _ in batches]

    # Steps

    def _table_of(self, path: Path, table: str | None) -> Table:
        try:
            target = self.contract.table(table) if table else None
        except ContractError as error:
            raise DeliveryRefused(path, "was sent to an unknown table", str(error)) from error
        target = target or self.contract.table_for_file(path.name)
        if target is None:
            names = ", ".join(self.contract.table_names)
            raise DeliveryRefused(
                path,
                "does not say which table it holds",
                f"Rename it so that it starts with one of {names}; or load it through a "
                f"connector: retention load <connector> {path.name}",
            )
        return target

    def _read(
        self,
        engine: duckdb.DuckDBPyConnection,
        path: Path,
        expected: Expected,
        scratch: Path,
        fingerprint: _Fingerprint,
    ) -> Content:
        inspected = inspect(engine, path, expected, scratch)
        check_headers(path, inspected.headers, expected)
        content = read(engine, inspected, expected, scratch)
        status = path.stat()
        if (status.st_size, status.st_mtime_ns) != (fingerprint.bytes, fingerprint.modified_ns):
            raise DeliveryRefused(
                path,
                "changed while it was read",
                "It is tried again with the next night; write files under another name first "
                "(orders.csv.part) and rename them when they are complete",
            )
        return content

    def _date_order(
        self, engine: duckdb.DuckDBPyConnection, content: Content, date_names: Iterable[str]
    ) -> tuple[str, str]:
        stored = (content.columns.get(name) for name in date_names)
        text_columns = [
            column.name for column in stored if column and column.data_type == "VARCHAR"
        ]
        return date_order(engine, parquet(content.path), text_columns, self._default_date_order)

    def _part(
        self,
        engine: duckdb.DuckDBPyConnection,
        table: Table,
        select: str,
        target: Path,
        export: Content,
    ) -> Content:
        rows = copy_to_parquet(engine, select, target)
        columns = {
            name: StoredColumn(name, data_type)
            for name, data_type, *_ in engine.execute(
                f"describe select * from {parquet(target)}"
            ).fetchall()
        }
        allowed = {*table.column_names, "_row_number", "_problem", "_raw"}
        if unknown := sorted(set(columns) - allowed):
            raise ContractError(f"the connector gives {table.name} the unknown column {unknown[0]}")
        problem_rows = 0
        if "_problem" in columns:
            (problem_rows,) = engine.execute(
                f"select count(_problem) from {parquet(target)}"
            ).fetchone()
        return Content(
            path=target,
            rows=rows,
            problem_rows=problem_rows,
            columns=columns,
            ignored=export.ignored,
            format=export.format,
            encoding=export.encoding,
            delimiter=export.delimiter,
            lines_read_as_cp1252=export.lines_read_as_cp1252,
        )

    def _new_manifest(
        self,
        table: Table,
        path: Path,
        fingerprint: _Fingerprint,
        content: Content,
        order: tuple[str, str],
        connector: str,
        timezone: str | None = None,
        earlier: Sequence[Manifest] = (),
    ) -> Manifest:
        now = self._clock().astimezone(UTC).replace(tzinfo=None)
        return Manifest(
            batch_id=self._next_batch_id(now, earlier),
            table=table.name,
            file=path.name,
            sha256=fingerprint.sha256,
            bytes=fingerprint.bytes,
            modified_ns=fingerprint.modified_ns,
            rows=content.rows,
            problem_rows=content.problem_rows,
            columns=content.columns,
            loaded_at=now,
            connector=connector,
            ignored_columns=content.ignored,
            missing_columns=tuple(n for n in table.column_names if n not in content.columns),
            format=content.format,
            encoding=content.encoding,
            delimiter=content.delimiter,
            date_order=order[0],
            date_order_found=order[1],
            timezone=timezone or self._timezone,
            lines_read_as_cp1252=content.lines_read_as_cp1252,
            notes=_notes(content, *order),
        )

    def _next_batch_id(self, now: datetime, earlier: Sequence[Manifest]) -> str:
        """The time of loading, or just after the newest batch where the clock has not moved on."""
        newest = max(
            (
                manifest.batch_id
                for manifest in chain(
                    earlier, *(self.batches(name)[-1:] for name in self.contract.table_names)
                )
            ),
            default="",
        )
        batch_id = now.strftime(_BATCH_ID_FORMAT)
        if batch_id <= newest:
            after = datetime.strptime(newest, _BATCH_ID_FORMAT) + timedelta(microseconds=1)
            batch_id = after.strftime(_BATCH_ID_FORMAT)
        return batch_id

    def _commit(self, batches: Sequence[tuple[Manifest, Path]]) -> None:
        """Put all Parquet files in place, then all manifests."""
        for manifest, content in batches:
            target = self.batch_path(manifest)
            target.parent.mkdir(parents=True, exist_ok=True)
            content.replace(target)
            target.chmod(0o444)
        for manifest, _ in batches:
            earlier = self.batches(manifest.table)
            manifest.write(self.batch_path(manifest).with_suffix(".json"))
            changed = (self.directory / manifest.table).stat().st_mtime_ns
            self._listed[manifest.table] = (changed, [*earlier, manifest])

    @contextmanager
    def _engine(self) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
        self.directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".reading-", dir=self.directory) as folder:
            scratch = Path(folder)
            with connection(scratch) as engine:
                yield engine, scratch

    # Knowing a file again

    def _manifest(self, path: Path) -> Manifest:
        """A manifest never changes, so that a year of nights is read from disk once."""
        if path not in self._manifests:
            self._manifests[path] = Manifest.read(path)
        return self._manifests[path]

    def _known_by_name(self, path: Path, table: str | None = None) -> Manifest | None:
        """The batch of a file with this name, size and time of change: no need to hash it again."""
        target = self.contract.table(table) if table else self.contract.table_for_file(path.name)
        if target is None or not path.exists():
            return None
        status = path.stat()
        for manifest in self.batches(target.name):
            if (manifest.file, manifest.bytes, manifest.modified_ns) == (
                path.name,
                status.st_size,
                status.st_mtime_ns,
            ) and manifest.connector == "contract":
                return manifest
        return None

    def _known_by_content(
        self, table: str, fingerprint: _Fingerprint, connector: str = "contract"
    ) -> Manifest | None:
        for manifest in self.batches(table):
            if manifest.sha256 == fingerprint.sha256 and manifest.connector == connector:
                return manifest
        return None


def _fingerprint(path: Path) -> _Fingerprint:
    try:
        status = path.stat()
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
    except OSError as error:
        raise DeliveryRefused(
            path, f"cannot be opened ({error.strerror})", "Check its name and its permissions"
        ) from error
    return _Fingerprint(digest.hexdigest(), status.st_size, status.st_mtime_ns)


def _export_sql(expected: Expected, content: Content) -> str:
    """An export's expected columns as text, whether they were delivered or not."""
    types = {name: "varchar" for name in (*expected.names, "_problem", "_raw")}
    columns = [
        f"{view.stored_as_text(content.columns.get(name), data_type)} as {name}"
        for name, data_type in types.items()
    ]
    row_number = "_row_number" if "_row_number" in content.columns else "file_row_number + 1"
    return f"select {', '.join(columns)}, {row_number} as _row_number from {parquet(content.path)}"


def _notes(content: Content, order: str, found: str) -> tuple[str, ...]:
    notes = []
    if content.lines_read_as_cp1252 and content.encoding != "cp1252":
        notes.append(
            f"{content.lines_read_as_cp1252} lines are not {content.encoding}: read as cp1252"
        )
    if found in ("ambiguous", "contradictory"):
        notes.append(
            f"the order of day and month is {found} in this file; read as {order}, "
            "the value of RETENTION_SOURCE_DATE_ORDER"
        )
    if content.problem_rows:
        notes.append(f"{content.problem_rows} rows cannot be used as delivered; see _problem")
    return tuple(notes)
