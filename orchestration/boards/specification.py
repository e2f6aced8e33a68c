"""What a board is, read from its YAML in `charts/`. A key that nothing reads is an error, not a silent remark."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

KINDS = ("number", "line", "columns", "bars", "intervals", "heat", "table")
WIDTHS = ("third", "half", "full")
_TABLE = re.compile(r"\b(?:fct|dim)_[a-z0-9_]+\b|\bpublished_benchmarks\b|\bpublication\b")


class BoardError(ValueError):
    """A board's YAML, or a query in it, does not say what a board needs."""


@dataclass(frozen=True)
class Filter:
    """A choice at the top of a board. `options` is SQL: columns `value` and `label`, the default first.

    Every query of the board sees the chosen value as the parameter `$name`, a text. A filter that `narrows` leaves
    rows out, and a chart that does not heed it says so; others change how something is counted.
    """

    name: str
    label: str
    options: str
    narrows: bool = True


@dataclass(frozen=True)
class Definition:
    """What a number means: a row of dim_metrics, or a text where the catalogue has no such metric.

    `variant` may name a filter (`$retention_type`), so that the definition follows the choice.
    """

    text: str = ""
    metric: str = ""
    variant: str = ""


@dataclass(frozen=True)
class Chart:
    """One picture or table: the query, what its numbers are, and how to read it."""

    id: str
    kind: str
    title: str
    unit: str
    definition: Definition
    sql: str
    reading: str = ""
    width: str = "half"
    format: str = "count"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tables(self) -> tuple[str, ...]:
        """The published tables that the query reads."""
        return tables_of(self.sql)


@dataclass(frozen=True)
class Section:
    """A heading and the charts below it."""

    title: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Board:
    """One page: a question, whom it is for, its filters and its sections."""

    name: str
    title: str
    question: str
    readers: str
    place: int
    filters: tuple[Filter, ...]
    sections: tuple[Section, ...]

    @property
    def charts(self) -> tuple[Chart, ...]:
        return tuple(chart for section in self.sections for chart in section.charts)

    @property
    def tables(self) -> tuple[str, ...]:
        """Every published table that the board or one of its filters reads."""
        found = {table for chart in self.charts for table in chart.tables}
        found |= {table for choice in self.filters for table in tables_of(choice.options)}
        return tuple(sorted(found))


def tables_of(sql: str) -> tuple[str, ...]:
    """The published tables that a query names."""
    return tuple(sorted(set(_TABLE.findall(sql))))


def load_boards(directory: Path) -> tuple[Board, ...]:
    """All boards of a folder, in the order of their `place`."""
    boards = [load_board(file) for file in sorted(directory.glob("*.yml"))]
    if not boards:
        raise BoardError(f"there is no board (*.yml) in {directory}")
    return tuple(sorted(boards, key=lambda board: (board.place, board.name)))


def load_board(file: Path) -> Board:
    """One board; what is missing, unknown or said twice raises BoardError with the file's name."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    try:
        board = _made(Board, {"name": file.stem, "filters": [], **content})
    except (TypeError, AttributeError, BoardError) as error:
        raise BoardError(f"{file.name}: {error}") from error
    ids = [chart.id for chart in board.charts]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise BoardError(f"{file.name}: two charts are called {twice[0]}")
    return board


def _made(kind: type, content: Mapping[str, Any]) -> Any:
    known = {field.name for field in fields(kind)}
    if unknown := sorted(set(content) - known):
        raise BoardError(
            f"a {kind.__name__.lower()} has no {unknown[0]}; it has {', '.join(sorted(known))}"
        )
    content = dict(content)
    for name, part in (("filters", Filter), ("sections", Section), ("charts", Chart)):
        if name in content:
            content[name] = tuple(_made(part, item) for item in content[name])
    if "definition" in content:
        said = content["definition"]
        content["definition"] = _made(Definition, {"text": said} if isinstance(said, str) else said)
    made = kind(**content)
    if isinstance(made, Chart):
        _check(made)
    return made


def _check(chart: Chart) -> None:
    for name, value, allowed in (("kind", chart.kind, KINDS), ("width", chart.width, WIDTHS)):
        if value not in allowed:
            raise BoardError(
                f"{chart.id}: {name} {value} is unknown; there are {', '.join(allowed)}"
            )
    if not (chart.definition.text or chart.definition.metric):
        raise BoardError(f"{chart.id}: says nowhere what its number means")
