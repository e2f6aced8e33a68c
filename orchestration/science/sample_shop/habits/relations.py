"""Hidden habits around the orders: contacts, surveys, visits of the site, points, invitations, and what
each event changes in the buying of the days after it.

Numbers only, as in `parameters`, which holds one of each. Who is exposed to an event depends on what a
shop can see (how many orders came before, channel, service, month, account), so that the naive gap is
wrong and an adjusted one can be right.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effects:
    """Factors of the speed of buying in the `days` days after an event; 1 changes nothing.

    An event within such days prolongs them; the same kind never counts twice at once, different kinds
    multiply. The lift of a membership is in `Purchasing` and lasts as long as the membership.
    """

    days: int = 180
    late_parcel: float = 0.75
    """From the end of the day first promised, if the parcel comes later."""
    bad_ticket: float = 0.65
    """From the opening of a ticket that is answered too late or has to be opened again."""
    recovery: float = 1.40
    """From the solution of a ticket with a compensation."""
    refused_code: float = 0.70
    """From an order whose session had a promotion code refused."""
    tier: float = 1.35
    """From the order that lifts a customer into a higher tier."""
    referred: float = 1.35
    """From the first order of a person whom a customer has invited."""


EFFECT_KINDS = ("late_parcel", "bad_ticket", "recovery", "refused_code", "tier", "referred")


@dataclass(frozen=True)
class Service:
    """Contacts, at most one per order, and how they are handled."""

    contact: float = 0.07
    contact_after_late: float = 0.30
    contact_after_lost: float = 0.65
    contact_per_earlier_order: float = 0.015
    """Regulars write more: added for each earlier order, up to `regular_orders` of them."""
    regular_orders: int = 8
    channel_weights: tuple[float, ...] = (0.38, 0.24, 0.20, 0.06, 0.04, 0.08)
    """email, chat, phone, social, public_review, bot."""
    answer_within_hours: tuple[float, ...] = (24.0, 0.25, 0.10, 6.0, 48.0, 0.02)
    slow_probability: tuple[float, ...] = (0.26, 0.10, 0.14, 0.34, 0.40, 0.05)
    """First answer after the hours above; in the peak months `peak_factor` times as often."""
    peak_months: tuple[int, ...] = (11, 12, 1)
    peak_factor: float = 1.6
    handling_hours: tuple[float, ...] = (16.0, 0.6, 0.5, 9.0, 30.0, 0.3)
    """Mean hours from the first answer to the solution."""
    reopened: float = 0.10
    compensated: float = 0.10
    compensated_after_trouble: float = 0.40
    """Of contacts about a late or lost parcel."""
    compensated_per_earlier_order: float = 0.03
    unsolved: float = 0.015
    csat_answer: tuple[float, float] = (0.30, 0.42)
    """Share that rates a contact: handled well, handled badly (the angry answer more)."""
    strangers: float = 0.10
    """Tickets of people the shop does not know, as a share of all."""


@dataclass(frozen=True)
class Loyalty:
    """Points and tiers. A tier is reached by orders within 365 days and kept for 365 days."""

    program: str = "points"
    enrols_first: float = 0.30
    enrols_later: float = 0.07
    """Per order of a person with an account, until enrolled."""
    tiers: tuple[str, ...] = ("bronze", "silver", "gold")
    tier_orders: tuple[int, ...] = (1, 3, 6)
    tier_rates: tuple[float, ...] = (1.0, 1.25, 1.5)
    """Points per pound of net goods in each tier."""
    point_value: float = 0.01
    expiry_days: int = 365
    burn_share: float = 0.30
    """Of orders with at least `burn_from` points to spend."""
    burn_from: int = 100
    adjusted_share: float = 0.01
    campaign_share: float = 0.03
    """Orders in a week of double points."""


@dataclass(frozen=True)
class Referring:
    """Invitations of friends, after an order."""

    share: float = 0.10
    """Of people with an account who were invited ..."""
    share_app: float = 0.24
    """... and of those among them who like the app."""
    invites_first: float = 0.05
    invites_later: float = 0.10
    """Invitations without success per order of a person with an account."""
    reward: int = 1000
    """Pence for the one who invites, once the friend's first order is two weeks old."""


@dataclass(frozen=True)
class Browsing:
    """Visits of the site; delivered for the last `days` days only."""

    days: int = 365
    refused_first: float = 0.03
    refused_later: float = 0.08
    """Orders of web and app in whose session a code is refused; regulars try old codes."""
    idle_sessions_per_order: float = 0.9
    """Sessions of known people without purchase, around each order."""
    strangers_per_order: float = 0.8
    """Sessions of visitors who never say who they are."""
    bots_per_day: float = 0.25


@dataclass(frozen=True)
class Surveys:
    """Surveys and who answers: the pleased and the angry more than those between."""

    nps_share: float = 0.30
    """Orders followed by a survey of recommendation; at most one in 180 days and person."""
    csat_share: float = 0.25
    ces_share: float = 0.30
    """Of solved tickets."""
    post_return_share: float = 0.40
    churn_share: float = 0.60
    """Of cancelled memberships."""
    answer: float = 0.22
    answer_extreme: float = 0.18
    """Added at either end of the scale."""
    closed_loop: float = 0.45
    """Of unhappy answers somebody comes back to."""
