"""Where the time of a night went, from the orchestrator's own record of it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

# The steps of a night in order. Every other step of a run fits, scores, judges or checks scores.
STEPS = ("landing", "foundation", "scores", "marts", "publish")
# What dagster-dbt calls the seconds that dbt spent on one node.
NODE_SECONDS = "Execution Duration"


@dataclass(frozen=True)
class NightRecord:
    """Seconds of one night.

    `steps` are by the clock, and `run` is all of them. `nodes` are those of dbt's tables and checks by kind, each by
    its own clock: two at a time, so they add up to more than the steps that they are part of.
    """

    run: float
    steps: dict[str, float]
    nodes: dict[str, float]


def newest_night(dagster_directory: Path) -> NightRecord:
    """The newest run of an instance."""
    with dg.DagsterInstance.from_config(str(dagster_directory)) as instance:
        [newest] = instance.get_run_records(limit=1)
        run_id = newest.dagster_run.run_id
        steps = dict.fromkeys(STEPS, 0.0)
        for step in instance.get_run_step_stats(run_id):
            if step.start_time and step.end_time:
                name = step.step_key if step.step_key in STEPS else "scores"
                steps[name] += step.end_time - step.start_time
        nodes: dict[str, float] = defaultdict(float)
        for kind, seconds in _nodes(instance, run_id):
            nodes[kind] += seconds
        return NightRecord(newest.end_time - newest.start_time, steps, dict(nodes))


def _nodes(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[str, float]]:
    """Kind and seconds of each node that dbt ran."""
    kinds = {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_CHECK_EVALUATION}
    for entry in instance.all_logs(run_id, of_type=kinds):
        event = entry.get_dagster_event()
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            kind, metadata = "checks", event.asset_check_evaluation_data.metadata
        else:
            materialization = event.step_materialization_data.materialization
            kind, metadata = materialization.asset_key.path[0], materialization.metadata
        if NODE_SECONDS in metadata:
            yield kind, float(metadata[NODE_SECONDS].value)
