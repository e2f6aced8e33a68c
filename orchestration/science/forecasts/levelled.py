"""Closed forms brought to the level of the shop: the ranking of the one, the sum of the other.

What belongs here is the combination of `closed_forms` and `level`, as a forecaster.
"""

from dataclasses import dataclass

from orchestration.science.forecasts import counts, intervals
from orchestration.science.forecasts.closed_forms import fitted, predicted
from orchestration.science.forecasts.counts import Counts
from orchestration.science.forecasts.level import level_of
from orchestration.science.forecasts.per_ledger import per_ledger
from orchestration.science.forecasts.records import Forecast, no_forecast
from orchestration.science.ledger import Ledger


@per_ledger
def levelled(
    ledger: Ledger, closed_form: str, horizon_days: int, day: int | None = None
) -> Counts | None:
    """Multiply a closed form's means by the shop's level; None if its fit may not be used."""
    found = predicted(ledger, closed_form, horizon_days, day)
    level = level_of(ledger, closed_form, horizon_days, day)
    return None if found is None or level is None else counts.scaled(found, level.factor)


@dataclass(frozen=True)
class Levelled:
    """A closed form whose expectations are multiplied by one factor for all customers.

    The ranking stays that of the closed form, to the last digit.
    """

    closed_form: str

    @property
    def model_name(self) -> str:
        """Name of the closed form, marked."""
        return f"levelled_{self.closed_form}"

    def predict(self, ledger: Ledger, horizon_days: int, day: int | None = None) -> Counts | None:
        """Forecast the distribution of every customer's orders; None if the fit failed."""
        return levelled(ledger, self.closed_form, horizon_days, day)

    def forecast(self, ledger: Ledger, horizon_days: int) -> Forecast:
        """Fit, correct the level and forecast; level ``none`` with the fit's verdict if it failed."""
        found = self.predict(ledger, horizon_days)
        level = level_of(ledger, self.closed_form, horizon_days)
        if found is None or level is None:
            verdict = fitted(ledger, self.closed_form).verdict
            return no_forecast(self.model_name, horizon_days, ledger.n_customers, verdict)
        return intervals.bounded(ledger, self, horizon_days, found, level.verdict, level.log_sd)


LEVELLED = (Levelled("bgnbd"), Levelled("pareto_nbd"), Levelled("mbgnbd"), Levelled("mbgcnbd_k"))
