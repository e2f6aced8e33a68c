"""How the shop's export arrives: a history, then what changed, each system in its own file style.

Rows are held as dictionaries of Python values, because a defect may put any text in any place.
Delivered values are text in the end; the styles below say which text.
"""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import gzip
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.science.sample_shop.further import FURTHER_SOURCES, all_known_tables
from orchestration.science.sample_shop.shop_time import epoch_day, midnight_utc
from orchestration.science.sample_shop.simulation import Facts, Frame

Row = dict[str, Any]

TABLE_KEYS: dict[str, tuple[str, ...]] = {
    "customers": ("customer_id",),
    "products": ("variant_id",),
    "product_costs": ("variant_id", "valid_from"),
    "orders": ("order_id",),
    "order_lines": ("order_line_id",),
    "shipments": ("shipment_id",),
    "returns": ("return_id",),
    "return_items": ("return_item_id",),
    "refunds": ("refund_id", "order_line_id"),
    "memberships": ("membership_id",),
    "membership_terms": ("membership_term_id",),
    "membership_benefit_usage": ("usage_id",),
    **{name: source.key for name, source in FURTHER_SOURCES.items()},
}


@dataclass(frozen=True)
class Style:
    """How a file is written."""

    ending: str = ".csv"
    delimiter: str = ","
    encoding: str = "utf-8"
    moment: str = "%Y-%m-%d %H:%M:%S"
    date: str = "%Y-%m-%d"


PLAIN = Style()
GZIPPED = Style(ending=".csv.gz")
TABBED = Style(ending=".tsv", delimiter="\t")
JSON_LINES = Style(ending=".jsonl", moment="%Y-%m-%dT%H:%M:%SZ")
PARQUET = Style(ending=".parquet")
SPREADSHEET = Style(
    delimiter=";", encoding="utf-8-sig", moment="%d/%m/%Y %H:%M:%S", date="%d/%m/%Y"
)
"""What a spreadsheet saves: semicolons, the day first, a byte order mark."""
WINDOWS = Style(encoding="cp1252")

STYLES: dict[tuple[str, int], Style] = {
    ("orders", 1): SPREADSHEET,
    ("order_lines", 1): TABBED,
    ("customers", 1): WINDOWS,
    ("customers", 2): JSON_LINES,
    ("returns", 1): JSON_LINES,
    ("shipments", 2): PARQUET,
    ("support_tickets", 1): JSON_LINES,
    ("survey_responses", 1): SPREADSHEET,
    ("loyalty_ledger", 1): TABBED,
    ("referrals", 2): JSON_LINES,
    ("web_events", 1): PARQUET,
    ("web_events", 2): GZIPPED,
    ("payments", 1): SPREADSHEET,
    ("consents", 1): JSON_LINES,
    ("reviews", 1): WINDOWS,
    ("reviews", 2): JSON_LINES,
    ("shipment_events", 1): TABBED,
    ("message_events", 1): PARQUET,
    ("message_events", 2): PARQUET,
    ("inventory_daily", 2): TABBED,
    ("customer_identifiers", 2): PARQUET,
}


@dataclass
class DeliveryFile:
    """One file of one delivery."""

    table: str
    delivery: int
    stem: str
    style: Style
    schema: pa.Schema
    rows: list[Row]
    broken_lines: list[str] = field(default_factory=list)
    """Whole lines that do not have as many fields as the header; written last."""

    @property
    def name(self) -> str:
        """File name as delivered."""
        return self.stem + self.style.ending

    @property
    def columns(self) -> list[str]:
        """Column names of the file, in order."""
        deleted = ["_is_deleted"] if any("_is_deleted" in row for row in self.rows) else []
        return [*self.schema.names, *deleted]

    @property
    def row_count(self) -> int:
        """Number of delivered rows, unreadable ones included."""
        return len(self.rows) + len(self.broken_lines)


def split_into_deliveries(frame: Frame, chunks: list[Facts]) -> list[DeliveryFile]:
    """Return the files of every delivery: all that was known first, later what was new or changed."""
    files: list[DeliveryFile] = []
    before: dict[str, pa.Table] = {}
    for number, day in enumerate(frame.parameters.delivery_dates):
        tables = all_known_tables(frame, chunks, int(midnight_utc(epoch_day(day) + 1)))
        for name, table in tables.items():
            changed = _changed_rows(TABLE_KEYS[name], before.get(name), table)
            before[name] = table
            if changed:
                stem = name if number == 0 else f"{name}_{day.isoformat()}"
                style = STYLES.get((name, number), GZIPPED if number == 0 else PLAIN)
                files.append(DeliveryFile(name, number, stem, style, table.schema, changed))
    return files


def _changed_rows(key: tuple[str, ...], before: pa.Table | None, now: pa.Table) -> list[Row]:
    """Return the rows of a table that the delivery before did not have like this."""
    if before is None:
        return now.to_pylist()
    size = before.num_rows
    known = now.slice(0, size)
    if known.select(key) == before.select(key):
        # New rows stand behind the known ones, as they mostly do: the columns can be compared whole.
        differs = np.zeros(now.num_rows, dtype=bool)
        differs[size:] = True
        for name in now.schema.names:
            one, other = known.column(name), before.column(name)
            unequal = pc.fill_null(pc.not_equal(one, other), False).to_numpy()
            differs[:size] |= unequal | (one.is_null().to_numpy() != other.is_null().to_numpy())
        return now.filter(pa.array(differs)).to_pylist()
    rows = {tuple(row[name] for name in key): row for row in before.to_pylist()}
    return [row for row in now.to_pylist() if rows.get(tuple(row[name] for name in key)) != row]


def write_file(file: DeliveryFile, directory: Path) -> Path:
    """Write a delivery file in its style; the same rows give the same bytes."""
    path = directory / file.name
    if file.style.ending == ".parquet":
        pq.write_table(_as_table(file), path, compression="zstd")
    elif file.style.ending == ".jsonl":
        lines = [json.dumps(_json_row(row, file.style), ensure_ascii=False) for row in file.rows]
        path.write_bytes(("\n".join(lines) + "\n").encode())
    else:
        content = delimited_text(file).encode(file.style.encoding)
        if file.style.ending.endswith(".gz"):
            # No name and no time in the header, or the bytes would change with the day.
            content = gzip.compress(content, compresslevel=9, mtime=0)
        path.write_bytes(content)
    return path


def delimited_text(file: DeliveryFile) -> str:
    """Return header, rows and broken lines as delimited text."""
    buffer = io.StringIO()
    columns = file.columns
    writer = csv.writer(buffer, delimiter=file.style.delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(
        [as_text(row.get(column), file.style) for column in columns] for row in file.rows
    )
    return buffer.getvalue() + "".join(f"{line}\n" for line in file.broken_lines)


def as_text(value: Any, style: Style) -> str:
    """Return the text of a value in a style; nothing for a null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.strftime(style.moment)
    if isinstance(value, dt.date):
        return value.strftime(style.date)
    return str(value)


def _json_row(row: Row, style: Style) -> Row:
    return {name: _json_value(value, style) for name, value in row.items() if value is not None}


def _json_value(value: Any, style: Style) -> Any:
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, decimal.Decimal):
        return str(value)
    return as_text(value, style)


def _as_table(file: DeliveryFile) -> pa.Table:
    """Return typed columns; a column in which a defect put some text is text throughout."""
    columns = {}
    for name in file.columns:
        values = [row.get(name) for row in file.rows]
        kind = pa.bool_() if name == "_is_deleted" else file.schema.field(name).type
        is_text = any(isinstance(one, str) for one in values)
        if is_text and not pa.types.is_string(kind):
            columns[name] = pa.array(
                [None if one is None else as_text(one, PLAIN) for one in values]
            )
        else:
            columns[name] = pa.array(values, kind)
    return pa.table(columns)
