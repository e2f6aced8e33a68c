"""The assets of the night's recommendations: what customers did with products in, what each is shown out."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg
import numpy as np
import pyarrow as pa

from orchestration.assets.scoring.reading import EPOCH, dated
from orchestration.assets.shared import FRESHNESS, WRITER_POOL
from orchestration.resources.progress import Progress
from orchestration.resources.warehouse import Warehouse
from orchestration.science.court.trial import CUSTOMERS_HEARD, is_heard
from orchestration.science.recommendations import nightly
from orchestration.science.recommendations.acts import Interactions, interactions_from_table
from orchestration.science.recommendations.catalogue import catalogue_from_tables
from orchestration.science.recommendations.methods import fit_methods
from orchestration.science.recommendations.trial import Trial, try_methods
from orchestration.settings import Settings

INTERACTIONS = "intermediate.int_web__interactions"
VARIANTS = "intermediate.int_recommendations__variants"
STOCK = "intermediate.int_recommendations__stock"
CUSTOMERS = "intermediate.int_customers__accounts"
TABLES = {
    "product_recommendations": "One row per customer and place: what is shown there, by which method, and why.",
    "recommendation_backtests": "One row per method, origin, scope and metric: what its lists were worth.",
}
# Which products go together is known from so many customers to a few percent; more would take memory, not error.
CUSTOMERS_FITTED = 100_000
# Customers whose interactions are read at once.
CUSTOMERS_READ = 50_000


def recommendation_assets(owner: str) -> dg.AssetsDefinition:
    """The tables `scores.product_recommendations` and `scores.recommendation_backtests`."""

    @dg.multi_asset(
        name="recommendations",
        specs=[
            dg.AssetSpec(
                dg.AssetKey(["scores", table]),
                deps=[
                    dg.AssetKey(name.split("."))
                    for name in (INTERACTIONS, VARIANTS, STOCK, CUSTOMERS)
                ],
                group_name="recommendations",
                owners=[owner],
                kinds={"python", "duckdb"},
                freshness_policy=FRESHNESS,
                description=words,
            )
            for table, words in TABLES.items()
        ],
        pool=WRITER_POOL,
    )
    def recommendations(
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        progress: dg.ResourceParam[Progress],
    ) -> Iterator[dg.MaterializeResult]:
        with progress.step("recommendations") as step:
            trial, tables = recommend_the_night(warehouse, settings)
            for name, table in tables.items():
                yield dg.MaterializeResult(
                    asset_key=dg.AssetKey(["scores", name]),
                    metadata={"dagster/row_count": table.num_rows, "who speaks": trial.reason},
                )
            step.result(said_of(trial, tables["product_recommendations"]))

    return recommendations


def recommend_the_night(
    warehouse: Warehouse, settings: Settings
) -> tuple[Trial, dict[str, pa.Table]]:
    """Try the methods, let the one that passes speak to every customer, and write both tables."""
    as_of_date = warehouse.night().as_of_date
    until = (as_of_date - EPOCH).days
    catalogue = catalogue_from_tables(warehouse.read(VARIANTS), warehouse.read(STOCK))
    purchase_weight = float(settings.business_constant("interaction_weights")["purchase"])

    def interactions_of(customers: pa.Array) -> Interactions:
        rows = warehouse.read(INTERACTIONS, customers)
        return interactions_from_table(rows, customers, catalogue, purchase_weight)

    acting = _ids(warehouse, f"select distinct customer_id from {INTERACTIONS}")
    trial = try_methods(interactions_of(_heard(acting, CUSTOMERS_HEARD)), catalogue, until)
    methods = fit_methods(interactions_of(_heard(acting, CUSTOMERS_FITTED)), catalogue, until)
    customers = _ids(warehouse, f"select customer_id from {CUSTOMERS} where not is_erased")
    told = [nightly.RECOMMENDATIONS.empty_table()]
    for first in range(0, len(customers), CUSTOMERS_READ):
        block = pa.array(customers[first : first + CUSTOMERS_READ], pa.string())
        told += nightly.recommendation_tables(
            block, interactions_of(block), catalogue, methods, trial.champion, until
        )
    tables = {
        "product_recommendations": pa.concat_tables(told),
        "recommendation_backtests": nightly.backtest_table(trial),
    }
    tables = {name: dated(table, as_of_date=as_of_date) for name, table in tables.items()}
    warehouse.replace({f"scores.{name}": table for name, table in tables.items()})
    return trial, tables


def said_of(trial: Trial, table: pa.Table) -> str:
    """One line for the terminal: who is shown something, and by which method."""
    if not table.num_rows:
        return "nobody is recommended anything: nothing that is on sale was ever bought"
    customers = int(np.sum(table["recommendation_rank"].to_numpy() == 1))
    counts = Counter(
        {
            pair["values"]: pair["counts"]
            for pair in table["method"].combine_chunks().value_counts().to_pylist()
        }
    )
    methods = ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
    return f"{customers:,} customers by {trial.champion}; rows: {methods}"


def _ids(warehouse: Warehouse, query: str) -> np.ndarray:
    """Ids in their order, so that a night that is run again says the same."""
    return np.array(sorted(one for (one,) in warehouse.query(query)), dtype=object)


def _heard(ids: np.ndarray, limit: int) -> pa.Array:
    return pa.array(ids[is_heard(ids, limit)], pa.string())
