"""One writer over all processes: who holds the lock, who waits, and what a killed holder leaves."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from orchestration.resources.lock import WriterBusyError, WriterLock

HOLD = """
    import sys, time
    from pathlib import Path
    from orchestration.resources.lock import WriterLock
    with WriterLock(Path(sys.argv[1])).hold("dbt foundation"):
        print("held", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock for a minute."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLD), str(tmp_path / "warehouse.lock")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline().strip() == "held"
    yield process
    process.kill()
    process.wait()


def test_a_second_writer_gives_up_and_names_the_first(tmp_path, holder):
    lock = WriterLock(tmp_path / "warehouse.lock", patience_seconds=0.5)
    with (
        pytest.raises(WriterBusyError, match="publish did not start") as raised,
        lock.hold("publish"),
    ):
        pass
    assert "dbt foundation" in str(raised.value)
    assert f"process {holder.pid}" in str(raised.value)


def test_a_waiting_writer_says_so_once_and_goes_on_when_the_lock_is_free(tmp_path, holder):
    said = []

    def end_the_holder(text: str) -> None:
        said.append(text)
        holder.terminate()

    lock = WriterLock(tmp_path / "warehouse.lock", patience_seconds=30, on_wait=end_the_holder)
    with lock.hold("publish"):
        pass
    assert len(said) == 1
    assert "dbt foundation" in said[0]


def test_a_killed_holder_leaves_the_lock_free(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    begun = time.monotonic()
    with WriterLock(tmp_path / "warehouse.lock", patience_seconds=30).hold("publish"):
        assert time.monotonic() - begun < 5


def test_the_holder_is_named_while_it_holds_and_nobody_after(tmp_path):
    lock = WriterLock(tmp_path / "warehouse.lock")
    assert lock.holder() is None
    with lock.hold("landing"):
        assert f"landing (process {os.getpid()}" in lock.holder()
    assert lock.holder() is None


def test_an_error_under_the_lock_releases_it(tmp_path):
    lock = WriterLock(Path(tmp_path / "warehouse.lock"), patience_seconds=0)
    with pytest.raises(ZeroDivisionError), lock.hold("landing"):
        raise ZeroDivisionError
    assert lock.holder() is None
