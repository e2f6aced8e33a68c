"""Who reads what: exposures hold every public table, and dbt can build what one of them needs."""

from orchestration.documentation import exposures
from orchestration.resources.dbt_manifest import public_tables
from tests.project.conftest import PROJECT


def reads(manifest: dict, name: str) -> set[str]:
    [exposure] = [found for found in manifest["exposures"].values() if found["name"] == name]
    return {manifest["nodes"][key]["name"] for key in exposure["depends_on"]["nodes"]}


def test_the_written_exposures_are_those_of_the_marts_and_the_audiences():
    written = {path: (PROJECT / path).read_text(encoding="utf-8") for path in exposures.texts()}
    assert written == exposures.texts(), "run `make dictionary`"


def test_every_audience_has_an_exposure_that_builds_it_down_to_the_deliveries(manifest):
    """So that `dbt build --select +exposure:audience_welcome` builds what the audience needs, and no board."""
    accepted = next(
        node["test_metadata"]["kwargs"]["accepted"]["audience"]
        for node in manifest["nodes"].values()
        if node["name"] == "fct_audience_members_rules_hold"
    )
    keys = {
        found["name"]: found["unique_id"]
        for found in manifest["exposures"].values()
        if found["name"].startswith("audience_")
    }
    assert set(keys) == {f"audience_{name}" for name in accepted}
    for name, key in keys.items():
        assert reads(manifest, name) == {"fct_audience_members"}
        above = names_above(manifest, key)
        assert {"int_consents__history", "base_consents", "base_web_events", "fct_messages"} < above
        assert "fct_kpi_days" not in above


def names_above(manifest: dict, key: str) -> set[str]:
    """Names of the models that a node descends from."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        for parent in manifest["parent_map"].get(waiting.pop(), []):
            if parent.startswith("model.") and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return {manifest["nodes"][key]["name"] for key in found}


def test_both_copies_carry_every_public_table(manifest):
    public = {table.name for table in public_tables(manifest)}
    assert reads(manifest, "published_copy") == public
    assert reads(manifest, "postgres_copy") == public


def test_the_metrics_read_what_their_semantic_models_read(manifest):
    models = {model["node_relation"]["alias"] for model in manifest["semantic_models"].values()}
    assert reads(manifest, "metrics") == models | {"dim_dates"}


def test_every_exposure_has_an_owner_and_says_what_it_is(manifest):
    wrong = [
        found["name"]
        for found in manifest["exposures"].values()
        if not found["owner"].get("email") or len(found["description"]) < 20
    ]
    assert wrong == []


def test_dbt_selects_what_an_exposure_needs_down_to_the_deliveries(manifest, read_by_dbt):
    """So that `dbt build --select +exposure:metrics` builds what the metrics need, and no more."""
    _, listed = read_by_dbt
    names = {line.rsplit(".", 1)[-1] for line in listed}
    assert reads(manifest, "metrics") < names
    assert {"int_purchases__occasions", "base_orders", "base_membership_terms"} < names
    assert "fct_quarantine_reasons" not in names
