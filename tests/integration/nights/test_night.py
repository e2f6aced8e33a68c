"""Whole nights of the sample shop through the command line: what they give, and what a failed one leaves."""

import hashlib
from datetime import date
from pathlib import Path

import dagster as dg

from orchestration.assets.scoring.reading import ledger_of
from orchestration.contract import load_contract
from orchestration.definitions import build_defs
from orchestration.notices import failure_reasons
from orchestration.resources.last_day import last_complete_day
from orchestration.resources.places import landing_of

PUBLICATION = dg.AssetKey(["serving", "publication"])
# What Dagster's pages show of the scores.
PICTURES = {
    "score_tracking": ["tracking, orders within 90 days"],
    "score_calibration": [
        "calibration, orders within 90 days",
        "calibration, any order within 90 days",
        "calibration, value within 365 days",
    ],
    "score_backtests": ["lift, any order within 90 days", "lift, value within 365 days"],
    "model_fits": ["repeat orders, counted and expected"],
    "model_fit_history": ["parameter history"],
    "membership_value": ["survival of memberships"],
}


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_demo_says_what_it_built_where_it_is_and_what_comes_next(sample_shop):
    text = sample_shop.first_output
    for step in ("landing", "foundation", "scores", "marts", "publish", "boards"):
        assert f"  {step} " in text
    assert "customers bought on" in text
    # How sure the scores are, in a sentence each.
    assert "who orders within 90 days is forecast by" in text
    assert "what a customer brings in 365 days is forecast by" in text
    assert str(sample_shop.serving.pointer) in text
    assert "make ui" in text


def test_the_demo_keeps_what_dbt_and_dagster_print_out_of_the_terminal(sample_shop):
    assert "dagster" not in sample_shop.first_output.lower().replace("the night in dagster", "")
    [log] = (sample_shop.data / "logs").glob("night_*.log")
    assert log.stat().st_size > 0


def test_every_landed_row_is_accounted_for(sample_shop):
    landing = landing_of(sample_shop.settings)
    landed = {
        name: sum(batch.rows for batch in landing.batches(name))
        for name in load_contract().table_names
    }
    _, rows = sample_shop.serving.query(
        "select source_table, staged_rows + superseded_rows + quarantined_rows"
        " from fct_source_conservation"
    )
    assert dict(rows) == landed
    assert min(landed.values()) > 0


def test_status_shows_the_night_the_copy_and_what_was_set_aside(sample_shop):
    outcome = sample_shop.retention("status")
    assert outcome.returncode == 0, outcome.stderr
    publication = sample_shop.serving.current()
    for expected in (
        "success on",
        publication.fingerprint,
        "order_lines",
        "Refused files\n-------------\nnone",
        "has no row in orders",
        "every mart has its sources",
    ):
        assert expected in outcome.stdout


def test_the_last_day_found_in_the_files_is_the_last_day_of_the_staged_orders(sample_shop):
    zone = sample_shop.settings.business_constant("shop_timezone")
    with sample_shop.warehouse.reading() as connection:
        found = last_complete_day(connection, zone).day
        [(staged,)] = connection.execute(
            "select max(cast(timezone(?, timezone('UTC', ordered_at)) as date)) from staging.stg_orders"
            " where not is_deleted",
            [zone],
        ).fetchall()
    assert found == staged == sample_shop.serving.current().as_of_date


def test_another_last_day_and_back_again_gives_the_first_numbers(shop_copy):
    first = shop_copy.serving.current()
    ledger = ledger_of(shop_copy.warehouse, first.as_of_date)

    outcome = shop_copy.retention("refresh", "--as-of", "2025-06-30")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    earlier = shop_copy.serving.current()
    assert earlier.as_of_date == date(2025, 6, 30)
    assert earlier.fingerprint != first.fingerprint
    _, [(newest_order,)] = shop_copy.serving.query(
        "select max(last_ordered_date) from fct_customer_churn"
    )
    assert newest_order <= date(2025, 6, 30)
    # What the later night's ledger says was known then is what that night knew, day for day.
    known = ledger.known_at((date(2025, 6, 30) - date(1970, 1, 1)).days)
    days = known.occasions()
    recalled = list(zip(known.customer_ids[days.customer], days.day.tolist(), strict=True))
    lived = shop_copy.warehouse.query(
        "select customer_id, ordered_date - date '1970-01-01' from intermediate.int_purchases__occasions"
    )
    assert sorted(day for _, day in recalled) == sorted(day for _, day in lived)
    # Who a person is, is known better later: accounts that an address has joined since are one.
    assert len(set(recalled) ^ set(lived)) < 0.01 * len(lived)

    outcome = shop_copy.retention("demo")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    again = shop_copy.serving.current()
    assert again.run_id != first.run_id
    assert again.fingerprint == first.fingerprint


def test_a_failed_night_leaves_the_published_copy_and_says_why(shop_copy):
    """The warehouse is one of an earlier version, whose experiments had no campaign: the night stops at that table."""
    before = shop_copy.serving.current_file(), digest(shop_copy.serving.current_file())
    with shop_copy.warehouse.writing("test") as connection:
        connection.execute("alter table staging.base_experiments drop column campaign_id")

    outcome = shop_copy.retention("refresh")

    assert outcome.returncode == 1
    assert "The night failed" in outcome.stderr
    assert "campaign_id" in outcome.stderr
    assert "retention refresh --full-refresh" in outcome.stderr
    assert "stands untouched" in outcome.stderr
    assert (shop_copy.serving.current_file(), digest(shop_copy.serving.current_file())) == before
    [notice] = (shop_copy.data / "outbox").glob("failed_night_*.md")
    assert shop_copy.serving.current().fingerprint in notice.read_text()


def test_a_planted_failing_check_leaves_the_published_copy(shop_copy, own_environment):
    before = shop_copy.serving.current_file(), digest(shop_copy.serving.current_file())
    verdict = {"passed": False}

    @dg.asset_check(asset=dg.AssetKey(["marts", "fct_cohort_retention"]), blocking=True)
    def planted() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=verdict["passed"], description="planted to fail")

    publishing = dg.define_asset_job(
        "publishing",
        selection=dg.AssetSelection.assets(PUBLICATION) | dg.AssetSelection.checks(planted),
    )
    definitions = dg.Definitions.merge(
        build_defs({"settings": shop_copy.settings}),
        dg.Definitions(asset_checks=[planted], jobs=[publishing]),
    )
    job = definitions.resolve_job_def("publishing")
    with dg.DagsterInstance.get() as instance:
        failed = job.execute_in_process(instance=instance, raise_on_error=False)
        reasons = failure_reasons(instance, failed.run_id)
        unchanged = shop_copy.serving.current_file(), digest(shop_copy.serving.current_file())
        verdict["passed"] = True
        passed = job.execute_in_process(instance=instance, raise_on_error=False)

    assert not failed.success
    assert any("planted to fail" in reason for reason in reasons)
    assert unchanged == before
    # The same marts with the check passing are published: it was the check that held them back.
    assert passed.success
    assert shop_copy.serving.current_file() != before[0]


def test_every_table_of_the_night_is_an_asset_that_was_made(sample_shop, own_environment):
    keys = build_defs({"settings": sample_shop.settings}).resolve_asset_graph().get_all_asset_keys()
    with dg.DagsterInstance.get() as instance:
        never = [key.to_user_string() for key in keys if not instance.has_asset_key(key)]
        triangle = instance.get_latest_materialization_event(
            dg.AssetKey(["marts", "fct_cohort_retention"])
        ).asset_materialization.metadata
        shown = {
            name: instance.get_latest_materialization_event(
                dg.AssetKey(["scores", name])
            ).asset_materialization.metadata
            for name in PICTURES
        }
    assert never == []
    assert "data:image/png;base64," in triangle["cohort triangle"].value
    for name, pictures in PICTURES.items():
        for title in pictures:
            assert "data:image/png;base64," in shown[name][title].value
    _, [(rows,)] = sample_shop.serving.query("select count(*) from fct_cohort_retention")
    assert triangle["dagster/row_count"].value == rows
