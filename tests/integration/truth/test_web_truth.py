"""Sessions of the sample shop against a count that a dozen lines of Python make of the same events."""

from datetime import timedelta

import pytest

SILENCE = timedelta(minutes=30)


@pytest.fixture(scope="module")
def events(sample_shop):
    return sample_shop.warehouse.query("""
        select event_id, event_at, coalesce(anonymous_id, 'account ' || customer_id) as visitor, session_id
        from staging.stg_web_events
        where not is_deleted and event_at < timestamp '2026-01-01 00:00:00'
    """)


def sessions_of(events: list[tuple]) -> set[frozenset[str]]:
    """The events of each session, by one walk over them."""
    found: list[list[str]] = []
    last: dict[tuple, tuple] = {}
    for event_id, event_at, visitor, session_id in sorted(events, key=lambda row: (row[1], row[0])):
        before = last.get((visitor, session_id))
        if before is None or (session_id is None and event_at - before[0] >= SILENCE):
            found.append([])
            place = len(found) - 1
        else:
            place = before[1]
        found[place].append(event_id)
        last[visitor, session_id] = (event_at, place)
    return {frozenset(session) for session in found}


def test_sessions_hold_the_events_that_a_walk_over_them_puts_together(sample_shop, events):
    told: dict[str, set[str]] = {}
    for visit_key, event_id in sample_shop.warehouse.query(
        "select visit_key, event_id from intermediate.int_web__session_events"
    ):
        told.setdefault(visit_key, set()).add(event_id)
    assert len(events) > 10_000
    assert any(session_id is None for *_, session_id in events)
    assert {frozenset(session) for session in told.values()} == sessions_of(events)


def test_machines_are_suspected_and_nobody_else(sample_shop):
    [(machines, suspected, both)] = sample_shop.warehouse.query("""
        select
            count(*) filter (where device_type = 'bot'),
            count(*) filter (where is_suspected_bot),
            count(*) filter (where device_type = 'bot' and is_suspected_bot)
        from marts.fct_sessions
    """)
    assert machines > 0
    assert machines == suspected == both
