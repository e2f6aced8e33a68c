"""A whole page of one board: its choices, its sections, and for every chart what it means and as of when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from orchestration.boards.formats import html, written
from orchestration.boards.pictures.bars import draw_bars, draw_columns
from orchestration.boards.pictures.drawing import Page
from orchestration.boards.pictures.intervals import draw_intervals
from orchestration.boards.pictures.lines import draw_line
from orchestration.boards.pictures.numbers import draw_number
from orchestration.boards.pictures.tables import draw_heat, draw_table
from orchestration.boards.reading import Answer, Night
from orchestration.boards.specification import Board, BoardError, Chart, Filter, Section

DRAW: dict[str, Callable[[Chart, Answer, Page], str]] = {
    "number": draw_number,
    "line": draw_line,
    "columns": draw_columns,
    "bars": draw_bars,
    "intervals": draw_intervals,
    "heat": draw_heat,
    "table": draw_table,
}


class UnknownChoice(BoardError):
    """A filter has no such value tonight."""


class Links(Protocol):
    """Where a board with these choices is found: an address of the server, or a file of the night."""

    is_static: bool

    def to(self, board: str, chosen: Mapping[str, str]) -> str: ...


@dataclass(frozen=True)
class Choices:
    """Every filter of a board with its options of this night, and what is chosen."""

    options: Mapping[str, Sequence[tuple[str, str]]]
    chosen: Mapping[str, str]


def choices(board: Board, night: Night, asked: Mapping[str, str]) -> Choices:
    """The chosen value of every filter; what is not asked for is the filter's first option."""
    options = {choice.name: night.options(choice) for choice in board.filters}
    chosen = {}
    for choice in board.filters:
        values = [value for value, _ in options[choice.name]]
        wanted = asked.get(choice.name)
        if wanted is not None and wanted not in values:
            raise UnknownChoice(f"{choice.label}: there is no {wanted!r} in the copy of this night")
        if values:
            chosen[choice.name] = wanted if wanted is not None else values[0]
    return Choices(options, chosen)


def page(
    boards: Sequence[Board],
    board: Board,
    night: Night,
    asked: Mapping[str, str],
    links: Links,
    style: str,
) -> str:
    """The page as HTML. A query that fails raises; what the shop does not deliver is said on the page."""
    made = choices(board, night, asked)
    context = Page(night.currency, _onward(boards, made, links))
    sections = "".join(_section(board, section, night, made, context) for section in board.sections)
    day = written(night.as_of_date, "date")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # An icon of its own: a browser that finds none asks the server for one.
        '<link rel="icon" href="data:,">'
        f"<title>{html(board.title)} – {html(day)}</title><style>{style}</style></head><body>"
        f'<a class="skip" href="#main">Skip to the numbers</a>'
        f"{_header(boards, board, links)}"
        f'<main id="main" data-copy="{html(night.copy.label)}" data-as-of="{night.as_of_date}">'
        f'<div class="headline"><h1>{html(board.question)}</h1>'
        f'<p class="as-of">As of <time datetime="{night.as_of_date}">{day}</time>, '
        f"the last complete day of the shop</p></div>"
        f"{_form(board, made, links)}{sections}</main>"
        f"<footer><p>Published copy {html(night.copy.label)}. For {html(board.readers)}.</p></footer>"
        f"</body></html>"
    )


def _onward(
    boards: Sequence[Board], made: Choices, links: Links
) -> Callable[[str, Mapping[str, str]], str]:
    """Links to other boards; where boards are drawn on demand, they take along the choices that both have."""
    filters = {board.name: {choice.name for choice in board.filters} for board in boards}
    own = {name: value for name, value in made.chosen.items() if value != made.options[name][0][0]}

    def link(board: str, chosen: Mapping[str, str]) -> str:
        if links.is_static:
            return links.to(board, chosen)
        shared = {name: value for name, value in own.items() if name in filters[board]}
        return links.to(board, {**shared, **chosen})

    return link


def _header(boards: Sequence[Board], board: Board, links: Links) -> str:
    items = "".join(
        f'<li><a href="{html(links.to(other.name, {}))}"'
        f"{' aria-current=page' if other.name == board.name else ''}>{html(other.title)}</a></li>"
        for other in boards
    )
    return f'<header><nav aria-label="Boards"><ul>{items}</ul></nav></header>'


def _form(board: Board, made: Choices, links: Links) -> str:
    shown = [choice for choice in board.filters if len(made.options[choice.name]) > 1]
    if not shown:
        return ""
    selects = "".join(_select(board, choice, made, links) for choice in shown)
    remark = (
        '<p class="remark">In these nightly pages one filter at a time; the live boards combine them.</p>'
        if links.is_static and len(shown) > 1
        else ""
    )
    action = "" if links.is_static else f' action="{html(links.to(board.name, {}))}" method="get"'
    # A nightly page has no server: each option knows the file that holds its page.
    script = f"<script>{_GO}</script>" if links.is_static else ""
    return (
        f'<form class="filters" aria-label="Filters"{action}>{selects}'
        f'<button type="submit">Show</button>{remark}</form>{script}'
    )


_GO = (
    "(()=>{const form=document.querySelector('form.filters'),all=[...form.querySelectorAll('select')];"
    "for(const one of all)one.addEventListener('change',()=>{for(const other of all)"
    "if(other!==one)other.selectedIndex=0});"
    "form.addEventListener('submit',event=>{event.preventDefault();"
    "const set=all.find(one=>one.selectedIndex>0)||all[0];"
    "location.href=set.selectedOptions[0].dataset.page})})()"
)


def _select(board: Board, choice: Filter, made: Choices, links: Links) -> str:
    options = []
    for value, label in made.options[choice.name]:
        mark = " selected" if made.chosen[choice.name] == value else ""
        page_of = (
            f' data-page="{html(links.to(board.name, {choice.name: value}))}"'
            if links.is_static
            else ""
        )
        options.append(f'<option value="{html(value)}"{page_of}{mark}>{html(label)}</option>')
    return (
        f'<label>{html(choice.label)} <select name="{html(choice.name)}">{"".join(options)}'
        "</select></label>"
    )


def _section(board: Board, section: Section, night: Night, made: Choices, context: Page) -> str:
    drawn = "".join(
        _chart(board, chart, night.answer(board, chart, made.chosen), night, made, context)
        for chart in section.charts
    )
    return f'<section><h2>{html(section.title)}</h2><div class="charts">{drawn}</div></section>'


def _narrowed(board: Board, made: Choices) -> list[Filter]:
    """Filters that leave out something that the board opens with."""
    return [
        choice
        for choice in board.filters
        if choice.narrows
        and choice.name in made.chosen
        and made.chosen[choice.name] != made.options[choice.name][0][0]
    ]


def _chart(
    board: Board, chart: Chart, answer: Answer, night: Night, made: Choices, context: Page
) -> str:
    if answer.no_data and chart.options.get("nothing") and answer.is_complete:
        inside = f'<p class="remark">{html(chart.options["nothing"])}</p>'
        reading = ""
    elif answer.no_data:
        inside = f'<p class="no-data"><strong>No data.</strong> {html(answer.no_data)}</p>'
        reading = ""
    else:
        inside = DRAW[chart.kind](chart, answer, context)
        reading = f'<p class="reading">{html(chart.reading)}</p>' if chart.reading else ""
    definition = html(night.definition(chart.definition, made.chosen))
    unheeded = [each.label for each in _narrowed(board, made) if f"${each.name}" not in chart.sql]
    if unheeded:
        words = " and ".join(label if label[:2].isupper() else label.lower() for label in unheeded)
        reading += f'<p class="unheeded">Not narrowed by {html(words)}.</p>'
    return (
        f'<article class="chart {chart.kind} {chart.width}" id="{html(chart.id)}">'
        f"<h3>{html(chart.title)}</h3>{reading}{inside}"
        f'<p class="foot"><span class="unit">{_upper_first(html(chart.unit))}</span>, as of '
        f'{_day(night.as_of_date)}. <span class="definition">{definition}</span></p></article>'
    )


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _day(day: date) -> str:
    return f'<time datetime="{day}">{written(day, "date")}</time>'
