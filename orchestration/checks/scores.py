"""Gates of the scores: the fit found its maximum, every customer has one row, probabilities are probabilities.

They block: a night whose scores fail is not published.
"""

import dagster as dg

from orchestration.resources.warehouse import Warehouse

CUSTOMER_CLV = dg.AssetKey(["scores", "customer_clv"])
MODEL_FITS = dg.AssetKey(["scores", "model_fits"])
PROBABILITIES = ("p_alive", "p_order_90d", "p_churn_90d")
EXPECTATIONS = ("expected_orders_365d", "expected_order_value_amount", "residual_clv_365d_amount")


@dg.asset_check(
    asset=MODEL_FITS,
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
    asset=CUSTOMER_CLV,
    blocking=True,
    description="One row per customer of the features, no more and no fewer.",
    additional_deps=[dg.AssetKey(["intermediate", "int_clv__purchase_summary"])],
)
def every_customer_is_scored_once(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Blocks the night when a customer is missing from the scores, or there twice."""
    [(customers, rows, distinct, missing)] = warehouse.query("""
        select
            (select count(*) from intermediate.int_clv__purchase_summary),
            (select count(*) from scores.customer_clv),
            (select count(distinct customer_id) from scores.customer_clv),
            (select count(*) from intermediate.int_clv__purchase_summary as features
             where not exists (
                select 1 from scores.customer_clv as scored where scored.customer_id = features.customer_id))
    """)
    return dg.AssetCheckResult(
        passed=customers == rows == distinct and missing == 0,
        description=f"{customers} customers, {rows} rows, {distinct} of them distinct, {missing} missing",
        metadata={"customers": customers, "rows": rows, "distinct": distinct, "missing": missing},
    )


@dg.asset_check(
    asset=CUSTOMER_CLV,
    blocking=True,
    description="Probabilities lie in [0, 1]; expectations are finite and not negative.",
)
def scores_are_in_range(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Blocks the night when a score lies where no score of its kind can lie."""
    # A comparison with NaN is true on this engine where it says "greater", hence isnan by name.
    conditions = {name: f"not ({name} between 0 and 1)" for name in PROBABILITIES}
    conditions |= {
        name: f"isnan(cast({name} as double)) or isinf(cast({name} as double))"
        for name in EXPECTATIONS
    }
    conditions["expected_orders_365d"] += " or expected_orders_365d < 0"
    counts = ", ".join(f"count(*) filter (where {rule})" for rule in conditions.values())
    [found] = warehouse.query(f"select {counts} from scores.customer_clv")
    outside = {name: count for name, count in zip(conditions, found, strict=True) if count}
    return dg.AssetCheckResult(
        passed=not outside,
        description=", ".join(f"{name}: {count} rows" for name, count in outside.items()) or None,
        metadata={"rows out of range": sum(outside.values())},
    )


SCORE_CHECKS = [every_used_fit_converged, every_customer_is_scored_once, scores_are_in_range]
