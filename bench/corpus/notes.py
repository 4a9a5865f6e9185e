"""The chapter of notes: every paper beside its orders, judged by the rules alone and through the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Engine

from bench.corpus.draw import Draw
from bench.corpus.market import MASTER
from bench.corpus.papers import BOOK, COSTS, NOTE, SCHEDULE, Line, Tale, tales
from bench.corpus.pure import case_of, said_of
from bench.corpus.score import Score
from bench.corpus.stored import again, bring, gateway_of, tell, unaccounted, write
from bench.corpus.story import Story
from recon.charges import Rate
from recon.noted import NoteLine, Notes, Traded

SEEDS_APART = 2000  #: from those of orders, which share the tables
BEGAN = date(2020, 1, 1)
BROKER = "kite"
FILES: Mapping[str, str] = {NOTE: "contract-notes", BOOK: "tradebook"}
HEAD = (
    *("gateway", "account", "broker", "trade_date", "note_id", "exchange", "symbol", "side", "quantity", "price"),
    *("exchange_order_id", *COSTS, "net_amount"),
)


def judged(seed: int, repeats: int, batches: int) -> Score:  # noqa: ARG001 no batches of several here
    """Every paper by the rules alone."""
    score = Score()
    for tale in tales(Draw(seed + SEEDS_APART), repeats):
        for story in tale.story.family:
            score.add(story, said_of(story, notes=_notes(tale)))
    return score


def stored(engine: Engine, folder: Path, seed: int, repeats: int, batches: int) -> Score:  # noqa: ARG001 as above
    """Every paper through the tables: the orders judged, the notes imported, the orders judged again."""
    told = list(tales(Draw(seed + SEEDS_APART + 1000), repeats))
    stories = [story for tale in told for story in tale.story.family]
    if not stories:
        return Score()
    tell(engine, stories, folder)
    _import(engine, folder, told)
    said = again(engine, stories)
    score = Score(by_statement=said.by_statement)
    for story in stories:
        score.add(story, said.said[story.transaction_id])
    score.unaccounted += unaccounted(engine, stories)
    return score


# ---------------------------------------------------------------- for the rules alone


def _notes(tale: Tale) -> Notes | None:
    if not tale.lines:
        return None
    stories = sorted(tale.story.family, key=lambda story: story.transaction_id)
    days = {story.trade_date for story in stories}
    notes = [line for line in tale.lines if line.kind == NOTE]
    return Notes(
        lines=tuple(_line(line) for line in tale.lines if line.trade_date in days),
        traded=tuple(traded for story in stories for traded in _traded(story)),
        since={BROKER: min(line.trade_date for line in notes)} if notes else {},
        rates=tuple(
            Rate(
                component=component, side=side, basis=basis, rate=Decimal(rate), unit=Decimal(unit),
                rounding="half-up", valid_from=BEGAN,
            )
            for component, side, basis, rate, unit in SCHEDULE
        ),
    )  # fmt: skip


def _line(line: Line) -> NoteLine:
    return NoteLine(
        kind=line.kind, note_id=line.note_id, broker=BROKER, trade_date=line.trade_date, exchange=line.exchange,
        symbol=line.symbol, instrument=MASTER.isin_at(line.exchange or "NSE", line.symbol, line.trade_date),
        side=line.side, quantity=line.quantity, price=line.price, exchange_order_id=line.exchange_order_id,
        charges={name: line.costs.get(name) for name in COSTS}, net_amount=line.net,
    )  # fmt: skip


def _traded(story: Story) -> Sequence[Traded]:
    return [
        Traded(
            transaction_id=story.transaction_id, batch_id=line.batch_id, exchange=line.leg.exchange,
            symbol=line.leg.symbol, instrument=line.instrument, side=line.leg.side, filled=line.leg.filled,
            average_price=line.leg.average_price, exchange_order_id=line.leg.exchange_order_id,
            trade_date=line.trade_date, completed_at=story.batch.completed_at, broker=BROKER,
        )
        for line in case_of(story).theirs
        if line.leg.filled
    ]  # fmt: skip


# ---------------------------------------------------------------- for the tables


def _import(engine: Engine, folder: Path, told: Sequence[Tale]) -> None:
    """The schedule, then both kinds of paper."""
    now = max(tale.story.as_of for tale in told)
    head = ("component", "side", "basis", "rate", "unit", "from")
    file = write(folder / "charges.csv", head, [[*rule, BEGAN.isoformat()] for rule in SCHEDULE])
    bring(engine, "charges", file, now)
    for kind, name in FILES.items():
        rows = [_row(tale, line) for tale in told for line in tale.lines if line.kind == kind]
        bring(engine, name, write(folder / f"{name}.csv", HEAD, rows), now)


def _row(tale: Tale, line: Line) -> list[object]:
    said = [
        *(gateway_of(tale.story), tale.account, BROKER, line.trade_date.isoformat(), line.note_id, line.exchange),
        *(line.symbol, line.side, line.quantity, line.price, line.exchange_order_id),
        *(line.costs.get(name) for name in COSTS),
        line.net,
    ]
    return ["" if value is None else value for value in said]
