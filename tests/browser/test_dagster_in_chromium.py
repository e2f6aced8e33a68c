"""Dagster's pages as a person finds them: a night is started there and watched, then a mart is looked at.

One night of the sample shop, started by a click, serves all tests of this file.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.shops import RETENTION, SHOPS

START_SECONDS = 900
NIGHT_SECONDS = 1800
PAGE_MILLISECONDS = 180_000
LOCATION = "orchestration.definitions"
DESK = {"width": 1600, "height": 1000}

# The first test waits for the night.
pytestmark = pytest.mark.timeout(START_SECONDS + 2 * NIGHT_SECONDS)


@dataclass
class Pages:
    """Dagster's pages at one address, with what they asked for and complained of."""

    address: str
    page: Page
    screenshots: Path
    asked: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.address}/{path}", timeout=PAGE_MILLISECONDS)
        return self.page

    def keep(self, name: str) -> None:
        self.page.screenshot(path=self.screenshots / f"dagster-{name}.png")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(address: str, question: str, **variables: object) -> dict:
    """An answer of the server that the pages ask too."""
    request = Request(
        f"{address}/graphql",
        data=json.dumps({"query": question, "variables": variables}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`retention ui` on a copy of the sample shop."""
    shop = SHOPS[0]
    shop.build()
    data = tmp_path_factory.mktemp("dagster") / "data"
    shutil.copytree(shop.data, data, symlinks=True)
    ours = ("RETENTION_", "DBT_", "DAGSTER_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    port = free_port()
    process = subprocess.Popen(
        [str(RETENTION), "ui", "--port", str(port)], env={**clean, "RETENTION_DATA": str(data)}
    )
    found = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while not answers(found):
        assert process.poll() is None, "`retention ui` has ended"
        assert time.monotonic() < deadline, "`retention ui` does not answer"
        time.sleep(1)
    yield found
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=120)


def answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/server_info", timeout=5) as answer:
            return answer.status == 200
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def dagster(address: str, chromium: Browser, screenshots: Path) -> Iterator[Pages]:
    page = chromium.new_page(viewport=DESK)
    page.set_default_timeout(PAGE_MILLISECONDS)
    expect.set_options(timeout=PAGE_MILLISECONDS)
    pages = Pages(address, page, screenshots)
    page.on("request", lambda request: pages.asked.add(request.url))
    page.on("pageerror", lambda error: pages.errors.append(str(error)))
    yield pages
    page.close()


def runs(address: str) -> list[str]:
    """Ids of all nights, the newest first."""
    found = ask(
        address,
        """{ runsOrError(filter: {pipelineName: "nightly"}) { ... on Runs { results { runId } } } }""",
    )
    return [run["runId"] for run in found["runsOrError"]["results"]]


@pytest.fixture(scope="module")
def night(dagster: Pages) -> str:
    """A night started by a click on the job's page, watched on its own until it ends; its run id."""
    before = runs(dagster.address)
    page = dagster.open(f"locations/{LOCATION}/jobs/nightly")
    page.get_by_role("button", name="Materialize all").first.click()
    deadline = time.monotonic() + START_SECONDS
    while runs(dagster.address) == before:
        assert time.monotonic() < deadline, "the click started no run"
        page.wait_for_timeout(1000)
    dagster.keep("night-launched")
    [run_id] = set(runs(dagster.address)) - set(before)
    page = dagster.open(f"runs/{run_id}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible(
        timeout=1000 * NIGHT_SECONDS
    )
    dagster.keep("night-succeeded")
    return run_id


def test_a_night_is_launched_from_the_browser_and_succeeds(dagster, night):
    run = ask(
        dagster.address,
        """query Run($id: ID!) { runOrError(runId: $id) { ... on Run {
            status jobName tags { key value } } } }""",
        id=night,
    )["runOrError"]
    assert (run["status"], run["jobName"]) == ("SUCCESS", "nightly")


def test_the_night_of_the_browser_is_the_one_that_is_published(dagster, night):
    page = dagster.open("assets/serving/publication")
    expect(page.get_by_text("fingerprint").first).to_be_visible()
    dagster.keep("publication")


def test_a_mart_shows_its_checks_as_sentences_that_hold(dagster, night):
    page = dagster.open("assets/marts/fct_orders?view=checks")
    # The name stands whole in a box outside the window, by which the pages measure what fits; its parent is seen.
    check = page.get_by_text("assert_orders_are_numbered_without_gaps").first
    check.locator("xpath=..").click()
    expect(page.get_by_text("orders are numbered without gaps").first).to_be_visible()
    expect(page.get_by_text("Passed").first).to_be_visible()
    dagster.keep("checks-of-a-mart")


def test_a_mart_shows_its_plot(dagster, night):
    page = dagster.open("assets/marts/fct_cohort_retention")
    expect(page.get_by_text("cohort triangle").first).to_be_visible()
    page.get_by_text("[Show Markdown]").first.click()
    picture = page.locator("img[alt='Retention by cohort and age']").first
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 300")
    dagster.keep("plot-of-a-mart")


def test_what_is_found_about_deliveries_is_told_by_the_checks_of_data_quality(dagster, night):
    page = dagster.open("assets/marts/fct_data_quality?view=checks")
    for name in ("every_source_is_fresh", "orders_are_not_lost_to_quarantine"):
        expect(page.get_by_text(name).first.locator("xpath=..")).to_be_visible()
    dagster.keep("checks-of-deliveries")


def test_every_asset_and_every_check_says_what_it_is(address):
    nodes = ask(
        address,
        """{ assetNodes { assetKey { path } description groupName owners {
            ... on UserAssetOwner { email } } kinds
            assetChecksOrError { ... on AssetChecks { checks { name description } } } } }""",
    )["assetNodes"]
    assert len(nodes) > 150
    silent = []
    for node in nodes:
        key = "/".join(node["assetKey"]["path"])
        silent += [key] if not (node["description"] and node["owners"] and node["kinds"]) else []
        checks = (node["assetChecksOrError"] or {}).get("checks", [])
        silent += [f"{key}: {check['name']}" for check in checks if not check["description"]]
    assert silent == []


def test_no_link_on_a_page_leads_nowhere(dagster, night):
    """Every address that the pages of the night link to is answered by a page of Dagster's."""
    targets = set()
    for path in ("overview", "jobs", "assets", f"runs/{night}", "assets/marts/fct_orders"):
        page = dagster.open(path)
        page.wait_for_load_state("networkidle")
        links = page.eval_on_selector_all("a[href]", "all => all.map(each => each.href)")
        targets |= {link.split("#")[0] for link in links}
    assert len(targets) > 10
    outside = [link for link in targets if not link.startswith(dagster.address)]
    lost = []
    for link in sorted(targets - set(outside))[:60]:
        page = dagster.open(link.removeprefix(f"{dagster.address}/"))
        page.wait_for_load_state("networkidle")
        if (
            page.get_by_text("could not be found").count()
            or page.get_by_text("Page not found").count()
        ):
            lost.append(link)
    assert lost == []


def test_the_pages_ask_this_machine_alone_and_none_breaks(dagster, night):
    assert dagster.errors == []
    strangers = {
        url for url in dagster.asked if not url.startswith((dagster.address, "data:", "blob:"))
    }
    assert strangers == set()
