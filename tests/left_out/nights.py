"""Whole nights of a small sample shop that delivers everything, or everything but some sources.

All nights are made in one folder, one after the other: dbt reads the project anew where the warehouse lies elsewhere.
What a night told is kept beside it, in one file each; a night of other code is made again.
"""

import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestration.boards.specification import load_boards
from orchestration.contract import Contract
from orchestration.resources.places import boards_of
from orchestration.settings import PROJECT_DIRECTORY, from_environment
from tests.integration.conftest import Shop

# Enough that every chart of every board has something to show, and few enough that dbt's own time is most of a night's.
CUSTOMERS = 1000
AS_OF_DATE = "2025-12-31"
# What a night is made of.
_CODE = (
    "dbt_project.yml",
    "models",
    "macros",
    "seeds/reference",
    "tests/dbt",
    "charts",
    "orchestration",
)
_CHART = re.compile(
    r'<article class="chart [^"]*" id="(?P<id>[^"]+)"><h3>[^<]*</h3>'
    r'(?:<p class="(?P<kind>no-data|remark)">(?P<words>.*?)</p>)?',
    re.DOTALL,
)
# A value that a program wrote and no person meant, as the whole text of an element. "None" is a loyalty tier.
_NO_VALUE = re.compile(r">\s*([-−+]?(?:nan|null|inf|infinity|nat|undefined)%?)\s*<", re.IGNORECASE)


@dataclass(frozen=True)
class Told:
    """What one night left behind."""

    seconds: float
    # Published table -> its rows and the hash of its numbers, in one text.
    tables: Mapping[str, str]
    # Mart -> the sources that its status calls missing; a mart with data has none.
    missing: Mapping[str, list[str]]
    # "board.chart" -> the words in place of a picture; a chart that was drawn has none.
    empty_charts: Mapping[str, str]
    drawn_charts: list[str]
    # Pages of the night that are not there, and pages that show a value without a meaning.
    broken_pages: list[str]
    # What `retention status` says.
    status: str

    @property
    def empty_tables(self) -> set[str]:
        return {name for name, content in self.tables.items() if content.startswith("0 rows")}


class NightFailed(AssertionError):
    """A night ended with an error, which its output tells."""


@dataclass(frozen=True)
class Nights:
    """The folder of one shop's files, of the night that is being made, and of what nights told."""

    directory: Path
    contract: Contract

    @property
    def night(self) -> Shop:
        return Shop(from_environment({"RETENTION_DATA": str(self.directory / "night")}))

    def told(self, name: str, without: Collection[str] = (), *, is_kept: bool = False) -> Told:
        """What the night without some sources told; one that is kept is made once for the same code."""
        file = self.directory / "told" / f"{name}.json"
        state = project_state()
        if is_kept and file.exists() and (kept := json.loads(file.read_text()))["state"] == state:
            return Told(**kept["told"])
        outcome, seconds = self.run(without)
        if outcome.returncode != 0:
            file.unlink(missing_ok=True)
            raise NightFailed(f"the night without {name} failed:\n{outcome.stdout}{outcome.stderr}")
        told = read_night(self.night, seconds)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"state": state, "told": asdict(told)}))
        return told

    def run(self, without: Collection[str]) -> tuple[subprocess.CompletedProcess[str], float]:
        """One night in an empty warehouse; returns how it ended and how long it took."""
        shop = self.night
        if shop.data.exists():
            for path in shop.data.iterdir():
                # What dbt has read of the project serves every night.
                if path != shop.settings.target_directory:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        inbox = shop.settings.inbox_directory
        inbox.mkdir(parents=True)
        for file in self.delivered():
            table = self.contract.table_for_file(file.name)
            assert table is not None, f"{file.name} is no table's"
            if table.name not in without:
                shutil.copy(file, inbox)
        started = time.monotonic()
        outcome = shop.retention("refresh", "--as-of", AS_OF_DATE)
        return outcome, time.monotonic() - started

    def delivered(self) -> list[Path]:
        """The files of the whole shop, generated once for the same code."""
        folder = self.directory / "shop"
        made_from = folder / "made_from"
        state = project_state()
        if not (made_from.exists() and made_from.read_text() == state):
            shutil.rmtree(folder, ignore_errors=True)
            outcome = self.night.retention(
                "generate", "--customers", str(CUSTOMERS), "--out", str(folder)
            )
            assert outcome.returncode == 0, outcome.stdout + outcome.stderr
            made_from.write_text(state)
        return sorted(path for path in folder.iterdir() if path.is_file() and path != made_from)

    def reported(self) -> dict[str, Told]:
        """What is kept of nights of the same code, by name."""
        state = project_state()
        kept = {
            file.stem: json.loads(file.read_text())
            for file in sorted((self.directory / "told").glob("*.json"))
        }
        return {name: Told(**one["told"]) for name, one in kept.items() if one["state"] == state}


def read_night(shop: Shop, seconds: float) -> Told:
    """Read the published copy, the nightly pages and the status of a night that ended well."""
    published = shop.serving.current()
    assert published is not None
    _, status = shop.serving.query(
        "select mart_name, missing_sources from fct_mart_status where not has_data"
    )
    pages = {
        file.name: file.read_text(encoding="utf-8")
        for file in sorted(boards_of(shop.settings).pointer.iterdir())
    }
    boards = [board.name for board in load_boards(PROJECT_DIRECTORY / "charts")]
    charts = {
        f"{board}.{chart}": words
        for board in boards
        for chart, words in charts_of(pages.get(f"{board}.html", "")).items()
    }
    said = shop.retention("status")
    assert said.returncode == 0, said.stdout + said.stderr
    return Told(
        seconds=seconds,
        tables={one.name: f"{one.rows} rows {one.numbers_hash}" for one in published.tables},
        missing={mart: words.split(", ") for mart, words in status},
        empty_charts={name: words for name, words in charts.items() if words is not None},
        drawn_charts=[name for name, words in charts.items() if words is None],
        broken_pages=[
            *(f"{board}.html is not there" for board in boards if f"{board}.html" not in pages),
            *(
                f"{name} shows {found}"
                for name, text in pages.items()
                for found in values_without_a_meaning(text)
            ),
        ],
        status=said.stdout,
    )


def charts_of(page: str) -> dict[str, str | None]:
    """Charts of a page with the words in place of a picture; None where there is a picture."""
    return {
        found["id"]: re.sub("<[^>]+>", "", found["words"]) if found["kind"] else None
        for found in _CHART.finditer(page)
    }


def values_without_a_meaning(page: str) -> list[str]:
    """What a page shows where a number or a day should be."""
    return sorted(set(_NO_VALUE.findall(page)))


def project_state() -> str:
    """What nights are made of, as one hash of its text."""
    digest = hashlib.sha256()
    for name in _CODE:
        place = PROJECT_DIRECTORY / name
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        for file in files:
            if file.is_file() and file.suffix != ".pyc":
                digest.update(f"{file.relative_to(PROJECT_DIRECTORY)}\n".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()
