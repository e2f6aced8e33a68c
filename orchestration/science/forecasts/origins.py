"""Earlier days of a ledger from which a forecaster can learn what comes after a day like today.

What belongs here is their choice. Everything that a forecaster learns of its own errors, it learns
by forecasting at these days with what was known then, and counting what came until today.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.forecasts.per_ledger import per_ledger
from orchestration.science.ledger import Ledger

Floats = NDArray[np.float64]

# Shorter horizons than four weeks say little of habits.
LEAST_HORIZON_DAYS = 28
SEASON_DAYS = 364
# Of the days known, so much at most is set aside as the outcome: two thirds stay to learn from.
MOST_SHARE_AHEAD = 1 / 3
# Errors of this many customers are known to a fraction of a percent; more cost time and say the same.
MOST_CUSTOMERS = 25_000


class InnerOrigin(NamedTuple):
    """A day, and how far one looks ahead from it; the outcome is known today."""

    day: int
    horizon_days: int


def inner_origins(ledger: Ledger, horizon_days: int) -> tuple[InnerOrigin, ...]:
    """Choose the days, latest first.

    The last one that sees a whole horizon end, the one a horizon before it, and the day
    a year ago, whose season is that of today. In a young shop the horizon is cut so that two
    thirds of its days lie before it; a shop under 84 days has none.

    Examples
    --------
    A shop of a thousand days and one of 39 weeks (the ledger matters by its length alone).

    >>> import pyarrow as pa
    >>> from orchestration.science.ledger import ledger_from_tables
    >>> one_order = pa.table({"customer_id": ["ann"], "ordered_date": pa.array([0], pa.date32())})
    >>> [tuple(origin) for origin in inner_origins(ledger_from_tables(one_order, 999), 90)]
    [(909, 90), (819, 90), (635, 90)]
    >>> [tuple(origin) for origin in inner_origins(ledger_from_tables(one_order, 272), 273)]
    [(181, 91), (90, 91)]
    """
    n_days = ledger.until - ledger.first_day + 1
    ahead = min(horizon_days, int(n_days * MOST_SHARE_AHEAD))
    if ahead < min(LEAST_HORIZON_DAYS, horizon_days):
        return ()
    days = [ledger.until - ahead, ledger.until - 2 * ahead]
    days += [ledger.until - SEASON_DAYS] if ahead < SEASON_DAYS else []
    # At least as much must be known before as is looked ahead.
    earliest = ledger.first_day + ahead - 1
    kept = sorted({day for day in days if day >= earliest}, reverse=True)
    return tuple(InnerOrigin(day, ahead) for day in kept)


@per_ledger
def known_at(ledger: Ledger, day: int) -> Ledger:
    """Cut a ledger at an earlier day, for at most `MOST_CUSTOMERS`, once for all who ask."""
    return thinned(ledger.known_at(day), MOST_CUSTOMERS)


@per_ledger
def orders_after(ledger: Ledger, origin: InnerOrigin) -> Floats:
    """Count the order days within the horizon of an origin, for the customers of `known_at`."""
    known = known_at(ledger, origin.day)
    return ledger.outcomes(known, origin.horizon_days).order_count


def thinned(ledger: Ledger, most: int) -> Ledger:
    """Keep every k-th customer of a large ledger, with all that is known of each.

    Shares and means stay, sums shrink; every k-th and not the first, because ids are given in time.
    """
    step = -(-ledger.n_customers // most)
    if step <= 1:
        return ledger
    return ledger.of_customers(np.arange(ledger.n_customers) % step == 0)
