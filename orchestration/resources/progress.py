"""Where a night says how far it is. Silent by default; the command line puts a terminal behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Step(Protocol):
    """One step of the night while it runs."""

    def count(self, done: int, total: int, what: str) -> None:
        """Say that `done` of `total` are finished; `what` names the newest."""

    def line(self, text: str) -> None:
        """Say one detail that stays on the screen."""

    def result(self, text: str) -> None:
        """Say what the step made; shown when it ends."""


class Progress(Protocol):
    """The night as its steps begin and end."""

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Announce a step; leaving the block ends it."""


class _SilentStep:
    def count(self, done: int, total: int, what: str) -> None: ...

    def line(self, text: str) -> None: ...

    def result(self, text: str) -> None: ...


class SilentProgress:
    """Says nothing: for runs that Dagster's own pages show."""

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        yield _SilentStep()
