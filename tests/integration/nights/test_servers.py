"""`retention ui`: both servers up on this machine alone, the schedule switched on, and both gone afterwards."""

import json
import signal
import socket
import subprocess
import time
from urllib.request import Request, urlopen

import pytest
from conftest import RETENTION, Shop, clean_environment

START_SECONDS = 300
QUESTION = """
    { repositoriesOrError { ... on RepositoryConnection { nodes {
        schedules { name scheduleState { status } }
        sensors { name sensorState { status } }
    } } } }
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listening_addresses(port: int) -> set[str]:
    """Local addresses, as the kernel writes them, on which anything listens at the port."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table) as lines:  # noqa: PTH123
            for line in list(lines)[1:]:
                local, state = line.split()[1], line.split()[3]
                address, hexadecimal = local.split(":")
                if state == "0A" and int(hexadecimal, 16) == port:
                    found.add(address)
    return found


def children_of(pid: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in found.stdout.split()]


def is_running(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def ask(port: int) -> dict:
    request = Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": QUESTION}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]["repositoriesOrError"]["nodes"][0]


@pytest.fixture
def served(shop_copy: Shop):
    """The servers of a copied shop: the process, and the port that it answers on."""
    port = free_port()
    process = subprocess.Popen(
        [str(RETENTION), "ui", "--port", str(port)],
        env={**clean_environment(), "RETENTION_DATA": str(shop_copy.data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + START_SECONDS
    while not listening_addresses(port):
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline, "no answer"
        time.sleep(1)
    yield process, port
    if process.poll() is None:
        process.kill()


def test_the_ui_is_on_loopback_with_its_schedule_on_and_ends_with_all_that_it_started(served):
    process, port = served
    # 127.0.0.1 in the kernel's byte order
    assert listening_addresses(port) == {"0100007F"}

    repository = ask(port)
    schedules = {each["name"]: each["scheduleState"]["status"] for each in repository["schedules"]}
    sensors = {each["name"]: each["sensorState"]["status"] for each in repository["sensors"]}
    assert schedules == {"every_night": "RUNNING"}
    assert sensors == {"new_deliveries": "RUNNING", "failed_night": "RUNNING"}

    children = children_of(process.pid)
    grandchildren = [pid for child in children for pid in children_of(child)]
    assert len(children) == 2
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=90) == 0
    time.sleep(1)
    assert [pid for pid in children + grandchildren if is_running(pid)] == []
