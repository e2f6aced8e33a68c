"""What recommendations are worth on Online Retail II, and how long a million lists take.

Origins, rules and measures are those of the night (`try_methods`); figures are means over the origins,
by customers. Online Retail II says of no product that it is used up, so its own buyers' favourites may
not be shown again; the second table takes every product for one that may be, since wholesalers order
the same again: there what a customer has bought on most days is hard to beat.
"""

import resource
import time

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.science.recommendations.acts import Interactions, interactions_from_table
from orchestration.science.recommendations.catalogue import Catalogue, catalogue_from_tables
from orchestration.science.recommendations.methods import fit_methods
from orchestration.science.recommendations.nightly import recommendation_tables
from orchestration.science.recommendations.trial import CANDIDATES, YARDSTICKS, Trial, try_methods
from tests.bench_scores.judging import Say
from tests.bench_scores.tables import Aim, Cell, aims, table
from tests.real_shops import ONLINE_RETAIL_LAST_DAY, has_online_retail, online_retail_file

METRICS = ("ndcg_at_10", "recall_at_10", "hit_rate_at_10", "coverage", "novelty")
CUSTOMERS, PRODUCTS, FITTED, BLOCK = 1_000_000, 5_000, 100_000, 50_000
LAST_DAY = 1_000
AIM_SECONDS, AIM_GIGABYTES = 300.0, 4.0
NO_STOCK = pa.table(
    {
        "variant_id": pa.array([], pa.string()),
        "valid_from": pa.array([], pa.date32()),
        "is_in_stock": pa.array([], pa.bool_()),
    }
)


def bench(say: Say) -> str:
    """Two tables of Online Retail II, then the figures of a large shop."""
    found = []
    if has_online_retail():
        for is_bought_again, words in (
            (False, "what a customer has is not shown again"),
            (True, "what a customer has may be shown again"),
        ):
            say(f"recommendations on Online Retail II: {words}")
            trial = try_methods(*_online_retail(is_bought_again), ONLINE_RETAIL_LAST_DAY)
            found.append(_report(f"Online Retail II, lists of ten, {words}", trial))
    else:
        found.append(f"\nOnline Retail II is not there: it is looked for as {online_retail_file()}")
    say(f"recommendations for {CUSTOMERS:,} customers among {PRODUCTS:,} products")
    found.append(_speed())
    return "\n".join(found)


def _report(title: str, trial: Trial) -> str:
    rows: list[list[Cell]] = []
    for method in (*YARDSTICKS, *CANDIDATES):
        own = [one for one in trial.measured if one.method == method and one.scope == "all"]
        values: list[Cell] = [
            float(
                np.average(
                    [one.value for one in own if one.metric == metric],
                    weights=[one.customers for one in own if one.metric == metric],
                )
            )
            for metric in METRICS
        ]
        rows.append([f"{method}{' *' if method == trial.champion else ''}", *values])
    judged = sum(
        one.customers
        for one in trial.measured
        if (one.method, one.scope, one.metric) == (YARDSTICKS[0], "all", METRICS[0])
    )
    verdicts = [
        f"  {one.method}: {one.reason}" for one in trial.verdicts if one.method in CANDIDATES
    ]
    return "\n".join([table(f"{title}; {judged:,} lists judged", ("", *METRICS), rows), *verdicts])


def _online_retail(is_bought_again: bool) -> tuple[Interactions, Catalogue]:
    """Lines of sales with a customer and a stock code of goods: five digits and what follows them."""
    with duckdb.connect() as connection:
        lines = connection.sql(f"""
            select
                "Customer ID" as customer_id,
                upper(StockCode) as variant_id,
                'purchase' as interaction_type,
                cast(cast(InvoiceDate as timestamp) as date) as interaction_date,
                1.0 as weight,
                avg(cast(Price as double)) as price
            from read_csv('{online_retail_file()}', all_varchar = true)
            where
                "Customer ID" <> ''
                and Invoice not like 'C%'
                and cast(Quantity as double) > 0
                and cast(Price as double) > 0
                and regexp_matches(StockCode, '^[0-9]{{5}}')
            group by all
            order by all
        """).to_arrow_table()
    of_variant = lines.group_by("variant_id").aggregate([("price", "mean")])
    size = of_variant.num_rows
    nothing = pa.nulls(size, pa.string())
    variants = pa.table(
        {
            "variant_id": of_variant["variant_id"],
            "product_id": of_variant["variant_id"],
            **dict.fromkeys(
                ("title", "brand", "category_l1", "category_l2", "category_l3"), nothing
            ),
            "price": of_variant["price_mean"],
            "cycle_days": pa.nulls(size, pa.float64()),
            "is_replenishable": pa.repeat(pa.scalar(is_bought_again), size),
            "is_withheld": pa.repeat(pa.scalar(False), size),
            "launched_date": pa.nulls(size, pa.date32()),
            "discontinued_date": pa.nulls(size, pa.date32()),
        }
    )
    catalogue = catalogue_from_tables(variants, NO_STOCK)
    customers = pc.unique(lines["customer_id"])
    return interactions_from_table(lines, customers, catalogue, 1.0), catalogue


def _speed() -> str:
    """Drawn customers: half of their ten acts keep to one category of ten."""
    numbers = np.arange(PRODUCTS)
    ids = pa.array([f"V{one:05}" for one in numbers])
    catalogue = catalogue_from_tables(
        pa.table(
            {
                "variant_id": ids,
                "product_id": ids,
                "title": ids,
                "brand": [f"brand {one}" for one in numbers % 80],
                "category_l1": [f"category {one}" for one in numbers % 10],
                "category_l2": [f"group {one}" for one in numbers % 50],
                "category_l3": [f"kind {one}" for one in numbers % 200],
                "price": 1.0 + numbers % 97,
                "cycle_days": np.full(PRODUCTS, 30.0),
                "is_replenishable": numbers % 7 == 0,
                "is_withheld": np.zeros(PRODUCTS, dtype=bool),
                "launched_date": pa.nulls(PRODUCTS, pa.date32()),
                "discontinued_date": pa.nulls(PRODUCTS, pa.date32()),
            }
        ),
        NO_STOCK,
    )
    started = time.monotonic()
    methods = fit_methods(_drawn(0, FITTED), catalogue, LAST_DAY)
    fitted = time.monotonic() - started
    rows, kept = 0, []
    drawing = 0.0
    for block in range(CUSTOMERS // BLOCK):
        before = time.monotonic()
        customers = pa.array([f"C{block * BLOCK + one:08}" for one in range(BLOCK)])
        seen = _drawn(block + 1, BLOCK)
        drawing += time.monotonic() - before
        for part in recommendation_tables(customers, seen, catalogue, methods, "hybrid", LAST_DAY):
            rows += part.num_rows
            # As the night does, which writes all rows at once.
            kept.append(part)
    seconds = time.monotonic() - started - drawing
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    told = table(
        f"{CUSTOMERS:,} customers, {PRODUCTS:,} products, {rows:,} rows by the hybrid",
        ("", "seconds", "gigabytes"),
        [
            [f"fitting on {FITTED:,} customers", fitted, None],
            ["and all lists", seconds, gigabytes],
        ],
    )
    named = "a million customers' lists"
    reached = [
        Aim(f"{named}: seconds", seconds, at_most=AIM_SECONDS, digits=0, unit=" s"),
        Aim(f"{named}: memory", gigabytes, at_most=AIM_GIGABYTES, digits=2, unit=" GB"),
    ]
    return "\n".join([told, aims(reached)])


def _drawn(seed: int, customers: int) -> Interactions:
    random = np.random.default_rng(seed)
    customer = np.repeat(np.arange(customers), 1 + random.poisson(9, customers))
    size = customer.size
    product = (PRODUCTS * random.random(size) ** 2).astype(np.int64)
    keeps = random.random(size) < 0.5
    product = np.where(keeps, product // 10 * 10 + customer % 10, product)
    kind = random.choice([0, 0, 1, 4, 4], size)
    weight = np.array([1, 0.6, 0.4, 0.0, 0.2])[kind]
    day = random.integers(0, LAST_DAY, size)
    return Interactions(customer, product, kind, day, weight, customers)
