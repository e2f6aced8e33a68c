"""Memberships of the sample shop against its hidden truth, and against members counted by hand from the raw files."""

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from scipy.stats import binomtest, norm

from tests.shared import TRUTH

GRACE = timedelta(days=14)
MOVEMENTS = (
    "new",
    "trial_conversion",
    "expansion",
    "contraction",
    "churn_voluntary",
    "churn_involuntary",
    "reactivation",
    "paused",
    "resumed",
    "transferred",
)

# Members who came back under a new membership within the grace, with the last term of the old one. Their spell
# goes on, so that term counts as renewed; the generator counts it as lost.
BACK_WITHIN_THE_GRACE = """
    select old.membership_id, max(terms.billing_period), max(terms.term_number)
    from staging.stg_memberships as old
    join staging.stg_memberships as new
        on old.customer_id = new.customer_id and old.joined_at < new.joined_at
    join staging.stg_membership_terms as terms
        on old.membership_id = terms.membership_id
    where not old.is_deleted and not new.is_deleted and not terms.is_deleted
        and terms.payment_status in ('paid', 'waived')
        and terms.term_end = (
            select max(term_end) from staging.stg_membership_terms
            where membership_id = old.membership_id and payment_status in ('paid', 'waived')
        )
        and cast(new.joined_at as date) - terms.term_end between 0 and 14
    group by 1
"""


def hidden_renewals() -> dict[tuple[str, int], tuple[float, int, int]]:
    """Probability, terms decided and terms renewed, by billing period and term number."""
    with (TRUTH / "renewals.csv").open(newline="") as file:
        return {
            (row["billing_period"], int(row["term_number"])): (
                float(row["renewal_probability"]),
                int(row["due"]),
                int(row["renewed"]),
            )
            for row in csv.DictReader(file)
        }


@pytest.fixture(scope="module")
def counted_renewals(sample_shop) -> dict[tuple[str, int], tuple[int, int]]:
    """Terms decided and renewed of the mart, over all plans and cohorts."""
    _, rows = sample_shop.serving.query(
        "select billing_period, term_number, sum(decided_terms), sum(renewed_terms)"
        " from fct_membership_renewals group by all having sum(decided_terms) > 0"
    )
    return {
        (billing, term): (int(decided), int(renewed)) for billing, term, decided, renewed in rows
    }


@pytest.fixture(scope="module")
def back_within_the_grace(sample_shop) -> dict[str, tuple[str, int]]:
    """Billing period and number of the last term, by the membership that another one followed."""
    return {
        membership: (billing, term)
        for membership, billing, term in sample_shop.warehouse.query(BACK_WITHIN_THE_GRACE)
    }


def test_the_terms_whose_renewal_is_decided_are_those_of_the_truth(counted_renewals):
    counted = {key: decided for key, (decided, _) in counted_renewals.items()}
    assert counted == {key: due for key, (_, due, _) in hidden_renewals().items()}


def test_more_terms_renew_than_in_the_truth_only_where_a_member_came_back_within_the_grace(
    counted_renewals, back_within_the_grace
):
    expected = {key: renewed for key, (_, _, renewed) in hidden_renewals().items()}
    for key in back_within_the_grace.values():
        expected[key] += 1
    assert len(back_within_the_grace) == 2
    assert {key: renewed for key, (_, renewed) in counted_renewals.items()} == expected


def test_renewal_rates_by_term_lie_within_binomial_error_of_the_hidden_probabilities(
    counted_renewals,
):
    for key, (probability, _, _) in hidden_renewals().items():
        decided, renewed = counted_renewals[key]
        # 38 terms are looked at: 0.001 each keeps a false alarm below one in twenty.
        assert binomtest(renewed, decided, probability).pvalue > 0.001, key


@pytest.mark.parametrize("billing_period", ["trial", "monthly", "annual"])
def test_all_renewals_of_a_billing_period_together_lie_within_error_of_the_hidden_ones(
    counted_renewals, billing_period
):
    terms = [
        (*counted_renewals[key], probability)
        for key, (probability, _, _) in hidden_renewals().items()
        if key[0] == billing_period
    ]
    expected = sum(decided * p for decided, _, p in terms)
    spread = sum(decided * p * (1 - p) for decided, _, p in terms) ** 0.5
    deviation = (sum(renewed for _, renewed, _ in terms) - expected) / spread
    assert abs(deviation) < norm.ppf(0.9995)


def test_a_membership_ends_on_the_shops_day_and_after_the_grace_where_it_was_cancelled(
    sample_shop, back_within_the_grace
):
    [(as_of_date,)] = sample_shop.warehouse.query(
        "select max(as_of_date) from marts.fct_membership_terms"
    )
    ends = sample_shop.warehouse.query("""
        select
            coverage.membership_id,
            memberships.end_type,
            cast(timezone('Europe/London', timezone('UTC', memberships.ended_at)) as date),
            coverage.outcome,
            coverage.ended_date
        from intermediate.int_membership__coverage as coverage
        join staging.stg_memberships as memberships
            on coverage.membership_id = memberships.membership_id
        where coverage.is_run_end
    """)
    compared = 0
    for membership, end_type, shop_day, outcome, ended_date in ends:
        if membership in back_within_the_grace:
            continue
        # The shop ends a cancelled membership with its paid time; here the grace is waited for, as for everybody.
        expected = (
            None
            if shop_day is None
            else shop_day + (GRACE if end_type == "voluntary" else timedelta())
        )
        if expected is None or expected > as_of_date:
            assert (outcome, ended_date) == ("undecided", None), membership
        else:
            assert (outcome, ended_date) == (f"ended_{end_type}", expected), membership
            compared += 1
    assert compared > 100


# Counted by hand from the raw files of seeds/sample: month, movement, amount.
COUNTED_MOVEMENTS = {
    # Monthly at 8.99, paid until 2025-05-02 and cancelled; the same person joins again as M0000292 thirteen days later,
    # within the grace: no churn, the MRR is handed over.
    "M0000272": [("2025-04", "new", "8.99"), ("2025-05", "transferred", "-8.99")],
    # ... one waived month from 2025-10-15.
    "M0000292": [
        ("2025-05", "transferred", "8.99"),
        ("2025-10", "paused", "-8.99"),
        ("2025-11", "resumed", "8.99"),
    ],
    # One waived month from 2024-04-19. Asked to leave on 2025-10-06, paid until 2025-10-19, grace until 2025-11-02: the
    # churn is November's.
    "M0000042": [
        ("2023-09", "new", "8.99"),
        ("2024-04", "paused", "-8.99"),
        ("2024-05", "resumed", "8.99"),
        ("2025-11", "churn_voluntary", "-8.99"),
    ],
    # Trial from 2023-11-04, first fee on 2023-12-04; that of 2024-01-04 fails for good, grace until 2024-01-18.
    "M0000053": [
        ("2023-12", "trial_conversion", "8.99"),
        ("2024-01", "churn_involuntary", "-8.99"),
    ],
    # Paid until 2025-04-06, grace until 2025-04-20; the same person is back on 2025-06-27, as a family: 109.00 / 12.
    "M0000168": [("2024-11", "trial_conversion", "8.99"), ("2025-04", "churn_voluntary", "-8.99")],
    "M0000310": [("2025-06", "reactivation", "9.08")],
    # Annual: (79.00 - 15.80) / 12 = 5.27 in the first year, 79.00 / 12 = 6.58 in the second and third.
    "M0000011": [("2023-05", "trial_conversion", "5.27"), ("2024-05", "expansion", "1.31")],
    # Annual for two years, then monthly, which costs more a month; paid until 2025-11-27, grace until 2025-12-11.
    "M0000014": [
        ("2023-05", "trial_conversion", "6.58"),
        ("2025-05", "expansion", "2.41"),
        ("2025-12", "churn_voluntary", "-8.99"),
    ],
    # Annual at 6.58, then family at 9.08.
    "M0000044": [("2023-10", "new", "6.58"), ("2025-10", "expansion", "2.50")],
    # One waived month, later annual at 6.58.
    "M0000096": [
        ("2024-03", "new", "8.99"),
        ("2024-06", "paused", "-8.99"),
        ("2024-07", "resumed", "8.99"),
        ("2024-10", "contraction", "-2.41"),
    ],
    # A trial that was cancelled, and one whose first fee failed: no MRR, no churn of MRR.
    "M0000003": [],
    "M0000271": [],
}


def moved(columns: list[str], rows: list[tuple]) -> Iterator[tuple[str, str, str, str]]:
    for row in (dict(zip(columns, values, strict=True)) for values in rows):
        for movement in MOVEMENTS:
            if amount := row[f"{movement}_mrr_amount"]:
                yield row["membership_id"], f"{row['month_start']:%Y-%m}", movement, str(amount)


def test_the_movements_of_twelve_members_are_those_counted_by_hand(sample_shop):
    names = ", ".join(f"'{membership}'" for membership in COUNTED_MOVEMENTS)
    columns, rows = sample_shop.serving.query(
        f"select * from fct_membership_movements where membership_id in ({names}) order by month_start"
    )
    assert {row[0] for row in rows} == set(COUNTED_MOVEMENTS)
    found: dict[str, list[tuple[str, str, str]]] = {
        membership: [] for membership in COUNTED_MOVEMENTS
    }
    for membership, *movement in moved(columns, rows):
        found[membership].append(tuple(movement))
    assert found == COUNTED_MOVEMENTS


# Counted by hand from the raw files, by plan and month of 2023. Annual in May: M1, M6 and M9 at 6.58, M5 at
# 63.20 / 12 = 5.27; M10 joins, the trials of M11 (5.27) and M14 convert; in June M20, M25 and M29 join. Family in June:
# M15 at 9.08, M13 at 87.20 / 12 = 7.27; M26 joins, the trial of M16 converts. Monthly at 8.99 in May: M2, M4, M7, M8
# and M12, where M4 is paid until 23 April and leaves when its grace ends on 7 May, and M18 and M19 join; in June M22
# and M27 join and the trial of M17 converts, who asks to leave three days later and is paid until July.
COUNTED_MONTHS = {
    # The trials of M0000010, M0000011 and M0000014 became paid terms on the 8th, 9th and 27th.
    ("plus_annual", 5): (4, 0, 3, 7, "25.01", "43.44", 1.0, 0.0),
    ("plus_annual", 6): (7, 0, 0, 10, "43.44", "63.18", 1.0, 0.0),
    ("plus_annual_family", 6): (2, 0, 1, 4, "16.35", "34.51", 1.0, 0.0),
    ("plus_monthly", 5): (5, 1, 0, 6, "44.95", "53.94", 0.8, 0.2),
    ("plus_monthly", 6): (6, 0, 1, 9, "53.94", "80.91", 1.0, 0.0),
}


def test_members_and_revenue_of_two_months_are_those_counted_by_hand(sample_shop):
    _, rows = sample_shop.serving.query("""
        select
            plan_code, month(month_start), opening_members, churn_voluntary_members,
            trial_conversion_members, closing_members,
            opening_mrr_amount, closing_mrr_amount, gross_revenue_retention_rate, logo_churn_rate
        from fct_membership_months
        where month_start in (date '2023-05-01', date '2023-06-01')
    """)
    found = {
        (plan, month): (*members, str(opening), str(closing), kept, churned)
        for plan, month, *members, opening, closing, kept, churned in rows
    }
    for key, (*counted, kept, churned) in COUNTED_MONTHS.items():
        assert found[key] == (*counted, pytest.approx(kept), pytest.approx(churned)), key


def test_a_renewal_paid_late_within_the_grace_is_recovered_and_not_lost(sample_shop):
    # M0000060: the fee of 2024-02-25 fails and is paid on 2024-02-29.
    _, [(paid, recovered, outcome)] = sample_shop.serving.query(
        "select paid_date, is_recovered, outcome from fct_membership_terms"
        " where membership_id = 'M0000060' and term_number = 3"
    )
    assert (paid, recovered, outcome) == (date(2024, 2, 29), True, "renewed")


def test_all_fees_that_the_shop_received_are_in_the_value_of_its_memberships(sample_shop):
    [(delivered,)] = sample_shop.warehouse.query(
        "select sum(fee_amount - discount_amount) from staging.stg_membership_terms"
        " where payment_status = 'paid' and not is_deleted"
    )
    _, [(counted,)] = sample_shop.serving.query(
        "select sum(fee_paid_amount) from fct_membership_value"
    )
    assert counted == delivered
    assert isinstance(counted, Decimal)
