"""What people are told about a night that failed: what failed, why, and what still stands."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from orchestration.resources.outbox import Outbox
from orchestration.resources.serving import Publication, ServingFolder

# Dagster's own words for a failed gate; the gate says it better where it says anything.
_GATE_ERROR = "DagsterAssetCheckFailedError"
_INTERNAL_PREFIXES = ("dagster._core.errors.", "dagster_shared.")


def failure_reasons(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Each thing that failed in a run, in its own words and without a stack."""
    gates = list(_failed_gates(instance, run_id))
    reasons = []
    for record in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        data = record.dagster_event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            reasons.append(data.user_failure_data.description)
        elif data.error and not (gates and data.error.cls_name == _GATE_ERROR):
            # What a person can act on is the error at the root, not the step that wrapped it.
            error = data.error
            while error.cause:
                error = error.cause
            reasons.append(f"{record.dagster_event.step_key}: {_plain(error.message)}")
    reasons += gates
    if not reasons:
        run = instance.get_run_by_id(run_id)
        reasons.append(
            f"the run ended as {run.status.value if run else 'unknown'} without an error"
        )
    return reasons


def what_stands(serving: ServingFolder) -> str:
    """What readers still see after a failed night."""
    publication: Publication | None = serving.current()
    if publication is None:
        return "Nothing was published before, so there is no copy to read yet."
    return (
        f"The published copy of {publication.published_at:%Y-%m-%d %H:%M} UTC stands untouched, as of "
        f"{publication.as_of_date}, fingerprint {publication.fingerprint}."
    )


def write_failure_notice(
    outbox: Outbox, serving: ServingFolder, run_id: str, reasons: list[str]
) -> Path:
    """Put the notice of a failed night into the outbox, once per run."""
    body = "\n\n".join(
        [
            "\n".join(f"- {reason}" for reason in reasons),
            what_stands(serving),
            f"The run is {run_id}; `retention ui` shows it, and `retention refresh` runs the night again.",
        ]
    )
    return outbox.write(f"failed_night_{run_id[:8]}", "The night failed", body)


def _failed_gates(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    """Failed checks that say why themselves; dbt's own tests are told by dbt's failure."""
    for record in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        evaluation = record.dagster_event.asset_check_evaluation_data
        is_gate = not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR
        if is_gate and evaluation.description:
            yield (
                f"check {evaluation.check_name} on {evaluation.asset_key.to_user_string()}: "
                f"{evaluation.description}"
            )


def _plain(message: str) -> str:
    text = message.strip()
    for prefix in _INTERNAL_PREFIXES:
        text = text.removeprefix(prefix)
    return text
