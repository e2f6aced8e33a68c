"""Messages: what is sent, what becomes of it, and the consents that end with it.

Nothing of advertisement is sent without a consent that stands at that moment, except the few that
are sent by mistake and told in the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import (
    between,
    chance,
    keys,
    labels,
    moments,
    ranks,
    stack,
    take,
)
from orchestration.science.sample_shop.messaging.campaigns import (
    AUDIENCES,
    BROADCAST,
    all_campaigns,
)
from orchestration.science.sample_shop.messaging.consents import (
    BASES,
    BOUNCED,
    COMPLAINED,
    CONSENT,
    CONSENT_CHANNELS,
    CONSENT_SOURCES,
    CONSENT_STATUSES,
    EMAIL,
    GRANTED,
    JURISDICTIONS,
    MARKETING,
    PROVIDER,
    PURPOSES,
    PUSH,
    SIGN_UP,
    SMS,
    UNSUBSCRIBE,
    WITHDRAWN,
    ConsentEvents,
    draw_consents,
    jurisdiction,
)
from orchestration.science.sample_shop.messaging.experiments import (
    SUBJECT_LINE,
    arms,
    experiment_span,
)
from orchestration.science.sample_shop.messaging.sends import Occasions, draw_occasions
from orchestration.science.sample_shop.shop_time import (
    DAY,
    HOUR,
    NEVER,
    Integers,
    local_from_utc,
    utc_from_local,
)
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.subjects.privacy import ERASURE, draw_requests
from orchestration.science.sample_shop.tables.numbers import account_numbers, begun

EVENT_TYPES = (
    "sent", "delivered", "open", "click", "bounce", "complaint", "unsubscribe", "suppressed",
)  # fmt: skip
SENT, DELIVERED, OPEN, CLICK, BOUNCE, COMPLAINT, UNSUBSCRIBED, SUPPRESSED = range(8)
MACHINE, HUMAN = 1, 0


@dataclass
class Outcomes:
    """What would become of each occasion if it were sent; NEVER where it does not happen."""

    delivered: Integers
    bounced: Integers
    machine_open: Integers
    human_open: Integers
    is_seen: NDArray[np.bool_]
    """Whether the human open reaches the shop: clients that open by themselves hide it."""
    clicked: Integers
    unsubscribed: Integers
    complained: Integers

    @property
    def ends(self) -> Integers:
        """When the consent ends with this message."""
        return np.minimum(np.minimum(self.bounced, self.unsubscribed), self.complained)


@dataclass
class Mail:
    """What was sent, held back, and agreed to after all."""

    occasions: Occasions
    outcomes: Outcomes
    is_held_back: NDArray[np.bool_]
    has_no_consent: NDArray[np.bool_]
    """Sent by mistake."""
    consents: ConsentEvents


@subject("messages")
def draw_messages(rng: np.random.Generator, facts: Facts, frame: Frame) -> Mail:
    """Send what may be sent; each unsubscription, complaint or bounce stops what would follow it."""
    habits = frame.parameters.messaging
    occasions = draw_occasions(facts, frame)
    outcomes = _outcomes(rng, facts, frame, occasions)
    campaigns = all_campaigns(frame)
    is_part = np.array([one.is_transactional for one in campaigns])[occasions.campaign]
    held_back = _held_back(occasions, campaigns, is_part, habits.suppressed_within_hours)
    consents = draw_consents(facts, frame)
    back = chance(rng, habits.regrant_share, occasions.account.size)
    back_after = between(rng, 30 * DAY, 200 * DAY, occasions.account.size)
    ended = np.zeros(occasions.account.size, dtype=bool)
    ends = np.where(is_part | held_back, NEVER, outcomes.ends)
    while True:
        standing = _standing(consents, occasions)
        ending = (standing == GRANTED) & (ends < NEVER) & ~ended
        row = np.flatnonzero(ending)
        # The first one of an account and channel decides whether the next one is sent at all.
        place = occasions.account[row] * len(CONSENT_CHANNELS) + occasions.channel[row]
        row = row[np.unique(place, return_index=True)[1]]
        if not row.size:
            break
        ended[row] = True
        consents = stack(
            [consents, *_endings(occasions, outcomes, row, back[row], back_after[row])]
        )
    allowed = is_part | (standing == GRANTED)
    by_mistake = _by_mistake(rng, facts, frame, occasions, standing, held_back | is_part)
    keep = np.flatnonzero(allowed | by_mistake)
    kept = take(outcomes, keep)
    silent = is_part[keep] | by_mistake[keep]
    kept.unsubscribed = np.where(silent, NEVER, kept.unsubscribed)
    kept.complained = np.where(silent, NEVER, kept.complained)
    # A transactional message that bounces says nothing about a consent, so none of them does.
    kept.delivered = np.where(silent & (kept.bounced < NEVER), kept.bounced, kept.delivered)
    kept.bounced = np.where(silent, NEVER, kept.bounced)
    return Mail(take(occasions, keep), kept, held_back[keep], by_mistake[keep], consents)


def _outcomes(
    rng: np.random.Generator, facts: Facts, frame: Frame, occasions: Occasions
) -> Outcomes:
    """Draw what becomes of every message that is sent."""
    habits = frame.parameters.messaging
    size, people = occasions.account.size, facts.people.kind.size
    person = facts.accounts.person[occasions.account]
    email, sms = occasions.channel == EMAIL, occasions.channel == SMS
    interest = rng.beta(habits.open_alpha, habits.open_beta, people)[person]
    by_machine = chance(rng, habits.machine_share, people)[person] & email
    bounces = chance(rng, habits.bounce_share, size) & email
    delivered = occasions.when + between(rng, 1, 60, size)
    machine = by_machine & chance(rng, habits.machine_open_share, size) & ~bounces
    opens = chance(rng, np.where(email, interest, habits.push_open_share), size)
    opens &= ~bounces & ~sms
    opened = _awake(rng, delivered + (rng.lognormal(np.log(3 * HOUR), 1.2, size)).astype(np.int64))
    reads = opens & (email | (occasions.channel == PUSH))
    clicks = (
        reads & email & chance(rng, habits.click_per_open * _lift(facts, frame, occasions), size)
    )
    clicks |= sms & chance(rng, habits.sms_click_share, size)
    leaves = (reads & email & chance(rng, habits.unsubscribe_per_open, size)) | (
        sms & chance(rng, habits.sms_stop_share, size)
    )
    complains = email & ~bounces & chance(rng, habits.complaint_share, size)
    read = np.where(sms, delivered + between(rng, 60, 8 * HOUR, size), opened)
    later = between(rng, 5, 120, size)

    def when(happens: NDArray[np.bool_], moment: Integers) -> Integers:
        return np.where(happens, moment, NEVER)

    return Outcomes(
        delivered=when(~bounces, delivered),
        bounced=when(bounces, delivered),
        machine_open=when(machine, delivered + between(rng, 1, 25, size)),
        human_open=when(reads, opened),
        is_seen=~by_machine,
        clicked=when(clicks, read + later),
        unsubscribed=when(leaves, read + later + 30),
        complained=when(complains & ~leaves, opened + 10),
    )


def _awake(rng: np.random.Generator, moment: Integers) -> Integers:
    """Put what would be read at night off to the morning: people sleep, machines do not."""
    local = local_from_utc(moment)
    second = local % DAY
    morning = local - second + np.where(second >= 23 * HOUR, DAY, 0) + 7 * HOUR
    asleep = (second < 7 * HOUR) | (second >= 23 * HOUR)
    late = morning + between(rng, 0, 3 * HOUR, moment.size)
    return utc_from_local(np.where(asleep, late, local))


def _lift(facts: Facts, frame: Frame, occasions: Occasions) -> NDArray[np.float64]:
    """Return how much more often a newsletter is clicked under a personal subject line."""
    start, end = experiment_span(frame, SUBJECT_LINE)
    kinds = np.array([one.kind == BROADCAST for one in all_campaigns(frame)])
    arm = arms(facts, frame, SUBJECT_LINE)[0][facts.accounts.person[occasions.account]]
    inside = kinds[occasions.campaign] & (occasions.when >= start) & (occasions.when < end)
    return np.where(
        inside & (arm == 1), frame.parameters.experimenting.subject_line_click_lift, 1.0
    )


def _held_back(
    occasions: Occasions, campaigns: list, is_part: NDArray[np.bool_], hours: int
) -> NDArray[np.bool_]:
    """Tell which flows are held back because a broadcast has just gone to the same account."""
    is_broadcast = np.array([one.kind == BROADCAST for one in campaigns])[occasions.campaign]
    is_broadcast &= occasions.channel == EMAIL
    moment = np.where(is_broadcast, occasions.when, -NEVER)
    latest = np.maximum.accumulate(occasions.account * 2**34 + np.maximum(moment, 0))
    since = occasions.when - (latest - occasions.account * 2**34)
    return ~is_broadcast & ~is_part & (occasions.channel == EMAIL) & (since <= hours * HOUR)


def _standing(consents: ConsentEvents, occasions: Occasions) -> Integers:
    """Return what holds for marketing at each occasion: the last word before it; -1 if none."""
    row = np.flatnonzero(consents.purpose == MARKETING)
    said = _place(consents.account[row], consents.channel[row], consents.happened[row])
    order = np.argsort(said, kind="stable")
    asked = _place(occasions.account, occasions.channel, occasions.when)
    last = np.searchsorted(said[order], asked, side="left") - 1
    if not row.size:
        return np.full(asked.size, -1)
    found = row[order[np.maximum(last, 0)]]
    same = (consents.account[found] == occasions.account) & (last >= 0)
    same &= consents.channel[found] == occasions.channel
    return np.where(same, consents.status[found], -1)


def _place(account: Integers, channel: Integers, moment: Integers) -> Integers:
    return (account * len(CONSENT_CHANNELS) + channel) * 2**34 + moment


def _endings(
    occasions: Occasions,
    outcomes: Outcomes,
    row: Integers,
    comes_back: NDArray[np.bool_],
    after: Integers,
) -> list[ConsentEvents]:
    """Return the consents that end with messages, and those that are given again later."""
    ended = take(outcomes, row)
    size = row.size
    bounced, complained = ended.bounced < NEVER, ended.complained < NEVER
    gone = ConsentEvents(
        account=occasions.account[row],
        channel=occasions.channel[row],
        purpose=np.full(size, MARKETING),
        status=np.select([bounced, complained], [BOUNCED, COMPLAINED], WITHDRAWN),
        basis=np.full(size, CONSENT),
        source=np.where(bounced | complained, PROVIDER, UNSUBSCRIBE),
        happened=ended.ends,
    )
    again = take(gone, np.flatnonzero(comes_back & ~bounced & ~complained))
    again.happened = again.happened + after[comes_back & ~bounced & ~complained]
    again.status = np.full(again.account.size, GRANTED)
    again.source = np.full(again.account.size, SIGN_UP)
    return [gone, again]


def _by_mistake(
    rng: np.random.Generator,
    facts: Facts,
    frame: Frame,
    occasions: Occasions,
    standing: Integers,
    excluded: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Choose a few newsletters to people who had withdrawn and are still known; one each."""
    requests = draw_requests(facts, frame)
    forgotten = requests.account[requests.kind == ERASURE]
    may = (standing == WITHDRAWN) & ~excluded & (occasions.channel == EMAIL)
    may &= ~np.isin(occasions.account, forgotten)
    candidates = rng.permutation(np.flatnonzero(may))
    _, first = np.unique(occasions.account[candidates], return_index=True)
    chosen = candidates[np.sort(first)][: frame.parameters.messaging.sends_without_consent]
    found = np.zeros(standing.size, dtype=bool)
    found[chosen] = True
    return found


def consents(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per change of a consent."""
    events = draw_messages(facts, frame).consents
    accounts = account_numbers(facts)[events.account]
    numbers = 1 + ranks(events.happened, accounts, events.channel, events.purpose, events.status)
    row = begun(events.happened, numbers, before)
    return pa.table(
        {
            "consent_event_id": keys("CE", numbers[row]),
            "customer_id": keys("C", accounts[row]),
            "channel": labels(events.channel[row], CONSENT_CHANNELS),
            "purpose": labels(events.purpose[row], PURPOSES),
            "status": labels(events.status[row], CONSENT_STATUSES),
            "legal_basis": labels(events.basis[row], BASES),
            "jurisdiction": labels(jurisdiction(facts, events.account[row]), JURISDICTIONS),
            "event_at": moments(events.happened[row], before),
            "source": labels(events.source[row], CONSENT_SOURCES),
        }
    )


def message_events(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per event of a message."""
    mail = draw_messages(facts, frame)
    sent, outcomes = mail.occasions, mail.outcomes
    message = message_numbers(mail)
    seen = np.where(outcomes.is_seen, outcomes.human_open, NEVER)
    kinds = (
        (SENT, sent.when, -1), (DELIVERED, outcomes.delivered, -1), (BOUNCE, outcomes.bounced, -1),
        (OPEN, outcomes.machine_open, MACHINE), (OPEN, seen, HUMAN), (CLICK, outcomes.clicked, -1),
        (UNSUBSCRIBED, outcomes.unsubscribed, -1), (COMPLAINT, outcomes.complained, -1),
    )  # fmt: skip
    parts = []
    for kind, when, by_machine in kinds:
        row = np.flatnonzero((when < NEVER) & ~mail.is_held_back)
        parts.append((row, np.full(row.size, kind), when[row], np.full(row.size, by_machine)))
    row = np.flatnonzero(mail.is_held_back)
    parts.append((row, np.full(row.size, SUPPRESSED), sent.when[row], np.full(row.size, -1)))
    place, kind, when, by_machine = (np.concatenate(one) for one in zip(*parts, strict=True))
    numbers = 1 + ranks(when, message[place], kind)
    row = begun(when, numbers, before)
    place, machine = place[row], by_machine[row]
    every = all_campaigns(frame)
    audience = np.array([one.audience if one.kind == BROADCAST else -1 for one in every])
    return pa.table(
        {
            "message_event_id": keys("E", numbers[row]),
            "message_id": keys("MS", message[place]),
            "campaign_id": keys("K", sent.campaign[place] + 1, 4),
            "customer_id": keys("C", account_numbers(facts)[sent.account[place]]),
            "audience_id": labels(audience[sent.campaign[place]], AUDIENCES),
            "event_type": labels(kind[row], EVENT_TYPES),
            "is_machine_open": pa.array(machine == MACHINE, mask=machine < 0),
            "event_at": moments(when[row], before),
        }
    )


def message_numbers(mail: Mail) -> Integers:
    """Return the running number of each message: they are numbered as they were sent."""
    sent = mail.occasions
    return 1 + ranks(sent.when, sent.account, sent.campaign)


def sends_without_consent(facts: Facts, frame: Frame) -> pa.Table:
    """One row per message that was sent by mistake; part of the truth."""
    mail = draw_messages(facts, frame)
    row = np.flatnonzero(mail.has_no_consent & ~mail.is_held_back)
    return pa.table(
        {
            "message_id": keys("MS", message_numbers(mail)[row]),
            "customer_id": keys("C", account_numbers(facts)[mail.occasions.account[row]]),
            "campaign_id": keys("K", mail.occasions.campaign[row] + 1, 4),
            "sent_at": moments(mail.occasions.when[row], frame.end_moment),
        }
    )
