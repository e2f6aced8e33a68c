"""What the champions say of every customer tonight, as tables.

What belongs here is the way from forecasts to rows. A score whose champion is missing, or does not
speak tonight, has no table here: the caller keeps the last good one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from orchestration.science.churn.reasons import Reasons
from orchestration.science.churn.records import ChurnForecast
from orchestration.science.court.candidates import forecast_of
from orchestration.science.forecasts.closed_forms import distinct_histories, fitted
from orchestration.science.forecasts.records import Forecast, Forecaster
from orchestration.science.ledger import Ledger
from orchestration.science.purchases.models import MODELS
from orchestration.science.scoring.docket import Case, NightSettings, value_candidate
from orchestration.science.value import MembershipValues, NextOrders, ValueForecast, next_orders

Floats = NDArray[np.float64]

MODEL_VERSION = "2"
# The closed form behind p_alive, which other models do not know.
ALIVE_MODEL = "bgnbd"

AMOUNT = pa.decimal128(18, 2)
_TEXT, _NUMBER, _COUNT, _DAY = pa.string(), pa.float64(), pa.int64(), pa.date32()
_MADE = [
    ("level", _TEXT),
    ("model_name", _TEXT),
    ("model_version", _TEXT),
    ("scored_as_of_date", _DAY),
]
CHURN = pa.schema(
    [
        ("customer_id", _TEXT),
        ("horizon_days", _COUNT),
        ("p_order", _NUMBER),
        ("p_churn", _NUMBER),
        ("relative_risk_band", _TEXT),
        ("reason_1", _TEXT),
        ("reason_2", _TEXT),
        ("reason_3", _TEXT),
        ("is_one_time_buyer", pa.bool_()),
        ("label_available_on", _DAY),
        *_MADE,
    ]
)
REASONS = pa.schema(
    [
        ("customer_id", _TEXT),
        ("horizon_days", _COUNT),
        ("reason_number", _COUNT),
        ("feature_name", _TEXT),
        ("contribution", _NUMBER),
        ("reason", _TEXT),
        *_MADE[1:],
    ]
)
CLV = pa.schema(
    [
        ("customer_id", _TEXT),
        ("horizon_days", _COUNT),
        ("frequency", _COUNT),
        ("recency_days", _COUNT),
        ("age_days", _COUNT),
        ("p_alive", _NUMBER),
        ("expected_orders_365d", _NUMBER),
        ("orders_365d_p10", _NUMBER),
        ("orders_365d_p90", _NUMBER),
        ("expected_order_value_amount", AMOUNT),
        ("margin_ratio", _NUMBER),
        ("residual_clv_365d_amount", AMOUNT),
        ("residual_clv_365d_p10_amount", AMOUNT),
        ("residual_clv_365d_p90_amount", AMOUNT),
        ("order_value_model_name", _TEXT),
        *_MADE,
    ]
)
NEXT_ORDERS = pa.schema(
    [
        ("customer_id", _TEXT),
        ("expected_next_order_date", _DAY),
        ("next_order_p50_date", _DAY),
        ("next_order_p90_date", _DAY),
        *_MADE,
    ]
)
MEMBERSHIPS = pa.schema(
    [
        ("membership_id", _TEXT),
        ("customer_id", _TEXT),
        ("p_next_renewal", _NUMBER),
        ("expected_fees_365d_amount", AMOUNT),
        ("expected_benefit_cost_365d_amount", AMOUNT),
        ("membership_value_365d_amount", AMOUNT),
        ("membership_value_365d_p10_amount", AMOUNT),
        ("membership_value_365d_p90_amount", AMOUNT),
        *_MADE[1:],
    ]
)
# In a larger shop reasons are told of those most likely to order at all: of who is long gone they
# are always the same, and sentences are the slowest part of a night.
CUSTOMERS_TOLD = 200_000


@dataclass(frozen=True)
class Spoken:
    """What the champions said tonight.

    Attributes
    ----------
    tables : mapping of name to pyarrow.Table
        customer_churn, score_reasons, customer_clv, customer_next_order; those of a withheld
        score are absent, and of churn the rows of its horizons are.
    levels : mapping of case key to level
        Of the scores that are published.
    silent : mapping of case key to text
        Why a champion did not speak tonight.
    """

    tables: Mapping[str, pa.Table]
    levels: Mapping[tuple[str, int], str]
    silent: Mapping[tuple[str, int], str]


def let_speak(
    cases: Sequence[Case],
    tonight: Ledger,
    forecasters: Mapping[str, Forecaster],
    settings: NightSettings,
) -> Spoken:
    """Ask every champion about the customers of tonight.

    Parameters
    ----------
    cases : sequence of Case
        From `hold_court`.
    tonight : Ledger
        Of the night, without the orders that were given back (`known_at` its own last day).
    forecasters : mapping of name to Forecaster
        Those that stood for the orders.
    settings : NightSettings
    """
    tables: dict[str, pa.Table] = {}
    levels: dict[tuple[str, int], str] = {}
    silent: dict[tuple[str, int], str] = {}
    orders: list[Forecast] = []
    for case in cases:
        if case.ruling.champion is None:
            continue
        if case.score.score_name == "value":
            candidate = value_candidate(
                forecasters[case.ruling.champion], settings.yearly_discount_rate
            )
            said = candidate.forecast(tonight, case.score.horizon_days)
        else:
            said = case.champion_forecast(tonight)
        if said is None or said.level == "none":
            silent[case.key] = said.verdict if said is not None else "it does not stand trial"
            continue
        levels[case.key] = said.level
        if isinstance(said, ValueForecast):
            # The orders that the value is made of, whoever speaks for orders themselves.
            behind = forecast_of(tonight, forecasters[said.model_name], said.horizon_days)
            tables["customer_clv"] = clv_table(tonight, said, behind)
        elif case.score.score_name == "churn":
            for name, found in churn_tables(tonight, _churn_of(tonight, said)).items():
                _append(tables, name, found)
        else:
            orders.append(said)
    if orders:
        tables["customer_next_order"] = next_order_table(tonight, next_orders(tonight, orders))
    return Spoken(tables, levels, silent)


def churn_tables(tonight: Ledger, said: ChurnForecast) -> dict[str, pa.Table]:
    """One row per customer: the chance of no order within the horizon; and one per reason for it."""
    size = tonight.n_customers
    reasons = _reasons(said)
    words: dict[str, pa.Array] = {f"reason_{place}": pa.nulls(size, _TEXT) for place in (1, 2, 3)}
    by_reason = REASONS.empty_table()
    if reasons is not None:
        place = np.full(size, -1)
        place[reasons.customers] = np.arange(reasons.customers.size)
        where = pa.array(place, mask=place < 0)
        words = {name: told.take(where) for name, told in reasons.columns().items()}
        found = reasons.table(tonight.customer_ids)
        by_reason = _table(
            {name: found[name] for name in found.column_names}
            | {
                "horizon_days": pa.repeat(said.horizon_days, found.num_rows),
                **_made(said.level, said.model_name, tonight, found.num_rows),
            },
            REASONS,
        )
    columns = {
        "customer_id": tonight.customer_ids,
        "horizon_days": pa.repeat(said.horizon_days, size),
        "p_order": said.p_order,
        "p_churn": said.p_churn,
        "relative_risk_band": said.bands(),
        **words,
        "is_one_time_buyer": said.is_one_time,
        "label_available_on": _dates(np.full(size, float(said.horizon_days)), tonight.until),
        **_made(said.level, said.model_name, tonight),
    }
    return {"customer_churn": _table(columns, CHURN), "score_reasons": by_reason}


def _reasons(said: ChurnForecast) -> Reasons | None:
    """Reasons of all customers, or in a large shop of those most likely to order."""
    if said.p_order.size <= CUSTOMERS_TOLD:
        return said.reasons()
    likeliest = np.argpartition(-said.p_order, CUSTOMERS_TOLD)[:CUSTOMERS_TOLD]
    return said.reasons(np.sort(likeliest))


def clv_table(tonight: Ledger, said: ValueForecast, orders: Forecast) -> pa.Table:
    """One row per customer: what is still to come, with its bounds."""
    histories, size = tonight.histories(), tonight.n_customers
    nothing = np.full(size, np.nan)
    bounds = (nothing, nothing)
    if orders.orders_p10 is not None and orders.orders_p90 is not None:
        bounds = (orders.orders_p10, orders.orders_p90)
    columns = {
        "customer_id": tonight.customer_ids,
        "horizon_days": pa.repeat(said.horizon_days, size),
        "frequency": histories.frequency.astype(np.int64),
        "recency_days": histories.recency_days.astype(np.int64),
        "age_days": histories.age_days.astype(np.int64),
        "p_alive": _nullable(_alive(tonight)),
        "expected_orders_365d": _nullable(orders.expected_orders),
        "orders_365d_p10": _nullable(bounds[0]),
        "orders_365d_p90": _nullable(bounds[1]),
        "expected_order_value_amount": _amounts(said.expected_order_value),
        "margin_ratio": said.margin_ratio,
        "residual_clv_365d_amount": _amounts(said.expected),
        "residual_clv_365d_p10_amount": _amounts(said.p10),
        "residual_clv_365d_p90_amount": _amounts(said.p90),
        "order_value_model_name": pa.repeat(
            pa.scalar(said.order_value_model_name, pa.string()), size
        ),
        **_made(said.level, said.model_name, tonight),
    }
    return _table(columns, CLV)


def next_order_table(tonight: Ledger, said: NextOrders) -> pa.Table:
    """One row per customer: when the next order is expected; null where it is not."""
    columns = {
        "customer_id": tonight.customer_ids,
        "expected_next_order_date": _dates(said.expected_days, tonight.until),
        "next_order_p50_date": _dates(said.p50_days, tonight.until),
        "next_order_p90_date": _dates(said.p90_days, tonight.until),
        **_made(said.level, said.model_name, tonight),
    }
    return _table(columns, NEXT_ORDERS)


def membership_table(said: MembershipValues, until: int) -> pa.Table:
    """One row per running membership whose renewals can be forecast."""
    known = np.flatnonzero(~np.isnan(said.expected))
    columns = {
        "membership_id": said.membership_ids[known],
        "customer_id": said.customer_ids[known],
        "p_next_renewal": _nullable(said.p_next_renewal[known]),
        "expected_fees_365d_amount": _amounts(said.expected_fees[known]),
        "expected_benefit_cost_365d_amount": _amounts(said.expected_benefit_cost[known]),
        "membership_value_365d_amount": _amounts(said.expected[known]),
        "membership_value_365d_p10_amount": _amounts(said.p10[known]),
        "membership_value_365d_p90_amount": _amounts(said.p90[known]),
        "model_name": said.model_names[known],
        "model_version": pa.repeat(MODEL_VERSION, known.size),
        "scored_as_of_date": _dates(np.zeros(known.size), until),
    }
    return _table(columns, MEMBERSHIPS)


def _churn_of(tonight: Ledger, said: ChurnForecast | Forecast) -> ChurnForecast:
    """A forecast of orders as one of churn; it has no reasons to give."""
    if isinstance(said, ChurnForecast):
        return said
    return ChurnForecast(
        model_name=said.model_name,
        horizon_days=said.horizon_days,
        level=said.level,
        verdict=said.verdict,
        p_order=said.p_order,
        is_one_time=tonight.histories().frequency == 0,
    )


def _alive(tonight: Ledger) -> Floats:
    fit = fitted(tonight, ALIVE_MODEL)
    if not fit.converged:
        return np.full(tonight.n_customers, np.nan)
    x, t_x, T, position = distinct_histories(tonight)
    return MODELS[ALIVE_MODEL].p_alive(fit, x, t_x, T)[position]


def _made(level: str, model_name: str, tonight: Ledger, rows: int | None = None) -> dict:
    size = tonight.n_customers if rows is None else rows
    return {
        "level": pa.repeat(level, size),
        "model_name": pa.repeat(model_name, size),
        "model_version": pa.repeat(MODEL_VERSION, size),
        "scored_as_of_date": _dates(np.zeros(size), tonight.until),
    }


def _append(tables: dict[str, pa.Table], name: str, table: pa.Table) -> None:
    tables[name] = pa.concat_tables([tables[name], table]) if name in tables else table


def _table(columns: Mapping[str, object], schema: pa.Schema) -> pa.Table:
    arrays = [
        pa.array(columns[name]) if isinstance(columns[name], np.ndarray) else columns[name]
        for name in schema.names
    ]
    return pa.table(dict(zip(schema.names, arrays, strict=True))).cast(schema)


def _dates(days_after: Floats, until: int) -> pa.Array:
    """Days after the night as dates; NaN becomes null."""
    unknown = np.isnan(days_after)
    days = np.where(unknown, 0, days_after).astype(np.int32) + np.int32(until)
    return pa.array(days, pa.int32(), mask=unknown).cast(_DAY)


def _nullable(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _amounts(values: Floats) -> pa.Array:
    return pc.cast(pc.round(_nullable(values), 2), AMOUNT)
