"""JSON lines to rows of text: one object per line; a line that is no object becomes a problem row.

A number arrives as its value (`12.50` as 12.5; a fraction has the digits of a double, a whole
number all of its own), a list as its values separated by commas, an object inside an object as
JSON.
"""

import json
from dataclasses import replace
from pathlib import Path

import duckdb

from orchestration.resources.landing.columns import DeliveryRefused, Expected
from orchestration.resources.landing.engine import file_name, identifier, literal
from orchestration.resources.landing.manifest import StoredColumn
from orchestration.resources.landing.readers.delivered_file import (
    Content,
    Inspected,
    copy_to_parquet,
    ignored_headers,
    stored_as_text,
    stored_names,
)
from orchestration.resources.landing.readers.text import LineReader, TextFile

_OBJECT = "case when json_valid(line) and json_type(line) = 'OBJECT' then line end"


def inspect_json_lines(
    engine: duckdb.DuckDBPyConnection, path: Path, text: TextFile, scratch: Path
) -> Inspected:
    """Collect the names that any object in the file uses."""
    first = next((line for line in LineReader(text) if line.strip()), "")
    if first.lstrip().startswith("["):
        raise DeliveryRefused(
            path,
            "holds one JSON array",
            "Export JSON lines: one object per line, nothing around them",
        )
    inspected = Inspected(path, "json_lines", headers=(), text=text, lines_path=path)
    if not (text.is_clean_utf8 and _has_all_lines(engine, inspected)):
        inspected = _rewritten(inspected, scratch / "lines.jsonl")
    names = engine.execute(
        f"select distinct unnest(json_keys({_OBJECT})) as name from {_lines(inspected)} order by 1"
    ).fetchall()
    if not names:
        raise DeliveryRefused(
            path, "has no JSON object in any line", "Export JSON lines: one object per line"
        )
    return replace(inspected, headers=tuple(name for (name,) in names))


def read_json_lines(
    engine: duckdb.DuckDBPyConnection, inspected: Inspected, expected: Expected, scratch: Path
) -> Content:
    """Write one row per line that is not blank."""
    target = scratch / "content.parquet"
    shape = json.dumps({header: "VARCHAR" for header in inspected.headers}, ensure_ascii=False)
    columns = ",\n".join(
        f"{_text(f'struct_extract(fields, {literal(header)})')} as {identifier(name)}"
        for header, name in zip(
            inspected.headers, stored_names(inspected.headers, expected), strict=True
        )
    )
    rows = copy_to_parquet(
        engine,
        f"""
        select
            {columns},
            case when fields is null then 'line is not a JSON object' end as _problem,
            case when fields is null then line end as _raw
        from (
            select line, json_transform({_OBJECT}, {literal(shape)}) as fields
            from {_lines(inspected)}
            where trim(line) <> ''
        )
        """,
        target,
    )
    (problem_rows,) = engine.execute(
        f"select count(_problem) from read_parquet({file_name(target)})"
    ).fetchone()
    return Content(
        path=target,
        rows=rows,
        problem_rows=problem_rows,
        columns=stored_as_text(inspected.headers, expected)
        | {name: StoredColumn(name) for name in ("_problem", "_raw")},
        ignored=ignored_headers(inspected.headers, expected),
        format=inspected.format,
        encoding="utf-8",
        lines_read_as_cp1252=inspected.lines_read_as_cp1252,
    )


def _lines(inspected: Inspected) -> str:
    """The file's lines as a relation with the one column `line`."""
    is_packed = inspected.text.is_packed and inspected.lines_path == inspected.path
    # JSON never holds the control sign 1 outside an escape, so that every line is one value.
    return (
        f"read_csv({file_name(inspected.lines_path)}, auto_detect = false, delim = '\x01', "
        "quote = '', escape = '', header = false, columns = {'line': 'VARCHAR'}, "
        f"max_line_size = 16777216, compression = '{'gzip' if is_packed else 'none'}')"
    )


def _has_all_lines(engine: duckdb.DuckDBPyConnection, inspected: Inspected) -> bool:
    try:
        (count,) = engine.execute(f"select count(*) from {_lines(inspected)}").fetchone()
    except duckdb.Error:
        return False
    return count == inspected.text.line_count


def _rewritten(inspected: Inspected, target: Path) -> Inspected:
    """The same lines in UTF-8 with one kind of line end, for the engine to read."""
    lines = LineReader(inspected.text)
    with target.open("w", encoding="utf-8", newline="") as file:
        for line in lines:
            # A byte order mark or control sign 1 in a broken line must not split it.
            file.write(line.rstrip("\r\n").replace("\x01", "\ufffd") + "\n")
    return replace(inspected, lines_path=target, lines_read_as_cp1252=lines.lines_read_as_cp1252)


def _text(value: str) -> str:
    is_list = f"starts_with({value}, '[') and json_valid({value}) and json_type({value}) = 'ARRAY'"
    as_text = f"array_to_string(from_json({value}, '[\"VARCHAR\"]'), ',')"
    return f"case when {is_list} then nullif({as_text}, '') else nullif({value}, '') end"
