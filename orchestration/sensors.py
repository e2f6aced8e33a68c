"""What starts or reports a night besides the clock: new files in the inbox, and a run that failed."""

import json
from pathlib import Path

import dagster as dg

from orchestration.jobs import nightly
from orchestration.notices import failure_reasons, write_failure_notice
from orchestration.resources.landing import Landing
from orchestration.resources.outbox import Outbox
from orchestration.resources.serving import ServingFolder

POLL_SECONDS = 60


@dg.sensor(
    name="new_deliveries",
    job=nightly,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a night when a new file lies still in the inbox.",
)
def new_deliveries(
    context: dg.SensorEvaluationContext, landing: dg.ResourceParam[Landing]
) -> dg.SensorResult:
    """One night for all files that are new and have not changed since the look before."""
    before = json.loads(context.cursor) if context.cursor else {"seen": {}, "requested": {}}
    seen = {path.name: signature(path) for path in landing.new_files()}
    # A file of the same size and time at two looks in a row is taken as written to its end.
    still = {name for name, state in seen.items() if before["seen"].get(name) == state}
    wanted = {name: seen[name] for name in sorted(still)}
    asked = {name: state for name, state in before["requested"].items() if seen.get(name) == state}
    new = {name: state for name, state in wanted.items() if asked.get(name) != state}
    cursor = json.dumps({"seen": seen, "requested": asked | new})
    if not new:
        waiting = sorted(set(seen) - still)
        reason = (
            f"still being written, or seen for the first time: {', '.join(waiting)}"
            if waiting
            else "no new file in the inbox"
        )
        return dg.SensorResult(skip_reason=dg.SkipReason(reason), cursor=cursor)
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=json.dumps(new, sort_keys=True),
                tags={"retention/deliveries": ", ".join(new)[:200]},
            )
        ],
        cursor=cursor,
    )


def signature(path: Path) -> str:
    """What changes when a file is still being written."""
    status = path.stat()
    return f"{status.st_size}:{status.st_mtime_ns}"


@dg.run_failure_sensor(
    name="failed_night",
    monitored_jobs=[nightly],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Writes a notice into the outbox when a night fails: what, why, and what still stands.",
)
def failed_night(
    context: dg.RunFailureSensorContext,
    outbox: dg.ResourceParam[Outbox],
    serving: dg.ResourceParam[ServingFolder],
) -> None:
    """Tells people; the published copy needs no help, it was never touched."""
    run_id = context.dagster_run.run_id
    file = write_failure_notice(outbox, serving, run_id, failure_reasons(context.instance, run_id))
    context.log.error(f"The night failed; the notice is {file}")
