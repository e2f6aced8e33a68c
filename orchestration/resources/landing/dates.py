"""Whether a delivery writes its dates year, day or month first, found from its values."""

from collections.abc import Iterable

import duckdb

from orchestration.resources.landing.engine import identifier

DATE_ORDERS = ("ymd", "dmy", "mdy")


def date_order(
    engine: duckdb.DuckDBPyConnection, relation: str, text_columns: Iterable[str], default: str
) -> tuple[str, str]:
    """The date order of all text columns together, and what it rests on.

    A 25 in the first place says day first, one in the second place month first. `iso` means that no
    value needs an order, `values` that the values show one, `ambiguous` that they fit both and
    `contradictory` that they show both; the last two take the default.
    """
    values = " union all ".join(
        f"select {identifier(column)} as value from {relation} "
        # Cheap first: where every date starts with a year, no pattern has to be matched.
        f"where {identifier(column)} not like '____-%'"
        for column in text_columns
    )
    if not values:
        return "ymd", "iso"
    numeric, day_first, month_first = engine.execute(
        f"""
        select
            count(*),
            count(*) filter (parts[1] > 12 and parts[2] <= 12),
            count(*) filter (parts[2] > 12 and parts[1] <= 12)
        from (
            select
                try_cast(
                    regexp_extract_all(
                        regexp_extract(
                            value, '^\\s*(\\d{{1,2}}[-/. ]\\d{{1,2}})[-/. ]\\d{{2,4}}', 1
                        ),
                        '\\d+'
                    ) as integer[]
                ) as parts
            from ({values})
        )
        where len(parts) = 2
        """
    ).fetchone()
    if not numeric:
        return "ymd", "iso"
    if bool(day_first) == bool(month_first):
        return default, "contradictory" if day_first else "ambiguous"
    return "dmy" if day_first else "mdy", "values"
