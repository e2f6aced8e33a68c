"""`make bench-boards`: how long the boards of a shop with a million customers take, on this machine.

Every chart's query by itself against 100 milliseconds at the 95th percentile, over its filters; every board's first
paint in Chromium against 2 seconds, live from a server that holds no page yet and as a nightly page.
"""

import os
import threading
import time

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from orchestration.assets.boards import STYLE_FILE
from orchestration.boards.page import choices
from orchestration.boards.reading import Night
from orchestration.boards.server import BoardServer
from orchestration.boards.site import pages
from orchestration.boards.specification import Board
from orchestration.resources.boards import BoardsFolder, CopyReader
from orchestration.resources.serving import NothingPublishedError, ServingFolder
from tests.browser.conftest import BOARDS, QUIET
from tests.browser.million import CUSTOMERS, make
from tests.browser.shops import SHOPS, browser_directory

QUERY_MILLISECONDS = 100
PAINT_MILLISECONDS = 2000
RUNS_OF_A_QUERY = 20
RUNS_OF_A_PAGE = 5
PAINTED = "performance.getEntriesByName('first-contentful-paint').map(entry => entry.startTime)[0]"


def main() -> int:
    sample = SHOPS[0]
    sample.build()
    started = time.monotonic()
    serving = ServingFolder(browser_directory() / "million" / "serving", keep=1)
    file = make(sample.serving.current_file(), serving.directory)
    print(
        f"{CUSTOMERS:,} customers, {file.stat().st_size / 1e6:,.0f} MB, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"made or found in {time.monotonic() - started:.0f} s"
    )
    reader = CopyReader(serving)
    slow = _queries(reader)
    slow += _paints(reader)
    reader.close()
    print("\nall within their bounds" if not slow else "\nbeyond their bounds: " + ", ".join(slow))
    return 1 if slow else 0


def _asked(board: Board, night: Night) -> list[dict[str, str]]:
    """The board as it opens, one other option of every filter, and all of them together."""
    others = {
        name: found[1][0]
        for name, found in choices(board, night, {}).options.items()
        if len(found) > 1
    }
    alone = [{name: value} for name, value in others.items()]
    return [{}, *alone, others] if len(others) > 1 else [{}, *alone]


def _queries(reader: CopyReader) -> list[str]:
    print(f"\n{'milliseconds of each query':<44}{'runs':>6}{'p50':>8}{'p95':>8}{'worst':>8}")
    slow = []
    for board in BOARDS:
        with reader.opened() as copy:
            night = Night(copy)
            # Lists of tables and options are read once for a page, not for each of its charts.
            asked = [choices(board, night, each).chosen for each in _asked(board, night)]
            for chart in board.charts:
                spent = np.array(
                    [
                        night.ask(board, chart, chosen).milliseconds
                        for chosen in asked
                        for _ in range(RUNS_OF_A_QUERY)
                    ]
                )
                slow += _line(f"{board.name}.{chart.id}", spent, QUERY_MILLISECONDS)
    return slow


def _paints(reader: CopyReader) -> list[str]:
    style = STYLE_FILE.read_text(encoding="utf-8")
    folder = BoardsFolder(browser_directory() / "million" / "boards", keep=1)
    started = time.monotonic()
    with reader.opened() as copy:
        sizes = folder.write(copy.label, pages(BOARDS, Night(copy), style))
    print(f"\nall {len(sizes)} nightly pages drawn in {time.monotonic() - started:.1f} s")
    print(f"\n{'milliseconds to the first paint':<44}{'runs':>6}{'p50':>8}{'p95':>8}{'worst':>8}")
    slow = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=QUIET
        )
        for board in BOARDS:
            live = [_live(browser, reader, board, style) for _ in range(RUNS_OF_A_PAGE)]
            slow += _line(f"{board.name}, live", np.array(live), PAINT_MILLISECONDS)
            page = (folder.pointer / f"{board.name}.html").resolve().as_uri()
            static = [_painted(browser, page) for _ in range(RUNS_OF_A_PAGE)]
            slow += _line(f"{board.name}, nightly", np.array(static), PAINT_MILLISECONDS)
        browser.close()
    return slow


def _live(browser: Browser, reader: CopyReader, board: Board, style: str) -> float:
    """First paint from a server that has drawn nothing yet."""
    with BoardServer(0, BOARDS, style, reader.opened, NothingPublishedError) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        try:
            return _painted(browser, f"{server.address}{board.name}")
        finally:
            server.shutdown()


def _painted(browser: Browser, address: str) -> float:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    while (painted := page.evaluate(PAINTED)) is None:
        page.wait_for_timeout(5)
    context.close()
    return painted


def _line(name: str, spent: np.ndarray, bound: float) -> list[str]:
    p50, p95 = np.percentile(spent, [50, 95])
    verdict = "" if p95 <= bound else f"  beyond {bound:g}"
    print(
        f"  {name:<42}{len(spent):>6}{p50:>8.1f}{p95:>8.1f}{spent.max():>8.1f}{verdict}", flush=True
    )
    return [name] if p95 > bound else []


if __name__ == "__main__":
    raise SystemExit(main())
