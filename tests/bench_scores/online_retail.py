"""Online Retail II: 26 weeks ahead from three origins, beside the table of the published models."""

from orchestration.science.court import metrics
from tests.bench_scores.cdnow import published_row
from tests.bench_scores.judging import (
    COUNT_COLUMNS,
    Say,
    choose,
    count_row,
    date_of,
    orders_of,
    predictions,
    starred,
)
from tests.bench_scores.published import ONLINE_RETAIL_BG_NBD_GINI, ONLINE_RETAIL_ORDERS
from tests.bench_scores.tables import Aim, aims, table
from tests.real_shops import (
    ONLINE_RETAIL_HORIZON_DAYS,
    ONLINE_RETAIL_ORIGINS,
    has_online_retail,
    online_retail,
    online_retail_file,
)

AIM_BIAS = 0.10


def bench(say: Say) -> str:
    """Three origins, each with the champion of its own day."""
    if not has_online_retail():
        return f"\nOnline Retail II is not there: it is looked for as {online_retail_file()}"
    shop, score = online_retail(), orders_of(ONLINE_RETAIL_HORIZON_DAYS)
    found, reached = [], []
    origins = zip(
        ONLINE_RETAIL_ORIGINS, ONLINE_RETAIL_ORDERS, ONLINE_RETAIL_BG_NBD_GINI, strict=True
    )
    for origin, published, gini in origins:
        known = shop.known_at(origin)
        came = shop.outcomes(known, ONLINE_RETAIL_HORIZON_DAYS).order_count
        day = date_of(origin)
        say(f"online retail, {day}: choosing the champion")
        chosen = choose(score, known)
        said = predictions(score, known, say)
        rows = [published_row(name, row) for name, row in published.items()]
        rows += [count_row(starred(name, chosen), one, came) for name, one in said.items()]
        title = (
            f"Online Retail II, orders of 26 weeks after {day}: {known.n_customers:,} customers, "
            f"{came.sum():,.0f} orders"
        )
        found += [table(title, COUNT_COLUMNS, rows), str(chosen)]
        if chosen.name is None:
            reached.append(Aim(f"Online Retail II {day}: a champion", None, at_least=1))
            continue
        best = said[chosen.name]
        found.append(f"  {chosen.name}: {best.verdict}")
        named = f"Online Retail II {day} {chosen.name}"
        # BG/NBD as it is found here: the printed Gini is that, in three digits.
        ranked = said["bgnbd"]
        if ranked.level != "none":
            gini = metrics.normalised_gini(ranked.expected, came)
        reached += [
            Aim(
                f"{named}: bias, size",
                abs(metrics.total_bias(best.expected, came)),
                at_most=AIM_BIAS,
            ),
            Aim(
                f"{named}: Gini",
                metrics.normalised_gini(best.expected, came),
                at_least=gini,
                digits=4,
            ),
        ]
    return "\n".join([*found, aims(reached)])
