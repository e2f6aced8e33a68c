"""What a person sees in the terminal: a night while it runs, and tables of a query. No warehouse, no Dagster."""

import csv
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TextIO

NAME_WIDTH = 14
CELL_WIDTH = 48


class TerminalStep:
    """One step of the night: details below its name, a counter that rewrites itself, a closing line."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self._name = name
        self._stream = stream
        self._result = ""
        self._lines: list[str] = []

    def count(self, done: int, total: int, what: str) -> None:
        # Only a terminal can take a line back; a log file would be filled with them.
        if self._stream.isatty():
            self._stream.write(f"\r\x1b[2K  {self._name:<{NAME_WIDTH}} {done}/{total}  {what[:60]}")
            self._stream.flush()

    def line(self, text: str) -> None:
        self._lines.append(text)

    def result(self, text: str) -> None:
        self._result = text

    def close(self, seconds: float, *, failed: bool) -> None:
        """Write the step's line, then its details."""
        clear = "\r\x1b[2K" if self._stream.isatty() else ""
        text = "FAILED" if failed else self._result
        self._stream.write(f"{clear}  {self._name:<{NAME_WIDTH}} {seconds:6.1f} s  {text}\n")
        for line in self._lines:
            self._stream.write(f"  {'':<{NAME_WIDTH}}           {line}\n")
        self._stream.flush()


class TerminalProgress:
    """Progress on a stream that is not where dbt and Dagster write to."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    @contextmanager
    def step(self, name: str) -> Iterator[TerminalStep]:
        """One line per step, with its time."""
        begun = time.monotonic()
        step = TerminalStep(name, self._stream)
        if self._stream.isatty():
            self._stream.write(f"  {name} ...")
            self._stream.flush()
        try:
            yield step
        except BaseException:
            step.close(time.monotonic() - begun, failed=True)
            raise
        step.close(time.monotonic() - begun, failed=False)


def table_text(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns side by side, numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [
        max([len(name), *(len(row[place]) for row in cells)]) for place, name in enumerate(names)
    ]
    right = [
        any(row[place] is not None for row in rows)
        and all(_is_number(row[place]) or row[place] is None for row in rows)
        for place in range(len(names))
    ]

    def line(values: Sequence[str]) -> str:
        parts = [
            value.rjust(width) if is_right else value.ljust(width)
            for value, width, is_right in zip(values, widths, right, strict=True)
        ]
        return "  ".join(parts).rstrip()

    return "\n".join([line(names), line(["-" * width for width in widths]), *map(line, cells)])


def write_csv(names: Sequence[str], rows: Sequence[Sequence[Any]], stream: TextIO) -> None:
    """All rows as CSV with a header."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)


def write_json(names: Sequence[str], rows: Sequence[Sequence[Any]], stream: TextIO) -> None:
    """All rows as one JSON object per line; amounts stay exact as text."""
    for row in rows:
        record = dict(zip(names, row, strict=True))
        stream.write(json.dumps(record, default=_for_json, ensure_ascii=False) + "\n")


def _for_json(value: Any) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    text = " ".join(str(value).split())
    return text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 3] + "..."
