"""The forecasters of churn by name, for whoever compares them.

What belongs here is the list. Choosing among them does not.
"""

from collections.abc import Mapping

from orchestration.science.churn.baselines import BaseRateChurn, OwnRateChurn
from orchestration.science.churn.boosted import BoostedChurn
from orchestration.science.churn.closed_form import ClosedFormChurn
from orchestration.science.churn.records import ChurnForecaster
from orchestration.science.purchases.models import MODELS

# Those without a model first, then the closed forms, then what stands on them.
CHURN_FORECASTERS: Mapping[str, ChurnForecaster] = {
    one.model_name: one
    for one in (
        BaseRateChurn(),
        OwnRateChurn(),
        *(ClosedFormChurn(name) for name in MODELS),
        BoostedChurn(),
    )
}
BASELINES = (BaseRateChurn.model_name, OwnRateChurn.model_name)
