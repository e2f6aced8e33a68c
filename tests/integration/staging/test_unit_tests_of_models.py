"""dbt's own unit tests: models fed with rows written by hand. A night leaves them out: they say nothing of its data."""

import json
import subprocess
import sys
from pathlib import Path

from conftest import clean_environment

from orchestration.settings import PROJECT_DIRECTORY


def test_every_unit_test_of_a_model_passes(shop_copy):
    """They need the tables of a built warehouse for their column types, and none of its rows."""
    outcome = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            "--no-use-colors",
            "test",
            "--select",
            "test_type:unit",
        ],
        cwd=PROJECT_DIRECTORY,
        env={**clean_environment(), **shop_copy.settings.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout[-6000:]
    manifest = json.loads((shop_copy.settings.target_directory / "manifest.json").read_text())
    assert f"PASS={len(manifest['unit_tests'])} WARN=0 ERROR=0 SKIP=0" in outcome.stdout
    assert len(manifest["unit_tests"]) >= 50
