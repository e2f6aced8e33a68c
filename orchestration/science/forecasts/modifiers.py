"""What is known of a customer beside the times of orders, and how regular and fresh those are.

What belongs here is the choice of features from which trees learn by which factor a customer
differs from what a closed form expects. Left out is what the closed form reads already (how many
orders, since when, how long ago), and what grows with the days that a shop has been known: trees
learn at earlier days, and know nothing beyond the values that they saw there.
"""

import numpy as np
from numpy.typing import NDArray

from orchestration.science.features import customer_features
from orchestration.science.forecasts.per_ledger import per_ledger
from orchestration.science.ledger import Ledger

Matrix = NDArray[np.float32]

# Of `features`, by unit: what was in the orders, and ratios of times.
UNITS = ("money", "units", "ratio", "share", "yes or no")
# Windows of fixed length, in which newcomers have their first order and others do not.
WINDOWS = ("net_amount_last_30d", "net_amount_last_90d", "net_amount_last_180d")
WINDOWS += ("net_amount_last_365d",)
EVENT_ENDINGS = ("_mean_amount", "_last_amount")


@per_ledger
def modifiers(ledger: Ledger) -> tuple[tuple[str, ...], Matrix]:
    """Describe every customer of a ledger by what a closed form does not read.

    Returns
    -------
    names : tuple of text, length n_features
    matrix : array, shape (n_customers, n_features)
        NaN where unknown.
    """
    described = customer_features(ledger)
    kept = [
        position
        for position, feature in enumerate(described.described)
        if (feature.unit in UNITS and feature.name not in WINDOWS)
        or feature.name.endswith(EVENT_ENDINGS)
    ]
    columns = {described.names[position]: described.matrix[:, position] for position in kept}
    occasions = ledger.occasions()
    x, t_x, T = ledger.histories(occasions)
    n = ledger.n_customers
    columns["unit_count"] = np.bincount(occasions.customer, occasions.unit_count, minlength=n)
    columns["silent_share"] = np.divide(T - t_x, T, out=np.full(n, np.nan), where=T > 0)
    # Of the repeat orders, those in the later half of the time as a customer: above a half if the
    # customer comes more and more often.
    is_repeat = np.ones(occasions.day.size, dtype=bool)
    is_repeat[:1] = False
    is_repeat[1:] = np.diff(occasions.customer) == 0
    late = is_repeat & (2 * (ledger.until - occasions.day) < T[occasions.customer])
    count = np.bincount(occasions.customer[late], minlength=n)
    columns["late_share"] = np.divide(count, x, out=np.full(n, np.nan), where=x > 0)
    matrix = np.empty((n, len(columns)), dtype=np.float32, order="F")
    for position, values in enumerate(columns.values()):
        matrix[:, position] = values
    return tuple(columns), matrix
