"""Consents: what people agree to by themselves. What messages make of it is in `messages`.

A consent holds from its event on; the last event before a moment is what holds at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import between, chance, stack, take
from orchestration.science.sample_shop.facts.people import COUNTRIES, GUEST
from orchestration.science.sample_shop.shop_time import DAY, NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.subjects.people import contact_accounts
from orchestration.science.sample_shop.subjects.privacy import (
    ERASURE,
    OPT_OUT,
    RESTRICT,
    draw_requests,
)

CONSENT_CHANNELS = ("email", "sms", "push", "phone", "post", "ads")
EMAIL, SMS, PUSH, PHONE, POST, ADS = range(6)
PURPOSES = ("marketing", "profiling", "third_party_sharing")
MARKETING, PROFILING, SHARING = range(3)
CONSENT_STATUSES = ("granted", "withdrawn", "pending", "bounced", "complained")
GRANTED, WITHDRAWN, PENDING, BOUNCED, COMPLAINED = range(5)
BASES = ("consent", "legitimate_interest", "soft_opt_in")
CONSENT, INTEREST, SOFT_OPT_IN = range(3)
JURISDICTIONS = ("UK", "EU", "US")
UK, EU, US = range(3)
CONSENT_SOURCES = (
    "sign_up_form", "checkout", "confirmation_link", "preference_centre", "app", "cookie_banner",
    "privacy_request", "unsubscribe_link", "mail_provider",
)  # fmt: skip
(SIGN_UP, AT_CHECKOUT, CONFIRMATION, PREFERENCES, IN_APP, BANNER, ON_REQUEST, UNSUBSCRIBE,
 PROVIDER) = range(9)  # fmt: skip


@dataclass
class ConsentEvents:
    """One element per change of a consent."""

    account: Integers
    channel: Integers
    purpose: Integers
    status: Integers
    basis: Integers
    source: Integers
    happened: Integers


def jurisdiction(facts: Facts, account: Integers) -> Integers:
    """Return the law that holds for each account."""
    country = facts.people.country[facts.accounts.person[account]]
    return np.where(country == 0, UK, np.where(country == COUNTRIES.index("US"), US, EU))


@subject("consents")
def draw_consents(rng: np.random.Generator, facts: Facts, frame: Frame) -> ConsentEvents:
    """Draw what people say of themselves: when they sign up, change their mind, or want to be gone."""
    habits = frame.parameters.consenting
    contact = contact_accounts(facts)
    account = contact[contact >= 0]
    size = account.size
    is_guest = facts.accounts.state[account] == GUEST
    person, opened = facts.accounts.person[account], facts.accounts.created[account]
    law = jurisdiction(facts, account)
    asked = chance(rng, habits.sign_up_share * np.where(is_guest, 0.5, 1.0), size)
    confirmed = chance(rng, habits.double_opt_in_share, size)
    wait = between(rng, 60, 2 * DAY, size)
    granted = np.select(
        [~asked, law != EU, confirmed], [np.full(size, NEVER), opened, opened + wait], NEVER
    )
    basis = np.where(law == US, INTEREST, np.where(is_guest & (law == UK), SOFT_OPT_IN, CONSENT))
    here = np.where(is_guest, AT_CHECKOUT, SIGN_UP)
    pending = asked & (law == EU)
    profiled = np.where(asked & chance(rng, 0.4, size), granted, NEVER)

    def event(channel: int, purpose: int, status: int, basis: Integers | int,
              source: Integers | int, when: Integers) -> ConsentEvents:  # fmt: skip
        row = np.flatnonzero(when < NEVER)

        def same(value: Integers | int) -> Integers:
            return np.broadcast_to(value, size)[row].astype(np.int64)

        return ConsentEvents(
            account[row], same(channel), same(purpose), same(status), same(basis), same(source),
            when[row],
        )  # fmt: skip

    source = np.where(law == EU, CONFIRMATION, here)
    parts = [
        event(EMAIL, MARKETING, PENDING, CONSENT, here, np.where(pending, opened, NEVER)),
        event(EMAIL, MARKETING, GRANTED, basis, source, granted),
        event(EMAIL, PROFILING, GRANTED, CONSENT, source, profiled),
    ]
    own = ~is_guest
    has_phone = facts.accounts.has_phone[account]
    likes_app = facts.people.likes_app[person]
    for channel, who, share, kind, place in (
        (SMS, own & has_phone, habits.sms_share, CONSENT, PREFERENCES),
        (PUSH, own & likes_app, habits.push_share, CONSENT, IN_APP),
        (POST, law == UK, habits.post_share, INTEREST, SIGN_UP),
        (PHONE, own & has_phone, habits.phone_share, CONSENT, PREFERENCES),
    ):
        when = opened + between(rng, 30, 60 * DAY, size)
        says = who & chance(rng, share, size)
        parts.append(event(channel, MARKETING, GRANTED, kind, place, np.where(says, when, NEVER)))
    accepts = chance(rng, habits.ads_share, size)
    shares = accepts & chance(rng, 0.2, size)
    banner = np.where(own, opened + 10, NEVER)
    parts += [
        event(ADS, PROFILING, GRANTED, CONSENT, BANNER, np.where(accepts, banner, NEVER)),
        event(ADS, PROFILING, WITHDRAWN, CONSENT, BANNER, np.where(accepts, NEVER, banner)),
        event(ADS, SHARING, GRANTED, CONSENT, BANNER, np.where(shares, banner, NEVER)),
    ]
    said = stack(parts)
    minds = _changed_minds(rng, said, habits.withdrawn_per_year, habits.regrant_share)
    return _without_the_forgotten(facts, frame, stack([said, *minds]))


def _changed_minds(
    rng: np.random.Generator, said: ConsentEvents, per_year: float, regrant: float
) -> list[ConsentEvents]:
    """Withdraw some consents in the preference centre, and give some of these again."""
    given = take(said, np.flatnonzero(said.status == GRANTED))
    wait = rng.standard_exponential(given.account.size) / per_year * 365
    gone = take(given, np.flatnonzero(wait < 4 * 365))
    days = wait[wait < 4 * 365]
    gone.happened = gone.happened + DAY + (days * DAY).astype(np.int64)
    gone.status = np.full(days.size, WITHDRAWN)
    gone.source = np.full(days.size, PREFERENCES)
    back = take(gone, np.flatnonzero(chance(rng, regrant, days.size)))
    back.happened = back.happened + between(rng, 30 * DAY, 300 * DAY, back.account.size)
    back.status = np.full(back.account.size, GRANTED)
    return [gone, back]


def _without_the_forgotten(facts: Facts, frame: Frame, events: ConsentEvents) -> ConsentEvents:
    """End every consent with the request that ends it, and say nothing afterwards."""
    requests = draw_requests(facts, frame)
    for kinds, channels in (((ERASURE, RESTRICT), range(6)), ((OPT_OUT,), (ADS,))):
        until = np.full(facts.accounts.person.size, NEVER)
        chosen = np.isin(requests.kind, kinds)
        np.minimum.at(until, requests.account[chosen], requests.received[chosen])
        reached = np.isin(events.channel, channels)
        keep = ~reached | (events.happened < until[events.account])
        events = take(events, np.flatnonzero(keep))
        given = (events.status == GRANTED) & np.isin(events.channel, channels)
        row = np.flatnonzero(given & (until[events.account] < NEVER))
        ended = take(events, row[_first_of_each(events, row)])
        ended.happened = until[ended.account]
        ended.status = np.full(ended.account.size, WITHDRAWN)
        ended.source = np.full(ended.account.size, ON_REQUEST)
        events = stack([events, ended])
    return events


def _first_of_each(events: ConsentEvents, row: Integers) -> NDArray[np.int64]:
    place = np.stack([events.account[row], events.channel[row], events.purpose[row]])
    return np.unique(place, axis=1, return_index=True)[1].astype(np.int64)
