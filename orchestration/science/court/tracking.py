"""Orders week by week after an origin, as a forecast expected them and as they came.

What belongs here is the sum over customers: a forecast whose total is right after a year may still
be early or late, and a season shows itself in the weeks.
"""

from typing import NamedTuple

from orchestration.science.court.candidates import forecast_of
from orchestration.science.court.origins import Origins
from orchestration.science.forecasts.per_ledger import known_at
from orchestration.science.forecasts.records import Forecaster
from orchestration.science.ledger import Ledger

DAYS_PER_WEEK = 7


class Week(NamedTuple):
    """One week after an origin; ``week_number`` 1 is the first, sums over all its customers."""

    origin: int
    week_number: int
    expected_orders: float
    actual_orders: float
    cumulative_expected_orders: float
    cumulative_actual_orders: float


def tracking(ledger: Ledger, forecaster: Forecaster, origins: Origins) -> list[Week]:
    """Follow a forecaster week by week from every origin at which it speaks.

    Only whole weeks of the horizon are followed.
    """
    found = []
    for day in origins.days:
        known = known_at(ledger, day)
        expected_so_far = actual_so_far = 0.0
        for week in range(1, origins.horizon_days // DAYS_PER_WEEK + 1):
            said = forecast_of(known, forecaster, week * DAYS_PER_WEEK)
            if said.level == "none":
                break
            expected = float(said.expected_orders.sum())
            actual = float(ledger.outcomes(known, week * DAYS_PER_WEEK).order_count.sum())
            found.append(
                Week(
                    day,
                    week,
                    # Two forecasts of different horizons are two fits: a week is never below none.
                    max(expected - expected_so_far, 0.0),
                    actual - actual_so_far,
                    expected,
                    actual,
                )
            )
            expected_so_far, actual_so_far = expected, actual
    return found
