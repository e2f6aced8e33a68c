"""The data folder made ready: its folders, Dagster's own settings, and the environment of child processes."""

import os

import yaml

from orchestration.settings import Settings

DAGSTER_SETTINGS = {
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},
    # Nights queue behind each other; the pool keeps any two writing runs apart.
    "concurrency": {
        "runs": {"max_concurrent_runs": 1},
        "pools": {"default_limit": 1, "granularity": "run"},
    },
    "run_monitoring": {"enabled": True},
    "freshness": {"enabled": True},
    "code_servers": {"wait_for_local_processes_on_shutdown": True},
    "retention": {
        "schedule": {"purge_after_days": 90},
        "sensor": {"purge_after_days": {"skipped": 7, "failure": 30, "success": 30}},
    },
}


def prepare(settings: Settings) -> None:
    """Make the folders, write dagster.yaml, and set the environment that dbt and Dagster start in."""
    for folder in (
        settings.inbox_directory,
        settings.logs_directory,
        settings.target_directory,
        settings.dagster_directory,
    ):
        folder.mkdir(parents=True, exist_ok=True)
    content = {
        **DAGSTER_SETTINGS,
        "event_log_storage": {
            "module": "orchestration.run_history",
            "class": "KeptOpenEventLog",
            "config": {"base_dir": str(settings.dagster_directory / "history" / "runs")},
        },
    }
    text = "# Written by `retention`; orchestration/home.py is where to change it.\n"
    text += yaml.safe_dump(content, sort_keys=False)
    file = settings.dagster_directory / "dagster.yaml"
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
    os.environ.update(settings.environment())
