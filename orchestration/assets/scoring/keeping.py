"""What stays from night to night: the last good rows of a withheld score, and the histories."""

from collections.abc import Collection, Mapping
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc


def with_last_good(
    spoken: pa.Table | None,
    before: pa.Table | None,
    *,
    empty: pa.Table,
    as_of_date: date,
    customers: pa.Array,
    nights: Collection[date],
    withheld_horizons: Collection[int] | None = None,
) -> pa.Table:
    """The rows of tonight, and the last good ones of what is withheld tonight.

    Parameters
    ----------
    spoken : pyarrow.Table or None
        Tonight's rows; None where the score is withheld.
    before : pyarrow.Table or None
        The table as the last night left it; None where all of it is replaced.
    empty : pyarrow.Table
        A table of the right columns; what earlier nights wrote in other columns is let go.
    as_of_date : date
        Tonight. A row of tonight or later is none that an earlier night left.
    customers : pyarrow.Array
        Who is a customer tonight: of others nothing is kept.
    nights : collection of date
        Those that the history of champions knows: rows of another have nobody who answers for them.
    withheld_horizons : collection of int, optional
        Where a table holds several scores by horizon, those that are withheld tonight.
    """
    kept = empty
    if before is not None and before.schema.names == empty.schema.names:
        wanted = pc.and_(
            pc.is_in(
                before["scored_as_of_date"],
                pa.array([night for night in nights if night < as_of_date], pa.date32()),
            ),
            pc.is_in(before["customer_id"], customers),
        )
        if withheld_horizons is not None:
            withheld = pa.array(list(withheld_horizons), pa.int64())
            wanted = pc.and_(wanted, pc.is_in(before["horizon_days"], withheld))
        kept = before.filter(wanted).cast(empty.schema)
    return kept if spoken is None else pa.concat_tables([spoken, kept])


def with_history(tonight: pa.Table, before: pa.Table | None, as_of_date: date) -> pa.Table:
    """Tonight's rows beside those of every other night; a night that is run again replaces its own.

    A night earlier than one that was ruled already is a replay: its rows stand until the next night and
    leave no trace, so that looking back at an old day changes nothing of what comes after the newest.
    """
    others = _nights_of(before, tonight)
    is_replay = False
    if others is not None:
        others = others.filter(pc.not_equal(others["as_of_date"], pa.scalar(as_of_date)))
        newest = pc.max(others["as_of_date"]).as_py()
        is_replay = newest is not None and newest > as_of_date
    marked = tonight.append_column("is_replay", pa.repeat(pa.scalar(is_replay), tonight.num_rows))
    if others is None:
        return marked
    both = pa.concat_tables([others.cast(marked.schema), marked])
    return both.sort_by([("as_of_date", "ascending")])


def nights_of(champions: pa.Table | None) -> set[date]:
    """Nights that the history keeps."""
    if champions is None or "is_replay" not in champions.column_names:
        return set()
    return set(champions.filter(pc.invert(champions["is_replay"]))["as_of_date"].to_pylist())


def _nights_of(before: pa.Table | None, tonight: pa.Table) -> pa.Table | None:
    """The history without replays; None where there is none, or one of an older version's columns."""
    if before is None or before.schema.names != [*tonight.schema.names, "is_replay"]:
        return None
    return before.filter(pc.invert(before["is_replay"]))


def incumbents_of(champions: pa.Table | None, as_of_date: date) -> Mapping[tuple[str, int], str]:
    """Champions of the newest night before this one, by score and horizon.

    Later nights are not looked at, and neither is an earlier run of this one: a night that is run
    again rules as it ruled.
    """
    nights = [night for night in nights_of(champions) if night < as_of_date]
    if champions is None or not nights:
        return {}
    earlier = champions.filter(pc.invert(champions["is_replay"]))
    newest = pa.scalar(max(nights), pa.date32())
    rows = earlier.filter(pc.equal(earlier["as_of_date"], newest)).to_pylist()
    return {
        (row["score_name"], row["horizon_days"]): row["champion_model_name"]
        for row in rows
        if row["champion_model_name"] is not None
    }
