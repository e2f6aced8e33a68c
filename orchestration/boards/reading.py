"""What a page reads: one published night, its tables, its metric catalogue, and the rows of each query."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Protocol

from orchestration.boards.formats import words
from orchestration.boards.specification import (
    Board,
    BoardError,
    Chart,
    Definition,
    Filter,
    tables_of,
)

# The catalogue speaks of columns and settings (`as_of_date`); a board's reader reads words.
_CODE = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")


class Copy(Protocol):
    """One published file, held open while a page is drawn, so that all its charts tell of one night."""

    label: str

    def query(
        self, sql: str, parameters: Mapping[str, str]
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows; names the parameters that the SQL uses."""


@dataclass(frozen=True)
class Answer:
    """The rows of one chart, or why there are none."""

    names: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    no_data: str = ""
    # No rows because there is nothing to tell, and not because a source is missing.
    is_complete: bool = False
    milliseconds: float = 0.0

    def column(self, name: str) -> list[Any]:
        place = self.names.index(name)
        return [row[place] for row in self.rows]

    def records(self) -> list[dict[str, Any]]:
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]


@dataclass
class Night:
    """A published copy as the boards see it."""

    copy: Copy
    timings: list[tuple[str, float]] = field(default_factory=list)
    _options: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    _answers: dict[tuple[Any, ...], Answer] = field(default_factory=dict)

    @cached_property
    def tables(self) -> frozenset[str]:
        rows = self._rows(
            "select table_name from information_schema.tables where table_schema = 'marts'"
        )
        return frozenset(name for (name,) in rows)

    @cached_property
    def as_of_date(self) -> date:
        return self._rows("select as_of_date from publication")[0][0]

    @cached_property
    def currency(self) -> str | None:
        if "fct_kpi_days" not in self.tables:
            return None
        return self._rows("select max(currency_code) from fct_kpi_days")[0][0]

    @cached_property
    def _metrics(self) -> dict[tuple[str, str], str]:
        if "dim_metrics" not in self.tables:
            return {}
        rows = self._rows("select metric, variant, definition from dim_metrics")
        return {(metric, variant): definition for metric, variant, definition in rows}

    @cached_property
    def _sources_missing(self) -> dict[str, str]:
        if "fct_mart_status" not in self.tables:
            return {}
        rows = self._rows(
            "select mart_name, missing_sources from fct_mart_status where not has_data"
        )
        return {mart: str(missing or "") for mart, missing in rows}

    def definition(self, said: Definition, chosen: Mapping[str, str]) -> str:
        """The words of a definition; a metric that the catalogue does not know raises BoardError."""
        if not said.metric:
            return said.text
        variant = chosen[said.variant[1:]] if said.variant.startswith("$") else said.variant
        if not self._metrics:
            return said.text or "The catalogue of metrics is not in this copy."
        if (said.metric, variant) not in self._metrics:
            raise BoardError(f"dim_metrics has no variant {variant} of {said.metric}")
        found = self._metrics[said.metric, variant].replace("as_of_date", "the as-of date")
        found = _CODE.sub(lambda code: code[0].replace("_", " "), found)
        return f"{found} {said.text}".strip()

    def options(self, choice: Filter) -> list[tuple[str, str]]:
        """Values and labels of a filter, the default first; none where its tables are missing."""
        if choice.options not in self._options:
            self._options[choice.options] = self._read_options(choice)
        return self._options[choice.options]

    def _read_options(self, choice: Filter) -> list[tuple[str, str]]:
        if not set(tables_of(choice.options)) <= self.tables:
            return []
        return [(str(row[0]), str(row[1])) for row in self._rows(choice.options)]

    def answer(self, board: Board, chart: Chart, chosen: Mapping[str, str]) -> Answer:
        """The rows of a chart, asked for once: most pages of a night differ in one choice, which few charts heed."""
        heeded = tuple(sorted((n, value) for n, value in chosen.items() if f"${n}" in chart.sql))
        key = (board.name, chart.id, heeded)
        if key not in self._answers:
            self._answers[key] = self.ask(board, chart, chosen)
        return self._answers[key]

    def ask(self, board: Board, chart: Chart, chosen: Mapping[str, str]) -> Answer:
        """The rows of a chart. What the shop does not deliver is an answer, not an error."""
        if absent := [table for table in chart.tables if table not in self.tables]:
            return Answer(no_data=f"This copy holds no {absent[0]} yet.")
        unchosen = [f for f in board.filters if f"${f.name}" in chart.sql and f.name not in chosen]
        started = time.perf_counter()
        names, rows = ([], []) if unchosen else self.copy.query(chart.sql, chosen)
        spent = (time.perf_counter() - started) * 1000
        self.timings.append((f"{board.name}.{chart.id}", spent))
        if not rows or _is_void(names, rows):
            # Nothing to choose from, nothing to show: what the choices are made of is what is missing.
            read = [*chart.tables, *(table for f in unchosen for table in tables_of(f.options))]
            why, is_complete = self._why_empty(read)
            return Answer(no_data=why, is_complete=is_complete, milliseconds=spent)
        return Answer(tuple(names), tuple(rows), milliseconds=spent)

    def _why_empty(self, tables: Sequence[str]) -> tuple[str, bool]:
        missing = sorted(
            {
                word.strip()
                for table in tables
                for word in self._sources_missing.get(table, "").split(",")
                if word.strip()
            }
        )
        if missing:
            return (
                f"The shop delivers no {', '.join(words(name).lower() for name in missing)}.",
                False,
            )
        return "No row meets this choice yet.", True

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.copy.query(sql, {})[1]


def _is_void(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bool:
    """Rows without one measured value: a total over no rows is a row of NULLs. A gap alone is one."""
    measured = [place for place, name in enumerate(names) if name in ("value", "naive")]
    return bool(measured) and all(row[place] is None for row in rows for place in measured)
