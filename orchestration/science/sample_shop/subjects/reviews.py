"""Reviews of variants: how many stars follows how it went with the line that was bought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import (
    between,
    chance,
    flags,
    keys,
    labels,
    moments,
    ranks,
)
from orchestration.science.sample_shop.facts.orders import NORMAL
from orchestration.science.sample_shop.facts.products import GIFT_CARDS
from orchestration.science.sample_shop.facts.shipments import LATE, orders_arrived
from orchestration.science.sample_shop.shop_time import DAY, HOUR, NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.tables.numbers import account_numbers, begun, place_at

TITLES = ("Never again", "Disappointed", "It is all right", "Good", "Love it")
BODIES = (
    "Broke after a week, would not buy again.",
    "Not what I expected from the pictures.",
    "Does what it should, nothing more.",
    "Good value – très bien.",
    "Exactly what I was looking for.",
)


@dataclass
class Reviews:
    """One element per review; account -1 is a stranger."""

    account: Integers
    variant: Integers
    rating: Integers
    has_text: NDArray[np.bool_]
    is_bought: NDArray[np.bool_]
    is_public: NDArray[np.bool_]
    written: Integers
    answered: Integers


@subject("reviews")
def draw_reviews(rng: np.random.Generator, facts: Facts, frame: Frame) -> Reviews:
    """Let some of the lines that arrived be reviewed, and a few strangers join in."""
    habits = frame.parameters.reviewing
    orders, lines, catalogue = facts.orders, facts.lines, frame.catalogue
    arrived = orders_arrived(orders, facts.shipments)[lines.order]
    known = (orders.kind[lines.order] == NORMAL) & (orders.account[lines.order] >= 0)
    known &= (arrived < NEVER) & ~lines.is_insert & (catalogue.category[lines.variant] < GIFT_CARDS)
    was_late = np.zeros(orders.kind.size, dtype=bool)
    was_late[facts.shipments.order[facts.shipments.outcome == LATE]] = True
    came_back = np.zeros(lines.order.size, dtype=bool)
    came_back[facts.items.line] = True
    trouble = was_late[lines.order] | came_back
    share = habits.share * np.where(trouble, 3.0, 1.0)
    line = np.flatnonzero(known & chance(rng, share, lines.order.size))
    quality = rng.normal(0, habits.variant_sigma, catalogue.category.size)
    liking = (
        habits.mean_rating
        + quality[lines.variant[line]]
        + habits.late_effect * was_late[lines.order[line]]
        + habits.returned_effect * came_back[line]
    )
    strangers = rng.binomial(line.size, habits.stranger_share)
    donors = rng.integers(0, max(line.size, 1), strangers if line.size else 0)
    line = np.concatenate([line, line[donors]])
    liking = np.concatenate([liking, np.where(chance(rng, 0.5, donors.size), 5.0, 1.5)])
    size = line.size
    is_bought = np.arange(size) < size - donors.size
    rating = np.clip(np.round(liking + rng.normal(0, habits.rating_sigma, size)), 1, 5)
    written = arrived[line] + between(rng, 3 * DAY, 35 * DAY, size)
    answers = (rating <= 2) & chance(rng, habits.answered_share, size)
    return Reviews(
        account=np.where(is_bought, orders.account[lines.order[line]], -1),
        variant=lines.variant[line],
        rating=rating.astype(np.int64),
        has_text=chance(rng, 0.7, size),
        is_bought=is_bought,
        is_public=chance(rng, 0.96, size),
        written=written,
        answered=np.where(answers, written + between(rng, 4 * HOUR, 6 * DAY, size), NEVER),
    )


def reviews(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per review."""
    drawn = draw_reviews(facts, frame)
    numbers = 1 + ranks(drawn.written, np.arange(drawn.written.size))
    row = begun(drawn.written, numbers, before)
    words = np.where(drawn.has_text, drawn.rating - 1, -1)[row]
    return pa.table(
        {
            "review_id": keys("RV", numbers[row]),
            "customer_id": keys("C", place_at(account_numbers(facts), drawn.account[row])),
            "variant_id": keys("V", drawn.variant[row] + 1, 4),
            "rating": pa.array(drawn.rating[row].astype(np.int32)),
            "title": labels(words, TITLES),
            "body": labels(words, BODIES),
            "is_verified": flags(drawn.is_bought[row]),
            "is_public": flags(drawn.is_public[row]),
            "created_at": moments(drawn.written[row], before),
            "replied_at": moments(drawn.answered[row], before),
        }
    )
