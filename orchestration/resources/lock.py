"""One writer at a time over all processes: a file lock that says who holds it. No engine here.

Dagster's pool binds only runs that go through its queue, and a run from the command line does not; so every
step that writes takes this lock as well.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

POLL_SECONDS = 0.2


class WriterBusyError(RuntimeError):
    """Somebody else is writing and did not finish within the time that we wait."""


@dataclass(frozen=True)
class WriterLock:
    """A lock on `file`, which holds the pid and the work of the process that has it."""

    file: Path
    patience_seconds: float = 900.0
    on_wait: Callable[[str], None] | None = None

    @contextmanager
    def hold(self, what: str) -> Iterator[None]:
        """Hold the lock for `what`; waits for another holder, then raises WriterBusyError naming it."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        # Opened without truncating: until the lock is ours, the content belongs to its holder.
        descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._acquire(descriptor, what)
            content = {
                "pid": os.getpid(),
                "what": what,
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(content).encode(), 0)
            try:
                yield
            finally:
                os.ftruncate(descriptor, 0)
        finally:
            # The engine drops the lock with its last descriptor, also when the process is killed.
            os.close(descriptor)

    def holder(self) -> str | None:
        """The holder in words, None where nobody holds the lock."""
        try:
            descriptor = os.open(self.file, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._holder_in_words()
        finally:
            os.close(descriptor)
        return None

    def _acquire(self, descriptor: int, what: str) -> None:
        deadline = time.monotonic() + self.patience_seconds
        has_said = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                holder = self._holder_in_words()
            if not has_said and self.on_wait:
                self.on_wait(f"waiting to start {what}: {holder} is writing")
                has_said = True
            if time.monotonic() >= deadline:
                raise WriterBusyError(
                    f"{what} did not start: after {self.patience_seconds:g} s {holder} is still "
                    f"writing (lock {self.file}). Wait for it to end, or stop that process."
                )
            time.sleep(POLL_SECONDS)

    def _holder_in_words(self) -> str:
        try:
            content = json.loads(self.file.read_text())
            return f"{content['what']} (process {content['pid']}, since {content['since']})"
        except (ValueError, KeyError, OSError):
            # The holder is between taking the lock and writing its name.
            return "another process"
