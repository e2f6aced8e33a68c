"""What Dagster loads: every asset answers for itself, every writer is one of a kind, nothing runs on a wrong clock."""

import os

import dagster as dg
import pytest

from orchestration.assets.shared import WRITER_POOL
from orchestration.contract import load_contract
from orchestration.definitions import build_defs
from orchestration.settings import from_environment

PUBLICATION = dg.AssetKey(["serving", "publication"])


@pytest.fixture(scope="module")
def definitions(tmp_path_factory):
    """All definitions for a shop in New York whose nights begin at five past four."""
    before = dict(os.environ)
    settings = from_environment(
        {
            "RETENTION_DATA": str(tmp_path_factory.mktemp("definitions")),
            "RETENTION_SHOP_TIMEZONE": "America/New_York",
            "RETENTION_NIGHTLY_AT": "04:05",
        }
    )
    yield build_defs({"settings": settings})
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


@pytest.fixture(scope="module")
def assets(graph):
    """Every asset that the night makes."""
    return [
        graph.get(key) for key in graph.get_all_asset_keys() if graph.get(key).is_materializable
    ]


def test_every_asset_has_a_group_an_owner_a_description_and_a_freshness_policy(assets):
    lacking = [
        f"{asset.key.to_user_string()} lacks {what}"
        for asset in assets
        for what, value in {
            "a group": asset.group_name != "default" and asset.group_name,
            "an owner": asset.owners,
            "a description": asset.description,
            "a freshness policy": asset.freshness_policy_or_from_metadata,
        }.items()
        if not value
    ]
    assert len(assets) > 50
    assert lacking == []


def test_groups_are_listed_in_the_order_of_the_flow(assets):
    """By name, as Dagster's pages list them. Tables of scores come back through staging, so they are the one way up."""
    groups = {asset.key.to_user_string(): asset.group_name for asset in assets}
    assert sorted(set(groups.values()))[:4] == [
        "01_landing",
        "02_reference",
        "03_staging",
        "04_intermediate",
    ]
    assert max(groups.values()).endswith("_serving")
    against = [
        f"{groups[parent.to_user_string()]} {parent.to_user_string()} feeds {groups[key]} {key}"
        for asset in assets
        for key in [asset.key.to_user_string()]
        for parent in asset.parent_keys
        if parent.to_user_string() in groups
        and groups[parent.to_user_string()] > groups[key]
        and not key.startswith("staging/stg_scores_")
    ]
    assert against == []


def test_every_table_that_anything_reads_is_made_by_the_night(graph):
    outside = [
        key.to_user_string()
        for key in graph.get_all_asset_keys()
        if not graph.get(key).is_materializable
    ]
    assert outside == []


def test_every_table_of_the_contract_is_a_landing_asset_with_its_check(graph):
    for table in load_contract():
        key = dg.AssetKey(["landing", table.name])
        assert graph.has(key)
        assert dg.AssetCheckKey(key, "every_delivery_was_readable") in graph.asset_check_keys


def test_no_feature_of_a_score_descends_from_a_score(graph):
    for key in graph.get_all_asset_keys():
        if key.path[0] == "intermediate":
            ancestors = graph.get_ancestor_asset_keys(key)
            assert not [k for k in ancestors if k.path[0] == "scores"], key.to_user_string()


def test_publishing_waits_for_every_public_mart_and_through_them_for_the_scores(graph):
    ancestors = graph.get_ancestor_asset_keys(PUBLICATION)
    marts = {key for key in graph.get_all_asset_keys() if key.path[0] == "marts"}
    assert marts
    assert marts <= graph.get(PUBLICATION).parent_keys
    assert dg.AssetKey(["scores", "customer_clv"]) in ancestors
    assert dg.AssetKey(["landing", "orders"]) in ancestors


def test_nothing_but_the_pages_drawn_from_it_is_made_after_the_publication(graph):
    boards = dg.AssetKey(["serving", "boards"])
    assert graph.get(PUBLICATION).child_keys == {boards}
    assert graph.get(boards).child_keys == set()
    assert graph.get(boards).parent_keys == {PUBLICATION}


def test_the_night_starts_two_dbt_runs_and_no_more(definitions):
    job = definitions.resolve_job_def("nightly")
    names = [node.name for node in job.nodes_in_topological_order]
    assert [name for name in names if name.startswith(("foundation", "marts"))] == [
        "foundation",
        "marts",
    ]
    assert names[0] == "landing"
    assert names[-2:] == ["publish", "boards"]


def test_every_step_that_writes_is_in_the_pool_of_one(definitions):
    job = definitions.resolve_job_def("nightly")
    writers = {
        node.name: node.definition.pool
        for node in job.nodes_in_topological_order
        # Scores write in their pool as one belt; boards read the copy and write beside it; checks only read.
        if not node.name.startswith("scores__")
        and node.name not in ("boards", "data_quality_checks")
    }
    assert set(writers) == {
        "landing",
        "foundation",
        "scores",
        "recommendations",
        "marts",
        "publish",
    }
    assert set(writers.values()) == {WRITER_POOL}


def test_the_gates_of_the_scores_block(graph):
    blocking = {
        key.name
        for key in graph.asset_check_keys
        if key.asset_key.path[0] == "scores" and graph.get_check_spec(key).blocking
    }
    assert blocking == {
        "no_score_stands_without_a_passing_verdict",
        "four_plain_forecasts_stand_beside_every_score",
        "every_used_fit_converged",
        "every_customer_is_scored_once",
        "scores_are_in_range",
        "no_effect_stands_without_overlap_and_placebo",
    }


def test_dbt_tests_are_checks_and_singular_ones_too(graph):
    names = {key.name for key in graph.asset_check_keys}
    assert any(name.startswith("unique_") for name in names)
    assert any(name.startswith("assert_") for name in names)


def test_the_schedule_runs_at_the_shops_time_in_the_shops_zone(definitions):
    schedule = definitions.resolve_schedule_def("every_night")
    assert schedule.cron_schedule == "5 4 * * *"
    assert schedule.execution_timezone == "America/New_York"
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


def test_new_deliveries_and_failed_nights_are_watched_from_the_start(definitions):
    for name in ("new_deliveries", "failed_night"):
        sensor = definitions.resolve_sensor_def(name)
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING


def test_an_overridden_resource_takes_the_place_of_the_built_one(definitions):
    marker = object()
    settings = definitions.resources["settings"]
    assert build_defs({"settings": settings, "outbox": marker}).resources["outbox"] is marker


def test_the_night_fills_postgres_after_its_own_copy_where_a_database_is_named(tmp_path, graph):
    postgres = dg.AssetKey(["serving", "postgres"])
    assert not graph.has(postgres)
    with_database = {"RETENTION_DATA": str(tmp_path), "RETENTION_POSTGRES": "dbname=shop"}
    before = dict(os.environ)
    try:
        found = build_defs({"settings": from_environment(with_database)}).resolve_asset_graph()
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert found.get(postgres).parent_keys == {PUBLICATION}
    assert found.get(postgres).child_keys == set()
