"""A sample shop: three years of a believable online shop whose hidden parameters are known.

`generate` makes a shop in memory, `write` puts it into a folder, `make` does both at any size. What
belongs here is the shop and its truth; reading deliveries and everything behind it does not.
"""

from orchestration.science.sample_shop.delivering.writing import make, write, write_large
from orchestration.science.sample_shop.parameters import Parameters, customers_for_lines
from orchestration.science.sample_shop.shop import Shop, generate

__all__ = [
    "Parameters",
    "Shop",
    "customers_for_lines",
    "generate",
    "make",
    "write",
    "write_large",
]
