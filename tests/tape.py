"""The tape: both sides of one transaction, written as lines in a test's docstring, and what is found.

    at          20:30                                    when it is judged, IST; 20:30 if not said
    transaction COMPLETED account=A broker=kite          the Gateway's answer
    batch       B1 COMPLETED filled=10 buy=15000         its figures default to the sums of its legs
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE     exchange order id, side, symbol, filled/quantity, price, word
    unplaced    - BUY SBIN 0/5 @ - ERROR                 a leg among the unplaced
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE  the same with our order id before it
    webhook     B1 COMPLETED filled=10                   legs of the batch are taken over; none: a line `no webhook`
    chain       TRX_0 B0 FIXED I1 BUY INFY 7/10          a batch of another transaction, of the smallcase I1, yesterday
    chain       TRX_9 B9 COMPLETED I1 BUY INFY 3/3 fix   a repair, tomorrow
    ruled       together O1 N1                           what a person decided
    finds       qty-filled O1                            name and line, - for a batch or the transaction
    bucket      O1 qty-filled                            of a line of ours, or of theirs by its exchange order id

Without a `webhook` line the final one of each batch came. `-` is nothing. The trade date is Friday,
20 November 2026; every batch completed at 12:00 IST. A batch takes iscid=, label= and variety=, a line of
the books account=, broker=, batch=, date=, exchange=, is=NSE:INFY (its instrument) and at=06:30 (executed, IST).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from msgspec.structs import replace

from recon.chained import ChainBatch, ChainLeg
from recon.decided import Decision, Ruling
from recon.judge import judge
from recon.lines import IST, books_due_at
from recon.market import Market
from recon.values import (
    Answer,
    Batch,
    Case,
    Claim,
    Judgement,
    Leg,
    Origin,
    OurLine,
    Policy,
    State,
    TheirLine,
)
from tests.builders import DAY, EVENING, NOON, Weekdays

POLICY = Policy()
NAMES = {"iscid", "label", "variety"}  #: of a batch, that are no figures


@dataclass
class Tape:
    """One transaction as the lines of a docstring tell it."""

    as_of: datetime = EVENING
    answer: Answer | None = None
    batches: list[Batch] = field(default_factory=list)
    ours: list[OurLine] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    finds: set[tuple[str, str | None]] = field(default_factory=set)
    buckets: dict[str, str] = field(default_factory=dict)
    chain: list[ChainBatch] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    by_webhook: bool = True
    market: Market | None = None

    def case(self, **changes: object) -> Case:
        """The transaction; `changes` replace fields of it."""
        batches = tuple(self.batches)
        answer = None if self.answer is None else replace(self.answer, batches=batches)
        legs = [(batch, leg) for batch in batches for leg in batch.legs]
        claims = self.claims or [_claim(batch, place) for place, batch in enumerate(batches) if self.by_webhook]
        case = Case(
            gateway="acme",
            transaction_id="TRX_1",
            origin=Origin.REGISTRATION,
            state=None if answer is None else State(answer=answer, ref="7"),
            theirs=tuple(
                TheirLine(line=place, batch_id=batch.batch_id, leg=leg, instrument=f"NSE:{leg.symbol}", trade_date=DAY)
                for place, (batch, leg) in enumerate(legs)
            ),
            ours=tuple(self.ours),
            claims=tuple(claims),
            chain=tuple(self.chain),
            decisions=tuple(self.decisions),
        )
        return replace(case, **changes)

    def judged(self, *, as_of: datetime | None = None, policy: Policy = POLICY, **changes: object) -> Judgement:
        """What the judge says."""
        at = as_of or self.as_of
        return judge(
            self.case(**changes),
            as_of=at,
            policy=policy,
            calendar=Weekdays(),
            books_in=lambda day: at >= books_due_at(day, policy),
            market=self.market,
        )

    def check(self, **changes: object) -> Judgement:
        """Judge, and hold what is found against the tape's `finds` and `bucket` lines."""
        judgement = self.judged(**changes)  # type: ignore[arg-type]
        assert {(found.name, found.line) for found in judgement.all_findings()} == self.finds
        buckets = _buckets(self.case(**changes), judgement)
        assert {line: buckets[line] for line in self.buckets} == self.buckets
        return judgement


def read(text: str) -> Tape:
    """The tape in a docstring; lines that begin with no word of the tape are prose."""
    tape = Tape()
    readers = {
        "at": _at,
        "transaction": _transaction,
        "batch": _batch,
        "leg": _leg,
        "unplaced": _unplaced,
        "books": _books,
        "webhook": _webhook,
        "no": _no_webhook,
        "chain": _chain,
        "ruled": _ruled,
        "finds": _finds,
        "bucket": _bucket,
    }
    for line in text.splitlines()[1:]:
        words = line.split()
        if words and line.startswith("    ") and words[0] in readers:
            readers[words[0]](tape, words[1:])
    return tape


def _at(tape: Tape, words: list[str]) -> None:
    tape.as_of = datetime.combine(DAY, time.fromisoformat(words[0]), tzinfo=IST)


def _transaction(tape: Tape, words: list[str]) -> None:
    said = _said(words[1:])
    tape.answer = Answer(
        transaction_id="TRX_1",
        status=words[0],
        account=said.get("account", "A"),
        broker=said.get("broker", "kite"),
        error_message=said.get("error"),
        error_code=said.get("code"),
        expire_at=NOON if "expired" in words else None,
    )


def _batch(tape: Tape, words: list[str]) -> None:
    names = _said(words[2:])
    said = {name: Decimal(value) for name, value in names.items() if name not in NAMES}
    tape.batches.append(
        Batch(
            batch_id=words[0],
            status=words[1],
            variety=names.get("variety", "regular"),
            iscid=names.get("iscid"),
            label=names.get("label"),
            quantity=said.get("quantity"),
            filled=said.get("filled"),
            buy_amount=said.get("buy"),
            sell_amount=said.get("sell"),
            completed_at=NOON,
        )
    )


def _leg(tape: Tape, words: list[str], *, placed: bool = True) -> None:
    leg = _leg_from(words, placed=placed)
    tape.batches[-1] = replace(tape.batches[-1], legs=(*tape.batches[-1].legs, leg))


def _unplaced(tape: Tape, words: list[str]) -> None:
    _leg(tape, words, placed=False)


def _leg_from(words: list[str], *, placed: bool) -> Leg:
    exchange_id, side, symbol, fill, _, price, *status = words
    filled, quantity = fill.split("/")
    return Leg(
        placed=placed,
        exchange="NSE",
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        filled=Decimal(filled),
        average_price=None if price == "-" else Decimal(price),
        status=" ".join(status),
        exchange_order_id=None if exchange_id == "-" else exchange_id,
    )


def _books(tape: Tape, words: list[str]) -> None:
    said = _said(words)
    leg = _leg_from([word for word in words[1:] if "=" not in word], placed=True)
    tape.ours.append(
        OurLine(
            line=100 + len(tape.ours),
            order_id=words[0],
            account=said.get("account", "A"),
            trade_date=date.fromisoformat(said["date"]) if "date" in said else DAY,
            exchange=said.get("exchange", "NSE"),
            symbol=leg.symbol,
            instrument=said.get("is", f"NSE:{leg.symbol}"),
            side=leg.side,
            quantity=leg.quantity,
            filled=leg.filled,
            average_price=leg.average_price,
            status=None if leg.status in ("", "-") else leg.status,
            batch_id=said.get("batch"),
            exchange_order_id=leg.exchange_order_id,
            broker=said.get("broker", "kite"),
            executed_at=datetime.combine(DAY, time.fromisoformat(said["at"]), tzinfo=IST) if "at" in said else None,
        )
    )


def _chain(tape: Tape, words: list[str]) -> None:
    name, batch_id, status, iscid, side, symbol, fill = words[:7]
    filled, quantity = map(Decimal, fill.split("/"))
    repair = "fix" in words
    at = NOON + timedelta(days=1 if repair else -1)
    leg = ChainLeg(instrument=f"NSE:{symbol}", side=side, quantity=quantity, filled=filled, average_price=Decimal(1500))
    tape.chain.append(
        ChainBatch(
            transaction_id=name, batch_id=batch_id, status=status, repair=repair, final=status != "PLACED",
            iscid=iscid, at=at, completed_at=at, legs=(leg,),
        )
    )  # fmt: skip


def _ruled(tape: Tape, words: list[str]) -> None:
    tape.decisions.append(Decision(ruling=Ruling(words[0]), ours=words[1], theirs=words[2], who="asha", ref="1"))


def _webhook(tape: Tape, words: list[str]) -> None:
    said: dict[str, object] = {name: Decimal(value) for name, value in _said(words[2:]).items()}
    known = next((batch for batch in tape.batches if batch.batch_id == words[0]), None)
    batch = known or Batch(batch_id=words[0], status=words[1])
    claim = _claim(replace(batch, status=words[1], **said), len(tape.claims))
    tape.claims.append(replace(claim, asked_after="unasked" not in words))


def _no_webhook(tape: Tape, _words: list[str]) -> None:
    tape.by_webhook = False


def _finds(tape: Tape, words: list[str]) -> None:
    tape.finds.add((words[0], None if words[1] == "-" else words[1]))


def _bucket(tape: Tape, words: list[str]) -> None:
    tape.buckets[words[0]] = words[1]


def _claim(batch: Batch, order: int) -> Claim:
    at = NOON + timedelta(minutes=order)
    return Claim(event_id=f"E{order}", received_at=at, asked_after=True, account="A", batch=batch, order=order)


def _said(words: list[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words if "=" in word)


def _buckets(case: Case, judgement: Judgement) -> dict[str, str]:
    ours = {line.line: line.order_id for line in case.ours}
    theirs = {line.line: line.leg.exchange_order_id or line.leg.symbol for line in case.theirs}
    found: dict[str, str] = {}
    for verdict in judgement.verdicts:
        if verdict.theirs is not None:
            found[theirs[verdict.theirs]] = verdict.bucket
        if verdict.ours is not None:
            found[ours[verdict.ours]] = verdict.bucket
    return found
