"""The days from which the court looks ahead.

What belongs here is the choice of days: far enough back that their horizon has closed, late enough
that there was something to learn from, a quarter apart so that they fall in different seasons.
"""

from typing import NamedTuple

from orchestration.science.ledger import Ledger

# Four quarters: each season of a year once. Whole weeks, so that weekdays weigh alike.
ORIGINS = 4
DAYS_BETWEEN_ORIGINS = 91
# A forecaster that has seen less has no habits to learn; such a shop gets pooled estimates.
MINIMUM_HISTORY_DAYS = 180
MINIMUM_HORIZON_DAYS = 28


class Origins(NamedTuple):
    """Days to look ahead from, ascending, and the horizon that can be judged on them.

    ``horizon_days`` is the one that was asked for, or the longest that has closed in a shop too
    young for it; ``note`` says so in words.
    """

    days: tuple[int, ...]
    horizon_days: int
    note: str


def rolling_origins(ledger: Ledger, horizon_days: int) -> Origins:
    """Choose the origins of a horizon.

    Parameters
    ----------
    ledger : Ledger
    horizon_days : int > 0

    Returns
    -------
    Origins
        Without days if the shop is too young to judge anything.
    """
    first_day = ledger.first_day if ledger.orders.day.size else ledger.until
    return quarterly_origins(first_day, ledger.until, horizon_days)


def quarterly_origins(first_day: int, until: int, horizon_days: int) -> Origins:
    """Choose the origins of a horizon between the first day of a shop and its last.

    Examples
    --------
    >>> quarterly_origins(0, 500, 90).days
    (228, 319, 410)
    """
    age = until - first_day
    room = age - MINIMUM_HISTORY_DAYS
    if room < MINIMUM_HORIZON_DAYS:
        return Origins(
            (),
            horizon_days,
            f"the shop is {age} days old: {MINIMUM_HISTORY_DAYS} to learn from and"
            f" {MINIMUM_HORIZON_DAYS} to judge are needed",
        )
    judged = horizon_days if room >= horizon_days else room // 7 * 7
    latest = until - judged
    earliest = first_day + MINIMUM_HISTORY_DAYS
    count = min(ORIGINS, (latest - earliest) // DAYS_BETWEEN_ORIGINS + 1)
    days = tuple(latest - DAYS_BETWEEN_ORIGINS * step for step in reversed(range(count)))
    said = [f"{count} of {ORIGINS} origins" if count < ORIGINS else f"{count} origins"]
    if count < ORIGINS:
        said.append(f"the shop is {age} days old")
    if judged < horizon_days:
        said.append(f"judged over {judged} days, since {horizon_days} have not closed yet")
    return Origins(days, judged, "; ".join(said))
