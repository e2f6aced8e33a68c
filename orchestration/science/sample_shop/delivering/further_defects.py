"""Defects in the sources beside orders, returns and memberships: which, and how many of each.

They are planted the way of `defects`, from a random stream of their own. Where a table has no key of
one column, the change itself makes a key that no good row has.
"""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.delivering.defects import (
    DELETED,
    REPLACEMENT,
    STAGED,
    SUPERSEDED,
    PlantedDefect,
    Planter,
    Spoiling,
    key_text,
    repeat_rows,
    spoil,
)
from orchestration.science.sample_shop.delivering.files import TABLE_KEYS, DeliveryFile, Row


def _put(**values: Any) -> Any:
    return lambda row: row | values


def _relative(column: str, base: str, days: int, **values: Any) -> Any:
    return lambda row: row | values | {column: row[base] + dt.timedelta(days=days)}


def _long_ago(column: str, **values: Any) -> Any:
    """Move a row of a day to a year in which the shop did not exist, so that its key is its own."""
    return lambda row: row | values | {column: row[column].replace(year=2015, day=1)}


FAR = dt.datetime(2099, 1, 5, 12, 0)
FURTHER_SPOILINGS = (
    Spoiling("customer_identifiers", "unknown_value", 2, "id_type", "accepted",
             _put(id_type="fax")),
    Spoiling("customer_identifiers", "seen_last_before_first", 2, "last_seen_at",
             "last_seen_at_is_not_before_first_seen_at",
             _relative("last_seen_at", "first_seen_at", -2, id_value="no longer in use")),
    Spoiling("customer_identifiers", "missing_key", 1, "id_value", "required",
             _put(id_value=None)),
    Spoiling("consents", "unknown_value", 2, "status", "accepted", _put(status="maybe")),
    Spoiling("consents", "missing_value", 2, "customer_id", "required", _put(customer_id=None)),
    Spoiling("consents", "day_that_does_not_exist", 1, "event_at", "type",
             _put(event_at="2025-02-30 08:00:00")),
    Spoiling("privacy_requests", "completed_before_received", 1, "completed_at",
             "completed_at_is_not_before_received_at",
             _relative("completed_at", "received_at", -5)),
    Spoiling("privacy_requests", "unknown_value", 1, "request_type", "accepted",
             _put(request_type="forget me")),
    Spoiling("payments", "negative_amount", 2, "amount", "at_least",
             _put(amount=decimal.Decimal("-12.00"))),
    Spoiling("payments", "orphan", 3, "order_id", "parent",
             _put(order_id="O8999995", membership_term_id=None)),
    Spoiling("payments", "belongs_to_nothing", 1, "order_id", "belongs_to_an_order_or_a_term",
             _put(order_id=None, membership_term_id=None)),
    Spoiling("payments", "unknown_value", 1, "kind", "accepted", _put(kind="chargeback")),
    Spoiling("payments", "unparseable_number", 2, "amount", "type", _put(amount="12,5O"),
             delivery=1),
    Spoiling("payments", "currency_not_three_letters", 1, "currency", "currency_is_three_letters",
             _put(currency="POUND")),
    Spoiling("shipment_events", "orphan", 3, "shipment_id", "parent",
             _put(shipment_id="S8999997")),
    Spoiling("shipment_events", "event_before_shipping", 2, "event_at",
             "event_is_not_a_day_before_shipping", _relative("event_at", "event_at", -60)),
    Spoiling("shipment_events", "unknown_value", 2, "event_type", "accepted",
             _put(event_type="teleported"), delivery=1),
    Spoiling("support_tickets", "answered_before_opened", 2, "first_response_at",
             "first_response_at_is_not_before_opened_at",
             _relative("first_response_at", "opened_at", -1)),
    Spoiling("support_tickets", "score_off_its_scale", 2, "csat_score", "csat_score_is_at_most_5",
             _put(csat_score=9)),
    Spoiling("support_tickets", "score_off_its_scale", 1, "csat_score", "at_least",
             _put(csat_score=0)),
    Spoiling("support_tickets", "unknown_value", 1, "channel", "accepted",
             _put(channel="carrier pigeon")),
    Spoiling("support_tickets", "orphan", 2, "order_id", "parent", _put(order_id="O8999994")),
    Spoiling("support_tickets", "negative_amount", 1, "compensation_amount", "at_least",
             _put(compensation_amount=decimal.Decimal("-5.00"))),
    Spoiling("survey_responses", "score_off_its_scale", 2, "score", "score_fits_its_scale",
             _put(survey_type="nps", score=11)),
    Spoiling("survey_responses", "score_off_its_scale", 1, "score", "only_nps_and_churn_start_at_0",
             _put(survey_type="csat", score=0)),
    Spoiling("survey_responses", "answered_before_sent", 2, "responded_at",
             "responded_at_is_not_before_sent_at", _relative("responded_at", "sent_at", -1)),
    Spoiling("survey_responses", "unknown_value", 1, "survey_type", "accepted",
             _put(survey_type="smiley")),
    Spoiling("survey_responses", "missing_value", 1, "customer_id", "required",
             _put(customer_id=None)),
    Spoiling("reviews", "score_off_its_scale", 2, "rating", "rating_is_at_most_5", _put(rating=10)),
    Spoiling("reviews", "score_off_its_scale", 1, "rating", "at_least", _put(rating=0)),
    Spoiling("reviews", "orphan", 2, "variant_id", "parent", _put(variant_id="V9999")),
    Spoiling("reviews", "answered_before_written", 1, "replied_at",
             "replied_at_is_not_before_created_at", _relative("replied_at", "created_at", -3)),
    Spoiling("wishlist_items", "removed_before_added", 2, "removed_at",
             "removed_at_is_not_before_added_at",
             lambda row: row | {"added_at": row["added_at"] + dt.timedelta(seconds=1),
                                "removed_at": row["added_at"] - dt.timedelta(days=1)}),
    Spoiling("wishlist_items", "orphan", 2, "variant_id", "parent", _put(variant_id="V9998")),
    Spoiling("loyalty_ledger", "earning_that_takes", 2, "points", "an_earning_is_positive",
             _put(entry_type="earn", points=-50)),
    Spoiling("loyalty_ledger", "burning_that_gives", 1, "points", "a_burning_or_expiry_is_negative",
             _put(entry_type="burn", points=50)),
    Spoiling("loyalty_ledger", "expires_before_earned", 1, "expires_at",
             "expiry_is_not_before_the_entry", _put(expires_at=dt.date(2019, 1, 1))),
    Spoiling("loyalty_ledger", "unknown_value", 1, "entry_type", "accepted",
             _put(entry_type="gift")),
    Spoiling("loyalty_ledger", "unparseable_number", 1, "points", "type", _put(points="1OO")),
    Spoiling("loyalty_tier_history", "end_before_start", 2, "valid_to",
             "valid_to_is_after_valid_from",
             lambda row: row | {"valid_from": row["valid_from"] + dt.timedelta(seconds=1),
                                "valid_to": row["valid_from"] - dt.timedelta(days=30)}),
    Spoiling("loyalty_tier_history", "missing_value", 1, "tier", "required",
             lambda row: row | {"valid_from": row["valid_from"] + dt.timedelta(seconds=2),
                                "tier": None}),
    Spoiling("referrals", "refers_to_oneself", 1, "referred_customer_id",
             "nobody_refers_themselves",
             lambda row: row | {"referred_customer_id": row["referrer_customer_id"]}),
    Spoiling("referrals", "signed_up_before_invited", 1, "signed_up_at",
             "signed_up_at_is_not_before_invited_at",
             _relative("signed_up_at", "invited_at", -10)),
    Spoiling("referrals", "negative_amount", 1, "reward_amount", "at_least",
             _put(reward_amount=decimal.Decimal("-10.00"))),
    Spoiling("web_events", "happened_in_2099", 3, "event_at", "event_is_not_after_delivery",
             _put(event_at=FAR)),
    Spoiling("web_events", "nobody_behind_it", 2, "anonymous_id", "has_a_visitor",
             _put(anonymous_id=None, customer_id=None)),
    Spoiling("web_events", "unknown_value", 3, "event_type", "accepted",
             _put(event_type="mouse_wiggle")),
    Spoiling("web_events", "negative_amount", 1, "value_amount", "at_least",
             _put(value_amount=decimal.Decimal("-3.00"))),
    Spoiling("web_events", "missing_key", 2, "event_id", "required", _put(event_id=None)),
    Spoiling("community_events", "missing_value", 1, "event_type", "required",
             _put(event_type=None)),
    Spoiling("campaigns", "unknown_value", 1, "channel", "accepted", _put(channel="billboard")),
    Spoiling("campaigns", "ended_before_started", 1, "ended_at",
             "ended_at_is_not_before_started_at", _relative("ended_at", "started_at", -1)),
    Spoiling("campaigns", "negative_amount", 1, "offer_value", "at_least",
             _put(offer_value=decimal.Decimal("-5.00"))),
    Spoiling("message_events", "orphan", 3, "campaign_id", "parent", _put(campaign_id="K8999")),
    Spoiling("message_events", "unknown_value", 2, "event_type", "accepted",
             _put(event_type="seen")),
    Spoiling("message_events", "missing_value", 2, "message_id", "required",
             _put(message_id=None)),
    Spoiling("message_events", "unparseable_moment", 1, "event_at", "type",
             _put(event_at="yesterday"), delivery=2),
    Spoiling("marketing_spend", "negative_amount", 2, "spend_amount", "at_least",
             _long_ago("spend_date", spend_amount=decimal.Decimal("-20.00"))),
    Spoiling("marketing_spend", "unparseable_number", 1, "spend_amount", "type",
             _long_ago("spend_date", spend_amount="see invoice")),
    Spoiling("experiments", "end_before_start", 1, "end_at", "end_at_is_not_before_start_at",
             _relative("end_at", "start_at", -7)),
    Spoiling("experiment_assignments", "orphan", 2, "experiment_id", "parent",
             _put(experiment_id="X99")),
    Spoiling("experiment_assignments", "exposed_before_assigned", 1, "exposed_at",
             "exposed_at_is_not_before_assigned_at",
             _relative("exposed_at", "assigned_at", -1, unit_id="C9000001")),
    Spoiling("experiment_assignments", "missing_value", 1, "arm", "required",
             _put(arm=None, unit_id="C9000002")),
    Spoiling("inventory_daily", "orphan", 2, "variant_id", "parent", _put(variant_id="V9997")),
    Spoiling("inventory_daily", "unparseable_number", 2, "on_hand", "type",
             _long_ago("inventory_date", on_hand="plenty")),
    Spoiling("inventory_daily", "missing_value", 1, "is_in_stock", "required",
             _put(is_in_stock=None, location="annex")),
    Spoiling("product_relations", "related_to_itself", 1, "related_variant_id",
             "a_variant_is_not_related_to_itself",
             lambda row: row | {"related_variant_id": row["variant_id"]}),
    Spoiling("product_relations", "orphan", 2, "related_variant_id", "parent",
             _put(related_variant_id="V9996")),
    Spoiling("product_relations", "unknown_value", 1, "relation_type", "accepted",
             _put(relation_type="sibling")),
    Spoiling("marketplace_metrics", "share_above_one", 1, "buy_box_share",
             "buy_box_share_is_a_share", _long_ago("metric_date", buy_box_share=1.4)),
    Spoiling("marketplace_metrics", "rank_below_one", 1, "search_rank", "at_least",
             _long_ago("metric_date", search_rank=0)),
)  # fmt: skip

FURTHER_DUPLICATES = {
    "customer_identifiers": 4, "consents": 4, "privacy_requests": 1, "payments": 6,
    "shipment_events": 8, "support_tickets": 2, "survey_responses": 2, "reviews": 2,
    "wishlist_items": 2, "loyalty_ledger": 4, "loyalty_tier_history": 1, "referrals": 1,
    "web_events": 12, "community_events": 1, "campaigns": 1, "message_events": 12,
    "marketing_spend": 3, "experiment_assignments": 2, "inventory_daily": 4,
    "product_relations": 2, "marketplace_metrics": 1,
}  # fmt: skip

RESTATED = (
    # table, column, what is delivered first over what it is set right to, rows
    ("marketing_spend", "spend_amount", lambda amount: amount + decimal.Decimal("7.50"), 6),
    ("reviews", "rating", lambda rating: 6 - rating, 3),
    ("inventory_daily", "on_hand", lambda units: units + 40, 4),
)
"""Platforms restate what was spent, reviewers change their stars, shelves are counted again."""


def plant_further_defects(
    rng: np.random.Generator, files: list[DeliveryFile], tables: dict[str, pa.Table]
) -> list[PlantedDefect]:
    """Plant the defects of the further sources into the files, in place; return what was planted."""
    planter = Planter(rng, files, tables)
    delivered = {file.table for file in files}
    for table, column, wrong, count in RESTATED:
        if table in delivered:
            _restate(planter, table, column, wrong, count)
    if "reviews" in delivered:
        _delete_reviews(planter)
        _lose_letters(planter)
    repeat_rows(
        planter, {one: count for one, count in FURTHER_DUPLICATES.items() if one in delivered}
    )
    for spoiling in FURTHER_SPOILINGS:
        if spoiling.table in delivered:
            spoil(planter, spoiling)
    return planter.planted


def _restate(planter: Planter, table: str, column: str, wrong: Any, count: int) -> None:
    """Deliver a wrong value first and the right row in a later file."""
    first, last = planter.file(table, 0), planter.file(table, 2)
    if first is last:
        return
    key = TABLE_KEYS[table]

    def identity(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in key)

    changed = {identity(row) for number in (1, 2) for row in planter.file(table, number).rows}

    def is_settled(row: Row) -> bool:
        value = row[column]
        return identity(row) not in changed and value is not None and wrong(value) != value

    for row in planter.draw(first, count, is_settled):
        right = dict(row)
        row[column] = wrong(row[column])
        planter.note("late_correction", first, key_text(table, row), SUPERSEDED, column)
        planter.add(last, right)


def _delete_reviews(planter: Planter) -> None:
    """Deliver reviews, and later that their writers have taken them back."""
    first, last = planter.file("reviews", 0), planter.file("reviews", 2)
    if first is last:
        return
    for row in planter.draw(first, 2, lambda row: row["replied_at"] is None):
        deleted = dict(row) | {"review_id": planter.new_key("reviews")}
        planter.add(first, dict(deleted))
        deleted |= {"_is_deleted": True}
        planter.note("deletion", last, key_text("reviews", deleted), DELETED)
        planter.add(last, deleted)


def _lose_letters(planter: Planter) -> None:
    """Words in a file of a Windows system, and words whose accents an earlier system has lost."""
    windows = planter.file("reviews", 1)
    for row in windows.rows:
        if windows.delivery == 1 and row["body"] and not row["body"].isascii():
            planter.note("windows_encoding", windows, key_text("reviews", row), STAGED, "body")
    first = planter.file("reviews", 0)
    # A later version of the row would bring the accents back.
    later = (planter.file("reviews", number) for number in (1, 2))
    changed = {row["review_id"] for file in later if file is not first for row in file.rows}

    def keeps_its_words(row: Row) -> bool:
        has_accents = bool(row["body"]) and not row["body"].isascii()
        return has_accents and row["review_id"] not in changed

    for row in planter.draw(first, 3, keeps_its_words):
        row["body"] = "".join(one if one.isascii() else REPLACEMENT for one in row["body"])
        planter.note("replacement_character", first, key_text("reviews", row), STAGED, "body")
