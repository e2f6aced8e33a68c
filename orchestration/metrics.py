"""MetricFlow's own command line (`mf query`, `mf list`), set on the published copy and kept from the network.

`mf` by itself asks a package index for a newer version of itself at every start, wants `target/` inside the
checkout, and opens the warehouse file. Here its commands run unchanged with none of the three.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from dbt_metricflow.cli import main as mf
from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from metricflow.engine.metricflow_engine import MetricFlowEngine

from orchestration.resources.metrics import metric_engine
from orchestration.settings import Settings

# The others parse the project, write into it, or open the warehouse; dbt and `retention refresh` do that.
COMMANDS = ("query", "list")


class PublishedConfiguration(CLIConfiguration):
    """What MetricFlow's commands ask for, answered by the data folder and an engine that is already there."""

    def __init__(self, settings: Settings, engine: MetricFlowEngine) -> None:
        super().__init__()
        self._settings = settings
        self._mf = engine
        self._is_setup = True

    @property
    def log_file_path(self) -> Path:
        return log_file(self._settings)

    @property
    def dbt_project_metadata(self) -> SimpleNamespace:
        """Where an error message says that the semantic manifest lies."""
        folder = self._settings.target_directory
        return SimpleNamespace(
            project=SimpleNamespace(project_root=folder.parent, target_path=folder.name)
        )


class NoUpdateChecker:
    """Stands where MetricFlow would ask the package index."""

    def check(self, package: str, version: str) -> None:
        return None


def log_file(settings: Settings) -> Path:
    return settings.logs_directory / "metricflow.log"


def run_metricflow(settings: Settings, arguments: Sequence[str]) -> None:
    """Run one of MetricFlow's commands; it ends the process as it would have ended its own."""
    with metric_engine(settings) as engine:
        settings.logs_directory.mkdir(parents=True, exist_ok=True)
        logging.basicConfig(filename=log_file(settings), level=logging.WARNING, force=True)
        mf.UpdateChecker = NoUpdateChecker
        mf.cli.main(
            args=list(arguments),
            prog_name="retention mf",
            obj=PublishedConfiguration(settings, engine),
        )
