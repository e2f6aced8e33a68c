"""Landing: deliveries become immutable batches with a manifest. Nothing is typed or judged here."""

from orchestration.resources.landing.columns import DeliveryRefused, Expected
from orchestration.resources.landing.facts import delivery_facts
from orchestration.resources.landing.manifest import Manifest, StoredColumn
from orchestration.resources.landing.store import Delivery, Landing, Refusal

__all__ = [
    "Delivery",
    "DeliveryRefused",
    "Expected",
    "Landing",
    "Manifest",
    "Refusal",
    "StoredColumn",
    "delivery_facts",
]
