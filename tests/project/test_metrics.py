"""Metrics are said once: what `dim_metrics` defines is what MetricFlow computes, in the same words."""

import pytest

from orchestration.documentation import dictionary
from tests.project.conftest import PROJECT

AGGREGATIONS = {"additive", "semi_additive", "ratio", "ratio_at_one_age", "own_grain"}


@pytest.fixture(scope="module")
def metrics(manifest) -> dict[str, dict]:
    """Metrics by name, without those that are only numerator or denominator."""
    return {
        metric["name"]: metric
        for metric in manifest["metrics"].values()
        if "aggregation" in meta(metric)
    }


def meta(element: dict) -> dict:
    return (element.get("config") or {}).get("meta") or {}


def defining(manifest: dict, metrics: dict) -> list[tuple[str, list[str]]]:
    """The words of each metric and dimension that answers for a definition, and which ones."""
    dimensions = [
        dimension
        for model in manifest["semantic_models"].values()
        for dimension in model["dimensions"]
    ]
    elements = [
        element for element in (*metrics.values(), *dimensions) if "defines" in meta(element)
    ]
    return [(element["description"], meta(element)["defines"]) for element in elements]


def test_every_definition_that_the_warehouse_measures_by_can_be_asked_for(manifest, metrics):
    answered = [key for _, keys in defining(manifest, metrics) for key in keys]
    computed = [row.key for row in dictionary.definitions() if row.is_a_metric]
    assert len(computed) > 40
    assert sorted(answered) == sorted(computed)


def test_a_metric_says_what_the_dictionary_says(manifest, metrics):
    words = {row.key: row.definition for row in dictionary.definitions()}
    wrong = [
        (keys[0], description)
        for description, keys in defining(manifest, metrics)
        if " ".join(description.split()) != words[keys[0]]
    ]
    assert wrong == []


def test_every_metric_says_what_it_is_and_how_it_adds_up(manifest, metrics):
    wrong = [m["name"] for m in manifest["metrics"].values() if len(m["description"] or "") < 10]
    assert wrong == []
    assert {meta(metric)["aggregation"] for metric in metrics.values()} == AGGREGATIONS


def test_every_semantic_model_reads_a_public_mart(manifest, models):
    wrong = []
    for semantic_model in manifest["semantic_models"].values():
        model = models[semantic_model["node_relation"]["alias"]]
        if model["access"] != "public" or model["config"]["schema"] != "marts":
            wrong.append(semantic_model["name"])
    assert wrong == []


def test_the_written_dictionary_is_the_seed_set_out():
    rows = dictionary.definitions()
    assert (PROJECT / dictionary.BLOCKS).read_text() == dictionary.blocks(rows), (
        "run `make dictionary`"
    )
    assert (PROJECT / dictionary.PAGE).read_text() == dictionary.page(rows, dictionary.askable()), (
        "run `make dictionary`"
    )
