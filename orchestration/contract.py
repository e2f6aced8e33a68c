"""What a delivery must look like, as `models/staging/*/_*__sources.yml` says it."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from orchestration.settings import PROJECT_DIRECTORY

# What may follow a table's name in a file's name: orders_2025-11-30.csv, orders.part2.csv.
_NAME_ENDS_AT = re.compile(r"[_\-.]")


class ContractError(ValueError):
    """The source contract is missing, contradicts itself, or does not know a name."""


@dataclass(frozen=True)
class Column:
    """A column that a delivery may have; every value of it lands as text."""

    name: str
    data_type: str
    description: str = ""
    is_required: bool = False
    accepted: tuple[str, ...] = ()
    at_least: float | None = None

    @property
    def is_date(self) -> bool:
        """True for dates and timestamps, whose text may be written day first or month first."""
        return self.data_type in ("date", "timestamp")


@dataclass(frozen=True)
class Table:
    """A table that a shop may deliver."""

    name: str
    subject: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    version: str | None = None
    required_any: tuple[tuple[str, ...], ...] = ()
    description: str = ""

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def required_columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.is_required)

    @property
    def date_columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.is_date)

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise ContractError(f"{self.name} has no column {name}")


@dataclass(frozen=True)
class Contract:
    """All tables that a shop may deliver, sorted by name."""

    tables: tuple[Table, ...]

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables)

    @property
    def table_names(self) -> tuple[str, ...]:
        return tuple(table.name for table in self.tables)

    def table(self, name: str) -> Table:
        for table in self.tables:
            if table.name == name:
                return table
        close = difflib.get_close_matches(name, self.table_names, n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise ContractError(
            f"{name} is not a table of the source contract. {hint}"
            f"Its tables are {', '.join(self.table_names)}"
        )

    def table_for_file(self, file_name: str) -> Table | None:
        """The longest table name that the file's name is, or starts with before `_`, `-` or `.`."""
        name = file_name.lower()
        candidates = [
            table
            for table in self.tables
            if name == table.name
            or (name.startswith(table.name) and _NAME_ENDS_AT.match(name[len(table.name)]))
        ]
        return max(candidates, key=lambda table: len(table.name), default=None)


@cache
def load_contract(project_directory: Path = PROJECT_DIRECTORY) -> Contract:
    """Read the contract once; a table that stands twice or lacks its key raises ContractError."""
    files = sorted(project_directory.glob("models/staging/*/_*__sources.yml"))
    tables: dict[str, Table] = {}
    for file in files:
        for source in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("sources", []):
            if source["name"] != "landing":
                continue
            for entry in source["tables"]:
                table = _table(entry, subject=file.parent.name)
                if table.name in tables:
                    raise ContractError(f"{table.name} stands twice in the contract: see {file}")
                tables[table.name] = table
    if not tables:
        raise ContractError(
            f"no source contract under {project_directory / 'models/staging'}: "
            "run from a checkout of the project, installed with `pip install --editable`"
        )
    return Contract(tuple(tables[name] for name in sorted(tables)))


def _meta(entry: dict[str, Any]) -> dict[str, Any]:
    return entry.get("config", {}).get("meta", {})


def _table(entry: dict[str, Any], subject: str) -> Table:
    meta = _meta(entry)
    table = Table(
        name=entry["name"],
        subject=subject,
        description=entry.get("description", ""),
        key=tuple(meta.get("key", ())),
        version=meta.get("version"),
        required_any=tuple(tuple(group) for group in meta.get("required_any", ())),
        columns=tuple(_column(column) for column in entry["columns"]),
    )
    if not table.key:
        raise ContractError(f"{table.name} has no key in the contract")
    named = {*table.key, *(name for group in table.required_any for name in group)}
    named |= {table.version} if table.version else set()
    unknown = sorted(named - set(table.column_names))
    if unknown:
        raise ContractError(f"{table.name} names the column {unknown[0]} but does not describe it")
    return table


def _column(entry: dict[str, Any]) -> Column:
    meta = _meta(entry)
    return Column(
        name=entry["name"],
        data_type=entry["data_type"].lower(),
        description=entry.get("description", ""),
        is_required=bool(meta.get("required", False)),
        accepted=tuple(meta.get("accepted", ())),
        at_least=meta.get("at_least"),
    )
