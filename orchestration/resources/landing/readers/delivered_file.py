"""What the readers of all formats share: a file that was looked at, and what was read from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from orchestration.resources.landing.columns import (
    ENGINE_COLUMNS,
    META_COLUMNS,
    Expected,
    match,
    normalised,
)
from orchestration.resources.landing.engine import literal
from orchestration.resources.landing.manifest import StoredColumn
from orchestration.resources.landing.readers.text import TextFile


@dataclass(frozen=True)
class Inspected:
    """A file that can be read, and what its header says."""

    path: Path
    format: str
    headers: tuple[str, ...]
    text: TextFile | None = None
    delimiter: str | None = None
    types: tuple[str, ...] = ()
    # The file that the engine reads, where that is not the delivered one.
    lines_path: Path | None = None
    lines_read_as_cp1252: int = 0
    starts_with_header: bool = True


@dataclass(frozen=True)
class Content:
    """What was read: a Parquet file, where the expected columns stand in it, and how."""

    path: Path
    rows: int
    problem_rows: int
    columns: dict[str, StoredColumn]
    ignored: tuple[str, ...]
    format: str
    encoding: str | None = None
    delimiter: str | None = None
    lines_read_as_cp1252: int = 0
    notes: tuple[str, ...] = field(default=())


def stored_names(headers: Sequence[str], expected: Expected) -> list[str]:
    """A distinct column name for every header: the expected name, or else the header made plain."""
    positions = match(headers, expected).positions
    by_position = {position: name for name, position in positions.items()}
    taken = {*positions, *META_COLUMNS, *ENGINE_COLUMNS}
    names: list[str] = []
    for position, header in enumerate(headers):
        name = by_position.get(position)
        if name is None:
            name = normalised(header) or f"column_{position + 1}"
            while name in taken:
                name = f"{name}_{position + 1}"
            taken.add(name)
        names.append(name)
    return names


def ignored_headers(headers: Sequence[str], expected: Expected) -> tuple[str, ...]:
    """Headers that stand for no expected column; one without a name is called by its position."""
    return tuple(
        headers[position].strip() or f"column {position + 1}"
        for position in match(headers, expected).ignored
    )


def stored_as_text(headers: Sequence[str], expected: Expected) -> dict[str, StoredColumn]:
    return {name: StoredColumn(name) for name in match(headers, expected).positions}


def copy_to_parquet(engine: duckdb.DuckDBPyConnection, select: str, target: Path) -> int:
    """Write a query's rows, in their order, and return how many there were."""
    written = engine.execute(
        f"copy ({select}) to {literal(str(target))} (format parquet, compression zstd)"
    ).fetchone()
    return int(written[0])
