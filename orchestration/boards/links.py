"""Where a board is found: on the live server by address, in the nightly folder by file name."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class LiveLinks:
    """`/cohorts?segment=country%3AGB`"""

    is_static: bool = False

    def to(self, board: str, chosen: Mapping[str, str]) -> str:
        return f"/{board}" + (f"?{urlencode(dict(chosen))}" if chosen else "")


@dataclass(frozen=True)
class FileLinks:
    """`cohorts.segment-country-gb-3f2a91.html`, relative, so that the folder may lie anywhere.

    `defaults` are the first options of every filter by (board, filter): their page is the board's own.
    """

    defaults: Mapping[tuple[str, str], str]
    is_static: bool = True

    def to(self, board: str, chosen: Mapping[str, str]) -> str:
        parts = [
            f"{name}-{_safe(value)}"
            for name, value in sorted(chosen.items())
            if self.defaults.get((board, name)) != value
        ]
        return ".".join([board, *parts, "html"])


def _safe(value: str) -> str:
    """A value as a part of a file name; the digits keep apart what looks alike without its signs."""
    digits = hashlib.sha256(value.encode()).hexdigest()[:6]
    return f"{re.sub(r'[^a-z0-9]+', '-', value.lower()).strip('-')[:40]}-{digits}"
