"""What the processes of one test session make once and all read."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

# The sample shop as it is delivered, and what its generator hid, which no delivery holds.
SAMPLE = Path(__file__).parent.parent / "seeds" / "sample"
TRUTH = SAMPLE / "truth"


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the whole session: the same one for each process that tests side by side."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def made_once(folder: Path, make: Callable[[], str]) -> str:
    """What `make` told when the first process that asked for the folder filled it; all others wait for it and read."""
    told = folder / "told.txt"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "making.lock"):
        if not told.exists():
            told.write_text(make(), encoding="utf-8")
    return told.read_text(encoding="utf-8")
