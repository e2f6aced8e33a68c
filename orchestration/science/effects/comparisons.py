"""Which effects are estimated every night, and who is compared with whom.

What belongs here is the list and its words. How an effect is estimated belongs to `estimation`, and
who is at risk on which day to `cohorts`.
"""

from typing import Literal, NamedTuple

Family = Literal["membership", "loyalty", "referral", "service", "bad_experience"]
# What goes wrong for a customer, whoever is to blame.
BAD_EVENTS = ("late_delivery", "lost_parcel", "faulty_goods", "bad_service", "promo_code_refused")
# Occasions on which something could have gone wrong, and did not.
CHANCES_OF_BAD = ("late_delivery", "bad_service", "promo_code_refused")


class Comparison(NamedTuple):
    """One event, and the occasions of those who are compared.

    Attributes
    ----------
    family, event_name : text
    with_event, without_event : text
        Who is compared with whom, in words.
    events : tuple of text
        Kinds of events of the table that count as the event.
    occasions : tuple of text
        Kinds whose occasions without the event make the controls; none: every customer is at risk
        on every day.
    ordinal : int >= 1, optional
        Only the so manieth bad experience of a customer, among occasions after one less.
    is_first_order : bool
        New customers, who have no past: the placebo is the value of their first order.
    is_naive_among_occasions : bool
        The naive gap is to all who met the occasion; elsewhere to all customers without the event,
        on an occasion or not, as a table of customers with it and without it would show.
    """

    family: Family
    event_name: str
    with_event: str
    without_event: str
    events: tuple[str, ...]
    occasions: tuple[str, ...]
    ordinal: int | None = None
    is_first_order: bool = False
    is_naive_among_occasions: bool = False


def _bad(event_name: str, words: str, ordinal: int, *kinds: str) -> Comparison:
    chances = tuple(one for one in kinds if one in CHANCES_OF_BAD) or ("late_delivery",)
    before = "none before" if ordinal == 1 else f"{ordinal - 1} before"
    return Comparison(
        "bad_experience",
        event_name,
        f"customers with {words}, bad experience number {ordinal}",
        f"customers whom the same could have met and did not, {before}",
        kinds,
        chances,
        ordinal,
    )


COMPARISONS = (
    Comparison(
        "membership",
        "membership_joined",
        "customers who joined at an order, trial or paid",
        "customers who ordered in the same month and had not joined",
        ("membership_joined",),
        ("order_placed",),
    ),
    Comparison(
        "membership",
        "membership_trial_paid",
        "members who paid after their trial",
        "members whose trial ended unpaid",
        ("membership_trial_paid",),
        ("membership_trial_paid",),
        is_naive_among_occasions=True,
    ),
    Comparison(
        "loyalty",
        "loyalty_tier_reached",
        "customers at the order that lifted them to their first higher tier",
        "customers who ordered in the same month and had not been lifted",
        ("loyalty_tier_reached",),
        ("order_placed",),
    ),
    Comparison(
        "referral",
        "came_by_referral",
        "new customers whom a customer had invited",
        "other new customers of the same month",
        ("came_by_referral",),
        ("came_by_referral",),
        is_first_order=True,
        is_naive_among_occasions=True,
    ),
    Comparison(
        "referral",
        "friend_invited",
        "customers who invited a friend for the first time",
        "customers who had invited nobody",
        ("friend_invited",),
        (),
    ),
    Comparison(
        "service",
        "late_delivery",
        "customers at their first late parcel",
        "customers whose parcel came as promised, and all before it",
        ("late_delivery",),
        ("late_delivery",),
    ),
    Comparison(
        "service",
        "bad_service",
        "customers at their first ticket that went badly",
        "customers whose ticket went well, and all before it",
        ("bad_service",),
        ("bad_service",),
    ),
    Comparison(
        "service",
        "promo_code_refused",
        "customers at their first refused code",
        "customers at a checkout without one",
        ("promo_code_refused",),
        ("promo_code_refused",),
    ),
    Comparison(
        "service",
        "service_recovery",
        "customers who were compensated after something had gone wrong",
        "customers to whom something had gone wrong and who were not compensated",
        ("service_recovery",),
        ("service_recovery",),
        is_naive_among_occasions=True,
    ),
    _bad("any_bad_experience", "any bad experience", 1, *BAD_EVENTS),
    _bad("any_bad_experience", "any bad experience", 2, *BAD_EVENTS),
    _bad("late_delivery", "a late parcel", 1, "late_delivery"),
    _bad("lost_parcel", "a parcel that never came", 1, "lost_parcel"),
    _bad("faulty_goods", "faulty goods", 1, "faulty_goods"),
    _bad("bad_service", "a ticket that went badly", 1, "bad_service"),
    _bad("promo_code_refused", "a refused code", 1, "promo_code_refused"),
)
