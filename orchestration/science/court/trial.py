"""The hearing: every candidate at every origin, held against what came.

What belongs here is the loop and its record. Each origin sees the ledger as it stood that day, and
nothing else; all candidates of an origin speak of the same customers.
"""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.court.candidates import Prediction, Score
from orchestration.science.court.origins import Origins
from orchestration.science.errors import DataError
from orchestration.science.forecasts.per_ledger import known_at
from orchestration.science.ledger import Ledger

Floats = NDArray[np.float64]

# A total of so many is known to a percent or two, which is less than a night moves it; more would double the time of
# the court, most of which goes into trees at earlier days.
CUSTOMERS_HEARD = 25_000


@dataclass(frozen=True)
class Hearing:
    """One origin: what each candidate said of its customers, and what came.

    ``customer`` is the place of each in the ledger of the night; all arrays have shape
    (n_customers,) of that origin.
    """

    origin: int
    customer: NDArray[np.int64]
    frequency: Floats
    age_days: Floats
    actual: Floats
    predictions: dict[str, Prediction]


@dataclass(frozen=True)
class Trial:
    """All hearings of a score, oldest first."""

    score: Score
    origins: Origins
    hearings: tuple[Hearing, ...]

    @property
    def n_judged(self) -> int:
        """Customers, counted once for each origin at which they were judged."""
        return sum(hearing.actual.size for hearing in self.hearings)

    def actual(self) -> Floats:
        """What came, over all origins."""
        return np.concatenate([hearing.actual for hearing in self.hearings] or [np.zeros(0)])

    def customer(self) -> NDArray[np.int64]:
        """Whose entries they are, over all origins."""
        return np.concatenate(
            [hearing.customer for hearing in self.hearings] or [np.zeros(0, dtype=np.int64)]
        )

    def expected(self, model_name: str) -> Floats | None:
        """What a candidate said over all origins; None if it failed to speak at any."""
        said = [hearing.predictions[model_name] for hearing in self.hearings]
        if not said or any(prediction.level == "none" for prediction in said):
            return None
        return np.concatenate([prediction.expected for prediction in said])


def hear(score: Score, ledger: Ledger, origins: Origins) -> Trial:
    """Let every candidate of a score speak at every origin.

    Parameters
    ----------
    score : Score
    ledger : Ledger
        Of the night, or a part of its customers (`customers_heard`).
    origins : Origins
        From `rolling_origins` of the same ledger.

    Raises
    ------
    DataError
        If a candidate speaks of another number of customers than the ledger has.
    """
    hearings = []
    for day in origins.days:
        known = known_at(ledger, day)
        if not known.n_customers:
            continue
        histories = known.histories()
        hearings.append(
            Hearing(
                day,
                np.searchsorted(ledger.customer_ids, known.customer_ids),
                histories.frequency,
                histories.age_days,
                score.outcome(ledger.outcomes(known, origins.horizon_days)),
                {
                    candidate.model_name: _checked(
                        candidate.predict(known, origins.horizon_days), known, candidate.model_name
                    )
                    for candidate in score.candidates
                },
            )
        )
    return Trial(score, origins, tuple(hearings))


def customers_heard(ledger: Ledger, limit: int = CUSTOMERS_HEARD) -> Ledger:
    """Keep a part of the customers of a large shop, the same ones every night; see `is_heard`."""
    if ledger.n_customers <= limit:
        return ledger
    return ledger.of_customers(is_heard(ledger.customer_ids, limit))


def is_heard(customer_ids: NDArray[np.object_], limit: int = CUSTOMERS_HEARD) -> NDArray[np.bool_]:
    """Choose who is heard of all customers, whatever their order.

    A customer stays in or out by a fixed number made of the id, so that growth of the shop
    replaces few of those heard and no order of ids can favour anyone.
    """
    if customer_ids.size <= limit:
        return np.ones(customer_ids.size, dtype=bool)
    number = np.fromiter(
        (zlib.crc32(text.encode()) for text in customer_ids), np.uint32, customer_ids.size
    )
    return number < np.sort(number)[limit]


def _checked(prediction: Prediction, known: Ledger, model_name: str) -> Prediction:
    if prediction.expected.shape != (known.n_customers,):
        raise DataError(
            f"{model_name} speaks of {prediction.expected.size} customers but the ledger of day"
            f" {known.until} has {known.n_customers}"
        )
    return prediction
