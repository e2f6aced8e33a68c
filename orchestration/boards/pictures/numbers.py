"""A number that matters: its value, what it was before, and whether the change is for the better."""

from orchestration.boards.formats import html
from orchestration.boards.pictures.drawing import Page
from orchestration.boards.reading import Answer
from orchestration.boards.specification import Chart


def draw_number(chart: Chart, answer: Answer, page: Page) -> str:
    """One row: `value`, and any of `period`, `whole` with `whole_words`, `before` with `before_period`."""
    [record] = answer.records()[:1]
    value, before = record["value"], record.get("before")
    period = record.get("period")
    parts = [f'<p class="value">{html(page.text(value, chart.format))}</p>']
    if period:
        parts.append(f'<p class="period">{html(period)}</p>')
    if record.get("whole") is not None:
        whole = page.text(record["whole"], chart.format)
        parts.append(f'<p class="period">of {html(whole)} {html(record["whole_words"])}</p>')
    if before is not None:
        parts.append(_change(chart, value, before, str(record.get("before_period") or ""), page))
    return "".join(parts)


def _change(chart: Chart, value: float, before: float, before_period: str, page: Page) -> str:
    value, before = float(value), float(before)
    if chart.format in ("share", "whole_share"):
        text = page.text(value - before, "points")
        is_same = abs(value - before) < 0.0005
    else:
        share = (value - before) / abs(before) if before else None
        text = page.text(value - before, chart.format)
        text = text if text.startswith("−") or value < before else f"+{text}"
        if share is not None:
            text = f"{'−' if share < 0 else '+'}{abs(share) * 100:.1f}%"
        is_same = share is not None and abs(share) < 0.0005
    better = chart.options.get("better")
    verdict, arrow = "same", "▶"
    if not is_same:
        rises = value > before
        arrow = "▲" if rises else "▼"
        verdict = "plain" if better is None else "good" if rises == (better == "higher") else "bad"
    word = {"good": "better", "bad": "worse", "plain": "", "same": "unchanged"}[verdict]
    was = page.text(before, chart.format)
    return (
        f'<p class="change {verdict}"><span aria-hidden="true">{arrow}</span> {html(text)} '
        f'<span class="verdict">{word}</span></p>'
        f'<p class="before">{html(was)} {html(before_period)}</p>'
    )
