"""The Superset bundle in a real Superset: imported by its command line, its charts answer what the marts say.

`make test-superset` makes the environment and says where it is; without it these are skipped.
"""

import json
import os
import secrets
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Shop

PROJECT = Path(__file__).resolve().parents[3]
PROGRAMS = os.environ.get("SUPERSET_BIN")
pytestmark = pytest.mark.skipif(not PROGRAMS, reason="needs an environment: make test-superset")

CONFIGURATION = """
SECRET_KEY = {secret!r}
SQLALCHEMY_DATABASE_URI = "sqlite:///{home}/superset.db"
TALISMAN_ENABLED = False
WTF_CSRF_ENABLED = False
"""
COMPLETE = "from fct_kpi_months where is_complete"
# What the marts answer to the question of each chart; the last columns are its numbers.
EXPECTED = {
    "Customers who ordered": f"select month_start, active_customers {COMPLETE}",
    "Returning customers": f"select month_start, returning_customer_share {COMPLETE} "
    "and active_customers > 0",
    "Net revenue by day of refund": f"select month_start, net_refund_dated_amount {COMPLETE}",
    "Paying members": f"select month_start, members {COMPLETE}",
    "Cohort retention by month of age": """
        select cohort_month, age, retention_rate from fct_cohort_retention
        where segment_type = 'all' and retention_type = 'bounded' and age_unit = 'month'
            and not is_left_truncated and is_mature
    """,
    "Renewal rate by term": """
        select term_number, plan_code, sum(renewed_terms) / sum(decided_terms)
        from fct_membership_survival where billing_period <> 'trial' group by all
    """,
    "Gross and net revenue retention": """
        select month_start, sum(kept_mrr_amount) / nullif(sum(opening_mrr_amount), 0),
            sum(grown_mrr_amount) / nullif(sum(opening_mrr_amount), 0)
        from fct_membership_months where is_complete group by all
    """,
    "Customers by stage and risk": """
        select lifecycle_stage, risk_band, count(*), sum(residual_clv_365d_amount)
        from fct_customer_segments join fct_customer_value using (customer_id) group by all
    """,
    "Return rate by category": """
        select delivery_month, breakdown_value, return_rate
        from fct_return_rate_months where breakdown = 'category' and is_mature
    """,
    "Promises kept by carrier": """
        select carrier, service_level, sum(kept_deliveries) / sum(decided_deliveries)
        from fct_delivery_promises where is_mature group by all
    """,
}
NUMBERS = {"Gross and net revenue retention": 2, "Customers by stage and risk": 2}


@pytest.fixture(scope="module")
def answers(sample_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """Chart by chart, after importing the bundle twice around setting the address of the copy."""
    home = tmp_path_factory.mktemp("superset")
    (home / "superset_config.py").write_text(
        CONFIGURATION.format(secret=secrets.token_hex(32), home=home)
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "SUPERSET_HOME": str(home),
        "SUPERSET_CONFIG_PATH": str(home / "superset_config.py"),
        "FLASK_APP": "superset",
        "SCARF_ANALYTICS": "false",
    }
    bundle = shutil.make_archive(str(home / "bundle"), "zip", PROJECT / "bi", "superset")
    password = secrets.token_hex(8)
    copy = f"duckdb:///{sample_shop.serving.pointer}?access_mode=read_only"

    def run(program: str, *arguments: str) -> str:
        outcome = subprocess.run(
            [str(Path(PROGRAMS or "") / program), *arguments],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert outcome.returncode == 0, (outcome.stdout + outcome.stderr)[-5000:]
        return outcome.stdout

    run("superset", "db", "upgrade")
    who = ("--firstname", "A", "--lastname", "B", "--email", "admin@shop.example")
    run("superset", "fab", "create-admin", "--username", "admin", *who, "--password", password)
    run("superset", "init")
    import_it = ("superset", "import-dashboards", "--path", bundle, "--username", "admin")
    run(*import_it)
    name = ("--database_name", "Retention warehouse", "--uri", copy, "--skip_create")
    run("superset", "set-database-uri", *name)
    run(*import_it)
    printed = run("python", str(Path(__file__).with_name("superset_reader.py")), password)
    [line] = [line for line in printed.splitlines() if line.startswith("ANSWERS ")]
    return json.loads(line.removeprefix("ANSWERS "))


def test_every_chart_of_the_bundle_is_on_the_imported_dashboard(answers):
    assert set(answers) == set(EXPECTED)


@pytest.mark.parametrize("chart", EXPECTED)
def test_a_chart_answers_what_the_marts_say(sample_shop: Shop, answers, chart: str):
    assert answers[chart]["error"] is None
    _, expected = sample_shop.serving.query(EXPECTED[chart])
    width = NUMBERS.get(chart, 1)
    found = keyed([list(row.values()) for row in answers[chart]["rows"]], width)
    assert len(found) > 5
    assert found == pytest.approx(keyed(expected, width), rel=1e-9, nan_ok=True)


def keyed(rows: list, width: int) -> dict[tuple, object]:
    """Each number by what it is for; Superset sends dates as milliseconds and decimals as floats."""
    found = {}
    for row in rows:
        key = [_plain(value) for value in row[:-width]]
        for position, number in enumerate(row[-width:]):
            if number is not None:
                found[(*key, position)] = float(number)
    return found


def _plain(value: object) -> object:
    if isinstance(value, float) and value > 1e11:
        return datetime.fromtimestamp(value / 1000, UTC).date()
    return value
