"""Delimited text record by record, for files that the engine's own reader cannot take whole.

The engine's reader is fast and stops at the first line that does not fit, or loses lines around a
stray quote. Here every line of the file ends in exactly one of two places: among the records that
fit the header, or among the problem lines with the reason. Nothing is lost, and one stray quote
costs one row.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from orchestration.resources.landing.readers.text import RecordPattern

# A quoted value that runs on for more lines than this is taken for a stray quote.
_LINES_IN_A_RECORD = 500
# Longer records are beyond what the engine's reader takes; no shop's export has them.
_CHARACTERS_IN_A_RECORD = 1_000_000


@dataclass
class Separated:
    """How many records fitted, and the lines that did not: row number, reason, text."""

    record_count: int = 0
    row_numbers: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    raw_lines: list[str] = field(default_factory=list)

    @property
    def row_count(self) -> int:
        return self.record_count + len(self.row_numbers)


def separate(lines: Iterable[str], pattern: RecordPattern, target: IO[str]) -> Separated:
    """Write records that fit to `target`, each after its row number; keep the other lines aside."""
    result = Separated()
    for record, fitted in _records(lines, pattern):
        row_number = result.row_count + 1
        if fitted is not None and len(fitted) <= _CHARACTERS_IN_A_RECORD:
            target.write(f"{row_number}{pattern.delimiter}{fitted}\n")
            result.record_count += 1
        else:
            result.row_numbers.append(row_number)
            result.problems.append(_problem(record, pattern))
            result.raw_lines.append(record)
    return result


def separate_file(lines: Iterable[str], pattern: RecordPattern, target: Path) -> Separated:
    """`separate` into a new file; the header, the first line that is not blank, is left out."""
    with target.open("w", encoding="utf-8", newline="") as file:
        return separate(_after_header(lines), pattern, file)


def _after_header(lines: Iterable[str]) -> Iterator[str]:
    is_header_seen = False
    for line in lines:
        if is_header_seen:
            yield line
        is_header_seen = is_header_seen or bool(line.strip())


def _records(lines: Iterable[str], pattern: RecordPattern) -> Iterator[tuple[str, str | None]]:
    """Each record with its fitted form, or with None each line that is part of no record."""
    source = iter(lines)
    waiting: deque[str] = deque()
    while True:
        line = waiting.popleft() if waiting else next(source, None)
        if line is None:
            return
        if not line.strip(" \r\n"):
            continue
        fitted = pattern.fitted(line)
        if fitted is None and pattern.may_continue(line):
            taken = [line]
            fitted = _continued(taken, waiting, source, pattern)
            if fitted is None:
                waiting.extendleft(reversed(taken[1:]))
            else:
                line = "".join(taken)
        yield line.rstrip("\r\n"), fitted


def _continued(
    taken: list[str], waiting: deque[str], source: Iterator[str], pattern: RecordPattern
) -> str | None:
    """Take further lines until they make one record with the first; None where they never do."""
    quotes = taken[0].count('"')
    characters = len(taken[0])
    while len(taken) < _LINES_IN_A_RECORD and characters < _CHARACTERS_IN_A_RECORD:
        line = waiting.popleft() if waiting else next(source, None)
        if line is None:
            return None
        taken.append(line)
        characters += len(line)
        quotes += line.count('"')
        if '"' in line and quotes % 2 == 0:
            fitted = pattern.fitted("".join(taken))
            if fitted is not None:
                return fitted
    return None


def _problem(record: str, pattern: RecordPattern) -> str:
    values = pattern.values(record)
    if values is None:
        return "line cannot be split: a quoted value is not closed, or text follows its end"
    if len(values) == pattern.column_count:
        return f"line is longer than {_CHARACTERS_IN_A_RECORD} characters"
    return f"line has {len(values)} values and the header has {pattern.column_count}"
