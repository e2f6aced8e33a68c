"""The files of an inbox read by Python's own readers: what tests count again without the warehouse."""

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

DEFECTS = Path(__file__).parents[2] / "seeds" / "sample" / "truth" / "planted_defects.csv"

Row = dict[str, object]


def rows_of(inbox: Path, table: str) -> Iterator[Row]:
    """Every delivered row of a table, the oldest file first: texts as written, and None for nothing."""
    files = [inbox / f"{table}.csv.gz", *sorted(inbox.glob(f"{table}_20*"))]
    for file in files:
        for row in _read(file):
            yield defaultdict(
                lambda: None, {name: None if value == "" else value for name, value in row.items()}
            )


def newest_of(inbox: Path, table: str, key: str, version: str | None = None) -> dict[str, Row]:
    """The good rows by their key: the newest version of each, or else the last delivered; none that was deleted."""
    with DEFECTS.open(newline="", encoding="utf-8") as file:
        spoilt = {
            row["key"]
            for row in csv.DictReader(file)
            if row["table"] == table and row["outcome"] == "quarantined"
        }
    found: dict[str, Row] = {}
    for row in rows_of(inbox, table):
        if row[key] is None or row[key] in spoilt:
            continue
        before = found.get(str(row[key]))
        if before is None or version is None or moment(row[version]) >= moment(before[version]):
            found[str(row[key])] = row
    return {name: row for name, row in found.items() if row["_is_deleted"] != "true"}


def moment(value: object) -> datetime:
    """A UTC time in any of the forms that the systems of the sample shop write."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    text = str(value)
    if "/" in text:
        return datetime.strptime(text, "%d/%m/%Y %H:%M:%S")
    return datetime.fromisoformat(text.removesuffix("Z"))


def _read(file: Path) -> Iterator[Row]:
    if file.suffix == ".parquet":
        yield from pq.read_table(file).to_pylist()
        return
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    lines = text.splitlines()
    if ".jsonl" in file.suffixes:
        yield from map(json.loads, lines)
        return
    separator = max(",;\t", key=lines[0].count)
    yield from csv.DictReader(lines, delimiter=separator)
