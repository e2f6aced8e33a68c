"""Value: what customers still bring, when they order next, and what a membership brings itself.

The records that callers read are in `records`; each of `residual`, `next_order` and `membership`
makes one of them. `customers` is the scoring of a night.
"""

from orchestration.science.value.customers import (
    FEATURE_COLUMNS,
    FITS_SCHEMA,
    SCORES_SCHEMA,
    CustomerScores,
    OrderValues,
    discounted_orders,
    expected_order_values,
    score_customers,
)
from orchestration.science.value.membership import membership_values
from orchestration.science.value.next_order import next_orders, share_ordered_by
from orchestration.science.value.records import MembershipValues, NextOrders, ValueForecast
from orchestration.science.value.residual import Earlier, earlier_forecasts, value_forecast

__all__ = [
    "FEATURE_COLUMNS",
    "FITS_SCHEMA",
    "SCORES_SCHEMA",
    "CustomerScores",
    "Earlier",
    "MembershipValues",
    "NextOrders",
    "OrderValues",
    "ValueForecast",
    "discounted_orders",
    "earlier_forecasts",
    "expected_order_values",
    "membership_values",
    "next_orders",
    "score_customers",
    "share_ordered_by",
    "value_forecast",
]
