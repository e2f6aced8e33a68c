"""Bars: lying ones for things with names, standing and stacked ones for months."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestration.boards.formats import html
from orchestration.boards.pictures.axes import HEIGHT, WIDTH, Scale, labels_by_room, scale
from orchestration.boards.pictures.drawing import (
    Page,
    legend,
    mark,
    numbers_below,
    places_of,
    series_name,
    series_of,
)
from orchestration.boards.pictures.lines import frame
from orchestration.boards.reading import Answer
from orchestration.boards.specification import Chart


def draw_bars(chart: Chart, answer: Answer, page: Page) -> str:
    """Columns `label`, `value`, and where there are any `note` and `code` (for a link): a table with bars."""
    records = answer.records()
    values = [float(record["value"] or 0) for record in records]
    most = max([abs(value) for value in values], default=0) or 1.0
    most = float(chart.options.get("most", most))
    rows = []
    for record, value in zip(records, values, strict=True):
        name = html(page.text(record["label"], chart.options.get("label_format", "text")))
        if link := chart.options.get("link"):
            target = page.link(link["board"], {link["filter"]: str(record["code"])})
            name = f'<a href="{html(target)}">{name}</a>'
        side = " negative" if value < 0 else ""
        note = f'<span class="note">{html(record["note"])}</span>' if record.get("note") else ""
        rows.append(
            f'<tr><th scope="row">{name}</th><td class="bar" aria-hidden="true">'
            f'<span class="fill{side}" style="width:{100 * min(1, abs(value) / most):.2f}%"></span></td>'
            f'<td class="number">{html(page.text(record["value"], chart.format))}{note}</td></tr>'
        )
    head = (
        f'<thead class="hidden"><tr><th scope="col">{html(chart.options.get("label_label", "Group"))}'
        f'</th><td></td><th scope="col">{html(chart.unit)}</th></tr></thead>'
    )
    return f'<table class="bars">{head}<tbody>{"".join(rows)}</tbody></table>'


def draw_columns(chart: Chart, answer: Answer, page: Page) -> str:
    """Columns `x`, `value` and `series`: stacked from zero, upwards and downwards."""
    records = answer.records()
    names = series_of(records)
    places = places_of(records)
    stacks = {place: _stack(records, place, names) for place in places}
    ends = [end for stack in stacks.values() for _, low, high in stack for end in (low, high)]
    axis = scale(ends or [0.0])
    width = WIDTH / len(places)
    drawn = []
    for index, place in enumerate(places):
        for name_place, low, high in stacks[place]:
            drawn.append(_block(index, width, name_place, low, high, axis))
        drawn.append(_hint(chart, records, place, index * width, width, page))
    words = [page.text(place, chart.options.get("x_format", "text")) for place in places]
    labels = [
        (100 * (place + 0.5) / len(places), words[place], rooms)
        for place, rooms in labels_by_room(words)
    ]
    return (
        legend(chart, names, page, filled=True)
        + frame(chart, axis, drawn, labels, page)
        + numbers_below(chart, answer, page)
    )


def _stack(
    records: Sequence[Mapping[str, Any]], place: Any, names: Sequence[str]
) -> list[tuple[int, float, float]]:
    """The blocks at one place: which series, from where, to where."""
    above = below = 0.0
    blocks = []
    for record in records:
        value = float(record["value"] or 0)
        if record["x"] != place or value == 0:
            continue
        start = above if value > 0 else below
        blocks.append((names.index(str(record.get("series", ""))), start, start + value))
        above, below = (start + value, below) if value > 0 else (above, start + value)
    return blocks


def _block(index: int, width: float, name_place: int, low: float, high: float, axis: Scale) -> str:
    top, bottom = axis.y(max(low, high)), axis.y(min(low, high))
    return (
        f'<rect x="{(index + 0.12) * width:.2f}" y="{top:.2f}" width="{0.76 * width:.2f}" '
        f'height="{bottom - top:.2f}" fill="{mark(name_place)[0]}"/>'
    )


def _hint(
    chart: Chart,
    records: Sequence[Mapping[str, Any]],
    place: Any,
    left: float,
    width: float,
    page: Page,
) -> str:
    lines = [
        f"{series_name(chart, str(record.get('series', '')), page)} "
        f"{page.text(record['value'], chart.format)}".strip()
        for record in records
        if record["x"] == place and record["value"]
    ]
    title = page.text(place, chart.options.get("x_format", "text"))
    return (
        f'<rect class="hint" x="{left:.2f}" width="{width:.2f}" height="{HEIGHT:g}">'
        f"<title>{html(title)}\n{html(chr(10).join(lines))}</title></rect>"
    )
