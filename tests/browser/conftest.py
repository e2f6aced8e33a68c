"""Chromium, the accessibility rules, and each shop's boards live and as nightly pages.

What is missing is said at once and by name; nothing is installed from here.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from orchestration.assets.boards import CHARTS_DIRECTORY, STYLE_FILE
from orchestration.boards.reading import Night
from orchestration.boards.server import BoardServer
from orchestration.boards.site import pages
from orchestration.boards.specification import Board, load_boards
from orchestration.resources.boards import BoardsFolder, CopyReader
from orchestration.resources.serving import NothingPublishedError
from tests.browser.shops import SHOPS, Shop, browser_directory

AXE_FILE = Path(__file__).with_name("node_modules") / "axe-core" / "axe.min.js"
# Chromium asks the network for its own sake unless it is told not to.
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
BOARDS = load_boards(CHARTS_DIRECTORY)


@dataclass(frozen=True)
class Looked:
    """One shop's boards: the address of the live server, and the folder of the nightly pages."""

    shop: Shop
    live: str
    static: Path

    def address(self, way: str, board: str) -> str:
        return f"{self.live}{board}" if way == "live" else (self.static / f"{board}.html").as_uri()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(executable).exists():
        pytest.exit(f"no Chromium at {executable}: apt-get install chromium, or set CHROMIUM", 3)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    if not AXE_FILE.exists():
        pytest.exit("axe-core is not there: npm ci --prefix tests/browser", 3)
    return AXE_FILE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def screenshots() -> Path:
    folder = browser_directory() / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session", params=SHOPS, ids=lambda shop: shop.name)
def looked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Looked]:
    shop: Shop = request.param
    if missing := shop.missing():
        pytest.skip(missing)
    shop.build()
    reader = CopyReader(shop.serving)
    style = STYLE_FILE.read_text(encoding="utf-8")
    folder = BoardsFolder(tmp_path_factory.mktemp("pages"), keep=1)
    with reader.opened() as copy:
        folder.write(copy.label, pages(BOARDS, Night(copy), style))
    server = BoardServer(0, BOARDS, style, reader.opened, NothingPublishedError)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Looked(shop, server.address, folder.pointer.resolve())
    server.shutdown()
    server.server_close()
    thread.join()
    reader.close()


@pytest.fixture(params=BOARDS, ids=lambda board: board.name)
def board(request: pytest.FixtureRequest) -> Board:
    return request.param
