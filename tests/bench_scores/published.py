"""The rows to beat, as recomputed from the published models with an independent likelihood.

Each row: MAE, RMSE, total bias, Spearman, normalised Gini, share of the actual in the top decile.
None where the table has no value.
"""

CDNOW_ORDERS = {
    "zero": (0.8351, 2.4674, -1.0, None, None, None),
    "all-customer mean": (1.3889, 2.3552, 0.473, None, None, None),
    "own last 13 weeks x 3": (0.9446, 2.2091, 0.097, 0.4575, 0.5197, 0.4259),
    "own whole-period rate": (1.0381, 2.1582, 0.474, 0.4850, 0.6506, 0.4438),
    "BG/NBD": (0.8187, 1.7329, -0.143, 0.4420, 0.6626, 0.4558),
    "Pareto/NBD": (0.7938, 1.7262, -0.129, 0.4517, 0.6733, 0.4600),
    "boosted trees, untuned": (0.8939, 1.7700, 0.114, 0.4520, 0.6779, 0.4601),
}
CDNOW_SPEND = {
    "BG/NBD x Gamma-Gamma": (32.68, 92.94, -0.173, 0.4208, 0.6721, None),
    "Pareto/NBD x Gamma-Gamma": (31.99, 92.87, -0.158, 0.4418, 0.6845, None),
    "boosted trees, untuned": (39.35, 115.21, 0.262, 0.4501, 0.7124, None),
}
# By origin: BG/NBD, boosted trees (MAE, RMSE, bias, Spearman, Gini), zero (MAE, RMSE).
ONLINE_RETAIL_ORDERS = (
    {
        "BG/NBD": (1.390, 1.885, 0.75, 0.526, 0.727, None),
        "boosted trees, untuned": (2.354, 3.620, 1.67, 0.563, 0.741, None),
        "zero": (1.258, 2.982, -1.0, None, None, None),
    },
    {
        "BG/NBD": (1.087, 1.641, 0.30, 0.575, 0.755, None),
        "boosted trees, untuned": (1.597, 2.477, 0.83, 0.563, 0.729, None),
        "zero": (1.312, 3.171, -1.0, None, None, None),
    },
    {
        "BG/NBD": (1.042, 1.772, -0.015, 0.625, 0.773, None),
        "boosted trees, untuned": (1.082, 2.179, -0.34, 0.607, 0.754, None),
        "zero": (1.563, 3.616, -1.0, None, None, None),
    },
)
ONLINE_RETAIL_BG_NBD_GINI = (0.727, 0.755, 0.773)
