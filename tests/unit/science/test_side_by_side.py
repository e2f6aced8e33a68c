"""Independent pieces of work in threads."""

import os
import threading

import pytest

from orchestration.science.side_by_side import side_by_side


def test_results_stand_in_the_order_of_the_items_whoever_ends_first(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    second_has_ended = threading.Event()

    def work(item: int) -> int:
        if item == 1:
            # Ends only after the second, which another thread must therefore have taken.
            assert second_has_ended.wait(timeout=30)
        if item == 2:
            second_has_ended.set()
        return 10 * item

    assert side_by_side(work, [1, 2, 3]) == [10, 20, 30]
    assert side_by_side(work, []) == []


def test_an_error_of_one_piece_reaches_the_caller_and_no_further_piece_begins():
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 0:
            raise ValueError("the first piece")
        return item

    with pytest.raises(ValueError, match="the first piece"):
        side_by_side(work, range(10_000))
    assert len(begun) < 10_000
