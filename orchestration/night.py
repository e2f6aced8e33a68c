"""One night from the command line: the nightly job in this process, on the same instance that the UI shows.

What dbt and Dagster print goes to a log file, so that the terminal holds the progress alone.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from orchestration.home import prepare
from orchestration.settings import Settings


@dataclass(frozen=True)
class NightResult:
    """How a night ended; `reasons` is empty where it ended well."""

    run_id: str
    reasons: tuple[str, ...]
    log_file: Path
    notice: Path | None = None

    @property
    def is_success(self) -> bool:
        return not self.reasons


def run_night(
    settings: Settings,
    *,
    as_of_date: str | None = None,
    full_refresh: bool = False,
    overrides: dict[str, Any] | None = None,
) -> NightResult:
    """Run the whole night; whatever fails inside is in the result and not raised."""
    prepare(settings)
    log_file = settings.logs_directory / f"night_{datetime.now(UTC):%Y%m%dT%H%M%S}.log"
    with output_into(log_file) as terminal:
        # Dagster and dbt take seconds to import; a command that needs neither should not wait for them.
        import dagster as dg

        from orchestration.definitions import build_defs
        from orchestration.notices import failure_reasons, write_failure_notice
        from orchestration.terminal import TerminalProgress

        resources = {
            "settings": settings,
            "progress": TerminalProgress(terminal),
            **(overrides or {}),
        }
        definitions = build_defs(resources)
        with dg.DagsterInstance.get() as instance:
            result = definitions.resolve_job_def("nightly").execute_in_process(
                instance=instance,
                run_config=run_config(as_of_date=as_of_date, full_refresh=full_refresh),
                tags={"retention/started_by": "command line"},
                raise_on_error=False,
            )
            if result.success:
                return NightResult(result.run_id, (), log_file)
            reasons = failure_reasons(instance, result.run_id)
            built = definitions.resources or {}
            notice = write_failure_notice(built["outbox"], built["serving"], result.run_id, reasons)
            return NightResult(result.run_id, tuple(reasons), log_file, notice)


def last_night(settings: Settings) -> str:
    """When the newest night ran, how it ended, and who started it."""
    prepare(settings)
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        records = instance.get_run_records(dg.RunsFilter(job_name="nightly"), limit=1)
        if not records:
            return "there was none yet: run `retention refresh`"
        [record] = records
        run = record.dagster_run
        begun = record.start_time or record.create_timestamp.timestamp()
        when = f"{datetime.fromtimestamp(begun, UTC):%Y-%m-%d %H:%M} UTC"
        took = f", {record.end_time - begun:.0f} s" if record.end_time else ""
        starter = run.tags.get("retention/started_by") or "Dagster"
        return f"{run.status.value.lower()} on {when}{took}, started by {starter} (run {run.run_id[:8]})"


def run_config(*, as_of_date: str | None, full_refresh: bool) -> dict[str, Any]:
    """What this night does otherwise than the others."""
    ops: dict[str, Any] = {}
    if as_of_date:
        ops["landing"] = {"config": {"as_of_date": as_of_date}}
    if full_refresh:
        ops |= {half: {"config": {"full_refresh": True}} for half in ("foundation", "marts")}
    return {"ops": ops} if ops else {}


@contextmanager
def output_into(log_file: Path) -> Iterator[TextIO]:
    """Send standard output and error to a file, child processes included; yields the terminal."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with log_file.open("ab", buffering=0) as log, os.fdopen(os.dup(1), "w") as terminal:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield terminal
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            terminal.flush()
            for descriptor, original in zip((1, 2), kept, strict=True):
                os.dup2(original, descriptor)
                os.close(original)
