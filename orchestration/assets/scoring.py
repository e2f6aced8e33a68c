"""The scoring belt: features in, one science function, scores out. Every `if` about statistics is in science."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pyarrow as pa

from orchestration.assets.shared import FRESHNESS, WRITER_POOL, picture
from orchestration.resources.progress import Progress
from orchestration.resources.warehouse import Warehouse
from orchestration.science import charts
from orchestration.science.value import CustomerScores, score_customers

FEATURES = dg.AssetKey(["intermediate", "int_clv__purchase_summary"])
CUSTOMER_CLV = dg.AssetKey(["scores", "customer_clv"])
MODEL_FITS = dg.AssetKey(["scores", "model_fits"])


def scoring_assets(owner: str) -> dg.AssetsDefinition:
    """The two tables of customer value."""

    @dg.multi_asset(
        name="customer_value",
        specs=[
            dg.AssetSpec(
                CUSTOMER_CLV,
                deps=[FEATURES],
                group_name="scores",
                owners=[owner],
                kinds={"python", "duckdb"},
                freshness_policy=FRESHNESS,
                description=(
                    "One row per customer with a valid order: expected orders, probability of an "
                    "order within 90 days, residual value over 365 days."
                ),
            ),
            dg.AssetSpec(
                MODEL_FITS,
                deps=[FEATURES],
                group_name="scores",
                owners=[owner],
                kinds={"python", "duckdb"},
                freshness_policy=FRESHNESS,
                description="One row per fitted model and parameter, with the verdict of the fit.",
            ),
        ],
        pool=WRITER_POOL,
    )
    def customer_value(
        warehouse: dg.ResourceParam[Warehouse], progress: dg.ResourceParam[Progress]
    ) -> Iterator[dg.MaterializeResult]:
        with progress.step("scores") as step:
            features = warehouse.read(".".join(FEATURES.path))
            scored = score_customers(features)
            fitted_at = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
            warehouse.replace(
                {
                    ".".join(CUSTOMER_CLV.path): with_fitted_at(scored.scores, fitted_at),
                    ".".join(MODEL_FITS.path): with_fitted_at(scored.fits, fitted_at),
                }
            )
            yield from _reports(features, scored)
            step.result(f"{scored.scores.num_rows:,} customers; BG/NBD {scored.purchases.verdict}")

    return customer_value


def with_fitted_at(table: pa.Table, fitted_at: datetime) -> pa.Table:
    """The same rows with the moment of the fit, which science does not know."""
    column = pa.repeat(pa.scalar(fitted_at, pa.timestamp("us")), table.num_rows)
    return table.append_column("fitted_at", column)


def _reports(features: pa.Table, scored: CustomerScores) -> Iterator[dg.MaterializeResult]:
    fit = scored.purchases
    drawing = charts.png(
        charts.purchase_counts(
            fit, *(features[name].to_numpy() for name in ("frequency", "recency_days", "age_days"))
        )
    )
    expected = sum(scored.scores["expected_orders_365d"].drop_null().to_pylist())
    value = sum(scored.scores["residual_clv_365d_amount"].drop_null().to_pylist())
    yield dg.MaterializeResult(
        asset_key=CUSTOMER_CLV,
        metadata={
            "dagster/row_count": scored.scores.num_rows,
            "orders expected in 365 days": round(float(expected), 1),
            "residual value in 365 days": round(float(value), 2),
            "repeat orders, counted and expected": picture(
                drawing, "Customers by repeat orders, as counted and as the fit expects"
            ),
        },
    )
    yield dg.MaterializeResult(
        asset_key=MODEL_FITS,
        metadata={
            "dagster/row_count": scored.fits.num_rows,
            "verdict": fit.verdict,
            "parameters": dg.MetadataValue.md(_parameters(scored.fits)),
        },
    )


def _parameters(fits: pa.Table) -> str:
    rows = [
        f"| {fit['model_name']} | {fit['parameter']} | {_number(fit['value'])} "
        f"| {_number(fit['standard_error'])} | {fit['verdict']} |"
        for fit in fits.to_pylist()
    ]
    return "\n".join(
        ["| model | parameter | value | standard error | verdict |", "|---|---|--:|--:|---|", *rows]
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
