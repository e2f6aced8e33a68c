"""The sources beside orders, returns and memberships: which there are, and how each is shown.

Every one is a function of the facts, the frame and a moment, like the first twelve tables; what it
shows is drawn when it is first asked for, so a shop without these sources pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.tables import known_tables


@dataclass(frozen=True)
class FurtherSource:
    """A table of the source contract and how it is shown as known before a moment (UTC seconds)."""

    key: tuple[str, ...]
    show: Callable[[Facts, Frame, int], pa.Table]


FURTHER_SOURCES: dict[str, FurtherSource] = {}


def all_known_tables(frame: Frame, chunks: list[Facts], before: int) -> dict[str, pa.Table]:
    """Return every table as known before a moment: the first twelve, and the further ones if the
    shop delivers them."""
    tables = known_tables(frame, chunks, before)
    if frame.parameters.delivers_further_sources:
        facts = chunks[0]
        for name, source in FURTHER_SOURCES.items():
            tables[name] = source.show(facts, frame, before)
    return tables
