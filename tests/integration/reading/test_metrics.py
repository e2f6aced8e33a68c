"""What MetricFlow answers, held against the marts; and that nobody else hears the question."""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import pytest
from conftest import Shop, clean_environment
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest

from orchestration.resources.metrics import known_metrics, metric_engine
from tests.integration.reading.metric_answers import ANSWERS, RENEWAL_CELL


@pytest.fixture(scope="module")
def engine(sample_shop: Shop) -> Iterator[MetricFlowEngine]:
    with metric_engine(sample_shop.settings) as opened:
        yield opened


def asked(
    engine: MetricFlowEngine, metric: str, group_by: tuple[str, ...] = (), where: str | None = None
) -> dict[tuple, object]:
    """The metric's value for each group."""
    table = engine.query(
        MetricFlowQueryRequest.create(
            metric_names=[metric],
            group_by_names=list(group_by) or None,
            where_constraints=[where] if where else None,
        )
    ).result_df
    assert table is not None
    return keyed(table.rows)


def keyed(rows: object) -> dict[tuple, object]:
    """Rows by all but their last column; groups without a number are left out, since a mart has rows for them and
    a metric may have none."""
    return {
        tuple(_plain(value) for value in key): value for *key, value in rows if value is not None
    }


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.date()
    return value


def same(left: object, right: object) -> bool:
    """Equal, to twelve digits where one of them is a double, and to the cent where a mart has rounded an amount."""
    if isinstance(left, Decimal) != isinstance(right, Decimal):
        return round(float(left), 2) == float(right) or math.isclose(left, right, rel_tol=1e-12)
    return math.isclose(left, right, rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize(
    ("metric", "group_by", "sql"), ANSWERS, ids=[answer[0] for answer in ANSWERS]
)
def test_a_metric_equals_the_figure_of_its_mart_in_every_group(
    sample_shop: Shop, engine: MetricFlowEngine, metric, group_by, sql
):
    found = asked(engine, metric, group_by)
    _, rows = sample_shop.serving.query(sql)
    expected = keyed(rows)
    assert expected, "the mart holds no figure to compare with"
    assert found.keys() == expected.keys()
    wrong = {
        key: (found[key], expected[key]) for key in found if not same(found[key], expected[key])
    }
    assert wrong == {}


def test_no_metric_goes_without_such_a_comparison(sample_shop: Shop):
    metrics = {metric.name for metric in known_metrics(sample_shop.settings) if not metric.is_part}
    assert metrics == {answer[0] for answer in ANSWERS}


def test_a_renewal_rate_of_a_mature_start_cohort_is_that_of_its_row(sample_shop, engine):
    found = asked(
        engine,
        "renewal_rate",
        ("renewal_cell__renewal_cohort_month__month", *RENEWAL_CELL),
        "{{ Dimension('renewal_cell__is_mature') }}",
    )
    _, rows = sample_shop.serving.query("""
        select start_cohort_month, program, plan_code, billing_period, term_number, renewal_rate
        from fct_membership_renewals
    """)
    assert found == pytest.approx(keyed(rows))


def test_a_rate_of_many_groups_comes_from_their_sums_and_not_from_the_mean_of_their_rates(
    sample_shop, engine
):
    found = asked(engine, "net_revenue_retention_rate")[()]
    _, [(of_sums, mean_of_rates)] = sample_shop.serving.query("""
        select cast(sum(grown_mrr_amount) as double) / cast(sum(opening_mrr_amount) as double),
            avg(net_revenue_retention_rate)
        from fct_membership_months where is_complete
    """)
    assert found == pytest.approx(of_sums, rel=1e-12)
    assert abs(found - mean_of_rates) > 1e-4


def test_what_is_counted_at_a_moment_adds_up_over_plans_and_never_over_months(sample_shop, engine):
    _, months = sample_shop.serving.query("""
        select cast(date_trunc('year', month_start) as date), sum(closing_members) from fct_membership_months
        where month_start in (
            select max(month_start) from fct_membership_months group by date_trunc('year', month_start)
        ) group by all
    """)
    assert asked(engine, "members", ("metric_time__year",)) == keyed(months)
    assert asked(engine, "members")[()] == keyed(months)[date(2025, 1, 1),]


@pytest.mark.parametrize(
    "metric",
    [
        "cohort_retention_bounded",
        "cohort_retention_rolling",
        "cohort_retention_bracket",
        "pooled_retention_weighted",
        "pooled_retention_fixed_panel",
        "repurchase_rate",
        "renewal_rate",
        "membership_survival_rate",
        "membership_kaplan_meier_rate",
    ],
)
def test_a_rate_that_belongs_to_one_age_is_no_number_over_all_ages(engine, metric):
    assert asked(engine, metric) == {}


def test_a_customer_of_two_months_counts_once_in_their_quarter(sample_shop, engine):
    _, rows = sample_shop.serving.query("""
        select cast(date_trunc('quarter', ordered_date) as date), count(distinct customer_id)
        from fct_orders where is_valid_order group by all
    """)
    assert asked(engine, "active_customers", ("metric_time__quarter",)) == keyed(rows)


@pytest.mark.parametrize(
    ("part", "sql"),
    [
        (
            "answer_decided_tickets",
            """
            select count(is_answered_in_target) from fct_support_tickets
            where date_trunc('month', opened_date) in (
                select opened_month from fct_support_channel_months where is_mature
            )
            """,
        ),
        (
            "surveys_sent",
            """
            select count(*) from fct_survey_responses
            where date_trunc('month', sent_date) in (select sent_month from fct_feedback_months where is_mature)
            """,
        ),
        (
            "sessions",
            """
            select count(*) from fct_sessions where not is_suspected_bot
                and date_trunc('month', session_date) in (
                    select session_month from fct_conversion_months where is_mature
                )
            """,
        ),
    ],
    ids=["tickets", "surveys", "sessions"],
)
def test_what_a_mart_holds_in_several_rows_counts_once(sample_shop, engine, part, sql):
    """A rate would hide it: numerator and denominator double together."""
    _, [(count,)] = sample_shop.serving.query(sql)
    assert count > 0
    assert asked(engine, part)[()] == count


# Raises as soon as the process looks a host up or opens a connection to one.
WITHOUT_NETWORK = """
import sys
def refuse(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname") or (
        event == "socket.connect" and isinstance(arguments[1], tuple)
    ):
        raise AssertionError(f"{event} {arguments}")
sys.addaudithook(refuse)
"""


def run_without_network(shop: Shop, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK + code],
        env={
            **clean_environment(),
            "RETENTION_DATA": str(shop.data),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_mf_query_answers_from_the_published_copy_without_a_network(sample_shop):
    outcome = run_without_network(
        sample_shop,
        """
sys.argv = ["retention", "mf", "query", "--quiet", "--metrics", "order_count",
            "--group-by", "metric_time__year", "--order", "metric_time__year"]
from orchestration.cli import main
main()
""",
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    found = [line.split() for line in outcome.stdout.splitlines()[2:]]
    _, rows = sample_shop.serving.query(
        "select cast(year(month_start) as varchar), cast(sum(order_count) as varchar)"
        " from fct_kpi_months group by 1 order by 1"
    )
    assert [(year[:4], count) for year, count in found] == rows


def test_the_guard_sees_what_mf_would_have_asked_by_itself(sample_shop, tmp_path):
    """Without this the test above could not fail."""
    outcome = run_without_network(
        sample_shop,
        f"""
import tempfile
tempfile.tempdir = {str(tmp_path)!r}
from update_checker import UpdateChecker
UpdateChecker(bypass_cache=True).check("dbt-metricflow", "0.0.1")
""",
    )
    assert "AssertionError: socket." in outcome.stderr
