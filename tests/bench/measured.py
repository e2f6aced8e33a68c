"""A process and its children, measured: wall time, processor time and peak of resident memory."""

import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.2
_PROCESSES = Path("/proc")


@dataclass(frozen=True)
class Measured:
    """What a command took; memory is None where the system does not show it (no /proc)."""

    wall_seconds: float
    processor_seconds: float
    peak_megabytes: int | None


class CommandFailed(RuntimeError):
    """A measured command ended with an error; its output is in the message."""


def run(command: Sequence[str], environment: Mapping[str, str], output: Path) -> Measured:
    """Run a command to its end; what it prints goes to `output`."""
    processor_before = _processor_seconds_of_children()
    started = time.monotonic()
    peak = 0
    with output.open("wb") as log:
        process = subprocess.Popen(
            command, env=dict(environment), stdout=log, stderr=subprocess.STDOUT
        )
        while True:
            peak = max(peak, resident_bytes(process.pid))
            try:
                process.wait(POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                continue
    wall = time.monotonic() - started
    if process.returncode != 0:
        tail = "\n".join(output.read_text(errors="replace").splitlines()[-30:])
        raise CommandFailed(
            f"{' '.join(command)} ended with {process.returncode}. The end of {output}:\n{tail}"
        )
    return Measured(
        wall_seconds=wall,
        processor_seconds=_processor_seconds_of_children() - processor_before,
        peak_megabytes=peak // 1_000_000 if peak else None,
    )


def resident_bytes(process_id: int) -> int:
    """Resident memory of a process and all of its descendants at this moment."""
    if not _PROCESSES.is_dir():
        return 0
    parents = {}
    for entry in _PROCESSES.iterdir():
        if entry.name.isdigit() and (parent := _parent_of(entry)) is not None:
            parents[int(entry.name)] = parent
    family = {process_id}
    grown = True
    while grown:
        born = {child for child, parent in parents.items() if parent in family} - family
        family |= born
        grown = bool(born)
    return sum(_resident_bytes_of(one) for one in family)


def _parent_of(entry: Path) -> int | None:
    try:
        # The second field is the command's name in brackets and may hold anything.
        return int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _resident_bytes_of(process_id: int) -> int:
    try:
        pages = int((_PROCESSES / str(process_id) / "statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _processor_seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
