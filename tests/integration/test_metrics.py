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

AT_MONTH = ("metric_time__month",)
COHORT_CELL = (
    "cohort_cell__retention_cohort_month__month",
    "cohort_cell__segment_type",
    "cohort_cell__segment",
    "cohort_cell__age_unit",
    "cohort_cell__age",
)
POOLED_CELL = tuple(
    f"pooled_cell__{name}"
    for name in ("segment_type", "segment", "retention_type", "age_unit", "age")
)
PLAN_MONTH = (
    "metric_time__month",
    "membership_month_id__program",
    "membership_month_id__plan_code",
)
RENEWAL_CELL = (
    "renewal_cell__program",
    "renewal_cell__plan_code",
    "renewal_cell__billing_period",
    "renewal_cell__term_number",
)
SURVIVAL_CELL = tuple(name.replace("renewal_cell", "survival_cell") for name in RENEWAL_CELL)


def kpi_month(column: str) -> str:
    return f"select month_start, {column} from fct_kpi_months"


def retention_cell(retention_type: str) -> str:
    return f"""
        select cohort_month, segment_type, segment, age_unit, age, retention_rate
        from fct_cohort_retention where retention_type = '{retention_type}'
    """


def plan_month(column: str) -> str:
    return f"select month_start, program, plan_code, {column} from fct_membership_months"


def by_stage(expression: str, table: str) -> str:
    return f"""
        select lifecycle_stage, {expression}
        from {table} join dim_customers using (customer_id) group by all
    """


# Metric, what it is grouped by, and the mart's own figure for each of these groups. A figure that a mart holds
# ready is read there; where the mart has no such column, it is counted in another way than the metric counts it.
ANSWERS = [
    ("order_count", AT_MONTH, kpi_month("order_count")),
    ("orders_per_customer", AT_MONTH, kpi_month("orders_per_customer")),
    ("average_order_value_amount", AT_MONTH, kpi_month("average_order_value_amount")),
    ("contribution_margin_rate", AT_MONTH, kpi_month("contribution_margin_rate")),
    ("refund_rate", AT_MONTH, kpi_month("refund_rate")),
    ("returning_customer_share", AT_MONTH, kpi_month("returning_customer_share")),
    ("repeat_rate_90d", AT_MONTH, kpi_month("repeat_rate_90d")),
    ("net_order_dated_amount", AT_MONTH, kpi_month("net_order_dated_amount")),
    ("net_refund_dated_amount", AT_MONTH, kpi_month("net_refund_dated_amount")),
    (
        "promise_kept_share",
        ("metric_time__day",),
        "select calendar_date, promise_kept_share from fct_kpi_days",
    ),
    (
        "refund_amount",
        ("refund_line_id__refund_source",),
        "select refund_source, sum(refund_amount) from fct_refunds group by all",
    ),
    (
        "returned_units",
        ("order_line_id__reason_code",),
        "select reason_code, sum(received_quantity) from fct_returns group by all",
    ),
    (
        "occasion_count",
        ("customer_id__lifecycle_stage",),
        by_stage(
            "count(distinct (customer_id, ordered_date)) filter (where is_valid_order)",
            "fct_orders right",
        ),
    ),
    (
        "lapsed_fixed_share",
        ("customer_id__lifecycle_stage",),
        by_stage("avg(cast(is_lapsed_fixed as integer))", "fct_customer_churn"),
    ),
    (
        "lapsed_personal_share",
        ("customer_id__lifecycle_stage",),
        by_stage("avg(cast(is_lapsed_personal as integer))", "fct_customer_churn"),
    ),
    (
        "p_churn_90d",
        ("customer_id__lifecycle_stage",),
        by_stage("avg(p_churn_90d)", "fct_customer_churn"),
    ),
    (
        "one_minus_p_alive",
        ("customer_id__lifecycle_stage",),
        by_stage("1 - avg(p_alive)", "fct_customer_value"),
    ),
    *[
        (
            metric,
            ("customer_id__lifecycle_stage",),
            by_stage(f"sum(fct_customer_value.{column})", "fct_customer_value"),
        )
        for metric, column in (
            ("historic_clv_amount", "historic_clv_amount"),
            ("historic_gross_amount", "gross_amount"),
            ("historic_net_amount", "net_amount"),
            ("residual_clv_365d_amount", "residual_clv_365d_amount"),
            ("total_clv_amount", "total_clv_amount"),
        )
    ],
    (
        "historic_clv_per_customer_amount",
        ("customer_id__lifecycle_stage",),
        by_stage("avg(historic_clv_amount)", "fct_customer_value"),
    ),
    (
        "residual_clv_365d_per_customer_amount",
        ("customer_id__lifecycle_stage",),
        by_stage("avg(residual_clv_365d_amount)", "fct_customer_value"),
    ),
    *[
        (
            f"churn_rate_{definition}",
            AT_MONTH,
            f"select month_start, churn_rate from fct_churn_months where churn_definition = '{definition}'",
        )
        for definition in ("lapsed_fixed", "no_order_90d")
    ],
    *[
        (f"cohort_retention_{kind}", COHORT_CELL, retention_cell(kind))
        for kind in ("bounded", "rolling", "bracket")
    ],
    (
        "pooled_retention_weighted",
        POOLED_CELL,
        """
        select segment_type, segment, retention_type, age_unit, age, retention_rate
        from fct_cohort_retention_pooled where method = 'weighted'
        """,
    ),
    (
        "pooled_retention_fixed_panel",
        (*POOLED_CELL, "pooled_cell__panel_age"),
        """
        select segment_type, segment, retention_type, age_unit, age, panel_age, retention_rate
        from fct_cohort_retention_pooled where method = 'fixed_panel'
        """,
    ),
    (
        "repurchase_rate",
        ("repurchase_cell__repurchase_cohort_month__month", "repurchase_cell__day_n"),
        "select cohort_month, day_n, repurchase_rate from fct_repurchase_curves where nth_order = 2",
    ),
    (
        "customer_retention_rate",
        AT_MONTH,
        "select month_start, customer_retention_rate from fct_customer_retention_months",
    ),
    (
        "customer_retention_rate_year_over_year",
        AT_MONTH,
        "select month_start, customer_retention_rate_year_over_year from fct_customer_retention_months",
    ),
    ("logo_churn_rate", PLAN_MONTH, plan_month("logo_churn_rate")),
    ("gross_revenue_retention_rate", PLAN_MONTH, plan_month("gross_revenue_retention_rate")),
    ("net_revenue_retention_rate", PLAN_MONTH, plan_month("net_revenue_retention_rate")),
    ("monthly_recurring_revenue_amount", PLAN_MONTH, plan_month("closing_mrr_amount")),
    (
        "renewal_rate",
        RENEWAL_CELL,
        "select program, plan_code, billing_period, term_number, renewal_rate from fct_membership_survival",
    ),
    (
        "membership_survival_rate",
        ("renewal_cell__renewal_cohort_month__month", *RENEWAL_CELL),
        """
        select start_cohort_month, program, plan_code, billing_period, term_number, survival_rate
        from fct_membership_renewals
        """,
    ),
    (
        "membership_kaplan_meier_rate",
        SURVIVAL_CELL,
        "select program, plan_code, billing_period, term_number, survival_rate from fct_membership_survival",
    ),
    (
        "trial_conversion_rate",
        AT_MONTH,
        "select trial_cohort_month, conversion_rate from fct_membership_trials",
    ),
    *[
        (
            metric,
            ("metric_time__month", "return_cell__breakdown", "return_cell__breakdown_value"),
            f"""
            select delivery_month, breakdown, breakdown_value, {metric}
            from fct_return_rate_months where breakdown <> 'reason'
            """,
        )
        for metric in ("return_rate", "return_value_rate")
    ],
    (
        "contacts_per_1000_orders",
        AT_MONTH,
        """
        select opened_month, contacts_per_1000_orders
        from fct_contact_drivers where reason_code = 'all' and breakdown = 'all'
        """,
    ),
    *[
        (
            metric,
            AT_MONTH,
            f"""
            select opened_month, {metric}
            from fct_support_channel_months where channel = 'all' and agent_group = 'all'
            """,
        )
        for metric in ("answered_in_target_rate", "reopened_rate")
    ],
    (
        "ticket_csat_rate",
        ("ticket_cell__channel",),
        """
        select channel, sum(satisfied_answers) / sum(csat_answers)
        from fct_support_channel_months where channel <> 'all' and agent_group = 'all' and is_mature group by all
        """,
    ),
    *[
        (
            metric,
            ("metric_time__month", "survey_cell__survey_type"),
            f"""
            select sent_month, survey_type, {column}
            from fct_feedback_months where segment_type = 'all' and is_mature
            """,
        )
        for metric, column in (
            ("survey_response_rate", "responded / sent"),
            ("nps", "100 * (promoters / nullif(answers, 0) - detractors / nullif(answers, 0))"),
            ("survey_csat_rate", "satisfied_answers / nullif(answers, 0)"),
            ("ces_mean", "ces_score_sum / nullif(answers, 0)"),
            ("closed_loop_rate", "closed_loop_rate"),
        )
    ],
    *[
        (
            metric,
            ("metric_time__month", "loyalty_cell__loyalty_tier"),
            f"select month_start, loyalty_tier, {column} from fct_loyalty_months",
        )
        for metric, column in (
            ("earned_points", "earned_points"),
            ("burned_points", "burned_points"),
            ("loyalty_liability_amount", "liability_amount"),
            ("breakage_rate", "breakage_rate"),
            ("redemption_rate", "redemption_rate"),
        )
    ],
    *[
        (
            metric,
            ("metric_time__month", "session_cell__customer_state"),
            f"select session_month, customer_state, {column} from fct_conversion_months where breakdown = 'all'",
        )
        for metric, column in (
            ("session_conversion_rate", "conversion_rate"),
            ("checkout_drop_rate", "checkout_drop_rate"),
        )
    ],
    (
        "referral_conversion_rate",
        AT_MONTH,
        "select month_start, conversion_rate from fct_referral_months",
    ),
    (
        "cost_per_new_customer_amount",
        AT_MONTH,
        "select month_start, cost_per_new_customer_amount from fct_acquisition_costs where channel = 'all'",
    ),
]


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
