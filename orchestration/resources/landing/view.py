"""The SQL of `landing.<table>`: all batches of a table, every column of the contract as text.

What is the same for a whole batch (file, time, date order) comes from its manifest as a
constant, so that a filter on `_batch_id` with a literal drops all other batches before they are
read.
"""

from collections.abc import Sequence
from pathlib import Path

from orchestration.contract import Table
from orchestration.resources.landing.columns import DELETED_FLAG
from orchestration.resources.landing.engine import identifier, literal, parquet
from orchestration.resources.landing.manifest import Manifest, StoredColumn
from orchestration.resources.landing.readers.parquet_files import text_expression

_TRUE = "('true', 't', 'yes', 'y', '1')"
_FALSE = "('false', 'f', 'no', 'n', '0')"
_META_TYPES = {
    "_source": "varchar",
    "_batch_id": "varchar",
    "_row_number": "bigint",
    "_loaded_at": "timestamp",
    "_is_deleted": "boolean",
    "_problem": "varchar",
    "_raw": "varchar",
    "_date_order": "varchar",
    "_timezone": "varchar",
}


def relation_sql(table: Table, batches: Sequence[tuple[Manifest, Path]]) -> str:
    """A SELECT over all batches; without any, the same columns and no row."""
    if not batches:
        types = {name: "varchar" for name in table.column_names} | _META_TYPES
        columns = ",\n    ".join(
            f"cast(null as {data_type}) as {name}" for name, data_type in types.items()
        )
        return f"select\n    {columns}\nwhere false"
    return "\nunion all\n".join(_batch_sql(table, manifest, path) for manifest, path in batches)


def _batch_sql(table: Table, manifest: Manifest, path: Path) -> str:
    delivered = {
        column.name: _delivered(manifest, column.name, column.data_type) for column in table.columns
    }
    row_number = manifest.columns.get("_row_number")
    loaded_at = manifest.loaded_at.strftime("%Y-%m-%d %H:%M:%S.%f")
    flag = _delivered(manifest, DELETED_FLAG, "varchar")
    meta = {
        "_source": literal(manifest.file),
        "_batch_id": literal(manifest.batch_id),
        "_row_number": identifier(row_number.name) if row_number else "file_row_number + 1",
        "_loaded_at": f"timestamp '{loaded_at}'",
        "_is_deleted": f"coalesce(lower(trim({flag})) in {_TRUE}, false)",
        "_problem": _problem(manifest, flag),
        "_raw": _delivered(manifest, "_raw", "varchar"),
        "_date_order": literal(manifest.date_order),
        "_timezone": literal(manifest.timezone),
    }
    columns = ",\n    ".join(f"{value} as {name}" for name, value in (delivered | meta).items())
    return f"select\n    {columns}\nfrom {parquet(path, ', file_row_number = true')}"


def stored_as_text(stored: StoredColumn | None, contract_type: str) -> str:
    """The text of a stored column, NULL for one that was not delivered."""
    return text_expression(stored, contract_type) if stored else "cast(null as varchar)"


def _delivered(manifest: Manifest, name: str, contract_type: str) -> str:
    return stored_as_text(manifest.columns.get(name), contract_type)


def _problem(manifest: Manifest, flag: str) -> str:
    problem = _delivered(manifest, "_problem", "varchar")
    if DELETED_FLAG not in manifest.columns:
        return problem
    is_unknown = f"lower(trim({flag})) not in {_TRUE} and lower(trim({flag})) not in {_FALSE}"
    return (
        f"coalesce({problem}, case when {is_unknown} "
        f"then 'is_deleted is neither true nor false: ' || {flag} end)"
    )
