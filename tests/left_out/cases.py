"""What is left out, each time from one and the same shop: every source alone, and the sources that go together.

Read from the contract, so that a source that is added to it is left out without a word here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestration.contract import Table

# The one table that a shop must deliver; a night without it is refused.
REQUIRED = "orders"


@dataclass(frozen=True)
class Case:
    """Sources that a shop does not deliver, under one name."""

    name: str
    tables: frozenset[str]

    def __str__(self) -> str:
        return self.name


def cases(contract: Iterable[Table]) -> tuple[Case, ...]:
    """Each source alone, then all sources of a subject; a subject of one source is that source."""
    optional = [table for table in contract if table.name != REQUIRED]
    subjects: dict[str, list[str]] = {}
    for table in optional:
        subjects.setdefault(table.subject, []).append(table.name)
    return (
        *(Case(table.name, frozenset({table.name})) for table in optional),
        *(
            Case(f"all_of_{subject}", frozenset(names))
            for subject, names in sorted(subjects.items())
            if len(names) > 1
        ),
    )
