"""People and their hidden habits, and the accounts under which the shop knows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from orchestration.science.sample_shop.columns import between, chance, pick
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import DAY, NEVER, Floats, Integers, SeasonClock

CUSTOMER, PROSPECT, FRAUDSTER, TESTER = range(4)
PERSON_KINDS = ("customer", "prospect", "fraudster", "tester")
COUNTRIES = ("GB", "IE", "DE", "FR", "NL", "US")
COUNTRY_WEIGHTS = (0.72, 0.06, 0.08, 0.05, 0.04, 0.05)
ACQUISITION_CHANNELS = ("search", "social", "referral", "email", "direct", "store")
ACQUISITION_WEIGHTS = (0.34, 0.24, 0.0, 0.09, 0.26, 0.07)
"""Without the referred, who are drawn by themselves."""
CATEGORY_MIX = (0.34, 0.16, 0.20, 0.20, 0.10)
"""Clothing, shoes, home, beauty, electronics: the order of `products.CATEGORIES`."""
FIRST_NAMES = (
    "Amelia", "Olivia", "Isla", "Ava", "Grace", "Freya", "Lily", "Sophie", "Emily", "Chloe",
    "Noah", "Oliver", "George", "Arthur", "Harry", "Leo", "Jack", "Thomas", "Henry", "James",
    "Priya", "Aisha", "Fatima", "Mei", "Yuki", "Kwame", "Omar", "Ravi", "Ines", "Marta",
    "José", "Zoë", "François", "Søren", "Jürgen", "Renée", "Seán", "Núria",
)  # fmt: skip
LAST_NAMES = (
    "Smith", "Jones", "Taylor", "Brown", "Wilson", "Evans", "Thomas", "Roberts", "Walker", "Wright",
    "Hughes", "Green", "Hall", "Wood", "Clarke", "Patel", "Khan", "Ahmed", "Murphy", "Kelly",
    "Schmidt", "Weber", "Fischer", "Dubois", "Moreau", "Jansen", "Bakker", "Okafor", "Chen", "Novak",
    "Müller", "O’Brien", "García", "Lefèvre", "Sjöberg", "Kühn",
)  # fmt: skip
GUEST, INVITED, ENABLED, DISABLED = range(4)
ACCOUNT_STATES = ("guest", "invited", "enabled", "disabled")
PLAIN, CASE, SPACE, TAG = range(4)
SPELLINGS = ("plain", "case", "space", "tag")


@dataclass
class People:
    """One element per person; those of kind CUSTOMER come first."""

    kind: Integers
    first_day: Floats
    rate: Floats
    dropout: Floats
    basket: Floats
    return_propensity: Floats
    is_registered: NDArray[np.bool_]
    is_wholesale: NDArray[np.bool_]
    uses_till_email: NDArray[np.bool_]
    country: Integers
    first_name: Integers
    last_name: Integers
    acquisition: Integers
    favourite: Integers
    likes_app: NDArray[np.bool_]
    is_referred: NDArray[np.bool_]


@dataclass
class Accounts:
    """One element per row of the customers table."""

    person: Integers
    state: Integers
    spelling: Integers
    created: Integers
    profile_updated: Integers
    has_phone: NDArray[np.bool_]
    birth_month: Integers
    birth_day: Integers
    postal: Integers


def draw_people(
    rng: np.random.Generator, customers: int, parameters: Parameters, clock: SeasonClock
) -> People:
    """Draw customers, and the prospects, fraudsters and testers that stand around them."""
    extra = parameters.extra_orders
    counts = (
        customers,
        round(customers * extra.prospects),
        max(1, round(customers * extra.fraud * 2)),
        3,
    )
    kind = np.repeat(np.arange(4), counts)
    size = kind.size
    buying, returning = parameters.purchasing, parameters.returning
    rate = rng.gamma(buying.r, size=size) / buying.alpha
    dropout = rng.beta(buying.a, buying.b, size=size)
    basket, propensity = _basket_and_propensity(rng, size, parameters)
    mean_rate = buying.r / buying.alpha
    is_customer = kind == CUSTOMER
    # Quicker buyers have an account and the app more often, which a shop can see.
    quickness = 2 * special.gammainc(buying.r, rate * buying.alpha) - 1
    identity = parameters.identity
    guest = identity.guest_share * (1 - identity.guest_share_spread * quickness)
    is_registered = ~chance(rng, guest, size) | ~is_customer
    likes_app = chance(rng, 0.35 * (1 + 0.6 * quickness), size)
    first_day = clock.arrivals(rng.random(size))
    is_referred = _referred(rng, first_day, is_registered & is_customer, likes_app, parameters)
    wholesale = parameters.baskets.wholesale_share * rate / mean_rate
    acquisition = pick(rng, ACQUISITION_WEIGHTS, size)
    acquisition = np.where(is_referred, ACQUISITION_CHANNELS.index("referral"), acquisition)
    people = People(
        kind=kind,
        first_day=first_day,
        rate=rate,
        dropout=dropout,
        basket=basket,
        return_propensity=np.minimum(propensity, returning.probability_ceiling),
        is_registered=is_registered,
        is_wholesale=chance(rng, wholesale, size) & is_customer,
        uses_till_email=np.zeros(size, dtype=bool),
        country=pick(rng, COUNTRY_WEIGHTS, size),
        first_name=between(rng, 0, len(FIRST_NAMES), size),
        last_name=between(rng, 0, len(LAST_NAMES), size),
        acquisition=acquisition,
        favourite=pick(rng, CATEGORY_MIX, size),
        likes_app=likes_app,
        is_referred=is_referred,
    )
    in_store = np.flatnonzero(is_customer & is_registered & ~is_referred)[
        : parameters.identity.till_email_people
    ]
    people.uses_till_email[in_store] = True
    people.acquisition[in_store] = ACQUISITION_CHANNELS.index("store")
    return people


def _referred(
    rng: np.random.Generator,
    first_day: Floats,
    may_be: NDArray[np.bool_],
    likes_app: NDArray[np.bool_],
    parameters: Parameters,
) -> NDArray[np.bool_]:
    """Draw who was invited; by then somebody else had ordered for long enough to invite."""
    habits = parameters.referring
    share = np.where(likes_app, habits.share_app, habits.share)
    earliest = first_day[may_be].min(initial=np.inf) + 45
    return chance(rng, share, first_day.size) & may_be & (first_day > earliest)


def _basket_and_propensity(
    rng: np.random.Generator, size: int, parameters: Parameters
) -> tuple[Floats, Floats]:
    """Draw basket factor (log-normal, mean 1) and return propensity (beta), tied by a copula."""
    returning = parameters.returning
    sigma = parameters.baskets.basket_sigma
    correlation = returning.propensity_basket_correlation
    first = rng.standard_normal(size)
    second = correlation * first + np.sqrt(1 - correlation**2) * rng.standard_normal(size)
    basket = np.exp(sigma * first - sigma**2 / 2)
    shape = returning.propensity_mean * returning.propensity_concentration
    # The beta quantile is slow, so it is read from a fine table; its ends are exact enough here.
    grid = np.linspace(0, 1, 4001)
    quantiles = special.betaincinv(shape, returning.propensity_concentration - shape, grid)
    return basket, np.interp(special.ndtr(second), grid, quantiles)


def draw_spelling(rng: np.random.Generator, size: int, parameters: Parameters) -> Integers:
    """Draw how an address is typed at a guest checkout."""
    identity = parameters.identity
    shares = (identity.case_share, identity.space_share, identity.tag_share)
    return pick(rng, (1 - sum(shares), *shares), size)


def registered_accounts(
    rng: np.random.Generator, people: People, first_order: Integers, clock: SeasonClock
) -> Accounts:
    """Make one account per registered person, opened at or some days before the first order.

    `first_order` is the second of each person's first order; a prospect's is the day of visit.
    """
    person = np.flatnonzero(people.is_registered)
    opening = clock.start_day * DAY
    lead = np.where(
        chance(rng, 0.12, person.size),
        between(rng, DAY, 30 * DAY, person.size),
        between(rng, 60, 1200, person.size),
    )
    created = np.maximum(first_order[person] - lead, np.minimum(opening, first_order[person] - 1))
    state = np.where(chance(rng, 0.01, person.size), DISABLED, ENABLED)
    invited = (people.kind[person] == PROSPECT) & chance(rng, 0.3, person.size)
    return _accounts(rng, person, np.where(invited, INVITED, state), created)


def guest_accounts(
    rng: np.random.Generator, person: Integers, ordered: Integers, spelling: Integers
) -> Accounts:
    """Make one account per guest checkout, opened by the order itself."""
    accounts = _accounts(rng, person, np.full(person.size, GUEST), ordered)
    accounts.spelling = spelling
    return accounts


def _accounts(
    rng: np.random.Generator, person: Integers, state: Integers, created: Integers
) -> Accounts:
    size = person.size
    knows_birthday = chance(rng, 0.4, size) & (state != GUEST)
    month = between(rng, 1, 13, size)
    return Accounts(
        person=person,
        state=state.astype(np.int64),
        spelling=np.full(size, PLAIN, dtype=np.int64),
        created=created,
        profile_updated=np.full(size, NEVER),
        has_phone=chance(rng, 0.45, size),
        birth_month=np.where(knows_birthday, month, -1),
        birth_day=np.where(knows_birthday, between(rng, 1, 29, size), -1),
        postal=between(rng, 10_000, 99_999, size),
    )


def plan_profile_updates(
    rng: np.random.Generator, accounts: Accounts, share: float, clock: SeasonClock
) -> None:
    """Set when a part of the registered accounts adds a phone number, after it was opened."""
    size = accounts.person.size
    span = np.maximum((clock.start_day + clock.days) * DAY - accounts.created, DAY)
    changes = chance(rng, share, size) & (accounts.state != GUEST)
    moment = accounts.created + 60 + (rng.random(size) * span).astype(np.int64)
    accounts.profile_updated = np.where(changes, moment, NEVER)
