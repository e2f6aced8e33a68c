"""What every public table must say and prove, read from dbt's manifest."""

from orchestration.resources.dbt_manifest import PERSONAL_NAMES
from tests.project.conftest import folder


def marts(models: dict) -> list[dict]:
    found = [m for m in models.values() if folder(m).startswith("marts")]
    assert len(found) >= 12, "the manifest holds too few marts for these rules to mean anything"
    return found


def data_tests_of(manifest: dict, model: dict) -> list[dict]:
    return [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and model["unique_id"] in node["depends_on"]["nodes"]
    ]


def test_every_mart_has_an_enforced_contract_and_is_public(models):
    wrong = [
        m["name"]
        for m in marts(models)
        if not m["config"]["contract"]["enforced"] or m["access"] != "public"
    ]
    assert wrong == []


def test_every_mart_says_its_grain_first(models):
    wrong = [
        m["name"]
        for m in marts(models)
        if not m["description"].strip().lower().startswith("one row")
        or not m["config"]["meta"].get("grain")
    ]
    assert wrong == []


def test_every_mart_names_its_trap(models):
    assert [m["name"] for m in marts(models) if "trap" not in m["description"].lower()] == []


def test_every_column_of_a_mart_has_a_type_and_a_meaning(models):
    wrong = [
        f"{m['name']}.{column['name']}"
        for m in marts(models)
        for column in m["columns"].values()
        if not column["data_type"] or len(column["description"].strip()) < 5
    ]
    assert wrong == []


def test_the_grain_of_every_mart_is_proved_unique_and_not_null(manifest, models):
    wrong = []
    for model in marts(models):
        grain = model["config"]["meta"].get("grain", [])
        tests = data_tests_of(manifest, model)
        singly = {
            t["test_metadata"]["name"]
            for t in tests
            if t.get("test_metadata") and [t.get("column_name")] == grain
        }
        combinations = [
            sorted(t["test_metadata"]["kwargs"]["columns"])
            for t in tests
            if t.get("test_metadata") and t["test_metadata"]["name"] == "unique_combination"
        ]
        if sorted(grain) not in combinations and not {"unique", "not_null"} <= singly:
            wrong.append((model["name"], grain))
    assert wrong == []


def test_every_mart_but_the_dictionaries_carries_the_as_of_date(models):
    dictionaries = {"dim_metrics", "published_benchmarks"}
    wrong = [
        m["name"]
        for m in marts(models)
        if m["name"] not in dictionaries and "as_of_date" not in m["columns"]
    ]
    assert wrong == []


def test_amounts_are_decimals_beside_their_currency(models):
    wrong = []
    for model in marts(models):
        amounts = [c for c in model["columns"].values() if c["name"].endswith("_amount")]
        wrong += [
            f"{model['name']}.{c['name']}" for c in amounts if c["data_type"] != "decimal(18,2)"
        ]
        if amounts and "currency_code" not in model["columns"]:
            wrong.append(f"{model['name']} has amounts and no currency_code")
    assert wrong == []


def test_no_mart_has_a_personal_column(models):
    wrong = [
        f"{m['name']}.{name}"
        for m in marts(models)
        for name in m["columns"]
        if name in PERSONAL_NAMES or name.startswith("email")
    ]
    assert wrong == []


def test_every_mart_has_an_owner(manifest, models):
    groups = {group["name"]: group for group in manifest["groups"].values()}
    wrong = [
        m["name"]
        for m in marts(models)
        if not groups.get(m["config"]["group"], {}).get("owner", {}).get("email")
    ]
    assert wrong == []
