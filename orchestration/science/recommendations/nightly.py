"""The tables of a night: what each customer is shown, and what was measured of the methods."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from orchestration.science.recommendations.acts import Interactions, acts_until
from orchestration.science.recommendations.catalogue import Catalogue
from orchestration.science.recommendations.lists import (
    CELLS_AT_ONCE,
    permitted,
    rank,
    shown_variants,
)
from orchestration.science.recommendations.methods import Methods
from orchestration.science.recommendations.reasons import reasons
from orchestration.science.recommendations.trial import Trial, speakers_of

METHODS = ("popular", "content", "collaborative", "hybrid")

_TEXT = pa.dictionary(pa.int32(), pa.string())
RECOMMENDATIONS = pa.schema(
    [
        ("customer_id", _TEXT),
        ("recommendation_rank", pa.int32()),
        ("variant_id", _TEXT),
        ("score", pa.float64()),
        ("method", _TEXT),
        ("reason", _TEXT),
    ]
)
BACKTESTS = pa.schema(
    [
        ("method", pa.string()),
        ("origin_date", pa.date32()),
        ("item_scope", pa.string()),
        ("metric_name", pa.string()),
        ("customers", pa.int64()),
        ("value", pa.float64()),
        ("value_low", pa.float64()),
        ("value_high", pa.float64()),
        ("ndcg_difference", pa.float64()),
        ("ndcg_difference_low", pa.float64()),
        ("ndcg_difference_high", pa.float64()),
        ("hardest_yardstick", pa.string()),
        ("reason", pa.string()),
        ("is_yardstick", pa.bool_()),
        ("is_passing", pa.bool_()),
        ("is_champion", pa.bool_()),
    ]
)


def recommendation_tables(
    customers: pa.Array,
    interactions: Interactions,
    catalogue: Catalogue,
    methods: Methods,
    champion: str,
    day: int,
) -> Iterator[pa.Table]:
    """`recommendation_table` of parts of the customers, so that scores of all products fit into memory."""
    size = max(1, CELLS_AT_ONCE // max(catalogue.n_products, 1))
    for first in range(0, len(customers), size):
        own = customers.slice(first, size)
        yield recommendation_table(
            own, interactions.of_customers(first, len(own)), catalogue, methods, champion, day
        )


def recommendation_table(
    customers: pa.Array,
    interactions: Interactions,
    catalogue: Catalogue,
    methods: Methods,
    champion: str,
    day: int,
) -> pa.Table:
    """At most ten rows per customer, best first.

    Parameters
    ----------
    customers : pyarrow.Array of text, length interactions.n_customers
    interactions : Interactions
        Of these customers.
    methods : Methods
        Fitted on what was known at the end of ``day``.
    champion : str
        Who speaks; what sells fills up.
    day : int
        The night's last day.
    """
    on_shelf = catalogue.shelf(day)
    # Where nothing was ever bought nobody knows what sells, and there is nothing to fall back on.
    if not on_shelf.any() or not methods.popular.variant_sales.any():
        return RECOMMENDATIONS.empty_table()
    acts = acts_until(interactions, catalogue, day)
    lists = rank(acts, permitted(acts, catalogue, on_shelf), speakers_of(champion, methods))
    customer, column = np.nonzero(lists.product >= 0)
    product = lists.product[customer, column]
    # What sells stands last among the speakers; alone it is the first of them.
    is_told = (lists.speaker[customer, column] == 0) & (champion != METHODS[0])
    words, by_content, by_collaborative = reasons(
        acts,
        customer,
        product,
        is_told & np.isin(champion, ("content", "hybrid")),
        is_told & np.isin(champion, ("collaborative", "hybrid")),
        methods,
        catalogue,
    )
    of_product, keys, own = shown_variants(
        interactions, catalogue, on_shelf, methods.popular.variant_sales, day
    )
    asked = customer * catalogue.n_products + product
    place = np.minimum(np.searchsorted(keys, asked), max(keys.size - 1, 0))
    variant = of_product[product]
    if keys.size:
        variant = np.where(keys[place] == asked, own[place], variant)
    method = np.where(by_content, 1, 0) + np.where(by_collaborative, 2, 0)
    texts, reason = np.unique(words.astype(str), return_inverse=True)
    return pa.table(
        [
            _coded(customer, customers),
            pa.array((column + 1).astype(np.int32)),
            _coded(variant, pa.array(catalogue.variant_ids, pa.string())),
            pa.array(lists.score[customer, column]),
            _coded(method, pa.array(METHODS)),
            _coded(reason, pa.array(texts.tolist(), pa.string())),
        ],
        schema=RECOMMENDATIONS,
    )


def backtest_table(trial: Trial) -> pa.Table:
    """One row per method, origin, scope and metric, with what was found of the method over all origins."""
    verdicts = {one.method: one for one in trial.verdicts}
    rows = []
    for one in trial.measured:
        verdict = verdicts[one.method]
        values = {
            "value": one.value,
            "value_low": one.low,
            "value_high": one.high,
            "ndcg_difference": verdict.against.value,
            "ndcg_difference_low": verdict.against.low,
            "ndcg_difference_high": verdict.against.high,
        }
        rows.append(
            {
                "method": one.method,
                "origin_date": one.origin,
                "item_scope": one.scope,
                "metric_name": one.metric,
                "customers": one.customers,
                **{name: None if np.isnan(value) else value for name, value in values.items()},
                "hardest_yardstick": verdict.hardest,
                "reason": trial.reason if one.method == trial.champion else verdict.reason,
                "is_yardstick": verdict.is_yardstick,
                "is_passing": verdict.is_passing,
                "is_champion": one.method == trial.champion,
            }
        )
    columns = {
        field.name: pa.array([row[field.name] for row in rows], _storage(field.type)).cast(
            field.type
        )
        for field in BACKTESTS
    }
    return pa.table(columns, schema=BACKTESTS)


def _coded(codes: np.ndarray, words: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), words)


def _storage(kind: pa.DataType) -> pa.DataType:
    """Days are numbers inside."""
    return pa.int32() if pa.types.is_date32(kind) else kind
