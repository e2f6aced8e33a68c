"""Dagster's web server and daemon as child processes of `retention ui`, on this machine only.

Both are started together and ended together: a web page without its daemon would show a schedule that never runs.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

from orchestration.home import prepare
from orchestration.resources.dbt_manifest import ensure_manifest
from orchestration.settings import PROJECT_DIRECTORY, Settings

# Dagster's web pages ask nobody for a password, so nobody but this machine may reach them.
HOST = "127.0.0.1"
START_SECONDS = 180
STOP_SECONDS = 30
MODULE = "orchestration.definitions"


def commands(port: int, *, read_only: bool) -> dict[str, list[str]]:
    """The command of each server, by its name."""
    beside = Path(sys.executable).parent
    webserver = [str(beside / "dagster-webserver"), "-h", HOST, "-p", str(port), "-m", MODULE]
    if read_only:
        webserver.append("--read-only")
    return {
        "webserver": webserver,
        "daemon": [str(beside / "dagster-daemon"), "run", "-m", MODULE],
    }


def serve(
    settings: Settings, *, port: int, read_only: bool = False, say: Callable[[str], None]
) -> int:
    """Run both servers until one ends or this process is told to; returns an exit code."""
    prepare(settings)
    # Made here once, or both servers would parse the project at the same time.
    ensure_manifest(settings)
    stopping = _Stop()
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands(port, read_only=read_only).items():
            children[name] = _start(command, settings.logs_directory / f"{name}.log")
        say(f"starting Dagster on http://{HOST}:{port} ...")
        is_up = False
        while not stopping.is_asked and all(child.poll() is None for child in children.values()):
            if not is_up and _answers(port):
                is_up = True
                say(
                    f"Dagster is on http://{HOST}:{port}; the nightly schedule is on. Ctrl-C ends it."
                )
            time.sleep(0.5)
        ended = [name for name, child in children.items() if child.poll() is not None]
    finally:
        _stop(children.values())
    if stopping.is_asked:
        say("Dagster has ended.")
        return 0
    for name in ended:
        say(f"the {name} ended by itself; why is in {settings.logs_directory / f'{name}.log'}:")
        say(_tail(settings.logs_directory / f"{name}.log"))
    return 1


class _Stop:
    """Remembers that Ctrl-C or a termination signal came, and lets the loop end in its own way."""

    def __init__(self) -> None:
        self.is_asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.is_asked = True


def _start(command: Sequence[str], log_file: Path) -> subprocess.Popen[bytes]:
    # In a session of its own: Ctrl-C in the terminal reaches this process alone, which then ends both in order.
    with log_file.open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=PROJECT_DIRECTORY,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://{HOST}:{port}/server_info", timeout=2) as answer:
            return answer.status == 200
    except (URLError, OSError):
        return False


def _stop(children: Iterable[subprocess.Popen[bytes]]) -> None:
    """Ask all to end, as Ctrl-C would, then end whatever they started and left behind."""
    children = list(children)
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _signal_group(child.pid, signal.SIGKILL)
            child.wait()
        # Code servers, and a night that one of them runs, with its dbt.
        _signal_group(child.pid, signal.SIGTERM)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _tail(file: Path, lines: int = 15) -> str:
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])
