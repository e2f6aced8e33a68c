"""The SQL of `landing.<table>`: all batches of a table, the columns of the contract as text or as their own type.

A column keeps its type where every batch that has it stores exactly the type of the contract, as Parquet
deliveries may: a text that staging would only read back cost as much as all the rest of staging. One
delivery as text, or in any other type, and the column is text for all batches.

What is the same for a whole batch (file, time, date order) comes from its manifest, so a filter
on `_batch_id` with a literal drops all other batches before they are read. Batches that look alike
share one SELECT: with one SELECT each, a thousand nights took 14 s to plan, and 0.3 s like this.
"""

from collections.abc import Mapping, Sequence
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


# A batch of more rows has a SELECT of its own: its facts are constants and cost nothing per row.
_ROWS_OF_A_LARGE_BATCH = 1_000_000


def relation_sql(table: Table, batches: Sequence[tuple[Manifest, Path]]) -> str:
    """A SELECT over all batches; without any, the same columns and no row."""
    native = native_columns(table, [manifest for manifest, _ in batches])
    if not batches:
        types = {name: "varchar" for name in table.column_names} | _META_TYPES
        columns = ",\n    ".join(
            f"cast(null as {data_type}) as {name}" for name, data_type in types.items()
        )
        return f"select\n    {columns}\nwhere false"
    alike: dict[object, list[tuple[Manifest, Path]]] = {}
    for manifest, path in batches:
        is_large = manifest.rows > _ROWS_OF_A_LARGE_BATCH
        look = manifest.batch_id if is_large else tuple(sorted(manifest.columns.items()))
        alike.setdefault(look, []).append((manifest, path))
    return "\nunion all\n".join(_select(table, group, native) for group in alike.values())


def native_columns(table: Table, manifests: Sequence[Manifest]) -> frozenset[str]:
    """The columns that every delivery which has them stores in the type of the contract."""
    stored_types: dict[str, set[str]] = {}
    for manifest in manifests:
        for name, stored in manifest.columns.items():
            stored_types.setdefault(name, set()).add(stored.data_type)
    return frozenset(
        column.name
        for column in table.columns
        if column.data_type != "varchar"
        and stored_types.get(column.name) == {column.data_type.upper()}
    )


def _select(table: Table, batches: Sequence[tuple[Manifest, Path]], native: frozenset[str]) -> str:
    """One SELECT over batches whose columns stand in the same places."""
    stored = batches[0][0].columns
    facts = [_facts(manifest) for manifest, _ in batches]
    relation = parquet(*(path for _, path in batches))
    if len(batches) > 1:
        rows = ",\n    ".join(f"({', '.join(fact.values())})" for fact in facts)
        # Joined on the file's name, so that a filter on _batch_id becomes one on files.
        relation += (
            f"\ninner join (values\n    {rows}\n) as batches ({', '.join(facts[0])})"
            "\n    on parse_filename(filename, true) = batches._batch_id"
        )
        fact = {name: f"batches.{name}" for name in facts[0]}
    else:
        fact = facts[0]
    flag = stored_as_text(stored.get(DELETED_FLAG), "varchar")
    row_number = "_row_number" if "_row_number" in stored else "file_row_number + 1"
    meta = {
        "_source": fact["_source"],
        "_batch_id": fact["_batch_id"],
        "_row_number": row_number,
        "_loaded_at": fact["_loaded_at"],
        "_is_deleted": f"coalesce(lower(trim({flag})) in {_TRUE}, false)",
        "_problem": _problem(stored, flag),
        "_raw": stored_as_text(stored.get("_raw"), "varchar"),
        "_date_order": fact["_date_order"],
        "_timezone": fact["_timezone"],
    }
    delivered = {
        column.name: _as_stored(stored.get(column.name), column.data_type)
        if column.name in native
        else stored_as_text(stored.get(column.name), column.data_type)
        for column in table.columns
    }
    columns = ",\n    ".join(f"{value} as {name}" for name, value in (delivered | meta).items())
    return f"select\n    {columns}\nfrom {relation}"


def _facts(manifest: Manifest) -> dict[str, str]:
    """What is the same for all rows of a batch, as SQL literals."""
    loaded_at = manifest.loaded_at.strftime("%Y-%m-%d %H:%M:%S.%f")
    return {
        "_batch_id": literal(manifest.batch_id),
        "_source": literal(manifest.file),
        "_loaded_at": f"timestamp '{loaded_at}'",
        "_date_order": literal(manifest.date_order),
        "_timezone": literal(manifest.timezone),
    }


def stored_as_text(stored: StoredColumn | None, contract_type: str) -> str:
    """The text of a stored column, NULL for one that was not delivered."""
    return text_expression(stored, contract_type) if stored else "cast(null as varchar)"


def _as_stored(stored: StoredColumn | None, contract_type: str) -> str:
    return identifier(stored.name) if stored else f"cast(null as {contract_type})"


def _problem(stored: Mapping[str, StoredColumn], flag: str) -> str:
    problem = stored_as_text(stored.get("_problem"), "varchar")
    if DELETED_FLAG not in stored:
        return problem
    is_unknown = f"lower(trim({flag})) not in {_TRUE} and lower(trim({flag})) not in {_FALSE}"
    return (
        f"coalesce({problem}, case when {is_unknown} "
        f"then 'is_deleted is neither true nor false: ' || {flag} end)"
    )
