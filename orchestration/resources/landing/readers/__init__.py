"""From a delivered file to rows of text: which format it has, and which reader takes it.

`inspect` names a file's headers, so that a wrong file is refused before it is read; `read` then
gives every data line as one row. Nothing here knows about batches.
"""

from pathlib import Path

import duckdb

from orchestration.resources.landing.columns import DeliveryRefused, Expected
from orchestration.resources.landing.readers.delimited import inspect_delimited, read_delimited
from orchestration.resources.landing.readers.delivered_file import Content, Inspected
from orchestration.resources.landing.readers.json_lines import inspect_json_lines, read_json_lines
from orchestration.resources.landing.readers.parquet_files import inspect_parquet, read_parquet
from orchestration.resources.landing.readers.text import examine

DELIMITED_SUFFIXES = (".csv", ".tsv", ".txt", ".tab")
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
_PARQUET_MAGIC = b"PAR1"


def inspect(
    engine: duckdb.DuckDBPyConnection, path: Path, expected: Expected, scratch: Path
) -> Inspected:
    """Find a file's format and headers, or refuse it as unreadable."""
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise DeliveryRefused(
            path, f"cannot be opened ({error.strerror})", "Check its name and its permissions"
        ) from error
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    if start == _PARQUET_MAGIC or suffix == ".parquet":
        return inspect_parquet(engine, path)
    if suffix not in DELIMITED_SUFFIXES + JSON_SUFFIXES:
        raise DeliveryRefused(
            path,
            f"has a form that is not read ({suffix or 'no suffix'})",
            "Export it as .csv, .csv.gz, .tsv, .jsonl or .parquet",
        )
    text = examine(path)
    if text.line_count == 0:
        raise DeliveryRefused(
            path, "is empty", "Export it again; a source without rows still has a header"
        )
    if suffix in JSON_SUFFIXES:
        try:
            return inspect_json_lines(engine, path, text, scratch)
        except duckdb.Error as error:
            raise _unreadable(path, error) from error
    return inspect_delimited(path, text, expected)


def read(
    engine: duckdb.DuckDBPyConnection, inspected: Inspected, expected: Expected, scratch: Path
) -> Content:
    """Read the file's data lines into a Parquet file; Parquet is checked and copied."""
    try:
        if inspected.format == "parquet":
            return read_parquet(engine, inspected, expected, scratch)
        if inspected.format == "json_lines":
            return read_json_lines(engine, inspected, expected, scratch)
        return read_delimited(engine, inspected, expected, scratch)
    except duckdb.Error as error:
        raise _unreadable(inspected.path, error) from error


def _unreadable(path: Path, error: Exception) -> DeliveryRefused:
    return DeliveryRefused(
        path, f"cannot be read ({str(error).splitlines()[0]})", "Export it again"
    )
