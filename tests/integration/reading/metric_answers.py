"""What the marts answer to each metric, in every group of it."""

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
    *[
        (
            metric,
            ("audience_member__audience",),
            f"select audience, {expression} from fct_audience_members group by all",
        )
        for metric, expression in (
            ("audience_member_count", "count(*) - count(exclusion_reason)"),
            ("audience_reach_rate", "1 - count(exclusion_reason) / count(*)"),
        )
    ],
    *[
        (
            metric,
            ("next_best_action__best_action",),
            f"select best_action, sum({metric}) from fct_next_best_actions group by all",
        )
        for metric in ("expected_incremental_margin_amount", "exploration_cost_amount")
    ],
]
