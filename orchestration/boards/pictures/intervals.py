"""Differences with their intervals around zero: what a gap looks like, and what is left of it."""

from collections.abc import Mapping
from typing import Any

from orchestration.boards.formats import html
from orchestration.boards.pictures.axes import Scale, scale
from orchestration.boards.pictures.drawing import Page
from orchestration.boards.reading import Answer
from orchestration.boards.specification import Chart

# Columns of the two differences: value, from, to.
NAIVE = ("naive", "naive_low", "naive_high")
ADJUSTED = ("value", "low", "high")


def draw_intervals(chart: Chart, answer: Answer, page: Page) -> str:
    """Columns `label`, `naive`, `naive_low`, `naive_high`, `value`, `low`, `high` and `note`.

    Both differences of a row share one axis with all others. A row without `value` shows why in its
    note and draws no mark for it: not identified is not zero.
    """
    records = answer.records()
    ends = [
        float(record[name])
        for record in records
        for name in (*NAIVE, *ADJUSTED)
        if known(record, name)
    ]
    axis = scale(ends or [0.0])
    rows = []
    for record in records:
        note = f'<span class="note">{html(record["note"])}</span>' if record.get("note") else ""
        rows.append(
            f'<tr><th scope="row">{html(page.text(record["label"], chart.options.get("label_format", "text")))}</th>'
            f'<td class="axis" aria-hidden="true"><span class="nought" style="left:{place(axis, 0.0):.2f}%"></span>'
            f"{_mark('naive', record, NAIVE, axis)}{_mark('adjusted', record, ADJUSTED, axis)}</td>"
            f'<td class="number gap">{_written(chart, record, NAIVE, page)}</td>'
            f'<td class="number">{_written(chart, record, ADJUSTED, page)}{note}</td></tr>'
        )
    head = (
        f'<thead><tr><th scope="col">{html(chart.options.get("label_label", "Event"))}</th>'
        '<td><span class="key naive">gap</span> <span class="key adjusted">effect</span></td>'
        '<th scope="col">Gap as it stands</th><th scope="col">Effect</th></tr></thead>'
    )
    return f'<table class="intervals">{head}<tbody>{"".join(rows)}</tbody></table>'


def place(axis: Scale, value: float) -> float:
    """Where a value lies between the ends of the axis, in per cent."""
    return 100 * (value - axis.low) / (axis.high - axis.low)


def known(record: Mapping[str, Any], name: str) -> bool:
    """Whether a row says anything in a column."""
    return record.get(name) is not None


def _mark(kind: str, record: Mapping[str, Any], columns: tuple[str, str, str], axis: Scale) -> str:
    if not all(known(record, name) for name in columns):
        return ""
    value, low, high = (place(axis, float(record[name])) for name in columns)
    return (
        f'<span class="span {kind}" style="left:{low:.2f}%;width:{high - low:.2f}%"></span>'
        f'<span class="dot {kind}" style="left:{value:.2f}%"></span>'
    )


def _written(
    chart: Chart, record: Mapping[str, Any], columns: tuple[str, str, str], page: Page
) -> str:
    if not known(record, columns[0]):
        return html(page.text(None, chart.format))
    value, low, high = (html(page.text(record[name], chart.format)) for name in columns)
    return f'{value}<span class="note">{low} to {high}</span>'
