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
# A long horizon is followed in longer steps: each step is a forecast of its own.
STEPS = 13


class Week(NamedTuple):
    """A week after an origin, or some: those that end with ``week_number``; sums over customers.

    ``weeks`` is how many weeks the entry spans; week 1 is the first after the origin.
    """

    origin: int
    week_number: int
    weeks: int
    expected_orders: float
    actual_orders: float
    cumulative_expected_orders: float
    cumulative_actual_orders: float


def tracking(
    ledger: Ledger,
    forecaster: Forecaster,
    origins: Origins,
    weeks_of: Forecaster | None = None,
) -> list[Week]:
    """Follow a forecaster week by week from every origin at which it speaks.

    Only whole weeks of the horizon are followed, in at most `STEPS` steps of equal length.

    Parameters
    ----------
    ledger : Ledger
    forecaster : Forecaster
    origins : Origins
    weeks_of : Forecaster, optional
        Lends its shape over the weeks to a forecaster for which each step would cost a training
        of its own; the total at the horizon stays the forecaster's.
    """
    weeks = origins.horizon_days // DAYS_PER_WEEK
    step = -(-weeks // STEPS)
    found = []
    for day in origins.days:
        known = known_at(ledger, day)
        scale = _scale(known, forecaster, weeks_of, origins.horizon_days)
        expected_so_far = actual_so_far = 0.0
        for week in range(step, weeks + 1, step):
            said = forecast_of(known, weeks_of or forecaster, week * DAYS_PER_WEEK)
            if said.level == "none" or scale is None:
                break
            expected = scale * float(said.expected_orders.sum())
            actual = float(ledger.outcomes(known, week * DAYS_PER_WEEK).order_count.sum())
            found.append(
                Week(
                    day,
                    week,
                    step,
                    expected - expected_so_far,
                    actual - actual_so_far,
                    expected,
                    actual,
                )
            )
            expected_so_far, actual_so_far = expected, actual
    return found


def _scale(
    known: Ledger, forecaster: Forecaster, weeks_of: Forecaster | None, horizon_days: int
) -> float | None:
    """Total of the one over total of the other; None if either does not speak."""
    if weeks_of is None:
        return 1.0
    own = forecast_of(known, forecaster, horizon_days)
    lent = forecast_of(known, weeks_of, horizon_days)
    if "none" in (own.level, lent.level) or not lent.expected_orders.sum() > 0:
        return None
    return float(own.expected_orders.sum() / lent.expected_orders.sum())
