"""The shops that the boards are looked at with, built once under the data folder and kept there.

A shop whose copy cannot answer what some board asks was made by older models, and is made again.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.assets.boards import CHARTS_DIRECTORY
from orchestration.boards.page import choices
from orchestration.boards.reading import Night
from orchestration.boards.specification import Board, load_boards
from orchestration.resources.boards import CopyReader
from orchestration.resources.serving import NothingPublishedError, ServingFolder
from orchestration.resources.warehouse import EngineError
from orchestration.settings import PROJECT_DIRECTORY, from_environment

RETENTION = Path(sys.executable).with_name("retention")
ONLINE_RETAIL_FILE = (
    PROJECT_DIRECTORY.parent / "shared" / "data" / "online_retail_ii" / "online_retail_II.csv.gz"
)


@dataclass(frozen=True)
class Shop:
    """A shop's name, the commands that make it, and the settings that it needs."""

    name: str
    commands: tuple[tuple[str, ...], ...]
    settings: Mapping[str, str]
    needs: Path | None = None

    @property
    def data(self) -> Path:
        return browser_directory() / self.name

    @property
    def serving(self) -> ServingFolder:
        return ServingFolder(self.data / "serving", keep=5)

    def missing(self) -> str | None:
        """What must be there first, None where nothing is missing."""
        if self.needs is None or self.needs.exists():
            return None
        return f"the data of {self.name} do not lie beside the checkout ({self.needs.name})"

    def build(self) -> None:
        if self._is_built():
            return
        # From its files on: older rows may be of a narrower contract than the models now ask for.
        shutil.rmtree(self.data, ignore_errors=True)
        ours = ("RETENTION_", "DBT_", "DAGSTER_")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        for command in self.commands:
            subprocess.run(
                [str(RETENTION), *command],
                env={**clean, **self.settings, "RETENTION_DATA": str(self.data)},
                check=True,
            )

    def _is_built(self) -> bool:
        reader = CopyReader(self.serving)
        try:
            with reader.opened() as copy:
                night = Night(copy)
                return all(_is_answered(board, night) for board in load_boards(CHARTS_DIRECTORY))
        except (NothingPublishedError, EngineError):
            return False
        finally:
            reader.close()


def _is_answered(board: Board, night: Night) -> bool:
    """Whether the tables of a board are there; a column that is not raises EngineError."""
    made = choices(board, night, {})
    for chart in board.charts:
        night.answer(board, chart, made.chosen)
    return set(board.tables) <= night.tables


SHOPS = (
    Shop("sample", (("demo",),), {}),
    Shop(
        "online_retail_ii",
        (("load", "online-retail-ii", str(ONLINE_RETAIL_FILE)), ("refresh",)),
        {
            "RETENTION_AS_OF_DATE": "2011-12-09",
            "RETENTION_SHOP_TIMEZONE": "Europe/London",
            "RETENTION_SHOP_CURRENCY": "GBP",
        },
        needs=ONLINE_RETAIL_FILE,
    ),
)


def browser_directory() -> Path:
    """Where shops and screenshots are kept: beside the data, never in the repository."""
    return from_environment().data_directory / "browser"
