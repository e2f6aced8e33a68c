"""Delimited text (CSV, TSV, ...) to rows of text.

The engine's own reader does it where it takes the whole file; else `separate` goes record by
record.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow

from orchestration.resources.landing.columns import DeliveryRefused, Expected
from orchestration.resources.landing.engine import file_name, literal
from orchestration.resources.landing.manifest import StoredColumn
from orchestration.resources.landing.readers.delivered_file import (
    Content,
    Inspected,
    copy_to_parquet,
    ignored_headers,
    stored_as_text,
    stored_names,
)
from orchestration.resources.landing.readers.separate import separate_file
from orchestration.resources.landing.readers.text import (
    LineReader,
    RecordPattern,
    TextFile,
    parse_header,
)


def inspect_delimited(path: Path, text: TextFile, expected: Expected) -> Inspected:
    """Split the first line that is not blank by the delimiter that gives most expected columns."""
    position, first = next(
        (found for found in enumerate(LineReader(text)) if found[1].strip()), (0, "")
    )
    delimiter, headers = parse_header(first, expected)
    return Inspected(
        path,
        "delimited",
        headers=tuple(headers),
        text=text,
        delimiter=delimiter,
        starts_with_header=position == 0,
    )


def read_delimited(
    engine: duckdb.DuckDBPyConnection, inspected: Inspected, expected: Expected, scratch: Path
) -> Content:
    """Write one row per data line."""
    names = stored_names(inspected.headers, expected)
    content = Content(
        path=scratch / "content.parquet",
        rows=inspected.text.line_count - 1,
        problem_rows=0,
        columns=stored_as_text(inspected.headers, expected),
        ignored=ignored_headers(inspected.headers, expected),
        format=inspected.format,
        encoding="utf-8",
        delimiter=inspected.delimiter,
    )
    if _read_whole(engine, inspected, names, content):
        return content
    return _read_separated(engine, inspected, names, content, scratch / "records.csv")


def _read_whole(
    engine: duckdb.DuckDBPyConnection, inspected: Inspected, names: Sequence[str], content: Content
) -> bool:
    """Let the engine read the file; False where any line of it did not become exactly one row.

    The engine leaves out lines that do not fit, so its answer counts only where there are as many
    rows as lines. Blank lines and line breaks inside values therefore end in the reader below too,
    which is slower and counts record by record.
    """
    text = inspected.text
    is_plain = text.is_clean_utf8 and text.has_one_line_end and inspected.starts_with_header
    # In a single column the engine takes a blank line for a row.
    if not is_plain or len(names) == 1:
        return False
    packing = "gzip" if text.is_packed else "none"
    relation = _relation(
        text.path, inspected.delimiter, names, f"header = true, compression = '{packing}'"
    )
    return copy_to_parquet(engine, f"select * from {relation}", content.path) == content.rows


def _read_separated(
    engine: duckdb.DuckDBPyConnection,
    inspected: Inspected,
    names: Sequence[str],
    content: Content,
    records: Path,
) -> Content:
    lines = LineReader(inspected.text)
    separated = separate_file(lines, RecordPattern(inspected.delimiter, len(names)), records)
    problem_lines = pyarrow.table(
        {
            "_row_number": pyarrow.array(separated.row_numbers, pyarrow.int64()),
            "_problem": pyarrow.array(separated.problems, pyarrow.string()),
            "_raw": pyarrow.array(separated.raw_lines, pyarrow.string()),
        }
    )
    engine.register("problem_lines", problem_lines)
    relation = _relation(
        records,
        inspected.delimiter,
        ["_row_number", *names],
        "header = false, new_line = '\\n', compression = 'none'",
    )
    rows = copy_to_parquet(
        engine,
        f"""
        select
            * replace (cast(_row_number as bigint) as _row_number),
            cast(null as varchar) as _problem,
            cast(null as varchar) as _raw
        from {relation}
        union all by name
        select * from problem_lines
        """,
        content.path,
    )
    engine.unregister("problem_lines")
    if rows != separated.row_count:
        raise DeliveryRefused(
            inspected.path,
            f"has {separated.row_count} data lines, of which the engine read {rows}",
            "Nothing was landed; export it again with every value in quotes",
        )
    stored = {name: StoredColumn(name) for name in ("_problem", "_raw")}
    return replace(
        content,
        rows=rows,
        columns={**content.columns, **stored, "_row_number": StoredColumn("_row_number", "BIGINT")},
        problem_rows=len(separated.row_numbers),
        encoding=lines.encoding,
        lines_read_as_cp1252=lines.lines_read_as_cp1252,
    )


def _relation(path: Path, delimiter: str, names: Sequence[str], options: str) -> str:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    # Errors are left out and found by counting: DuckDB 2.0 hangs in about half of the cases where a
    # line stops a parallel COPY (TaskExecutor::DrainTasks waits for a task that was given up).
    return (
        f"read_csv({file_name(path)}, auto_detect = false, delim = {literal(delimiter)}, "
        f"quote = '\"', escape = '\"', columns = {{{columns}}}, nullstr = '', "
        f"null_padding = false, ignore_errors = true, {options})"
    )
