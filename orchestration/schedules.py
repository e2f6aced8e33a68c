"""When the night runs by itself: once a day at the shop's own time."""

import dagster as dg

from orchestration.jobs import nightly
from orchestration.settings import Settings


def nightly_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Every day at `RETENTION_NIGHTLY_AT` in the shop's time zone, switched on from the start."""
    hour, minute = settings.nightly_at.split(":")
    return dg.ScheduleDefinition(
        name="every_night",
        job=nightly,
        cron_schedule=f"{int(minute)} {int(hour)} * * *",
        execution_timezone=str(settings.business_constant("shop_timezone")),
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="The night, after the shop's day is over.",
    )
