"""What a day is made of: each plot with its share of a day, the most telling ones first."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from simulator import plots_books as books
from simulator import plots_common as common
from simulator import plots_evening as evening
from simulator import plots_gateway as gateway
from simulator import plots_webhooks as webhooks
from simulator.draw import Draw
from simulator.story import Story

ALL_FROM = 60  #: a day of so many transactions has every plot
ONCE_PER = 500  #: and each of them at least once per so many
_FEWER = 0.7  #: share of plots other than complete in a smaller day

Plot = Callable[[Draw, int], Story]


@dataclass(frozen=True, slots=True)
class Part:
    """One plot and how many of a thousand transactions follow it."""

    plot: Plot
    per_mille: float


PARTS = (
    Part(webhooks.missed, 10),
    Part(webhooks.forged_checksum, 3),
    Part(webhooks.forged_body, 3),
    Part(books.qty_filled, 4),
    Part(books.missing_internal, 4),
    Part(common.partial, 25),
    Part(common.late, 20),
    Part(common.duplicate, 20),
    Part(evening.amo_open, 10),
    Part(common.never_triggered, 20),
    Part(common.rejected, 20),
    Part(common.cancelled, 20),
    Part(common.unplaced, 8),
    Part(common.user_edited, 8),
    Part(webhooks.forged_unknown, 3),
    Part(webhooks.out_of_order, 6),
    Part(evening.webhook_late, 4),
    Part(evening.amo_awaiting, 4),
    Part(common.stale_open, 4),
    Part(common.slow_api, 15),
    Part(books.missing_external, 4),
    Part(books.price_in_tolerance, 4),
    Part(books.price_out, 4),
    Part(books.side, 2),
    Part(books.instrument, 2),
    Part(books.account, 2),
    Part(books.status_conflict, 3),
    Part(books.books_behind, 4),
    Part(books.ambiguous, 3),
    Part(gateway.overfill, 2),
    Part(gateway.batch_sum, 2),
    Part(gateway.price_absent, 3),
    Part(gateway.amount_sum, 2),
    Part(gateway.batch_vs_lines, 2),
    Part(gateway.unknown_word, 3),
    Part(webhooks.regression, 2),
)


def mixed(transactions: int, chance: random.Random) -> list[tuple[Plot, int]]:
    """The plots of a day in random order, each with its turn: 0 for the first of its kind, and so on.

    The turns of a plot's variants begin at a random one, so that small days differ too.
    """
    chosen: list[tuple[Plot, int]] = []
    for part in PARTS:
        first = chance.randrange(12)
        chosen += [(part.plot, first + turn) for turn in range(_count(part, transactions))]
    if transactions < ALL_FROM:
        chosen = chosen[: int(transactions * _FEWER)]
    chosen += [(common.complete, turn) for turn in range(transactions - len(chosen))]
    chance.shuffle(chosen)
    return chosen


def _count(part: Part, transactions: int) -> int:
    return max(ceil(transactions / ONCE_PER), round(transactions * part.per_mille / 1000))
