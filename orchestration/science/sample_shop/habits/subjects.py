"""Hidden parameters of the subjects beside orders, returns and memberships.

Numbers and dates only, as in `parameters`, of which they are a part; they stand in `truth.json`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paying:
    """How money moves. What is taken minus what is given back is what was collected, but for the
    exceptions."""

    methods: tuple[str, ...] = ("card", "wallet", "pay_later", "bank_transfer")
    method_weights: tuple[float, ...] = (0.60, 0.24, 0.10, 0.06)
    gift_card_share: float = 0.02
    """Orders of which a part is paid with a gift card."""
    failed_share: float = 0.06
    """Orders whose first attempt fails; a third of them fail twice."""
    failure_weights: tuple[float, ...] = (0.45, 0.30, 0.10, 0.15)
    """No money, declined, expired card, not authenticated."""
    refund_failed_share: float = 0.01
    """Refunds whose first attempt fails; the second, a day later, succeeds."""
    double_captures: int = 5
    short_captures: int = 4
    refunds_never_paid: int = 4
    """Orders captured twice, captured for less than the total, and refunds written and not paid."""


@dataclass(frozen=True)
class ParcelNews:
    """What a parcel's events tell on its way."""

    attempted_share: float = 0.12
    """Late parcels that were tried at the door a day before."""
    first_guess_too_early_share: float = 0.3
    """Notices of delay whose day is missed as well, and which are followed by a second one."""
    exception_share: float = 0.5
    """Late parcels without a notice that show an exception."""


@dataclass(frozen=True)
class Reviewing:
    """Reviews: stars follow how it went with the line."""

    share: float = 0.07
    """Arrived lines that are reviewed; three times as many where something went wrong."""
    stranger_share: float = 0.06
    """Reviews that nobody who bought it wrote, as a share of the others."""
    mean_rating: float = 4.35
    rating_sigma: float = 0.75
    variant_sigma: float = 0.25
    """Spread of a variant's own quality."""
    late_effect: float = -0.9
    returned_effect: float = -1.3
    answered_share: float = 0.6
    """Ratings of one or two stars that the shop answers."""


@dataclass(frozen=True)
class Wishing:
    """Wish lists and communities of registered customers."""

    lister_share: float = 0.18
    items_per_lister: float = 3.0
    bought_share: float = 0.4
    """Items that the person ordered later."""
    removed_share: float = 0.3
    """Other items taken off the list."""
    community_share: float = 0.06
    community_acts: float = 8.0


@dataclass(frozen=True)
class Consenting:
    """Who agrees to what."""

    sign_up_share: float = 0.62
    """Registered persons who ask for the newsletter when they open the account; guests: half."""
    double_opt_in_share: float = 0.78
    """Of those who must confirm (EU), and do."""
    withdrawn_per_year: float = 0.06
    regrant_share: float = 0.15
    """Withdrawals, by whatever way, that are taken back after some months."""
    sms_share: float = 0.18
    push_share: float = 0.55
    """Of the persons who use the app."""
    post_share: float = 0.25
    phone_share: float = 0.04
    ads_share: float = 0.55
    """Registered persons who accept profiling for advertisements; the others refuse it."""


@dataclass(frozen=True)
class Privacy:
    """Requests of people about their own data."""

    share: float = 0.05
    """Registered customers who ask."""
    type_weights: tuple[float, ...] = (0.36, 0.42, 0.06, 0.10, 0.06)
    """Access, erasure, restriction, portability, no sale of data."""
    gdpr_days: int = 30
    ccpa_days: int = 45
    late_share: float = 0.12
    legal_hold_share: float = 0.15
    """Erasures that a law forbids for now."""


@dataclass(frozen=True)
class Devices:
    """Browsers and apps."""

    household_share: float = 0.15
    """Registered persons who share a computer or a tablet with another one."""


@dataclass(frozen=True)
class Stocking:
    """Stock of the variants sold most, and their place on a marketplace."""

    variants: int = 24
    days: int = 365
    days_per_lot: float = 60.0
    late_delivery_share: float = 0.25
    late_days: int = 12
    marketplace_variants: int = 6
    marketplace_days: int = 120


@dataclass(frozen=True)
class Spending:
    """Marketing spend. A new customer costs this much, by acquisition channel: search, social,
    referral, email, direct, store; in pounds, at the opening of the shop."""

    cost_per_new_customer: tuple[float, ...] = (14.0, 21.0, 0.0, 3.0, 0.0, 9.0)
    cost_growth_per_year: tuple[float, ...] = (1.04, 1.10, 1.0, 1.0, 1.0, 1.0)
    daily_sigma: float = 0.25


@dataclass(frozen=True)
class Experimenting:
    """What the experiments hide."""

    subject_line_click_lift: float = 1.35
    """Clicks per human open of the personal subject line over those of the plain one."""
    offer_lift: float = 1.5
    """Speed of buying over what it would have been, while the offer runs."""
    offer_share: float = 0.5
    offer_first_days_ago: int = 300
    offer_days: int = 60
    checkout_lost_share: float = 0.40
    """Assignments to the control of the checkout that a filter throws out: its shares are off."""


@dataclass(frozen=True)
class Messaging:
    """What is sent since `days` before the last day, and what becomes of it."""

    days: int = 365
    broadcasts_per_month: int = 2
    open_alpha: float = 2.0
    open_beta: float = 6.0
    """A person's share of human opens is Beta(alpha, beta)."""
    click_per_open: float = 0.14
    unsubscribe_per_open: float = 0.02
    complaint_share: float = 0.0004
    bounce_share: float = 0.0012
    machine_share: float = 0.45
    """Accounts whose mail client opens what it is sent by itself, and hides when they do ..."""
    machine_open_share: float = 0.92
    """... and how often it does."""
    sms_click_share: float = 0.05
    sms_stop_share: float = 0.006
    push_open_share: float = 0.06
    regrant_share: float = 0.10
    """Who unsubscribes and signs up again some months later."""
    abandoned_carts_per_order: float = 0.35
    suppressed_within_hours: int = 4
    """A flow is held back if a broadcast went to the same account so shortly before."""
    sends_without_consent: int = 12
    """Sent by mistake after the consent was withdrawn."""
