"""What remains of a customer's sales: contribution margin over net amount, steadied by the shop's.

What belongs here is the ratio that turns an amount ordered into a margin kept. It is taken after
refunds over amounts before them, so that returns are paid by the orders that bring them.
"""

import numpy as np
from numpy.typing import NDArray

from orchestration.science.forecasts.per_ledger import per_ledger
from orchestration.science.ledger import Ledger

Floats = NDArray[np.float64]


@per_ledger
def margin_ratios(ledger: Ledger) -> Floats:
    """Contribution margin after refunds over net amount before refunds, per customer.

    A ratio of a few orders is noise, so each customer's own is drawn to the shop's with the
    weight of one average customer (Buehlmann's credibility with k in money):
    (M_i + R A) / (N_i + A), R = sum M / sum N, A = mean N.

    Returns
    -------
    array of float, shape (n_customers,)
        The shop's ratio for who has paid nothing. NaN for all where the shop has sold nothing or
        no margin is known: amounts that were not delivered are 0 in a ledger.
    """
    days, size = ledger.occasions(), ledger.n_customers
    net = np.bincount(days.customer, days.net_amount, minlength=size)
    margin = np.bincount(days.customer, days.margin_amount, minlength=size)
    # Refunds hold what orders that were given back have cost, too: these orders count no more.
    margin -= np.bincount(ledger.refunds.customer, ledger.refunds.margin_amount, minlength=size)
    paid = net > 0
    if not paid.any() or not days.margin_amount.any():
        return np.full(size, np.nan)
    shop = margin[paid].sum() / net[paid].sum()
    average = net[paid].mean()
    own = (margin + shop * average) / (np.maximum(net, 0) + average)
    return np.where(paid, own, shop)
