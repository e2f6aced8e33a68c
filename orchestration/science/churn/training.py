"""Days of the past whose horizon is over, and what was known and what came of each customer.

What belongs here is the choice of days to learn from and the rows that they give. Every number of a
row is made from `Ledger.known_at` its day, the closed form included: parameters fitted today have
seen the orders that a row of the past is asked to predict. A label counts only where its horizon
ended by the last day of the ledger: an order that may still come is no missing order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.churn.closed_form import ClosedForm, first_closed_form
from orchestration.science.churn.level import carried_share, shift_of_log_odds
from orchestration.science.features import Features, customer_features
from orchestration.science.ledger import Ledger

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

DAYS_PER_YEAR = 365
DAYS_A_YEAR = 12
# Two years of days tell what a season does; one year of them is trained on.
MOST_DAYS, MOST_TRAINED_DAYS = 24, 12
# Of the trained days one in so many, the newest ones, is kept from the first training, to
# calibrate on.
CALIBRATED_ONE_IN = 3
# Trees learn nothing more from more people than this. Drawn by a fixed random state from ids in
# ascending order, each customer with the same chance, whatever they did.
MOST_CUSTOMERS, RANDOM_STATE = 25_000, 20_240_501
# In its first half year a shop's data knows no earlier orders of its customers: old customers look
# new, and what the closed form gets wrong then is no season.
SEASON_HISTORY_DAYS = 180
CLOSED_FORM_COLUMNS = ("closed_form_log_odds", "closed_form_log_orders", "closed_form_p_alive")
# Expected orders of a customer who is all but gone; its logarithm must stay finite.
FEWEST_ORDERS = 1e-6


@dataclass(frozen=True)
class PastDay:
    """A day whose horizon is over: what was known, what the closed form said, what came.

    ``shift`` is what must be added to the closed form's log-odds for everyone to be right.
    """

    ledger: Ledger
    closed: ClosedForm
    ordered: NDArray[np.bool_]
    shift: float

    @property
    def day(self) -> int:
        """The last day that was known."""
        return self.ledger.until


@dataclass(frozen=True)
class Season:
    """The shift that the same day a year ago needed, and how much of it is expected today.

    ``is_known`` is False where no horizon of a year ago has been seen; ``shift`` is 0 then.
    """

    is_known: bool
    shift: float


def drawn_customers(ledger: Ledger) -> Ledger:
    """The ledger of at most `MOST_CUSTOMERS` customers, drawn by a fixed random state."""
    n = ledger.n_customers
    if n <= MOST_CUSTOMERS:
        return ledger
    drawn = np.random.default_rng(RANDOM_STATE).choice(n, MOST_CUSTOMERS, replace=False)
    is_drawn = np.zeros(n, dtype=bool)
    is_drawn[drawn] = True
    return ledger.of_customers(is_drawn)


def past_days(ledger: Ledger, horizon_days: int) -> tuple[list[PastDay], int]:
    """Look back to days a month apart whose horizon is over, the newest first.

    A day needs as long a past as its horizon is long. Days on which no closed form converges
    are left out.

    Returns
    -------
    days : list of PastDay
    n_left_out : int
        Days without a closed form.
    """
    found, left_out = [], 0
    for back in range(MOST_DAYS):
        day = ledger.until - horizon_days - round(back * DAYS_PER_YEAR / DAYS_A_YEAR)
        if day - ledger.first_day < horizon_days:
            break
        known = ledger.known_at(day)
        said = first_closed_form(known.histories(), horizon_days)
        if not said.converged:
            left_out += 1
            continue
        ordered = ledger.outcomes(known, horizon_days).order_count > 0
        shift = shift_of_log_odds(said.log_odds, ordered)
        found.append(PastDay(known, said, ordered, shift))
    return found, left_out


def season_of(days: Sequence[PastDay], until: int) -> Season:
    """Carry the shift of the same day a year ago to the last day of a ledger."""
    settled = [one for one in days if one.day - one.ledger.first_day >= SEASON_HISTORY_DAYS]
    at, shift = np.array([one.day for one in settled]), np.array([one.shift for one in settled])
    wanted = until - DAYS_PER_YEAR
    # Half a month outside is the same season still.
    reach = DAYS_PER_YEAR / DAYS_A_YEAR / 2
    if not at.size or not at.min() - reach <= wanted <= at.max() + reach:
        return Season(False, 0.0)
    of_day = dict(zip(at.tolist(), shift.tolist(), strict=True))
    pairs = [
        (of_day[day - DAYS_PER_YEAR], later)
        for day, later in of_day.items()
        if day - DAYS_PER_YEAR in of_day
    ]
    year_ago = float(np.interp(wanted, at[::-1], shift[::-1]))
    return Season(True, carried_share(pairs) * year_ago)


def calibration_split(days: Sequence[PastDay], horizon_days: int) -> int:
    """How many of the newest days to calibrate on; 0 if none can be.

    The days before them whose horizon was over when the first of them began are what the first
    training may read, and there must be one.
    """
    for n_later in range(max(1, len(days) // CALIBRATED_ONE_IN), 0, -1):
        if trainable_before(days, n_later, horizon_days):
            return n_later
    return 0


def trainable_before(days: Sequence[PastDay], n_later: int, horizon_days: int) -> list[int]:
    """Positions of the days whose horizon ended before the newest ``n_later`` begin."""
    first = days[n_later - 1].day if days else 0
    return [at for at, one in enumerate(days) if one.day + horizon_days <= first]


def with_closed_form(features: Features, closed: ClosedForm, names: Sequence[str]) -> Matrix:
    """Lay out the columns of a day: features by name, then what the closed form says.

    A feature that a day does not know yet (a kind of event that nobody had met) is NaN.
    """
    known = {name: at for at, name in enumerate(features.names)}
    n_features = len(names)
    shape = (closed.p_order.size, n_features + len(CLOSED_FORM_COLUMNS))
    matrix = np.full(shape, np.nan, dtype=np.float32, order="F")
    for at, name in enumerate(names):
        if name in known:
            matrix[:, at] = features.matrix[:, known[name]]
    matrix[:, n_features] = closed.log_odds
    matrix[:, n_features + 1] = np.log(np.maximum(closed.expected_orders, FEWEST_ORDERS))
    matrix[:, n_features + 2] = closed.p_alive
    return matrix


def described(days: Sequence[PastDay], names: Sequence[str]) -> list[Matrix]:
    """The columns of every customer on every day."""
    return [with_closed_form(customer_features(one.ledger), one.closed, names) for one in days]
