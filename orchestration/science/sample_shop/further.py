"""The sources beside orders, returns and memberships: which there are, and how each is shown.

Every one is a function of the facts, the frame and a moment, like the first twelve tables; what it
shows is drawn when it is first asked for, so a shop without these sources pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from orchestration.science.sample_shop.messaging.campaigns import campaigns
from orchestration.science.sample_shop.messaging.experiments import (
    experiment_assignments,
    experiments,
)
from orchestration.science.sample_shop.messaging.messages import (
    consents,
    message_events,
    sends_without_consent,
)
from orchestration.science.sample_shop.relations.points import loyalty_ledger
from orchestration.science.sample_shop.relations.referrals import referrals
from orchestration.science.sample_shop.relations.surveys import survey_responses
from orchestration.science.sample_shop.relations.tickets import support_tickets
from orchestration.science.sample_shop.relations.tiers import loyalty_tier_history
from orchestration.science.sample_shop.relations.web_events import web_events
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.subjects.identifiers import customer_identifiers
from orchestration.science.sample_shop.subjects.parcel_events import shipment_events
from orchestration.science.sample_shop.subjects.payments import payment_exceptions, payments
from orchestration.science.sample_shop.subjects.privacy import privacy_requests
from orchestration.science.sample_shop.subjects.reviews import reviews
from orchestration.science.sample_shop.subjects.spend import marketing_spend
from orchestration.science.sample_shop.subjects.stock import (
    inventory_daily,
    marketplace_metrics,
    product_relations,
)
from orchestration.science.sample_shop.subjects.wishes import community_events, wishlist_items
from orchestration.science.sample_shop.tables import known_tables


@dataclass(frozen=True)
class FurtherSource:
    """A table of the source contract and how it is shown as known before a moment (UTC seconds)."""

    key: tuple[str, ...]
    show: Callable[[Facts, Frame, int], pa.Table]


FURTHER_SOURCES: dict[str, FurtherSource] = {
    "support_tickets": FurtherSource(("ticket_id",), support_tickets),
    "survey_responses": FurtherSource(("response_id",), survey_responses),
    "web_events": FurtherSource(("event_id",), web_events),
    "loyalty_ledger": FurtherSource(("ledger_entry_id",), loyalty_ledger),
    "loyalty_tier_history": FurtherSource(("customer_id", "valid_from"), loyalty_tier_history),
    "referrals": FurtherSource(("referral_id",), referrals),
    "customer_identifiers": FurtherSource(
        (
            "customer_id",
            "id_type",
            "id_value",
            "first_seen_at",
        ),
        customer_identifiers,
    ),
    "consents": FurtherSource(("consent_event_id",), consents),
    "privacy_requests": FurtherSource(("request_id",), privacy_requests),
    "payments": FurtherSource(("payment_id",), payments),
    "shipment_events": FurtherSource(("shipment_event_id",), shipment_events),
    "reviews": FurtherSource(("review_id",), reviews),
    "wishlist_items": FurtherSource(
        (
            "customer_id",
            "variant_id",
            "added_at",
        ),
        wishlist_items,
    ),
    "community_events": FurtherSource(
        (
            "customer_id",
            "event_at",
            "community_type",
            "event_type",
        ),
        community_events,
    ),
    "campaigns": FurtherSource(("campaign_id",), campaigns),
    "message_events": FurtherSource(("message_event_id",), message_events),
    "experiments": FurtherSource(("experiment_id",), experiments),
    "experiment_assignments": FurtherSource(("experiment_id", "unit_id"), experiment_assignments),
    "marketing_spend": FurtherSource(
        (
            "spend_date",
            "channel",
            "campaign_id",
        ),
        marketing_spend,
    ),
    "inventory_daily": FurtherSource(
        (
            "inventory_date",
            "variant_id",
            "location",
        ),
        inventory_daily,
    ),
    "product_relations": FurtherSource(
        (
            "variant_id",
            "related_variant_id",
            "relation_type",
        ),
        product_relations,
    ),
    "marketplace_metrics": FurtherSource(
        (
            "metric_date",
            "variant_id",
        ),
        marketplace_metrics,
    ),
}


FURTHER_TRUTHS: dict[str, Callable[[Facts, Frame], pa.Table]] = {
    "payment_exceptions": payment_exceptions,
    "sends_without_consent": sends_without_consent,
}
"""What the further sources hide, beside their parameters."""


def all_known_tables(frame: Frame, chunks: list[Facts], before: int) -> dict[str, pa.Table]:
    """Return every table as known before a moment: the first twelve, and the further ones if the
    shop delivers them."""
    tables = known_tables(frame, chunks, before)
    if frame.parameters.delivers_further_sources:
        facts = chunks[0]
        for name, source in FURTHER_SOURCES.items():
            tables[name] = source.show(facts, frame, before)
    return tables


def further_truth(frame: Frame, chunks: list[Facts]) -> dict[str, pa.Table]:
    """Return the tables of the truth that belong to the further sources, if they are delivered."""
    if not frame.parameters.delivers_further_sources:
        return {}
    return {name: tell(chunks[0], frame) for name, tell in FURTHER_TRUTHS.items()}
