"""Which layer may read which, read from dbt's manifest."""

import re

from tests.project.conftest import folder, parents

RUNGS = {
    "customers": 1,
    "orders": 1,
    "returns": 2,
    "membership": 2,
    "deliveries": 2,
    "service": 2,
    "feedback": 2,
    "loyalty": 2,
    "web": 2,
    "campaigns": 2,
    "payments": 3,
    "cohorts": 3,
    "churn": 3,
    "clv": 3,
    "scores": 3,
    "segments": 3,
    "effects": 3,
    "recommendations": 3,
    "growth": 3,
    "activation": 4,
    "whole_customer": 4,
    "kpi": 4,
    "health": 4,
    "privacy": 5,
}


def layer(node: dict) -> str:
    if node["resource_type"] != "model":
        return node["resource_type"]
    return folder(node).split("/")[0]


def test_staging_reads_only_its_source_and_staging(manifest, models):
    wrong = [
        (model["name"], parent["name"])
        for model in models.values()
        if layer(model) == "staging"
        for parent in parents(manifest, model)
        if layer(parent) not in {"source", "staging"}
    ]
    assert wrong == []


def test_intermediate_models_read_no_mart_and_no_source(manifest, models):
    wrong = [
        (model["name"], parent["name"])
        for model in models.values()
        if layer(model) == "intermediate"
        for parent in parents(manifest, model)
        if layer(parent) not in {"staging", "intermediate", "seed"}
    ]
    assert wrong == []


def test_a_mart_reads_lower_rungs_and_its_own_folder_only(manifest, models):
    wrong = []
    for model in models.values():
        if layer(model) != "marts":
            continue
        subject = folder(model).split("/")[1]
        for parent in parents(manifest, model):
            if layer(parent) == "marts":
                other = folder(parent).split("/")[1]
                if other != subject and RUNGS[other] >= RUNGS[subject]:
                    wrong.append((model["name"], parent["name"]))
    assert wrong == []


def test_no_score_feeds_its_own_features(manifest, models):
    """Nothing in intermediate descends from a score."""
    nodes = manifest["nodes"]

    def ancestors(key: str, seen: set[str]) -> set[str]:
        for parent in nodes.get(key, {}).get("depends_on", {}).get("nodes", []):
            if parent not in seen:
                seen.add(parent)
                ancestors(parent, seen)
        return seen

    wrong = [
        model["name"]
        for model in models.values()
        if layer(model) == "intermediate"
        and any(
            ".scores." in key or "stg_scores" in key for key in ancestors(model["unique_id"], set())
        )
    ]
    assert wrong == []


def test_names_say_the_layer(models):
    patterns = {
        "staging": r"(base|stg)_[a-z_]+|quarantine_rows",
        "intermediate": r"int_[a-z]+__[a-z_]+",
        "marts": r"(dim|fct)_[a-z0-9_]+|published_benchmarks",
    }
    wrong = [
        model["name"]
        for model in models.values()
        if not re.fullmatch(patterns[layer(model)], model["name"])
    ]
    assert wrong == []


def test_an_intermediate_model_is_named_after_its_folder(models):
    wrong = [
        (model["name"], folder(model))
        for model in models.values()
        if layer(model) == "intermediate"
        and model["name"].split("__")[0] != f"int_{folder(model).split('/')[1]}"
    ]
    assert wrong == []
