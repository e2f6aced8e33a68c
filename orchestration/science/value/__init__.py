"""Value: what customers still bring, when they order next, and what a membership brings itself.

The records that callers read are in `records`; each of `residual`, `next_order` and `membership`
makes one of them.
"""

from orchestration.science.value.membership import membership_values
from orchestration.science.value.next_order import next_orders, share_ordered_by
from orchestration.science.value.records import MembershipValues, NextOrders, ValueForecast
from orchestration.science.value.residual import Earlier, earlier_forecasts, value_forecast

__all__ = [
    "Earlier",
    "MembershipValues",
    "NextOrders",
    "ValueForecast",
    "earlier_forecasts",
    "membership_values",
    "next_orders",
    "share_ordered_by",
    "value_forecast",
]
