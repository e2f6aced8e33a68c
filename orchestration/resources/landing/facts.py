"""What is known about every delivery, as a table beside the deliveries: rows, time, and what its columns changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from orchestration.resources.landing.manifest import Manifest

DELIVERY_COLUMNS = pa.schema(
    [
        ("batch_id", pa.string()),
        ("source_table", pa.string()),
        ("source_file", pa.string()),
        ("connector", pa.string()),
        ("landed_rows", pa.int64()),
        ("problem_rows", pa.int64()),
        ("delivered_columns", pa.int64()),
        ("is_first", pa.bool_()),
        ("added_columns", pa.string()),
        ("missing_columns", pa.string()),
        ("added_count", pa.int64()),
        ("missing_count", pa.int64()),
        ("unknown_change_count", pa.int64()),
        ("loaded_at", pa.timestamp("us")),
    ]
)


@dataclass(frozen=True)
class ColumnChanges:
    """How the columns of a delivery differ from those of the one before; empty for the first."""

    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    # Names outside the contract are only counted: a file without a header has somebody's data in their place.
    unknown: int = 0


def column_changes(before: Manifest | None, after: Manifest) -> ColumnChanges:
    """Columns of the contract that came or went, and how many others did."""
    if before is None:
        return ColumnChanges()
    had, has = (_contract_columns(manifest) for manifest in (before, after))
    return ColumnChanges(
        added=tuple(sorted(has - had)),
        missing=tuple(sorted(had - has)),
        unknown=len(set(before.ignored_columns) ^ set(after.ignored_columns)),
    )


def delivery_facts(manifests: Iterable[Manifest]) -> pa.Table:
    """One row per delivery, given in order of arrival within each table."""
    rows: list[dict[str, Any]] = []
    # An export of another system has other columns by nature: each way of delivering is followed by itself.
    newest: dict[tuple[str, str], Manifest] = {}
    for manifest in manifests:
        way = (manifest.table, manifest.connector)
        changes = column_changes(newest.get(way), manifest)
        rows.append(
            {
                "batch_id": manifest.batch_id,
                "source_table": manifest.table,
                "source_file": manifest.file,
                "connector": manifest.connector,
                "landed_rows": manifest.rows,
                "problem_rows": manifest.problem_rows,
                "delivered_columns": len(_contract_columns(manifest)),
                "is_first": way not in newest,
                "added_columns": ", ".join(changes.added) or None,
                "missing_columns": ", ".join(changes.missing) or None,
                "added_count": len(changes.added),
                "missing_count": len(changes.missing),
                "unknown_change_count": changes.unknown,
                "loaded_at": manifest.loaded_at,
            }
        )
        newest[way] = manifest
    return pa.Table.from_pylist(rows, schema=DELIVERY_COLUMNS)


def _contract_columns(manifest: Manifest) -> set[str]:
    # Landing writes some of its own; the flag of deletion comes and goes with the deletions.
    return {name for name in manifest.columns if not name.startswith("_")}
