"""The memory of what was worked out from a ledger."""

import gc
from datetime import date

import pyarrow as pa

from orchestration.science.forecasts import per_ledger
from orchestration.science.ledger import Ledger, ledger_from_tables


def one_order() -> Ledger:
    table = pa.table({"customer_id": ["ann"], "ordered_date": [date(2025, 1, 1)]})
    return ledger_from_tables(table, 20_200)


def test_each_ledger_and_argument_is_worked_out_once_and_forgotten_with_the_ledger():
    asked = []

    @per_ledger.per_ledger
    def doubled(ledger: Ledger, number: int) -> int:
        asked.append((ledger.until, number))
        return 2 * number

    shop, other = one_order(), one_order()
    assert [doubled(shop, 3), doubled(shop, 3), doubled(shop, 4)] == [6, 6, 8]
    assert doubled(other, 3) == 6
    assert asked == [(20_200, 3), (20_200, 4), (20_200, 3)]

    remembered = len(per_ledger._KNOWN)
    del shop, other
    gc.collect()
    assert len(per_ledger._KNOWN) == remembered - 2
