"""What a leg of the Gateway is called by people: stable, and told apart from every other of its transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from recon.values import TheirLine


def their_key(line: TheirLine) -> str:
    """The exchange's order id, else what the batch says of the leg."""
    leg = line.leg
    return leg.exchange_order_id or f"{line.batch_id}/{leg.exchange}:{leg.symbol}/{leg.side}"


def their_keys(theirs: Iterable[TheirLine]) -> dict[int, str]:
    """The key of each line, by its number; the second of several that share one ends in /2."""
    seen: Counter[str] = Counter()
    keys = {}
    for line in sorted(theirs, key=their_order):
        key = their_key(line)
        seen[key] += 1
        keys[line.line] = key if seen[key] == 1 else f"{key}/{seen[key]}"
    return keys


def their_order(line: TheirLine) -> tuple[str, str, int]:
    """An order of legs that does not depend on how they came."""
    return (line.batch_id, repr(line.leg), line.line)
