"""Pictures of a night for the people who watch it, as PNG bytes.

What belongs here is drawing: every number arrives ready.
"""

from orchestration.science.charts.canvas import png
from orchestration.science.charts.cohorts import cohort_triangle
from orchestration.science.charts.court import (
    calibration_plot,
    captured_share,
    lift_plot,
    tracking_plot,
)
from orchestration.science.charts.effects import effect_forest
from orchestration.science.charts.fits import (
    counted_by_frequency,
    expected_by_frequency,
    parameter_history,
    purchase_counts,
)
from orchestration.science.charts.memberships import renewal_curve, survival_curves

__all__ = [
    "calibration_plot",
    "captured_share",
    "cohort_triangle",
    "counted_by_frequency",
    "effect_forest",
    "expected_by_frequency",
    "lift_plot",
    "parameter_history",
    "png",
    "purchase_counts",
    "renewal_curve",
    "survival_curves",
    "tracking_plot",
]
