"""Columns of the court's tables in the schema `scores`."""

import pyarrow as pa

TEXT, NUMBER, COUNT, FLAG, DAY = pa.string(), pa.float64(), pa.int64(), pa.bool_(), pa.date32()

_SCORE = [("score_name", TEXT), ("horizon_days", COUNT)]
_MODEL = [*_SCORE, ("judged_horizon_days", COUNT), ("model_name", TEXT)]

BACKTESTS = pa.schema(
    [
        *_MODEL,
        ("origin_date", DAY),
        ("customers", COUNT),
        ("actual_total", NUMBER),
        ("expected_total", NUMBER),
        ("mean_loss", NUMBER),
        ("mean_absolute_error", NUMBER),
        ("root_mean_squared_error", NUMBER),
        ("total_bias", NUMBER),
        ("spearman_correlation", NUMBER),
        ("normalised_gini", NUMBER),
        ("top_decile_capture", NUMBER),
        ("brier_score", NUMBER),
        ("brier_skill", NUMBER),
        ("expected_calibration_error", NUMBER),
        ("area_under_curve", NUMBER),
        ("lift_top_decile", NUMBER),
        ("calibration_slope", NUMBER),
        ("calibration_intercept", NUMBER),
        ("interval_coverage", NUMBER),
        ("loss_name", TEXT),
        ("level", TEXT),
        ("fit_verdict", TEXT),
        ("is_baseline", FLAG),
        ("is_champion", FLAG),
    ]
)
VERDICTS = pa.schema(
    [
        *_MODEL,
        ("origins", COUNT),
        ("customers", COUNT),
        ("mean_loss", NUMBER),
        ("loss_difference", NUMBER),
        ("loss_difference_low", NUMBER),
        ("loss_difference_high", NUMBER),
        ("loss_gain", NUMBER),
        ("normalised_gini", NUMBER),
        ("total_bias", NUMBER),
        ("calibration_slope", NUMBER),
        ("interval_coverage", NUMBER),
        ("loss_name", TEXT),
        ("hardest_baseline", TEXT),
        ("reason", TEXT),
        ("is_baseline", FLAG),
        ("is_converged", FLAG),
        ("is_beating_baselines", FLAG),
        ("is_calibrated", FLAG),
        ("is_passing", FLAG),
        ("is_champion", FLAG),
    ]
)
CHAMPIONS = pa.schema(
    [
        *_SCORE,
        ("judged_horizon_days", COUNT),
        ("champion_model_name", TEXT),
        ("incumbent_model_name", TEXT),
        ("challenger_model_name", TEXT),
        ("origins", COUNT),
        ("customers", COUNT),
        ("challenger_loss_difference", NUMBER),
        ("challenger_loss_difference_low", NUMBER),
        ("challenger_loss_difference_high", NUMBER),
        ("loss_gain", NUMBER),
        ("level", TEXT),
        ("origins_note", TEXT),
        ("reason", TEXT),
        ("is_published", FLAG),
    ]
)
CALIBRATION = pa.schema(
    [
        *_MODEL,
        ("bin_type", TEXT),
        ("bin_number", COUNT),
        ("bin_label", TEXT),
        ("customers", COUNT),
        ("expected_mean", NUMBER),
        ("actual_mean", NUMBER),
        ("actual_low", NUMBER),
        ("actual_high", NUMBER),
        ("is_champion", FLAG),
    ]
)
TRACKING = pa.schema(
    [
        *_MODEL,
        ("origin_date", DAY),
        ("week_number", COUNT),
        ("weeks", COUNT),
        ("week_end_date", DAY),
        ("expected_orders", NUMBER),
        ("actual_orders", NUMBER),
        ("cumulative_expected_orders", NUMBER),
        ("cumulative_actual_orders", NUMBER),
        ("is_champion", FLAG),
    ]
)
MONITORING = pa.schema(
    [
        *_MODEL,
        ("subject_type", TEXT),
        ("subject_name", TEXT),
        ("measure_name", TEXT),
        ("origin_date", DAY),
        ("customers", COUNT),
        ("value", NUMBER),
    ]
)
