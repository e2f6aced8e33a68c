"""Header names of a delivery and the columns they stand for. No files and no engine here."""

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.contract import Table

# Names that landing itself writes; a delivered column of that name would shadow them.
META_COLUMNS = (
    "_source",
    "_batch_id",
    "_row_number",
    "_loaded_at",
    "_is_deleted",
    "_problem",
    "_raw",
    "_date_order",
    "_timezone",
)
DELETED_FLAG = "_is_deleted"
# How the engine names a row's file and its place there.
ENGINE_COLUMNS = ("filename", "file_row_number")


class DeliveryRefused(ValueError):
    """A file cannot be taken as a whole; the message names file, finding and remedy."""

    def __init__(self, file: str | Path, found: str, remedy: str) -> None:
        self.file = Path(file).name
        self.found = found
        self.remedy = remedy
        super().__init__(f"{self.file} {found}. {remedy}.")


@dataclass(frozen=True)
class Expected:
    """The columns that a file is read for: names, other names for them, and which must be there."""

    names: tuple[str, ...]
    date_names: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    required_any: tuple[tuple[str, ...], ...] = ()
    aliases: Mapping[str, str] | None = None

    @classmethod
    def of(cls, table: Table) -> "Expected":
        return cls(
            names=table.column_names,
            date_names=table.date_columns,
            required=table.required_columns,
            required_any=table.required_any,
            aliases={"is_deleted": DELETED_FLAG},
        )


@dataclass(frozen=True)
class Match:
    """Where the expected columns stand in a header, and the positions left over."""

    positions: dict[str, int]
    ignored: tuple[int, ...]


def normalised(header: str) -> str:
    """A header as a column name: lower case, every run of other signs one underscore."""
    text = header.strip().lower()
    name = re.sub(r"[\W_]+", "_", text).strip("_")
    return f"_{name}" if text.startswith("_") and name else name


def match(headers: Sequence[str], expected: Expected) -> Match:
    """Match headers to expected columns; `Order ID`, `order-id` and `orderId` are all order_id."""
    known = {name.replace("_", ""): name for name in (*expected.names, DELETED_FLAG)}
    known |= {alias.replace("_", ""): name for alias, name in (expected.aliases or {}).items()}
    positions: dict[str, int] = {}
    ignored: list[int] = []
    for position, header in enumerate(headers):
        name = known.get(normalised(header).replace("_", ""))
        if name is None or name in positions:
            ignored.append(position)
        else:
            positions[name] = position
    return Match(positions, tuple(ignored))


def check_headers(file: Path, headers: Sequence[str], expected: Expected) -> None:
    """Refuse a header that is empty, names a column twice or lacks a required one."""
    if not any(header.strip() for header in headers):
        raise DeliveryRefused(
            file, "has no header", "Export it again with the column names in the first line"
        )
    counts = Counter(_meaning(header, expected) for header in headers if header.strip())
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise DeliveryRefused(
            file,
            f"has the column {twice[0]} {counts[twice[0]]} times",
            "Keep one of them, or rename the others in the export",
        )
    found = match(headers, expected).positions
    for name in expected.required:
        if name not in found:
            raise _lacks(file, f"the required column {name}", (name,), headers, found)
    for group in expected.required_any:
        if not any(name in found for name in group):
            raise _lacks(file, f"one of the columns {' or '.join(group)}", group, headers, found)


def _meaning(header: str, expected: Expected) -> str:
    positions = match([header], expected).positions
    return next(iter(positions), normalised(header) or header.strip())


def _lacks(
    file: Path, what: str, names: Sequence[str], headers: Sequence[str], found: Mapping[str, int]
) -> DeliveryRefused:
    unused = {
        normalised(header): header.strip()
        for position, header in enumerate(headers)
        if position not in found.values()
    }
    close = [unused[hit] for name in names for hit in difflib.get_close_matches(name, unused, n=1)]
    shown = ", ".join(header.strip() for header in headers[:20])
    more = f" and {len(headers) - 20} more" if len(headers) > 20 else ""
    rename = f"Rename {close[0]} to {names[0]}" if close else "Rename the column"
    return DeliveryRefused(
        file,
        f"lacks {what} (it has: {shown}{more})",
        f"{rename} in the export, or load the file through a connector: "
        f"retention load <connector> {file.name}",
    )
