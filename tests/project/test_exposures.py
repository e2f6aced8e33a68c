"""Who reads what: exposures hold every public table, and dbt can build what one of them needs."""

from orchestration.documentation import exposures
from orchestration.resources.dbt_manifest import public_tables
from tests.project.conftest import PROJECT


def reads(manifest: dict, name: str) -> set[str]:
    [exposure] = [found for found in manifest["exposures"].values() if found["name"] == name]
    return {manifest["nodes"][key]["name"] for key in exposure["depends_on"]["nodes"]}


def test_the_written_exposures_are_those_of_the_marts():
    assert (PROJECT / exposures.FILE).read_text() == exposures.text(), "run `make dictionary`"


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
