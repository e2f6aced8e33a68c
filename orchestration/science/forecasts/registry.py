"""Every forecaster by name: what the court compares each night.

What belongs here is the list. Choosing among them does not: the court does that, on what came.
"""

from collections.abc import Mapping

from orchestration.science.forecasts.baselines import BASELINES
from orchestration.science.forecasts.boosted import BOOSTED
from orchestration.science.forecasts.closed_forms import CLOSED_FORMS
from orchestration.science.forecasts.levelled import LEVELLED
from orchestration.science.forecasts.pooled import POOLED
from orchestration.science.forecasts.records import Forecaster

# From plain to able: of those whom the past does not tell apart, the court takes the last.
FORECASTERS: Mapping[str, Forecaster] = {
    forecaster.model_name: forecaster
    for forecaster in (*BASELINES, POOLED, *CLOSED_FORMS, *LEVELLED, *BOOSTED)
}
# Forecasts without a model: never champion, always beside it.
BASELINE_NAMES: tuple[str, ...] = tuple(baseline.model_name for baseline in BASELINES)
