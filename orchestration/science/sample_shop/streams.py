"""Random streams: every subject beside orders and memberships draws from a stream of its own.

So a subject can be added or changed and all the others stay, number by number, what they were.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from orchestration.science.sample_shop.simulation import Facts, Frame

Drawn = TypeVar("Drawn")


def stream(seed: int, subject: str, chunk: int = 0) -> np.random.Generator:
    """Return the random stream of a subject; `chunk` is the number of people drawn before."""
    return np.random.default_rng([seed, zlib.crc32(subject.encode()), chunk])


def subject(
    name: str,
) -> Callable[
    [Callable[[np.random.Generator, Facts, Frame], Drawn]], Callable[[Facts, Frame], Drawn]
]:
    """Let a function draw its subject once for each chunk, from the subject's own stream.

    The function is written with a generator before its facts and is called without it; whoever
    needs the subject calls it, and all get the same.
    """

    def decorate(
        draw: Callable[[np.random.Generator, Facts, Frame], Drawn],
    ) -> Callable[[Facts, Frame], Drawn]:
        @functools.wraps(draw)
        def drawn(facts: Facts, frame: Frame) -> Drawn:
            if name not in facts.drawn:
                rng = stream(frame.parameters.seed, name, facts.offsets.people)
                facts.drawn[name] = draw(rng, facts, frame)
            found: Drawn = facts.drawn[name]
            return found

        return drawn

    return decorate
