"""Boards that are read over and over while three nights are published: no error, no torn page, and the new day shows.

The nights are the sample shop's tables, each a day later, published by the code that publishes every night.
"""

import re
import shutil
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from urllib.request import urlopen

import duckdb
from playwright.sync_api import Browser

from orchestration.assets.boards import STYLE_FILE
from orchestration.boards.reading import Night as NightOfBoards
from orchestration.boards.server import BoardServer
from orchestration.boards.site import pages
from orchestration.resources.boards import BoardsFolder, CopyReader
from orchestration.resources.dbt_manifest import PublicTable
from orchestration.resources.serving import RUN_COLUMN, NothingPublishedError, ServingFolder
from orchestration.resources.warehouse import Night
from tests.browser.conftest import BOARDS
from tests.browser.shops import SHOPS

DAYS = 4
BETWEEN_SECONDS = 2.0


class Nights:
    """A warehouse whose tables can be moved a day on, and the publishing of it."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.file = folder / "warehouse.duckdb"
        shutil.copy(source, self.file)
        self.file.chmod(0o644)
        self.serving = ServingFolder(folder / "serving", keep=2)
        self.folder = BoardsFolder(folder / "serving" / "boards", keep=2)
        self.style = STYLE_FILE.read_text(encoding="utf-8")
        with duckdb.connect(str(self.file)) as warehouse:
            # These two the publishing makes itself.
            warehouse.execute("drop table marts.publication")
            columns = warehouse.execute(
                "select table_name, column_name from information_schema.columns "
                "where table_schema = 'marts' order by table_name, ordinal_position"
            ).fetchall()
            [(self.day,)] = warehouse.execute(
                "select max(as_of_date) from marts.fct_kpi_days"
            ).fetchall()
        names: dict[str, list[str]] = {}
        for table, column in columns:
            names.setdefault(table, []).append(column)
        self.tables = [PublicTable(table, tuple(found)) for table, found in names.items()]

    def publish(self, *, moved_on: bool) -> date:
        """Publish the copy and draw its pages, of the next day where `moved_on`."""
        if moved_on:
            self.day += timedelta(days=1)
            with duckdb.connect(str(self.file)) as warehouse:
                for table in self.tables:
                    if "as_of_date" in table.columns:
                        warehouse.execute(
                            f"update marts.{table.name} set as_of_date = date '{self.day}'"
                        )
        tables = [
            PublicTable(table.name, tuple(c for c in table.columns if c != RUN_COLUMN))
            for table in self.tables
        ]
        self.serving.publish(self.file, tables, Night(f"run{self.day}", self.day, "Europe/London"))
        reader = CopyReader(self.serving)
        with reader.opened() as copy:
            self.folder.write(copy.label, pages(BOARDS[:2], NightOfBoards(copy), self.style))
        reader.close()
        return self.day


def read_until(
    stop: threading.Event, read: Callable[[], str], seen: list[str], errors: list
) -> None:
    """Read a page again and again; a page with two days or two copies in it is torn."""
    while not stop.is_set():
        try:
            text = read()
            days = set(re.findall(r'datetime="([^"]+)"', text)) | set(
                re.findall(r'data-as-of="([^"]+)"', text)
            )
            copies = set(re.findall(r'data-copy="([^"]+)"', text))
            assert len(days) == 1, f"torn: {days}"
            assert len(copies) == 1, f"torn: {copies}"
            assert text.rstrip().endswith("</html>")
            seen.append(days.pop())
        except Exception as error:
            errors.append(repr(error))
        time.sleep(0.02)


def test_readers_of_live_and_nightly_boards_see_every_night_whole(
    chromium: Browser, tmp_path: Path
):
    shop = SHOPS[0]
    shop.build()
    nights = Nights(shop.serving.current_file(), tmp_path)
    first = nights.publish(moved_on=False)
    reader = CopyReader(nights.serving)
    server = BoardServer(0, BOARDS, nights.style, reader.opened, NothingPublishedError)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    stop, errors = threading.Event(), []
    seen: dict[str, list[str]] = {board: [] for board in ("overview", "cohorts", "value", "static")}

    def live(board: str) -> str:
        with urlopen(f"{server.address}{board}", timeout=60) as answer:
            return answer.read().decode()

    def static() -> str:
        return (nights.folder.pointer / "cohorts.html").read_text(encoding="utf-8")

    readers = [
        threading.Thread(
            target=read_until,
            args=(
                stop,
                static if name == "static" else lambda name=name: live(name),
                found,
                errors,
            ),
        )
        for name, found in seen.items()
    ]
    for each in readers:
        each.start()

    published = [first]

    def publish_three() -> None:
        for _ in range(DAYS - 1):
            time.sleep(BETWEEN_SECONDS)
            published.append(nights.publish(moved_on=True))

    publisher = threading.Thread(target=publish_three)
    publisher.start()
    page, said, on_screen = chromium.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    while publisher.is_alive():
        page.goto(f"{server.address}members")
        on_screen.append(page.locator("main").get_attribute("data-as-of"))
    page.goto(f"{server.address}members")
    on_screen.append(page.locator("main").get_attribute("data-as-of"))
    page.close()
    time.sleep(BETWEEN_SECONDS)
    stop.set()
    for each in (publisher, *readers):
        each.join()
    server.shutdown()
    server.server_close()
    reader.close()

    days = [day.isoformat() for day in published]
    assert errors == []
    assert said == []
    assert len(days) == DAYS
    for name, found in seen.items():
        assert list(dict.fromkeys(found)) == days, name
        assert len(found) > DAYS
    assert on_screen[-1] == days[-1]
    assert on_screen == sorted(on_screen)
    print(
        f"\n{sum(map(len, seen.values()))} pages read over {DAYS} nights, {len(on_screen)} in Chromium"
    )
