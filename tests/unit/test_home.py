"""The data folder made ready for Dagster."""

import os

import yaml

from orchestration.home import prepare
from orchestration.settings import from_environment


def test_dagster_sends_no_telemetry_and_runs_one_night_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    settings = from_environment({"RETENTION_DATA": str(tmp_path)})
    prepare(settings)
    written = yaml.safe_load((settings.dagster_directory / "dagster.yaml").read_text())
    assert written["telemetry"] == {"enabled": False}
    assert written["nux"] == {"enabled": False}
    assert written["concurrency"]["runs"]["max_concurrent_runs"] == 1
    assert written["concurrency"]["pools"] == {"default_limit": 1, "granularity": "run"}


def test_a_second_preparation_leaves_the_settings_file_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    settings = from_environment({"RETENTION_DATA": str(tmp_path)})
    prepare(settings)
    file = settings.dagster_directory / "dagster.yaml"
    first = file.stat().st_mtime_ns
    prepare(settings)
    assert file.stat().st_mtime_ns == first
