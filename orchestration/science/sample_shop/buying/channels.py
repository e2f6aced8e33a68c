"""Where an order is placed and how fast it is wanted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import chance, pick
from orchestration.science.sample_shop.shop_time import Integers

CHANNELS = ("web", "app", "marketplace", "store")
STORE = CHANNELS.index("store")
NEXT_DAY, STANDARD = 1, 3
SERVICE_WEIGHTS = (0.02, 0.09, 0.13, 0.76)
SERVICE_WEIGHTS_REGULAR = (0.03, 0.27, 0.20, 0.50)
REGULAR_FROM = 2
"""From this number on (the third order) people choose the faster services more."""


def draw_channels(
    rng: np.random.Generator,
    number: Integers,
    likes_app: NDArray[np.bool_],
    country: Integers,
) -> tuple[Integers, Integers]:
    """Draw channel and service for orders of these numbers by people of these countries."""
    size = number.size
    channel = pick(rng, (0.62, 0.18, 0.12, 0.08), size)
    channel = np.where(likes_app & chance(rng, 0.5, size), 1, channel)
    # Only people at home walk into the store.
    channel = np.where((channel == STORE) & (country != 0), 0, channel)
    service = np.where(
        number >= REGULAR_FROM,
        pick(rng, SERVICE_WEIGHTS_REGULAR, size),
        pick(rng, SERVICE_WEIGHTS, size),
    )
    return channel, np.where((country != 0) & (service < 2), STANDARD, service)
