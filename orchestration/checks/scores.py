"""Gates of the scores: nothing stands in a published table that has not earned its place.

They block: a night whose scores fail is not published. That a score was withheld is no failure of the
night, and only warns.
"""

import dagster as dg

from orchestration.resources.warehouse import Warehouse
from orchestration.science.court.verdicts import BIAS_BAND, SLOPE_BAND
from orchestration.science.forecasts.registry import BASELINE_NAMES

# Score table -> (the score that governs it, the horizon of its champion, as SQL; every horizon's, where it is the
# champion's own).
GOVERNED = {
    "customer_churn": ("churn", "scored.horizon_days"),
    "score_reasons": ("churn", "scored.horizon_days"),
    "customer_clv": ("value", "scored.horizon_days"),
    "customer_next_order": ("orders", "champions.horizon_days"),
}
RANGES = {
    "customer_churn": {
        "p_order": "not (p_order between 0 and 1)",
        "p_churn": "not (p_churn between 0 and 1)",
    },
    "customer_clv": {
        "p_alive": "not (p_alive between 0 and 1)",
        # A comparison with NaN is true on this engine where it says "greater", hence isnan by name.
        "expected_orders_365d": "isnan(expected_orders_365d) or isinf(expected_orders_365d)"
        " or expected_orders_365d < 0",
        "residual_clv_365d_amount": "residual_clv_365d_p10_amount > residual_clv_365d_p90_amount",
        "orders_365d_p10": "orders_365d_p10 > orders_365d_p90 or orders_365d_p10 < 0",
    },
    "customer_next_order": {
        "next_order_p50_date": "next_order_p50_date <= scored_as_of_date"
        " or next_order_p50_date > next_order_p90_date",
    },
}


def _key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["scores", table])


@dg.asset_check(
    asset=_key("score_champions"),
    blocking=True,
    additional_deps=[_key(table) for table in (*GOVERNED, "score_verdicts")],
    description="Every row of a score table was said by the champion of its night, which passed or was pooled.",
)
def no_score_stands_without_a_passing_verdict(
    warehouse: dg.ResourceParam[Warehouse],
) -> dg.AssetCheckResult:
    """Blocks the night when a customer has a score that nobody was allowed to give."""
    wrong = []
    for table, (score, horizon) in GOVERNED.items():
        wrong += warehouse.query(f"""
            select '{table}', scored.model_name, cast(scored.scored_as_of_date as varchar), count(*)
            from scores.{table} as scored
            where not exists (
                select 1 from scores.score_champions as champions
                where champions.is_published
                    and champions.score_name = '{score}'
                    and champions.horizon_days = {horizon}
                    and champions.champion_model_name = scored.model_name
                    and champions.as_of_date = scored.scored_as_of_date)
            group by all
        """)
    # The verdict is worked out anew from its own numbers: a flag alone would prove nothing.
    wrong += warehouse.query(f"""
        select 'score_champions', champions.champion_model_name, champions.score_name, 0
        from scores.score_champions as champions
        left join scores.score_verdicts as verdicts
            on champions.score_name = verdicts.score_name
            and champions.horizon_days = verdicts.horizon_days
            and champions.champion_model_name = verdicts.model_name
        where champions.as_of_date = (select as_of_date from landing.night)
            and champions.is_published
            and champions.level <> 'pooled'
            and not coalesce(
                verdicts.is_passing
                and not verdicts.is_baseline
                and verdicts.loss_difference_high < 0
                and abs(verdicts.total_bias) <= {BIAS_BAND}
                and verdicts.calibration_slope between {SLOPE_BAND[0]} and {SLOPE_BAND[1]},
                false)
    """)
    return dg.AssetCheckResult(
        passed=not wrong,
        description="; ".join(
            f"{table}: {rows} rows by {model or 'nobody'} of {night} without a passing verdict"
            for table, model, night, rows in wrong
        )
        or None,
        metadata={"kinds of rows without a verdict": len(wrong)},
    )


@dg.asset_check(
    asset=_key("score_champions"),
    description="Every score has a champion that spoke tonight; else its last good rows stay, dated.",
)
def no_score_was_withheld(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Warns where a score was withheld, with the reason."""
    withheld = warehouse.query("""
        select score_name, horizon_days, reason from scores.score_champions
        where not is_published and as_of_date = (select as_of_date from landing.night)
        order by score_name nulls last, horizon_days nulls last
    """)
    return dg.AssetCheckResult(
        passed=not withheld,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{name} within {days} days: {why}" for name, days, why in withheld)
        or None,
        metadata={"scores withheld": len(withheld)},
    )


@dg.asset_check(
    asset=_key("score_backtests"),
    blocking=True,
    description="Zero, mean, own rate and last period stand beside every score at every origin.",
)
def four_plain_forecasts_stand_beside_every_score(
    warehouse: dg.ResourceParam[Warehouse],
) -> dg.AssetCheckResult:
    """Blocks the night when a score was judged without one of the forecasts it has to beat."""
    names = ", ".join(f"'{name}'" for name in BASELINE_NAMES)
    missing = warehouse.query(f"""
        select score_name, horizon_days, cast(origin_date as varchar)
        from scores.score_backtests
        group by all
        having count(distinct model_name) filter (where is_baseline and model_name in ({names})) < {len(BASELINE_NAMES)}
    """)
    return dg.AssetCheckResult(
        passed=not missing,
        description="; ".join(f"{name} within {days} days at {day}" for name, days, day in missing)
        or None,
        metadata={"origins without all of them": len(missing)},
    )


@dg.asset_check(
    asset=_key("model_fits"),
    blocking=True,
    description="Every fit behind a score converged; else its numbers mean nothing.",
)
def every_used_fit_converged(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Blocks the night when a fit behind a score did not find its maximum."""
    failed = warehouse.query(
        "select distinct model_name, verdict from scores.model_fits"
        " where is_used and not is_converged order by model_name nulls last"
    )
    return dg.AssetCheckResult(
        passed=not failed,
        description="; ".join(f"{model}: {verdict}" for model, verdict in failed) or None,
        metadata={"fits that did not converge": len(failed)},
    )


@dg.asset_check(
    asset=_key("customer_clv"),
    blocking=True,
    description="One row per customer and score: none twice, and where a score spoke tonight none missing.",
    additional_deps=[
        _key("customer_churn"),
        _key("customer_next_order"),
        dg.AssetKey(["intermediate", "int_purchases__customers"]),
    ],
)
def every_customer_is_scored_once(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Blocks the night when a customer is missing from the scores of tonight, or there twice."""
    counts = warehouse.query("""
        with scored as (
            select 'customer_clv' as score_table, 0 as horizon_days, customer_id, scored_as_of_date
            from scores.customer_clv
            union all
            select 'customer_next_order', 0, customer_id, scored_as_of_date from scores.customer_next_order
            union all
            select 'customer_churn', horizon_days, customer_id, scored_as_of_date from scores.customer_churn
        )
        select
            score_table,
            horizon_days,
            count(*),
            count(distinct scored.customer_id),
            count(*) filter (where customers.customer_id is null),
            max(scored_as_of_date) = (select as_of_date from landing.night),
            (select count(*) from intermediate.int_purchases__customers)
        from scored
        left join intermediate.int_purchases__customers as customers
            on scored.customer_id = customers.customer_id
        group by 1, 2
        order by 1 nulls last, 2 nulls last
    """)
    wrong = [
        f"{table} ({horizon} days): {rows} rows, {distinct} distinct, {strangers} of no customer,"
        f" {customers} customers"
        for table, horizon, rows, distinct, strangers, is_of_tonight, customers in counts
        if rows != distinct or strangers or (is_of_tonight and rows != customers)
    ]
    return dg.AssetCheckResult(
        passed=not wrong, description="; ".join(wrong) or None, metadata={"tables": len(counts)}
    )


@dg.asset_check(
    asset=_key("customer_clv"),
    blocking=True,
    description="Probabilities lie in [0, 1]; expectations are finite; bounds and dates are in order.",
    additional_deps=[_key("customer_churn"), _key("customer_next_order")],
)
def scores_are_in_range(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Blocks the night when a score lies where no score of its kind can lie."""
    outside = {}
    for table, rules in RANGES.items():
        counts = ", ".join(f"count(*) filter (where {rule})" for rule in rules.values())
        [found] = warehouse.query(f"select {counts} from scores.{table}")
        outside |= {name: count for name, count in zip(rules, found, strict=True) if count}
    return dg.AssetCheckResult(
        passed=not outside,
        description=", ".join(f"{name}: {count} rows" for name, count in outside.items()) or None,
        metadata={"rows out of range": sum(outside.values())},
    )


SCORE_CHECKS = [
    no_score_stands_without_a_passing_verdict,
    no_score_was_withheld,
    four_plain_forecasts_stand_beside_every_score,
    every_used_fit_converged,
    every_customer_is_scored_once,
    scores_are_in_range,
]
