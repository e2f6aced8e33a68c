"""The sensors: a night for files that lie still, once each, and a notice for a night that failed."""

import dagster as dg
import pytest

from orchestration.notices import failure_reasons, write_failure_notice
from orchestration.resources.outbox import Outbox
from orchestration.resources.places import landing_of, serving_of
from orchestration.sensors import new_deliveries
from orchestration.settings import from_environment

ROWS = "order_id,customer_id,ordered_at,total_amount\n1,C1,2025-01-01,5\n"


@pytest.fixture
def settings(tmp_path):
    found = from_environment({"RETENTION_DATA": str(tmp_path)})
    found.inbox_directory.mkdir()
    return found


def look(settings, cursor: str | None) -> tuple[list[dg.RunRequest], str]:
    """One tick: the nights it asks for, and what it remembers."""
    with dg.build_sensor_context(cursor=cursor) as context:
        answer = new_deliveries(context, landing=landing_of(settings))
        return list(answer.run_requests or []), answer.cursor


def test_a_file_starts_one_night_once_it_has_lain_still(settings):
    (settings.inbox_directory / "orders.csv").write_text(ROWS)
    first, cursor = look(settings, None)
    second, cursor = look(settings, cursor)
    third, cursor = look(settings, cursor)
    assert (len(first), len(second), len(third)) == (0, 1, 0)


def test_a_file_that_still_grows_starts_nothing(settings):
    file = settings.inbox_directory / "orders.csv"
    cursor = None
    for length in range(1, 4):
        file.write_text(ROWS * length)
        nights, cursor = look(settings, cursor)
        assert nights == []
    nights, cursor = look(settings, cursor)
    assert len(nights) == 1


def test_an_unfinished_name_starts_nothing(settings):
    (settings.inbox_directory / "orders.csv.part").write_text(ROWS)
    _, cursor = look(settings, None)
    assert look(settings, cursor)[0] == []


def test_a_file_that_is_in_landing_already_starts_nothing(settings):
    file = settings.inbox_directory / "orders.csv"
    file.write_text(ROWS)
    landing_of(settings).deliver(file)
    _, cursor = look(settings, None)
    assert look(settings, cursor)[0] == []


def test_the_same_name_with_new_content_starts_another_night(settings):
    file = settings.inbox_directory / "orders.csv"
    file.write_text(ROWS)
    _, cursor = look(settings, None)
    first, cursor = look(settings, cursor)
    file.write_text(ROWS + "2,C2,2025-01-02,7\n")
    _, cursor = look(settings, cursor)
    second, _ = look(settings, cursor)
    assert len(first) == len(second) == 1
    assert first[0].run_key != second[0].run_key


def test_the_notice_of_a_failed_night_says_what_failed_and_what_stands(settings):
    @dg.op
    def marts():
        raise dg.Failure(description="test assert_money_adds_up failed: Got 3 results")

    @dg.job
    def night():
        marts()

    with dg.DagsterInstance.ephemeral() as instance:
        run = night.execute_in_process(instance=instance, raise_on_error=False)
        reasons = failure_reasons(instance, run.run_id)
    notice = write_failure_notice(
        Outbox(settings.outbox_directory), serving_of(settings), run.run_id, reasons
    ).read_text()
    assert "- test assert_money_adds_up failed: Got 3 results" in notice
    assert "Nothing was published before" in notice
    assert "Traceback" not in notice


def test_an_unexpected_error_is_told_by_its_root_and_its_step(settings):
    @dg.op
    def landing():
        raise OSError("No space left on device")

    @dg.job
    def night():
        landing()

    with dg.DagsterInstance.ephemeral() as instance:
        run = night.execute_in_process(instance=instance, raise_on_error=False)
        [reason] = failure_reasons(instance, run.run_id)
    assert reason == "landing: OSError: No space left on device"
