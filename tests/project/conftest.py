"""One manifest and one compiled project for all rules."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration import settings as settings_module
from tests.shared import made_once, shared_folder

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def read_by_dbt(tmp_path_factory) -> tuple[Path, list[str]]:
    """What dbt writes when it parses the project, and the models that `+exposure:metrics` selects.

    One start of dbt gives both, in a folder of its own. A warning is an error here.
    """
    data = shared_folder(tmp_path_factory) / "manifest"
    settings = settings_module.from_environment({"RETENTION_DATA": str(data)})
    dbt = Path(sys.executable).with_name("dbt")

    def read() -> str:
        wanted = ["-s", "+exposure:metrics", "--resource-type", "model"]
        outcome = subprocess.run(
            [dbt, "--warn-error", "ls", "-q", *wanted],
            cwd=PROJECT,
            env={**os.environ, **settings.environment()},
            capture_output=True,
            text=True,
        )
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        return outcome.stdout

    return settings.target_directory, made_once(data, read).split()


@pytest.fixture(scope="session")
def target_directory(read_by_dbt) -> Path:
    """What dbt writes when it parses the project as it stands."""
    return read_by_dbt[0]


@pytest.fixture(scope="session")
def manifest(target_directory) -> dict:
    """dbt's manifest of the project as it stands."""
    return json.loads((target_directory / "manifest.json").read_text())


@pytest.fixture(scope="session")
def models(manifest) -> dict[str, dict]:
    """Models by name."""
    return {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }


def folder(model: dict) -> str:
    """`marts/cohorts` of `models/marts/cohorts/fct_x.sql`."""
    return str(Path(model["original_file_path"]).parent.relative_to("models"))


def parents(manifest: dict, model: dict) -> list[dict]:
    """The nodes that a model reads, seeds and sources included."""
    found = {**manifest["nodes"], **manifest["sources"]}
    return [found[key] for key in model["depends_on"]["nodes"] if key in found]
