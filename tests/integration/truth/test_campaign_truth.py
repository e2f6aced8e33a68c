"""Messages of the sample shop against what its generator hid, and experiments against SciPy."""

import csv
import re
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from tests.shared import TRUTH

METRICS = ("orders", "purchase_rate", "contribution_margin", "clicks")


@pytest.fixture(scope="module")
def results(sample_shop):
    return sample_shop.warehouse.read("marts.fct_experiment_results").to_pylist()


@pytest.fixture(scope="module")
def units(sample_shop):
    """Every counted draw, and whatever each customer did; who was erased has no name and did nothing."""
    rows = sample_shop.warehouse.query("""
        select experiment_id, arm, customer_id, assigned_at, is_mature, min_window_days
        from marts.fct_experiment_assignments
        inner join staging.stg_experiments using (experiment_id)
        where is_counted
    """)
    orders = sample_shop.warehouse.query("""
        select customer_id, ordered_at, is_valid_order, cast(contribution_margin_amount as double)
        from marts.fct_orders where is_sale
    """)
    clicks = sample_shop.warehouse.query("""
        select customer_id, first_clicked_at from marts.fct_messages where first_clicked_at is not null
    """)
    done: dict[str, list[tuple]] = {}
    for customer_id, at, is_valid, margin in orders:
        done.setdefault(customer_id, []).append((at, is_valid, margin, 0))
    for customer_id, at in clicks:
        done.setdefault(customer_id, []).append((at, False, 0.0, 1))
    return rows, done


def outcomes(units, experiment: str, arm: str) -> dict[str, np.ndarray]:
    """One row per mature customer of an arm: each metric after the draw, and before it."""
    rows, done = units
    found: dict[str, list[tuple[float, float]]] = {metric: [] for metric in METRICS}
    for of, in_arm, customer_id, assigned_at, is_mature, days in rows:
        if (of, in_arm) != (experiment, arm) or not is_mature or customer_id is None:
            continue
        window = timedelta(days=days)
        sides = []
        for first in (assigned_at, assigned_at - window):
            inside = [one for one in done.get(customer_id, []) if first <= one[0] < first + window]
            count = sum(one[1] for one in inside)
            margin, clicked = sum(one[2] for one in inside), sum(one[3] for one in inside)
            sides.append((float(count), float(count > 0), margin, float(clicked)))
        for place, metric in enumerate(METRICS):
            found[metric].append((sides[0][place], sides[1][place]))
    return {metric: np.array(values) for metric, values in found.items()}


def test_messages_without_consent_are_those_that_the_generator_sent_by_mistake(sample_shop):
    with (TRUTH / "sends_without_consent.csv").open(newline="") as file:
        hidden = {row["message_id"] for row in csv.DictReader(file)}
    told = sample_shop.warehouse.query(
        "select message_id from marts.fct_messages where is_sent_without_consent"
    )
    assert hidden
    assert {row[0] for row in told} == hidden


def test_consents_end_as_the_generator_ended_them_where_the_shop_writes_no_word_of_it(sample_shop):
    """Its words about unsubscriptions, complaints and requests are hidden; the message and the request must do."""
    path = "compiled/retention/models/intermediate/consents/int_consents__history.sql"
    model = (sample_shop.settings.target_directory / path).read_text()
    hidden = "source in ('unsubscribe_link', 'privacy_request') or status = 'complained'"
    quieter, places = re.subn(
        r"(\S+stg_consents\S*)", rf"(select * from \1 where not ({hidden}))", model
    )
    assert places == 1
    granted = (
        "select customer_id, channel, purpose, valid_from, valid_to from ({}) where is_granted"
    )
    [(words, speakers)] = sample_shop.warehouse.query(f"""
        select count(*), count(distinct source) from staging.stg_consents where {hidden}
    """)
    assert words > 100
    assert speakers == 3
    assert set(sample_shop.warehouse.query(granted.format(quieter))) == set(
        sample_shop.warehouse.query(granted.format(model))
    )


def test_nobody_of_the_holdout_was_written_to(sample_shop):
    [(messages,)] = sample_shop.warehouse.query(
        "select coalesce(sum(sent), 0) from marts.fct_campaign_results where arm = 'holdout'"
    )
    assert messages == 0


def test_lifts_and_their_intervals_are_those_of_scipy(results, units):
    compared = [row for row in results if not row["is_control"] and row["lift_low"] is not None]
    assert {row["metric"] for row in compared} == set(METRICS)
    for row in compared:
        treated, control = (
            outcomes(units, row["experiment_id"], arm)[row["metric"]]
            for arm in (row["arm"], row["control_arm"])
        )
        assert row["mature_units"] == len(treated)
        welch = stats.ttest_ind(treated[:, 0], control[:, 0], equal_var=False)
        interval = welch.confidence_interval(0.95)
        # The quantile is an expansion that is good to eight digits, the tail one good to 3e-5.
        assert row["lift"] == pytest.approx(treated[:, 0].mean() - control[:, 0].mean(), abs=1e-9)
        assert row["lift_low"] == pytest.approx(interval.low, rel=1e-6, abs=1e-9)
        assert row["lift_high"] == pytest.approx(interval.high, rel=1e-6, abs=1e-9)
        assert row["p_value"] == pytest.approx(welch.pvalue, abs=3e-5)
        # CUPED by least squares: the slope within the arms, then Welch on what it leaves.
        centred = np.vstack([arm - arm.mean(axis=0) for arm in (treated, control)])
        slope = np.linalg.lstsq(centred[:, 1:], centred[:, 0], rcond=None)[0][0]
        left = [arm[:, 0] - slope * arm[:, 1] for arm in (treated, control)]
        adjusted = stats.ttest_ind(*left, equal_var=False).confidence_interval(0.95)
        assert row["cuped_lift_low"] == pytest.approx(adjusted.low, rel=1e-6, abs=1e-9)
        assert row["cuped_lift_high"] == pytest.approx(adjusted.high, rel=1e-6, abs=1e-9)


def test_arm_sizes_are_judged_as_scipy_judges_them_and_lost_units_are_found(results, units):
    """The generator loses units of one arm of the checkout, and of no other experiment."""
    drawn = Counter((experiment, arm) for experiment, arm, *_ in units[0])
    by_experiment: dict[str, dict[str, dict]] = {}
    for row in results:
        by_experiment.setdefault(row["experiment_id"], {})[row["arm"]] = row
    for experiment, arms in by_experiment.items():
        sizes = np.array([drawn[experiment, arm] for arm in arms])
        shares = np.array([row["planned_share"] for row in arms.values()])
        expected = stats.chisquare(sizes, shares * sizes.sum()).pvalue
        for row in arms.values():
            assert row["sample_ratio_p_value"] == pytest.approx(expected, abs=2e-7)
    mismatched = {name for name, arms in by_experiment.items() if "one_page" in arms}
    assert {
        row["experiment_id"] for row in results if row["has_sample_ratio_mismatch"]
    } == mismatched
    assert {
        row["experiment_id"] for row in results if row["conclusion"] == "withheld"
    } == mismatched


def test_what_a_campaign_added_is_what_its_customers_bought_over_those_who_were_left_out(
    sample_shop, units
):
    """By the week, from the draw on; the clocks of the shop are those of UTC in these weeks."""
    [experiment], [campaign] = zip(
        *sample_shop.warehouse.query("""
            select experiment_id, campaign_id from staging.stg_experiments where campaign_id is not null
        """),
        strict=True,
    )
    told = sample_shop.warehouse.query(f"""
        select message_week, drawn_customers, incremental_orders, incremental_orders_low,
            incremental_orders_high, cast(incremental_margin_amount as double),
            cast(incremental_margin_low_amount as double), cast(incremental_margin_high_amount as double)
        from marts.fct_campaign_results
        where campaign_id = '{campaign}' and arm = 'treated' and experiment_id = '{experiment}' and is_mature
    """)
    assert len(told) == 8
    rows, done = units
    drawn = [row for row in rows if row[0] == experiment and row[2] is not None]
    for week, customers, *figures in told:
        assert date(2025, 11, 3) <= week
        means, errors, sizes = [], [], []
        for arm in ("audience", "left_out"):
            bought = np.array(
                [
                    np.sum(
                        [
                            (is_valid, margin)
                            for at, is_valid, margin, _ in done.get(customer, [])
                            if at >= assigned and week <= at.date() < week + timedelta(days=7)
                        ]
                        or [(0, 0)],
                        axis=0,
                    )
                    for _, in_arm, customer, assigned, *_ in drawn
                    if in_arm == arm
                ]
            )
            sizes.append(len(bought))
            means.append(bought.mean(axis=0))
            errors.append(bought.var(axis=0, ddof=1) / len(bought))
        assert customers == sizes[0]
        added = (means[0] - means[1]) * customers
        half = stats.norm.ppf(0.975) * customers * np.sqrt(errors[0] + errors[1])
        for first, outcome in ((0, 0), (3, 1)):
            expected = [
                added[outcome],
                added[outcome] - half[outcome],
                added[outcome] + half[outcome],
            ]
            assert figures[first : first + 3] == pytest.approx(expected, abs=0.006)


def test_advertisements_that_bring_nobody_back_are_not_said_to(results):
    """The generator lets nobody buy more for being in the audience, or less for being left out."""
    lifts = [row for row in results if row["campaign_id"] is not None and not row["is_control"]]
    assert {row["metric"] for row in lifts} == set(METRICS)
    assert {row["conclusion"] for row in lifts} == {"no_difference"}
