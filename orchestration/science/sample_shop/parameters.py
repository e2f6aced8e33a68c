"""The hidden parameters of the sample shop: everything a fit may later try to recover.

Here belong numbers and the dates they hold for, and nothing that draws. They are written beside the
data as its truth, so a field name is what a reader of `truth.json` sees.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field

from orchestration.science.errors import DataError
from orchestration.science.sample_shop.habits.relations import (
    Browsing,
    Effects,
    Loyalty,
    Referring,
    Service,
    Surveys,
)
from orchestration.science.sample_shop.habits.subjects import (
    Consenting,
    Devices,
    Experimenting,
    Messaging,
    ParcelNews,
    Paying,
    Privacy,
    Reviewing,
    Spending,
    Stocking,
    Wishing,
)

SHOP_CURRENCY = "GBP"
SHOP_TIMEZONE = "Europe/London"
BILLING_PERIODS = ("trial", "monthly", "annual")


@dataclass(frozen=True)
class Purchasing:
    """Buying in weeks of operational time, as BG/NBD describes it (Fader, Hardie & Lee 2005).

    Rates are Gamma(r, alpha) per week, the dropout after each repeat order is Beta(a, b). Nobody
    drops out at the first order. Season and membership change the speed of the clock, not the model.
    """

    r: float = 0.42
    alpha: float = 11.0
    a: float = 0.75
    b: float = 2.6
    member_lift: float = 1.35
    """Members' rate over the same person's rate without a membership."""


@dataclass(frozen=True)
class Season:
    """Relative speed of buying by calendar month, weekday (Monday first) and local hour."""

    month_factors: tuple[float, ...] = (
        0.88, 0.86, 0.95, 0.96, 0.98, 0.90, 0.78, 0.80, 0.95, 1.02, 1.42, 1.50,
    )  # fmt: skip
    weekday_factors: tuple[float, ...] = (1.05, 0.98, 0.96, 0.97, 0.98, 0.98, 1.08)
    hour_weights: tuple[float, ...] = (
        1, 0.5, 0.3, 0.2, 0.2, 0.5, 1.2, 2.5, 3.8, 4.8, 5.5, 5.8,
        6.2, 5.8, 5.2, 5.0, 5.2, 5.6, 6.3, 7.4, 8.2, 7.6, 5.2, 2.6,
    )  # fmt: skip
    acquisition_growth_per_year: float = 1.18
    """Factor by which the number of new customers grows in a year, season apart."""


@dataclass(frozen=True)
class Identity:
    """How one person appears under several accounts."""

    guest_share: float = 0.30
    """Persons who never register: every order is a guest checkout."""
    guest_share_spread: float = 0.4
    """How much more often the slowest buyers are guests than the quickest."""
    registered_guest_checkout_share: float = 0.04
    guest_without_account_share: float = 0.35
    """Guest checkouts that leave an e-mail but no customer id."""
    case_share: float = 0.18
    space_share: float = 0.06
    tag_share: float = 0.02
    """Guest checkouts that type the address in other case, with blanks around it, or with a +tag."""
    till_email_people: int = 14
    """Persons in the store registered under the till's own address: many people, one e-mail."""
    profile_update_share: float = 0.15


@dataclass(frozen=True)
class ExtraOrders:
    """Orders beside the buying process, as shares of its orders; none is a purchase occasion,
    except the anonymous ones of the store, which belong to nobody."""

    cancelled: float = 0.030
    unpaid: float = 0.012
    """Payment never arrives: pending for `unpaid_days`, then cancelled."""
    unpaid_days: int = 14
    fraud: float = 0.004
    test: float = 0.002
    anonymous: float = 0.020
    prospects: float = 0.05
    """Accounts that never order, as a share of customers."""


@dataclass(frozen=True)
class Baskets:
    """What is in an order."""

    further_lines: float = 1.05
    further_units: float = 0.22
    basket_sigma: float = 0.50
    """Log-normal spread of a person's basket factor (mean 1)."""
    wholesale_share: float = 0.004
    """Share of persons who buy by the dozen; drawn in proportion to the purchase rate."""
    wholesale_units: float = 24.0
    favourite_share: float = 0.50
    """Share of lines from the person's favourite category."""
    gift_card_share: float = 0.010
    gift_card_december_share: float = 0.030
    gift_insert_share: float = 0.06
    promotion_share: float = 0.50
    """Share of orders in a promotion window that use its code."""
    welcome_share: float = 0.25
    free_shipping_share: float = 0.04
    member_deal_share: float = 0.25


@dataclass(frozen=True)
class Delivery:
    """Parcels. A parcel is late when it arrives on a day after the day first promised."""

    carriers: tuple[str, ...] = ("parcelway", "redpost", "swift")
    carrier_weights: tuple[float, ...] = (0.5, 0.3, 0.2)
    services: tuple[str, ...] = ("same_day", "next_day", "two_day", "standard")
    service_days: tuple[int, ...] = (0, 1, 2, 5)
    late_probability: tuple[tuple[float, ...], ...] = (
        (0.05, 0.10, 0.08, 0.06),
        (0.08, 0.18, 0.14, 0.11),
        (0.03, 0.05, 0.04, 0.03),
    )
    """By carrier (rows) and service (columns)."""
    promise_moved_share: float = 0.7
    lost_share: float = 0.004
    returned_to_sender_share: float = 0.004
    second_parcel_share: float = 0.06
    address_changed_share: float = 0.01
    lost_after_days: int = 12


@dataclass(frozen=True)
class Returning:
    """Return habits: a line comes back with probability person's propensity x category factor."""

    propensity_mean: float = 0.13
    propensity_concentration: float = 2.6
    """The propensity is Beta(mean c, (1 - mean) c) with this c."""
    propensity_basket_correlation: float = 0.55
    """Gaussian copula correlation of propensity and basket factor: who spends more returns more."""
    probability_ceiling: float = 0.85
    partial_share: float = 0.35
    two_parcels_share: float = 0.20
    """Of fully returned lines of two or more units."""
    never_sent_share: float = 0.07
    rejected_share: float = 0.015
    exchange_share: float = 0.08
    unrefunded_share: float = 0.010
    restocking_share: float = 0.06
    restocking_fee: float = 0.10
    goodwill_share: float = 0.012
    returnless_share: float = 0.006
    """Orders with a refund and no return: a gesture over the order, or one line paid back."""
    cancelled_after_days: int = 45


@dataclass(frozen=True)
class Plan:
    """A membership plan; `fee` in pence for one term of `months` months."""

    code: str
    billing_period: str
    months: int
    fee: int
    weight: float


@dataclass(frozen=True)
class Membership:
    """Paid memberships. Renewal probabilities are conditional on having had the term before."""

    program: str = "plus"
    plans: tuple[Plan, ...] = (
        Plan("plus_monthly", "monthly", 1, 899, 0.50),
        Plan("plus_annual", "annual", 12, 7900, 0.38),
        Plan("plus_annual_family", "annual", 12, 10900, 0.12),
    )
    join_probability: float = 0.06
    """At the first order of a person with an account ..."""
    join_growth: float = 0.6
    """... times (number of the order) to this power: those who have ordered often join more."""
    join_probability_ceiling: float = 0.25
    trial_share: float = 0.55
    trial_days: int = 30
    renewal_trial: float = 0.69
    renewal_monthly: tuple[float, ...] = (0.88, 0.91, 0.93, 0.94, 0.95, 0.955, 0.96)
    renewal_annual: tuple[float, ...] = (0.93, 0.98, 0.98)
    """After term 1, 2, ...; the last value holds for all later terms."""
    payment_failure: float = 0.03
    payment_recovery: float = 0.65
    grace_days: int = 14
    pause: float = 0.015
    pause_again: float = 0.5
    """Monthly members who skip a term: the term is waived, and it is a renewal."""
    monthly_to_annual: float = 0.015
    annual_to_monthly: float = 0.02
    annual_to_family: float = 0.02
    family_to_annual: float = 0.03
    first_term_discount_share: float = 0.25
    first_term_discount: float = 0.20
    rejoin: float = 0.15
    rejoin_mean_days: float = 75.0
    benefit_uses_per_30_days: float = 1.6


@dataclass(frozen=True)
class Parameters:
    """One shop: its size, its dates, its random state and its hidden habits."""

    customers: int = 3000
    years: int = 3
    end_date: dt.date = dt.date(2025, 12, 31)
    """Last complete day; the first day is `years` years earlier, plus one."""
    seed: int = 20260101
    defects: bool = True
    further_sources: bool | None = None
    """Deliver the sources beside orders, returns and memberships too; None: where defects are."""
    future_days: int = 365
    """Days simulated after the end, kept out of the data and written into the truth."""
    chunk_customers: int = 250_000
    purchasing: Purchasing = field(default_factory=Purchasing)
    season: Season = field(default_factory=Season)
    identity: Identity = field(default_factory=Identity)
    extra_orders: ExtraOrders = field(default_factory=ExtraOrders)
    baskets: Baskets = field(default_factory=Baskets)
    delivery: Delivery = field(default_factory=Delivery)
    returning: Returning = field(default_factory=Returning)
    membership: Membership = field(default_factory=Membership)
    effects: Effects = field(default_factory=Effects)
    service: Service = field(default_factory=Service)
    loyalty: Loyalty = field(default_factory=Loyalty)
    referring: Referring = field(default_factory=Referring)
    browsing: Browsing = field(default_factory=Browsing)
    surveys: Surveys = field(default_factory=Surveys)
    paying: Paying = field(default_factory=Paying)
    parcel_news: ParcelNews = field(default_factory=ParcelNews)
    reviewing: Reviewing = field(default_factory=Reviewing)
    wishing: Wishing = field(default_factory=Wishing)
    devices: Devices = field(default_factory=Devices)
    consenting: Consenting = field(default_factory=Consenting)
    privacy: Privacy = field(default_factory=Privacy)
    messaging: Messaging = field(default_factory=Messaging)
    experimenting: Experimenting = field(default_factory=Experimenting)
    spending: Spending = field(default_factory=Spending)
    stocking: Stocking = field(default_factory=Stocking)

    def __post_init__(self) -> None:
        if self.customers < 1:
            raise DataError(f"customers must be at least 1, not {self.customers}")
        if not 1 <= self.years <= 20:
            raise DataError(f"years must be between 1 and 20, not {self.years}")
        if self.future_days < 0:
            raise DataError(f"future_days must not be negative, not {self.future_days}")
        failing = self.membership.payment_failure * (1 - self.membership.payment_recovery)
        for period, target in self._renewal_targets():
            if not 0 <= target <= 1 - failing:
                raise DataError(
                    f"a {period} renewal probability of {target} cannot be had: payments alone "
                    f"end {failing:.4f} of the terms; lower it or raise payment_recovery"
                )

    def _renewal_targets(self) -> list[tuple[str, float]]:
        membership = self.membership
        return [
            ("trial", membership.renewal_trial),
            *(("monthly", target) for target in membership.renewal_monthly),
            *(("annual", target) for target in membership.renewal_annual),
        ]

    def check_one_chunk_is_enough(self) -> None:
        """Refuse what is made of one chunk only: defects, held row by row, and further sources."""
        if self.defects and self.customers > self.chunk_customers:
            raise DataError(
                f"defects are planted in shops of up to {self.chunk_customers:,} customers, not in "
                f"{self.customers:,}; ask for fewer customers or for no defects"
            )
        if self.delivers_further_sources and self.customers > self.chunk_customers:
            raise DataError(
                f"further sources are made for shops of up to {self.chunk_customers:,} customers, not "
                f"for {self.customers:,}; ask for fewer customers or for further_sources=False"
            )

    @property
    def delivers_further_sources(self) -> bool:
        """Whether the sources beside the first twelve are delivered."""
        return self.defects if self.further_sources is None else self.further_sources

    @property
    def delivery_dates(self) -> tuple[dt.date, ...]:
        """Last day in each delivery: the history up to two months ago, then two months."""
        first = self.end_date.replace(day=1)
        last_month = first - dt.timedelta(days=1)
        return (last_month.replace(day=1) - dt.timedelta(days=1), last_month, self.end_date)

    @property
    def start_date(self) -> dt.date:
        """The day the shop opened: nobody bought before it, so no cohort is truncated."""
        day_after = self.end_date + dt.timedelta(days=1)
        return dt.date(day_after.year - self.years, day_after.month, min(day_after.day, 28))


# Lines per customer with the default habits, counted on 200,000 customers.
LINES_PER_CUSTOMER = {3: 5.87}


def customers_for_lines(lines: int, years: int = 3) -> int:
    """Return how many customers make about `lines` order lines with the default habits."""
    if years not in LINES_PER_CUSTOMER:
        known = ", ".join(str(one) for one in LINES_PER_CUSTOMER)
        raise DataError(f"lines per customer is known for {known} years, not for {years}")
    return max(1, math.ceil(lines / LINES_PER_CUSTOMER[years]))
