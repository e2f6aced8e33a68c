"""The models of customers who never announce that they leave, by name, and their interface.

What belongs here is the list and what may be asked of each entry, so that a caller can loop over
models: fit each to the same histories, ask each for the same predictions, compare. Choosing among
them does not belong here.
"""

from collections.abc import Mapping
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestration.science.purchases import bgnbd, mbgcnbd_k, mbgnbd, pareto_nbd
from orchestration.science.purchases.fits import Histories, PurchaseFit

Floats = NDArray[np.float64]


class PurchaseModel(Protocol):
    """What a module must offer to be a model of orders.

    Histories are ``frequency`` (repeat orders), ``recency`` (time from first to last order) and
    ``age`` (time from the first order to the end of observation), as in
    `histories.group_customers`; predictions broadcast all their arguments and take only fits that
    converged. A horizon starts at the end of observation.
    """

    MODEL_NAME: str
    # All that a fit is rebuilt from, by `PurchaseFit.given`.
    PARAMETERS: tuple[str, ...]

    def fit(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        weight: ArrayLike | None = None,
        time_unit: str = "day",
    ) -> PurchaseFit:
        """Fit to histories, one per customer or one per distinct history with its weight."""
        ...

    def p_alive(self, fit: Any, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
        """Probability of being active still. No churn score: see `p_at_least_one`."""
        ...

    def p_at_least_one(
        self,
        fit: Any,
        horizon: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
    ) -> Floats:
        """Probability of at least one order within the horizon."""
        ...

    def expected_purchases(
        self,
        fit: Any,
        horizon: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
    ) -> Floats:
        """Expected number of orders within the horizon."""
        ...

    def purchase_count_distribution(
        self,
        fit: Any,
        count: ArrayLike,
        horizon: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
    ) -> Floats:
        """Probability of exactly so many orders within the horizon."""
        ...

    def simulate(
        self, fit: Any, age: ArrayLike, random_state: int, later: float = 0.0
    ) -> Histories:
        """Draw customers from the model's assumptions alone."""
        ...


# The model whose scores are published first; then the others.
MODELS: Mapping[str, PurchaseModel] = {
    module.MODEL_NAME: cast(PurchaseModel, module)
    for module in (bgnbd, pareto_nbd, mbgnbd, mbgcnbd_k)
}
