"""What boards stand on: the published copy held open while it is the newest, and the folder of nightly pages.

serving/boards/<label>/       one night's pages, read-only, each whole in itself
serving/boards/current        the pointer, a symlink that moves last and at once
"""

import re
import shutil
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.resources.serving import SCHEMA, ServingFolder, point, sync
from orchestration.resources.warehouse import Connection, EngineError, literal, open_engine

_PARAMETER = re.compile(r"\$([a-z_][a-z0-9_]*)")


@dataclass(frozen=True)
class OpenedCopy:
    """One published file while a page is drawn from it."""

    label: str
    connection: Connection

    def query(
        self, sql: str, parameters: Mapping[str, str]
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows; of the parameters only those that the SQL names are bound."""
        used = {name: parameters[name] for name in _PARAMETER.findall(sql)}
        result = self.connection.execute(sql, used or None)
        return [column[0] for column in result.description or []], result.fetchall()


@dataclass
class CopyReader:
    """Opens the copy that the pointer names now.

    One connection stays open to the newest file, so that the engine keeps what it has read of it; every page has
    its own connection beside it and lives on when the reader moves to the next night.
    """

    serving: ServingFolder
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _file: Path | None = None
    _kept: ExitStack = field(default_factory=ExitStack)

    @contextmanager
    def opened(self) -> Iterator[OpenedCopy]:
        """The newest copy for one page: a publish meanwhile changes nothing in it."""
        with ExitStack() as own:
            with self._lock:
                file, connection = self._newest(own)
            connection.execute(f"set schema = {literal(SCHEMA)}")
            yield OpenedCopy(file.stem.removeprefix("serving_"), connection)

    def close(self) -> None:
        with self._lock:
            self._kept.close()
            self._file = None

    def _newest(self, own: ExitStack) -> tuple[Path, Connection]:
        for attempt in (1, 2, 3):
            file = self.serving.current_file()
            try:
                connection = own.enter_context(_opened(file))
                if file != self._file:
                    self._kept.close()
                    self._kept.enter_context(_opened(file))
                    self._file = file
            except EngineError:
                # Forgotten between the look at the pointer and this line: nights were published meanwhile.
                if attempt == 3 or file.exists():
                    raise
            else:
                return file, connection
        raise AssertionError("the last attempt returns or raises")


def _opened(file: Path) -> AbstractContextManager[Connection]:
    # Read-only alone is no fence: COPY TO and read_csv of any path would still work.
    return open_engine(file, read_only=True, settings={"enable_external_access": "false"})


@dataclass(frozen=True)
class BoardsFolder:
    """The nightly pages beside the copy that they were drawn from."""

    directory: Path
    keep: int

    @property
    def pointer(self) -> Path:
        return self.directory / "current"

    def write(self, label: str, pages: Iterable[tuple[str, str]]) -> dict[str, int]:
        """Write all pages, then move the pointer; returns the size of each in bytes.

        An error on the way, also one that `pages` raises, leaves the former night's pages standing.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        for leftover in self.directory.glob(".*.part"):
            shutil.rmtree(leftover)
        part = self.directory / f".{label}.part"
        part.mkdir()
        sizes = {}
        for name, text in pages:
            file = part / name
            file.write_text(text, encoding="utf-8")
            file.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
            sync(file)
            sizes[name] = file.stat().st_size
        sync(part)
        target = self.directory / label
        # Drawn again from the same copy: the pages are the same, perhaps with newer boards.
        if target.exists():
            shutil.rmtree(target)
        part.rename(target)
        sync(self.directory)
        point(self.pointer, label)
        self._prune(label)
        return sizes

    def _prune(self, current: str) -> None:
        labels = sorted(
            folder.name
            for folder in self.directory.iterdir()
            if folder.is_dir() and not folder.is_symlink() and not folder.name.startswith(".")
        )
        for label in labels[: -self.keep]:
            if label != current:
                shutil.rmtree(self.directory / label)
