"""The parameters behind the scores of a night, as a table: one row per model and parameter."""

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from orchestration.science import gamma_gamma
from orchestration.science.forecasts.closed_forms import fitted
from orchestration.science.ledger import Ledger
from orchestration.science.purchases.models import MODELS
from orchestration.science.scoring.customer_tables import MODEL_VERSION
from orchestration.science.value.order_values import estimate_order_values

FITS = pa.schema(
    [
        ("model_name", pa.string()),
        ("parameter", pa.string()),
        ("value", pa.float64()),
        ("standard_error", pa.float64()),
        ("log_likelihood", pa.float64()),
        ("n_customers", pa.int64()),
        ("n_groups", pa.int64()),
        ("is_used", pa.bool_()),
        ("is_converged", pa.bool_()),
        ("level", pa.string()),
        ("verdict", pa.string()),
        ("model_version", pa.string()),
    ]
)


def fit_table(tonight: Ledger, champions: Collection[str]) -> pa.Table:
    """Lay out every fit of the night, those that may not be used with the reason.

    Parameters
    ----------
    tonight : Ledger
    champions : collection of text
        Names of the models that speak. A fit is used if a champion bears its name, alone or as the
        closed form that it stands on (levelled_bgnbd).
    """
    rows = [] if not tonight.n_customers else list(_rows(tonight, champions))
    return pa.Table.from_pylist(
        [{**row, "model_version": MODEL_VERSION} for row in rows], schema=FITS
    )


def _rows(tonight: Ledger, champions: Collection[str]) -> Iterator[dict[str, Any]]:
    for name, model in MODELS.items():
        fit = fitted(tonight, name)
        is_used = any(one == name or one.endswith(f"_{name}") for one in champions)
        yield from _parameter_rows(name, model.PARAMETERS, fit, is_used, fit.verdict)
    values = estimate_order_values(tonight)
    is_used = values.model_name == gamma_gamma.MODEL_NAME
    yield from _parameter_rows(
        gamma_gamma.MODEL_NAME, gamma_gamma.PARAMETERS, values.fit, is_used, values.verdict
    )
    shared = {
        "n_customers": int((values.value_count > 0).sum()),
        "n_groups": 0,
        "is_used": values.model_name is not None,
        "is_converged": values.model_name is not None,
        "level": "converged" if values.model_name is not None else "none",
        "verdict": values.verdict,
    }
    numbers = {
        "frequency_spend_correlation": values.correlation,
        "value_shape": values.shape,
        "shrinkage_orders": values.shrinkage_orders,
    }
    for parameter, value in numbers.items():
        yield {
            "model_name": "order_values",
            "parameter": parameter,
            "value": _or_none(value),
            **shared,
        }


def _parameter_rows(
    name: str, parameters: tuple[str, ...], fit: Any, is_used: bool, verdict: str
) -> Iterator[dict[str, Any]]:
    for parameter in parameters:
        yield {
            "model_name": name,
            "parameter": parameter,
            "value": _or_none(getattr(fit, parameter)),
            "standard_error": _or_none(fit.standard_errors.get(parameter)),
            "log_likelihood": _or_none(fit.log_likelihood),
            "n_customers": fit.n_customers,
            "n_groups": fit.n_groups,
            "is_used": is_used,
            "is_converged": fit.converged,
            "level": fit.level,
            "verdict": verdict,
        }


def _or_none(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
