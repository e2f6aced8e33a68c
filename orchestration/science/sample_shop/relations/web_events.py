"""What is done in a visit of the site, one row per event."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.columns import (
    between,
    chance,
    keys,
    labels,
    moments,
    money,
    percent_of,
    pick,
    ranks,
    stack,
    take,
)
from orchestration.science.sample_shop.facts.products import GIFT_CARDS
from orchestration.science.sample_shop.relations.sessions import (
    BUYER,
    DEVICES,
    EMAIL,
    MACHINE,
    PAID,
    PARTNER,
    PLATFORMS,
    SEARCH,
    SOCIAL,
    STRANGER,
    WEB,
    Sessions,
    draw_sessions,
)
from orchestration.science.sample_shop.shop_time import Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.subjects.identifiers import browser_names, browsers
from orchestration.science.sample_shop.tables.numbers import (
    account_numbers,
    order_numbers,
    place_at,
)

EVENT_TYPES = (
    "page_view", "product_view", "search", "search_zero_results", "add_to_cart",
    "remove_from_cart", "checkout_step", "promo_rejected", "error", "recommendation_impression",
    "recommendation_click", "account_login", "purchase",
)  # fmt: skip
(
    PAGE,
    PRODUCT,
    FOUND,
    EMPTY,
    ADD,
    REMOVE,
    STEP,
    REFUSED,
    ERROR,
    SHOWN,
    CLICKED,
    LOGIN,
    PURCHASE,
) = range(13)
STEPS = ("address", "shipping", "payment")
WORDS = ("jumper", "towel", "earbuds", "walking boot", "shampoo", "gift", "rain coat", "mug")
TYPOS = ("jumpr", "bath robe xl", "gift rapping", "vegan boots", "ear budds", "shampo bar", "lamp")
CODES = ("SUMMER15", "BLACKFRIDAY", "JAN20", "WELCOME10", "FRIENDS20", "STUDENT15")
ERRORS = ("404", "500", "payment_declined", "timeout")
DETAILS = (*STEPS, *WORDS, *TYPOS, *CODES, *ERRORS)
FIRST_WORD, FIRST_TYPO = len(STEPS), len(STEPS) + len(WORDS)
FIRST_CODE = FIRST_TYPO + len(TYPOS)
FIRST_ERROR = FIRST_CODE + len(CODES)
PATHS = (
    "/", "/search", "/product", "/cart", "/checkout", "/account", "/thank-you", "/sale/old-page",
)  # fmt: skip
HOME, SEARCH_PAGE, PRODUCT_PAGE, CART, CHECKOUT, ACCOUNT, THANKS, BROKEN = range(8)
REFERRERS = {
    SEARCH: "https://www.google.com/", SOCIAL: "https://www.instagram.com/",
    PARTNER: "https://dealhunters.example/",
}  # fmt: skip
TAGS = {PAID: ("google", "cpc"), EMAIL: ("newsletter", "email")}


RECOMMENDERS = ("hybrid", "popular")
SLOTS = ("product_page", "home_page", "cart_page")


@dataclass
class Shown:
    """What a visit is shown recommendations by, and where; one element per visit."""

    recommender: Integers
    slot: Integers


@dataclass
class Events:
    """One element per event."""

    session: Integers
    stage: Integers
    """Events of a visit follow one another by stage, and within one by chance."""
    kind: Integers
    variant: Integers
    quantity: Integers
    value: Integers
    """Pence; -1 for none."""
    path: Integers
    detail: Integers
    moment: Integers


@subject("web_events")
def draw_events(rng: np.random.Generator, facts: Facts, frame: Frame) -> Events:
    """Fill every visit with events, and give each event its second."""
    sessions = draw_sessions(facts, frame)
    every = np.arange(sessions.kind.size)
    baskets = _baskets(rng, facts, frame, sessions)
    empty = np.repeat(every, sessions.empty_searches)
    found = np.repeat(every, sessions.searches - sessions.empty_searches)
    seen = np.repeat(every, sessions.views)
    shown = every[(sessions.kind != MACHINE) & chance(rng, 0.25, every.size)]
    clicked = shown[chance(rng, 0.12, shown.size)]
    steps = np.repeat(every, sessions.reaches)
    step = np.concatenate([[0], np.cumsum(sessions.reaches)])[:-1]
    which = np.arange(steps.size) - step[steps]
    known = np.flatnonzero((sessions.account >= 0) & _logs_in(facts, sessions))
    bought = np.flatnonzero(sessions.kind == BUYER)
    removed = np.flatnonzero((sessions.lines > 0) & chance(rng, 0.10, every.size))
    refused, failed = np.flatnonzero(sessions.is_refused), np.flatnonzero(sessions.has_error)
    at_checkout = (sessions.reaches[failed] > 0) & (sessions.kind[failed] != BUYER)
    wrong = np.where(at_checkout, 1 + pick(rng, (0.2, 0.5, 0.3), failed.size), 0)
    total = percent_of(
        facts.money.total[sessions.order[bought]], facts.orders.rate[sessions.order[bought]]
    )
    parts = [
        _events(every, 0, PAGE, HOME),
        _events(known, 1, LOGIN, ACCOUNT),
        _events(found, 2, FOUND, SEARCH_PAGE, detail=FIRST_WORD + _any(rng, WORDS, found)),
        _events(empty, 2, EMPTY, SEARCH_PAGE, detail=FIRST_TYPO + _any(rng, TYPOS, empty)),
        _events(seen, 3, PRODUCT, PRODUCT_PAGE, _variants(rng, frame, seen.size)),
        _events(shown, 3, SHOWN, PRODUCT_PAGE, _variants(rng, frame, shown.size)),
        _events(clicked, 4, CLICKED, PRODUCT_PAGE, _variants(rng, frame, clicked.size)),
        *baskets,
        _events(removed, 7, REMOVE, CART, _variants(rng, frame, removed.size), quantity=1),
        _events(steps, 8 + 3 * which, STEP, CHECKOUT, detail=which),
        _events(refused, 12, REFUSED, CHECKOUT, detail=FIRST_CODE + _any(rng, CODES, refused)),
        _events(
            failed, np.where(wrong > 0, 15, 5), ERROR, np.where(wrong > 0, CHECKOUT, BROKEN),
            detail=FIRST_ERROR + wrong,
        ),
        _events(bought, 20, PURCHASE, THANKS, value=total),
    ]  # fmt: skip
    return _timed(rng, sessions, stack(parts))


@subject("recommendation_slots")
def draw_shown(rng: np.random.Generator, facts: Facts, frame: Frame) -> Shown:
    """Draw who recommends where in each visit; neither changes how often a recommendation is followed."""
    size = draw_sessions(facts, frame).kind.size
    return Shown(pick(rng, (0.7, 0.3), size), pick(rng, (0.5, 0.3, 0.2), size))


def _logs_in(facts: Facts, sessions: Sessions) -> np.ndarray:
    """A guest names an address at the checkout, and logs in nowhere."""
    is_guest = facts.orders.checkout[np.maximum(sessions.order, 0)] == 0
    return (sessions.kind != BUYER) | ~is_guest


def _any(rng: np.random.Generator, words: tuple[str, ...], rows: Integers) -> Integers:
    return between(rng, 0, len(words), rows.size)


def _variants(rng: np.random.Generator, frame: Frame, size: int) -> Integers:
    """Draw popular variants; gift cards and inserts are looked at by nobody."""
    catalogue = frame.catalogue
    last = catalogue.popularity_edges[catalogue.category_start[GIFT_CARDS]]
    place = np.searchsorted(catalogue.popularity_edges, rng.random(size) * last, side="right") - 1
    return np.clip(place, 0, int(catalogue.category_start[GIFT_CARDS]) - 1)


def _baskets(
    rng: np.random.Generator, facts: Facts, frame: Frame, sessions: Sessions
) -> list[Events]:
    """Goods that are looked at and put into the basket: those of the order, or one of the shop's."""
    lines = facts.lines
    place = np.full(facts.orders.kind.size, -1)
    bought = np.flatnonzero(sessions.kind == BUYER)
    place[sessions.order[bought]] = bought
    line = np.flatnonzero((place[lines.order] >= 0) & ~lines.is_insert)
    filled = np.flatnonzero((sessions.kind != BUYER) & (sessions.lines > 0))
    session = np.concatenate([place[lines.order[line]], filled])
    variant = np.concatenate([lines.variant[line], _variants(rng, frame, filled.size)])
    quantity = np.concatenate([lines.quantity[line], np.ones(filled.size, dtype=np.int64)])
    value = quantity * frame.catalogue.price[variant]
    return [
        _events(session, 5, PRODUCT, PRODUCT_PAGE, variant),
        _events(session, 6, ADD, CART, variant, quantity=quantity, value=value),
    ]


def _events(
    session: Integers,
    stage: Integers | int,
    kind: int,
    path: Integers | int,
    variant: Integers | int = -1,
    quantity: Integers | int = -1,
    value: Integers | int = -1,
    detail: Integers | int = -1,
) -> Events:
    def column(given: Integers | int) -> Integers:
        return np.broadcast_to(np.asarray(given, dtype=np.int64), session.shape).copy()

    return Events(
        session, column(stage), column(kind), column(variant), column(quantity), column(value),
        column(path), column(detail), np.zeros(session.size, dtype=np.int64),
    )  # fmt: skip


def _timed(rng: np.random.Generator, sessions: Sessions, events: Events) -> Events:
    """Put the events of each visit in order and seconds apart; a purchase is the order's second."""
    place = np.lexsort([rng.random(events.session.size), events.stage, events.session])
    events = take(events, place)
    size = events.session.size
    pause = np.where(
        sessions.kind[events.session] == MACHINE,
        between(rng, 1, 3, size),
        np.minimum(4 + rng.standard_exponential(size) * 38, 600).astype(np.int64),
    )
    is_first = np.concatenate([[True], events.session[1:] != events.session[:-1]])
    passed = np.cumsum(np.where(is_first, 0, pause))
    offset = passed - passed[np.maximum.accumulate(np.where(is_first, np.arange(size), 0))]
    length = np.zeros(sessions.kind.size, dtype=np.int64)
    np.maximum.at(length, events.session, offset)
    # A buyer's visit ends with the order, all others begin at their start.
    begin = sessions.start - np.where(sessions.kind == BUYER, length, 0)
    events.moment = begin[events.session] + offset
    return take(events, ranks_order(events))


def ranks_order(events: Events) -> Integers:
    """Return the order of events in time; those of one second stay as they follow one another."""
    return np.argsort(ranks(events.moment, np.arange(events.moment.size)))


def web_events(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per event, known as soon as it happens."""
    sessions, events = draw_sessions(facts, frame), draw_events(facts, frame)
    row = np.flatnonzero(events.moment < before)
    session, kind = events.session[row], events.kind[row]
    on_web = sessions.platform[session] == WEB
    is_entry = (kind == PAGE) & on_web
    source = np.where(is_entry, sessions.source[session], -1)
    shown = draw_shown(facts, frame)
    recommends = np.isin(kind, (SHOWN, CLICKED))
    has_cart = (kind >= ADD) & (kind <= REFUSED) | (kind == PURCHASE)
    path = labels(events.path[row], PATHS)
    campaign = np.where(np.isin(source, (PAID, EMAIL)), sessions.start[session] % 3, -1)
    return pa.table(
        {
            "event_id": keys("E", row + 1, 8),
            "event_at": moments(events.moment[row], before),
            "anonymous_id": pa.array(_visitor_names(facts, frame)).take(pa.array(session)),
            "customer_id": keys("C", place_at(account_numbers(facts), _known(facts, frame)[row])),
            "session_id": keys("SE", np.where(on_web, session + 1, -1), 6),
            "event_type": labels(kind, EVENT_TYPES),
            "variant_id": keys(
                "V", np.where(events.variant[row] >= 0, events.variant[row] + 1, -1), 4
            ),
            "cart_id": keys("CT", np.where(has_cart, session + 1, -1), 6),
            "order_id": keys(
                "O",
                place_at(
                    order_numbers(facts), np.where(kind == PURCHASE, sessions.order[session], -1)
                ),
            ),
            "quantity": pa.array(
                events.quantity[row].astype(np.int32), mask=events.quantity[row] < 0
            ),
            "value_amount": money(np.maximum(events.value[row], 0), events.value[row] >= 0),
            "url_path": path,
            "referrer": _mapped(source, REFERRERS),
            "utm_source": _mapped(source, {one: tag[0] for one, tag in TAGS.items()}),
            "utm_medium": _mapped(source, {one: tag[1] for one, tag in TAGS.items()}),
            "utm_campaign": labels(campaign, ("spring", "new_in", "sale")),
            "device_type": labels(sessions.device[session], DEVICES),
            "platform": labels(sessions.platform[session], PLATFORMS),
            "recommendation_method": labels(
                np.where(recommends, shown.recommender[session], -1), RECOMMENDERS
            ),
            "recommendation_slot": labels(np.where(recommends, shown.slot[session], -1), SLOTS),
            "detail": labels(events.detail[row], DETAILS),
        }
    )


def _known(facts: Facts, frame: Frame) -> Integers:
    """Return the account that each event carries: from the login on, or from the purchase."""
    sessions, events = draw_sessions(facts, frame), draw_events(facts, frame)
    login = np.full(sessions.kind.size, np.iinfo(np.int64).max)
    logins = events.kind == LOGIN
    login[events.session[logins]] = events.moment[logins]
    is_known = (events.moment >= login[events.session]) & (events.stage > 0)
    is_known |= events.kind == PURCHASE
    return np.where(is_known, sessions.account[events.session], -1)


def _mapped(codes: Integers, names: dict[int, str]) -> pa.Array:
    return pa.array([names.get(code) for code in codes.tolist()], pa.string())


def _visitor_names(facts: Facts, frame: Frame) -> list[str]:
    """Name the browser of every visit: that of a person and device, or a stranger's own."""
    sessions, seed = draw_sessions(facts, frame), frame.parameters.seed
    own = browsers(facts, frame)[
        np.maximum(sessions.person, 0) * 3 + np.minimum(sessions.device, 2)
    ]
    named = browser_names(facts, frame, own.tolist())
    names = ("", "", "visitor", "machine")
    return [
        name
        if kind < STRANGER
        else hashlib.sha256(f"{names[kind]} {seed} {visitor}".encode()).hexdigest()[:16]
        for name, kind, visitor in zip(
            named, sessions.kind.tolist(), sessions.visitor.tolist(), strict=True
        )
    ]
