"""One night of the sample shop for the whole test session, made the way a newcomer makes it: `retention demo`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.resources.places import serving_of, warehouse_of
from orchestration.resources.serving import ServingFolder
from orchestration.resources.warehouse import Warehouse
from orchestration.settings import Settings, from_environment
from tests.shared import made_once, shared_folder

RETENTION = Path(sys.executable).with_name("retention")


@dataclass(frozen=True)
class Shop:
    """A data folder and the command line on it."""

    settings: Settings
    first_output: str = ""

    @property
    def warehouse(self) -> Warehouse:
        return warehouse_of(self.settings)

    @property
    def serving(self) -> ServingFolder:
        return serving_of(self.settings)

    def retention(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `retention`; settings of the machine that tests run on do not reach it."""
        return subprocess.run(
            [str(RETENTION), *arguments],
            env={**clean_environment(), "RETENTION_DATA": str(self.data), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def data(self) -> Path:
        return self.settings.data_directory

    def copied_to(self, folder: Path) -> "Shop":
        """The same night in another folder, to be changed at will."""
        shutil.copytree(self.data, folder, symlinks=True)
        return Shop(from_environment({"RETENTION_DATA": str(folder)}))


def clean_environment() -> dict[str, str]:
    """The environment without settings of ours, of dbt or of Dagster."""
    ours = ("RETENTION_", "DBT_", "DAGSTER_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For nights inside this process: `prepare` sets variables for dbt and Dagster, which end with the test."""
    before = dict(os.environ)
    for name in before.keys() - clean_environment().keys():
        monkeypatch.delenv(name)
    yield
    monkeypatch.undo()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def sample_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The sample shop after its first night; shared, so read it and never write to it."""
    folder = shared_folder(tmp_path_factory) / "sample"
    settings = from_environment({"RETENTION_DATA": str(folder / "data")})

    def make() -> str:
        outcome = Shop(settings).retention("demo")
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        return outcome.stdout

    return Shop(settings, first_output=made_once(folder, make))


@pytest.fixture
def shop_copy(sample_shop: Shop, tmp_path: Path) -> Shop:
    """The sample shop after its first night, in a folder that a test may change."""
    return sample_shop.copied_to(tmp_path / "data")
