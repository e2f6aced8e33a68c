"""A shop that delivers nothing but orders. A file of its own and first by name: it needs no shop that others share."""

import shutil

from conftest import Shop

from orchestration.settings import from_environment
from tests.shared import SAMPLE

# Marts that orders fill, but not on the first night: there is no earlier one to differ from.
EMPTY_OF_ORDERS = {"fct_cohort_restatements"}


def test_a_shop_that_delivers_nothing_but_orders_has_its_night(tmp_path):
    shop = Shop(from_environment({"RETENTION_DATA": str(tmp_path / "data")}))
    inbox = shop.data / "inbox"
    inbox.mkdir(parents=True)
    for file in SAMPLE.glob("orders*"):
        shutil.copy(file, inbox)

    outcome = shop.retention("refresh", "--as-of", "2025-12-31")

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    # Every mart is there, and one without rows either lacks a source and says which, or is known to wait for more.
    _, rows = shop.serving.query("select mart_name, has_data, missing_sources from fct_mart_status")
    empty = {
        mart: missing
        for mart, has_data, missing in rows
        if shop.serving.query(f"select count(*) from {mart}")[1] == [(0,)]
    }
    assert {mart for mart, has_data, _ in rows if has_data} & set(empty) <= EMPTY_OF_ORDERS
    assert all(missing for mart, missing in empty.items() if mart not in EMPTY_OF_ORDERS)
    assert {mart for mart, has_data, missing in rows if not has_data and not missing} == set()
    for mart in (
        "fct_cohort_retention",
        "fct_customer_churn",
        "fct_customer_value",
        "fct_customer_rfm",
    ):
        assert mart not in empty
