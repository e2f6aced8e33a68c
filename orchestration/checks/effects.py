"""Gates of the effects: no adjusted number stands that its own diagnostics do not carry.

They block: a night that tells an effect it cannot defend is not published. That an effect is not
identified is no failure of the night.
"""

import dagster as dg

from orchestration.resources.warehouse import Warehouse
from orchestration.science.effects.overlap import (
    FEWEST_CUSTOMERS,
    FEWEST_EFFECTIVE,
    MOST_TREATED_TRIMMED,
)

# The verdict is worked out anew from its own numbers: a flag alone would prove nothing.
BROKEN = f"""
    select event_name, outcome_name, verdict
    from scores.effects
    where
        is_identified <> (adjusted_difference is not null)
        or (adjusted_difference is not null and not coalesce(
            least(treated_count, control_count) >= {FEWEST_CUSTOMERS}
            and least(effective_treated_count, effective_control_count) >= {FEWEST_EFFECTIVE}
            and trimmed_treated_share <= {MOST_TREATED_TRIMMED}
            and is_placebo_passed
            and placebo_low_95 <= 0
            and placebo_high_95 >= 0
            and adjusted_low_95 < adjusted_low_80
            and adjusted_high_80 < adjusted_high_95
            and adjusted_difference between adjusted_low_80 and adjusted_high_80
            and naive_difference is not null,
            false))
        or (adjusted_difference is null and verdict not like 'not identified: _%')
"""


@dg.asset_check(
    asset=dg.AssetKey(["scores", "effects"]),
    blocking=True,
    description=(
        "Every adjusted effect has overlap, enough customers and a placebo that stayed at zero; every"
        " other says why there is none."
    ),
)
def no_effect_stands_without_overlap_and_placebo(
    warehouse: dg.ResourceParam[Warehouse],
) -> dg.AssetCheckResult:
    """Blocks the night when an adjusted number stands without what it rests on."""
    broken = warehouse.query(BROKEN)
    return dg.AssetCheckResult(
        passed=not broken,
        description="; ".join(f"{event}, {outcome}: {why}" for event, outcome, why in broken)
        or None,
        metadata={"effects without support": len(broken)},
    )


EFFECT_CHECKS = [no_effect_stands_without_overlap_and_placebo]
