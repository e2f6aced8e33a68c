"""The event log that keeps its connections: the same history as Dagster's own, read by either of the two."""

from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from orchestration.run_history import RUNS_KEPT_OPEN, KeptOpenEventLog

CHECK = dg.AssetCheckKey(dg.AssetKey("orders"), "adds_up")


@dg.asset(check_specs=[dg.AssetCheckSpec("adds_up", asset="orders")])
def orders():
    yield dg.MaterializeResult(metadata={"dagster/row_count": 7})
    yield dg.AssetCheckResult(check_name="adds_up", passed=True)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A DAGSTER_HOME whose dagster.yaml names the log as `prepare` does."""
    settings = {
        "telemetry": {"enabled": False},
        "event_log_storage": {
            "module": "orchestration.run_history",
            "class": "KeptOpenEventLog",
            "config": {"base_dir": str(tmp_path / "runs")},
        },
    }
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


def test_dagster_takes_the_log_from_its_settings_and_keeps_a_night_in_it(home):
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, KeptOpenEventLog)
        run = dg.materialize([orders], instance=instance)
        written = [
            record.dagster_event_type
            for record in instance.event_log_storage.get_logs_for_run(run.run_id)
        ]
        newest = instance.get_latest_materialization_event(dg.AssetKey("orders"))
    assert newest.asset_materialization.metadata["dagster/row_count"].value == 7

    # Dagster's own class reads the same files: nobody is locked in.
    plain = SqliteEventLogStorage(str(home / "runs"))
    read = [record.dagster_event_type for record in plain.get_logs_for_run(run.run_id)]
    assert read == written
    [record] = plain.get_latest_asset_check_execution_by_key([CHECK]).values()
    assert record.run_id == run.run_id
    assert record.event.asset_check_evaluation.passed


def test_the_files_of_old_runs_are_not_held_open_for_ever(home):
    with dg.DagsterInstance.get() as instance:
        for _ in range(RUNS_KEPT_OPEN + 3):
            dg.materialize([orders], instance=instance)
        log = instance.event_log_storage
        assert len(log._engines) <= RUNS_KEPT_OPEN + 1
    assert log._engines == {}
