"""What running memberships of the sample shop are said to pay, against the hidden chances of renewal."""

import csv

import pytest

from orchestration.science.value.membership import membership_values
from tests.shared import TRUTH

HORIZON_DAYS = 365


@pytest.fixture(scope="module")
def hidden_chances() -> dict[str, dict[int, float]]:
    """Probability of renewal by billing period and number of the term."""
    found: dict[str, dict[int, float]] = {}
    with (TRUTH / "renewals.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            chances = found.setdefault(row["billing_period"], {})
            chances[int(row["term_number"])] = float(row["renewal_probability"])
    return found


@pytest.fixture(scope="module")
def memberships(sample_shop):
    return sample_shop.warehouse.read("intermediate.int_clv__memberships")


@pytest.fixture(scope="module")
def valued(sample_shop, memberships):
    renewals = sample_shop.warehouse.read("intermediate.int_clv__renewals")
    return membership_values(memberships, renewals, HORIZON_DAYS, yearly_discount_rate=0.0)


def fees_by_hidden_chances(row: dict, chances: dict[int, float]) -> float:
    """Fees of a year, renewal by renewal; after the last number of the truth chances stay."""
    day, number, reached, fees = float(row["days_to_renewal"]), row["term_number"], 1.0, 0.0
    while day <= HORIZON_DAYS:
        reached *= chances.get(number, chances[max(n for n in chances if n <= max(number, 1))])
        fees += reached * row["next_fee_amount"]
        day += 365 * row["paid_term_months"] / 12
        number += 1
    return fees


# An end is counted about a hundred times among monthly members and three times among annual ones: the chance to end is
# known to a tenth of 0.08, and to 0.016. Over a year of renewals that is 4% of the fees, and 1.6%; three of each.
@pytest.mark.parametrize(("billing_period", "error"), [("monthly", 0.12), ("annual", 0.048)])
def test_the_fees_to_come_are_those_of_the_hidden_chances(
    valued, memberships, hidden_chances, billing_period, error
):
    expected = dict(zip(valued.membership_ids, valued.expected_fees, strict=True))
    said = hidden = 0.0
    for row in memberships.to_pylist():
        # Who asked to leave or did not pay on time is no longer what the truth's chances speak of.
        if (
            row["billing_period"] == billing_period
            and row["days_to_renewal"] >= 0
            and not row["is_cancel_requested"]
        ):
            said += expected[row["membership_id"]]
            hidden += fees_by_hidden_chances(row, hidden_chances[billing_period])
    assert hidden > 1000
    assert said == pytest.approx(hidden, rel=error)


def test_every_running_membership_has_a_value_and_bounds_around_zero_or_its_fees(valued):
    assert valued.expected.size > 200
    assert (valued.p10 <= valued.p90).all()
    assert (valued.expected == valued.expected_fees - valued.expected_benefit_cost).all()
    assert set(valued.model_names) <= {"sbg", "beta_discrete_weibull", "constant_rate"}


def test_running_memberships_are_those_that_the_mart_counts_as_running(sample_shop, valued):
    _, rows = sample_shop.serving.query(
        "select membership_id from fct_membership_value where is_running order by 1"
    )
    # A membership without a plan that anybody paid would be left out; the sample shop has none.
    assert sorted(valued.membership_ids) == [membership for (membership,) in rows]
