"""Chains: one intent with the repairs that re-attempt what it left, wherever they were asked for.

A chain is all batches of one gateway and account with the same `iscid`, in the order they were made;
a batch that names none shares a chain only with its own transaction.
It falls into links: one batch that is no repair, and the repairs that come before the next such batch.
Over a link quantities are conserved: for each instrument and side, what all of it filled is at most
what its first batch ordered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from recon.chained import ChainBatch, ChainLeg
from recon.ends import batch_is_final, distinct_legs
from recon.values import ZERO, Answer, Batch, Case, TheirLine
from recon.words import CLOSED_BY_HAND, batch_word

REPAIRS = frozenset({"FIX", "REPAIR"})
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

Stock = tuple[str, str]  #: instrument and side of the market


@dataclass(frozen=True, slots=True)
class Link:
    """One batch that is no repair and the repairs of it, in order; `root` is None when only repairs are known."""

    root: ChainBatch | None
    batches: tuple[ChainBatch, ...]

    @property
    def last(self) -> ChainBatch:
        """The batch made last."""
        return self.batches[-1]

    @property
    def settled(self) -> bool:
        """Whether no two answers about any of it disagree."""
        return all(batch.settled for batch in self.batches)

    @property
    def repairs(self) -> tuple[ChainBatch, ...]:
        """Those that re-attempt the rest."""
        return tuple(batch for batch in self.batches if batch.repair)

    def ordered(self) -> dict[Stock, Decimal]:
        """What the first batch ordered, placed and unplaced together."""
        return _summed((leg.instrument, leg.side, leg.quantity) for leg in (self.root.legs if self.root else ()))

    def filled(self) -> dict[Stock, Decimal]:
        """What all of it filled."""
        legs = (leg for batch in self.batches for leg in batch.legs)
        return _summed((leg.instrument, leg.side, leg.filled) for leg in legs)

    def rest(self) -> dict[Stock, Decimal]:
        """What was ordered and not filled, where there is any."""
        filled = self.filled()
        left = {stock: ordered - filled.get(stock, ZERO) for stock, ordered in self.ordered().items()}
        return {stock: quantity for stock, quantity in left.items() if quantity > 0}

    def excess(self) -> dict[Stock, Decimal]:
        """What was filled beyond what was ordered, where there is any."""
        ordered = self.ordered()
        over = {stock: filled - ordered.get(stock, ZERO) for stock, filled in self.filled().items()}
        return {stock: quantity for stock, quantity in over.items() if quantity > 0}

    def price(self, stock: Stock) -> Decimal:
        """Rupees a share by which a quantity of that stock is valued: the last price known, else nothing."""
        legs = [leg for batch in self.batches for leg in batch.legs if (leg.instrument, leg.side) == stock]
        return next((leg.average_price for leg in reversed(legs) if leg.average_price), ZERO)


def is_repair(batch: Batch, answer: Answer) -> bool:
    """Whether the batch re-attempts what an earlier one left, by its label or by what was asked for."""
    return (batch.label or answer.purpose or "").upper() in REPAIRS


def iscid_of(batch: Batch, answer: Answer) -> str | None:
    """The invested smallcase that the batch trades for, as it or its transaction says."""
    return batch.iscid or answer.iscid


def links_of(case: Case) -> tuple[Link, ...]:
    """The links in which a batch of this transaction stands, each once; none if nothing of a chain is said of any."""
    if case.state is None or not any(_is_chained(batch, case.state.answer) for batch in case.state.answer.batches):
        return ()
    own = _own_batches(case.state.answer, case)
    links: list[Link] = []
    for iscid in sorted({batch.iscid for batch in own}, key=lambda iscid: iscid or ""):
        chain = [batch for batch in own if batch.iscid == iscid]
        if iscid is not None:
            chain += [batch for batch in case.chain if batch.iscid == iscid]
        links += [link for link in _links(chain) if any(b.transaction_id == case.transaction_id for b in link.batches)]
    return tuple(links)


def _is_chained(batch: Batch, answer: Answer) -> bool:
    """Whether it names an invested smallcase, repairs, or was closed by hand: other batches come to nothing."""
    return iscid_of(batch, answer) is not None or is_repair(batch, answer) or batch_word(batch.status) in CLOSED_BY_HAND


def _own_batches(answer: Answer, case: Case) -> list[ChainBatch]:
    return [
        ChainBatch(
            transaction_id=case.transaction_id,
            batch_id=batch.batch_id,
            status=batch.status,
            repair=is_repair(batch, answer),
            final=batch_is_final(batch, answer.status),
            iscid=iscid_of(batch, answer),
            at=batch.created_at or batch.completed_at,
            completed_at=batch.completed_at,
            legs=chain_legs(batch, [line for line in case.theirs if line.batch_id == batch.batch_id]),
        )
        for batch in answer.batches
    ]


def chain_legs(batch: Batch, lines: Sequence[TheirLine]) -> tuple[ChainLeg, ...]:
    """What the legs of a batch ordered and filled, a leg told twice counted once."""
    instruments = {line.leg: line.instrument for line in lines}
    return tuple(
        ChainLeg(
            instrument=instruments.get(leg, f"{leg.exchange}:{leg.symbol}"),
            side=leg.side,
            quantity=leg.quantity,
            filled=leg.filled,
            average_price=leg.average_price,
        )
        for leg in distinct_legs(batch)
    )


def _links(chain: Iterable[ChainBatch]) -> list[Link]:
    links: list[list[ChainBatch]] = []
    for batch in sorted(chain, key=_made):
        if batch.repair and links:
            links[-1].append(batch)
        else:
            links.append([batch])
    # Only the first link can begin with a repair: nothing that is no repair is known before it.
    return [Link(None if link[0].repair else link[0], tuple(link)) for link in links]


def _made(batch: ChainBatch) -> tuple[datetime, bool, str, str]:
    """When it was made; of one instant, and where nothing is said, what is no repair comes first."""
    at = batch.at or (_LATEST if batch.repair else _EARLIEST)
    return (at, batch.repair, batch.transaction_id, batch.batch_id)


def word_of(batch: ChainBatch) -> str | None:
    """The documented word for its status."""
    return batch_word(batch.status)


def _summed(parts: Iterable[tuple[str, str, Decimal]]) -> dict[Stock, Decimal]:
    sums: dict[Stock, Decimal] = {}
    for instrument, side, quantity in parts:
        sums[(instrument, side)] = sums.get((instrument, side), ZERO) + quantity
    return sums
