"""The pages of a night: every board, and beside it one page for every other option of each of its filters."""

from collections.abc import Iterator, Mapping, Sequence

from orchestration.boards.links import FileLinks
from orchestration.boards.page import choices, page
from orchestration.boards.reading import Night
from orchestration.boards.specification import Board

# The first board, under the name that a browser opens by itself.
INDEX = "index.html"


def pages(boards: Sequence[Board], night: Night, style: str) -> Iterator[tuple[str, str]]:
    """File names and pages. Options are drawn one filter at a time; the live server combines them."""
    options = {board.name: choices(board, night, {}).options for board in boards}
    links = FileLinks(
        {
            (board, name): values[0][0]
            for board, filters in options.items()
            for name, values in filters.items()
            if values
        }
    )
    for board in boards:
        for asked in _asked(options[board.name]):
            text = page(boards, board, night, asked, links, style)
            yield links.to(board.name, asked), text
            if board is boards[0] and not asked:
                yield INDEX, text


def _asked(
    options: Mapping[str, Sequence[tuple[str, str]]],
) -> Iterator[dict[str, str]]:
    yield {}
    for name, values in options.items():
        for value, _ in values[1:]:
            yield {name: value}
