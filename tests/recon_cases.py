"""Cases for the judge and its oracle: days with every fault and any combination of faults."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from hypothesis import strategies as st
from msgspec.structs import replace

from recon.chained import ChainBatch, ChainLeg
from recon.decided import Decision, Ruling
from recon.keys import their_keys
from recon.values import (
    Answer,
    Batch,
    Case,
    Claim,
    Evidence,
    Leg,
    Origin,
    OurLine,
    Policy,
    Regression,
    State,
    TheirLine,
)

T = TypeVar("T")

DAY = date(2026, 11, 20)  #: a Friday
NOON = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)  #: 12:00 IST
ACCOUNT, OTHER_ACCOUNT = "5f0321b5f3743c31d95abd35", "6a0321b5f3743c31d95abd36"

LEG_WORDS = ["PLACED", "PARTIAL", "COMPLETE", "CANCELLED", "REJECTED", "ERROR", "CANCELLED AMO", "OPEN", "FROZEN"]
BATCH_WORDS = ["PLACED", "PARTIALLYPLACED", "COMPLETED", "PARTIALLYFILLED", "UNFILLED", "UNPLACED", "ERROR"]
BATCH_WORDS += ["CANCELLED", "FIXED", "MARKEDCOMPLETE", "MELTED"]
TRANSACTION_WORDS = ["INITIALIZED", "USED", "PROCESSING", "ACTION_REQUIRED", "ERRORED", "COMPLETED", "LOST"]
UNBEGUN = st.sampled_from(["INITIALIZED", "INITIALIZED", "ERRORED", "ERRORED", "EXPIRED", "USED", "COMPLETED"])
MESSAGES = ["user_cancelled", "market_closed", "timed_out", "user cancelled, order_pending", None]
PRICES = [Decimal("100.00"), Decimal("100.01"), Decimal("100.02"), Decimal("250.5"), Decimal(0), None]

PRICE_STEPS = [Decimal("0.01"), Decimal("-0.02"), Decimal("0.010001"), Decimal("0.03"), Decimal("0.06"), Decimal(1)]

FEW = st.sampled_from([Decimal(number) for number in (0, 4, 5, 6, 10)])
SYMBOLS = st.sampled_from(["INFY", "TCS"])
ISCIDS = st.sampled_from([None, "I1", "I1", "I2"])
LABELS = st.sampled_from([None, "BUY", "FIX", "FIX", "REPAIR"])
ZONE = timedelta(hours=5, minutes=30)
SHIFTS = st.sampled_from([ZONE, -ZONE, ZONE - timedelta(seconds=1), ZONE + timedelta(milliseconds=400), timedelta(0)])
SIDES = st.sampled_from(["BUY", "BUY", "BUY", "SELL", "HOLD"])
EXCHANGES = st.sampled_from(["NSE", "NSE", "NSE", "NSE", "BSE", "MCX"])
DAYS = st.sampled_from([DAY, DAY, DAY + timedelta(days=3)])
MINUTES = st.integers(-400, 900).map(lambda minutes: NOON + timedelta(minutes=minutes))
MORNINGS = st.sampled_from([-400, -40, -10, 0, 20, 50]).map(lambda minutes: NOON + timedelta(minutes=minutes))
EVENINGS = st.sampled_from([60, 209, 240, 241, 300, 450, 539, 540, 541, 6000]).map(
    lambda minutes: NOON + timedelta(minutes=minutes)
)
IDS = st.sampled_from(["11", "12", "13", None])


def often(usual: T, other: st.SearchStrategy[T], *, out_of: int = 4) -> st.SearchStrategy[T]:
    """Mostly the usual value, so that one fault at a time is seen as often as several."""
    return st.one_of(*[st.just(usual)] * (out_of - 1), other)


MOSTLY = st.sampled_from([True, True, True, False])
USUALLY = st.sampled_from([*[True] * 5, False])
NEARLY_ALWAYS = st.sampled_from([*[True] * 8, False])


@st.composite
def legs(draw: st.DrawFn) -> Leg:
    """A leg: mostly complete, sometimes anything."""
    quantity = draw(often(Decimal(5), FEW))
    whole = draw(st.booleans())
    return Leg(
        placed=draw(USUALLY),
        exchange=draw(EXCHANGES),
        symbol=draw(SYMBOLS),
        side=draw(SIDES),
        quantity=quantity,
        filled=quantity if whole else draw(FEW),
        average_price=draw(often(PRICES[0], st.sampled_from(PRICES))),
        status="COMPLETE" if whole else draw(st.sampled_from(LEG_WORDS)),
        exchange_order_id=draw(IDS),
    )


@st.composite
def batches(draw: st.DrawFn, batch_id: str) -> Batch:
    """A batch whose figures mostly add up."""
    own = tuple(draw(st.lists(legs(), min_size=draw(st.integers(0, 1)), max_size=3)))
    if own and draw(st.integers(1, 8)) == 1:
        again = own[0] if draw(st.booleans()) else replace(own[0], filled=draw(FEW))
        own = (*own, again)
    bought = sum((leg.filled * (leg.average_price or 0) for leg in own if leg.side == "BUY"), Decimal(0))
    sold = sum((leg.filled * (leg.average_price or 0) for leg in own if leg.side == "SELL"), Decimal(0))
    usual = "COMPLETED" if all(leg.status == "COMPLETE" for leg in own) else "PARTIALLYFILLED"
    odd = st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal(5)])
    return Batch(
        batch_id=batch_id,
        status=draw(often(usual, st.sampled_from(BATCH_WORDS), out_of=3)),
        variety=draw(st.sampled_from(["regular", "amo", None, "bracket"])),
        quantity=draw(often(sum((leg.quantity for leg in own), Decimal(0)), st.none() | FEW)),
        filled=draw(often(sum((leg.filled for leg in own), Decimal(0)), st.none() | FEW)),
        buy_amount=draw(often(bought, st.none() | odd.map(lambda more: bought + more))),
        sell_amount=draw(often(sold, st.none() | odd.map(lambda more: sold + more))),
        created_at=draw(st.none() | MORNINGS),
        completed_at=draw(st.none() | MINUTES),
        broker=draw(often("kite", st.none() | st.just("groww"))),
        iscid=draw(often(None, ISCIDS)),
        label=draw(often(None, LABELS)),
        legs=own,
    )


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """What the Gateway says of a transaction: up to two batches."""
    count = draw(often(1, st.sampled_from([0, 2]), out_of=3))
    return Answer(
        transaction_id="TRX_1",
        status=draw(often("COMPLETED", st.sampled_from(TRANSACTION_WORDS), out_of=3) if count else UNBEGUN),
        account=draw(often(ACCOUNT, st.none())),
        broker=draw(often("kite", st.none())),
        expire_at=draw(st.none() | MINUTES),
        error_code=draw(st.sampled_from([None, "1010", "1012"])),
        error_message=draw(st.sampled_from(MESSAGES)),
        batches=tuple(draw(batches(f"B{number}")) for number in range(count)),
        requested=draw(st.just(()) | st.lists(legs(), max_size=1).map(tuple)),
        purpose=draw(often(None, st.sampled_from(["SECURITIES", "FIX"]), out_of=6)),
        iscid=draw(often(None, ISCIDS)),
    )


@st.composite
def ours_from(draw: st.DrawFn, theirs: TheirLine, number: int) -> OurLine:
    """Our line of a leg: mostly as it is, sometimes with faults."""
    leg = theirs.leg
    exact = OurLine(
        line=100 + number,
        order_id=f"O{number}",
        account=ACCOUNT,
        trade_date=theirs.trade_date,
        exchange=leg.exchange,
        symbol=leg.symbol,
        instrument=theirs.instrument,
        side=leg.side,
        quantity=leg.quantity,
        filled=leg.filled,
        average_price=leg.average_price if leg.filled else None,
        status=leg.status,
        batch_id=draw(often(theirs.batch_id, st.none())),
        exchange_order_id=draw(often(leg.exchange_order_id, st.none())),
        broker=draw(often("kite", st.none())),
        executed_at=draw(often(None, SHIFTS.map(lambda shift: NOON + shift))),
    )
    return draw(often(exact, spoiled(exact), out_of=3))


@st.composite
def spoiled(draw: st.DrawFn, line: OurLine) -> OurLine:
    """The line with one to three fields changed."""
    symbol = draw(SYMBOLS)
    changes: list[dict[str, object]] = [
        {"account": OTHER_ACCOUNT},
        {"trade_date": draw(DAYS)},
        {"exchange": draw(EXCHANGES)},
        {"symbol": symbol, "instrument": f"ISIN:{symbol}"},
        {"symbol": f"{line.symbol}-EQ"},
        {"symbol": symbol, "instrument": f"{line.exchange}:{symbol}"},
        {"side": draw(SIDES)},
        {"quantity": draw(FEW)},
        {"filled": draw(st.none() | FEW)},
        {"average_price": draw(st.sampled_from(PRICES))},
        {"average_price": (line.average_price or Decimal(0)) + draw(st.sampled_from(PRICE_STEPS))},
        {"side": "SELL" if line.side == "BUY" else "BUY"},
        {"status": draw(st.sampled_from([*LEG_WORDS, "CREATED", "UNPLACED", None]))},
        {"batch_id": draw(st.sampled_from(["B0", "B1", None]))},
        {"exchange_order_id": draw(IDS)},
        {"broker": "groww"},
    ]
    for change in draw(st.lists(st.sampled_from(changes), min_size=1, max_size=3)):
        line = replace(line, **change)
    return line


@st.composite
def claims_from(draw: st.DrawFn, answer: Answer) -> tuple[Claim, ...]:
    """Webhooks: mostly the final one of each batch, sometimes others, lost or false ones."""
    said = [batch for batch in answer.batches if draw(MOSTLY)]
    said += draw(often([], st.lists(batches("B0") | batches("B9"), max_size=2), out_of=3))
    return tuple(
        Claim(
            event_id=f"E{order}",
            received_at=NOON + timedelta(minutes=order - 500),
            asked_after=draw(MOSTLY),
            account=draw(often(ACCOUNT, st.none() | st.just(OTHER_ACCOUNT))),
            batch=batch,
            order=order,
        )
        for order, batch in enumerate(said)
    )


@st.composite
def states(draw: st.DrawFn) -> State | None:
    """E, mostly settled, sometimes with a fall of a leg, a batch or the transaction."""
    answer = draw(answers())
    fallen: list[Regression] = []
    if draw(st.integers(1, 6)) == 1:
        fallen.append(Regression(batch_id="", field="status", before="COMPLETED", after="PROCESSING"))
        for batch in answer.batches:
            leg = draw(st.sampled_from([None, *batch.legs]))
            fallen.append(Regression(batch_id=batch.batch_id, field="filled", before="5", after="4", leg=leg))
    state = State(answer=answer, regressions=tuple(fallen), settled=draw(NEARLY_ALWAYS))
    return draw(often(state, st.none(), out_of=9))


def lines_of(state: State | None, day: date = DAY) -> tuple[TheirLine, ...]:
    """The legs of a state as lines."""
    found = [(batch, leg) for batch in (state.answer.batches if state else ()) for leg in batch.legs]
    return tuple(
        TheirLine(line=number, batch_id=batch.batch_id, leg=leg, instrument=f"ISIN:{leg.symbol}", trade_date=day)
        for number, (batch, leg) in enumerate(found)
    )


class SmallMarket:
    """A market that knows two securities, their ticks and their day, and lists nothing else of NSE."""

    def tick(self, instrument: str, day: date, exchange: str) -> Decimal | None:  # noqa: ARG002 the protocol's shape
        """Five paise for one of them, on one day."""
        return Decimal("0.05") if (instrument, day) == ("ISIN:INFY", DAY) else None

    def low_high(self, instrument: str, day: date, exchange: str) -> tuple[Decimal, Decimal] | None:  # noqa: ARG002 every day alike
        """Of one of them."""
        return (Decimal("99.5"), Decimal("100.01")) if instrument == "ISIN:TCS" else None

    def lists(self, exchange: str, symbol: str, day: date) -> bool | None:  # noqa: ARG002 every day alike
        """Infosys on the NSE; nothing is known of other exchanges."""
        return symbol == "INFY" if exchange == "NSE" else None


@st.composite
def chains(draw: st.DrawFn) -> ChainBatch:
    """A batch of another transaction, of one of two invested smallcases."""
    few = st.lists(st.builds(ChainLeg, instrument=SYMBOLS.map("ISIN:{}".format), side=st.just("BUY"), quantity=FEW,
                             filled=FEW, average_price=st.sampled_from(PRICES)), max_size=2)  # fmt: skip
    return ChainBatch(
        transaction_id=draw(st.sampled_from(["TRX_0", "TRX_2"])),
        batch_id=f"C{draw(st.integers(0, 9))}",
        status=draw(st.sampled_from(["COMPLETED", "PARTIALLYFILLED", "FIXED", "MARKEDCOMPLETE", "PLACED"])),
        repair=draw(st.booleans()),
        final=draw(USUALLY),
        iscid=draw(st.sampled_from(["I1", "I2"])),
        at=draw(st.none() | MORNINGS),
        settled=draw(NEARLY_ALWAYS),
        legs=tuple(draw(few)),
    )


@st.composite
def in_parts(draw: st.DrawFn, line: OurLine) -> tuple[OurLine, ...]:
    """The line as the two fills that make it up, or nearly."""
    first = draw(st.sampled_from([Decimal(1), Decimal(2)]))
    rest = draw(often(line.quantity - first, FEW))
    filled = draw(often(rest, FEW)) if line.filled else Decimal(0)
    price = draw(often(line.average_price, st.sampled_from(PRICES)))
    return (
        replace(line, quantity=first, filled=first if line.filled else Decimal(0)),
        replace(line, line=line.line + 300, order_id=f"{line.order_id}b", quantity=rest, filled=filled,
                average_price=price if filled else None),
    )  # fmt: skip


@st.composite
def decided(draw: st.DrawFn, ours: list[OurLine], theirs: tuple[TheirLine, ...]) -> tuple[Decision, ...]:
    """A few rulings about these lines, now and then about one that is gone."""
    if not ours or not theirs or draw(st.integers(1, 4)) > 1:
        return ()
    keys = st.sampled_from([*their_keys(theirs).values(), "gone"])
    orders = st.sampled_from([line.order_id for line in ours])
    one = st.builds(Decision, ruling=st.sampled_from(Ruling), ours=orders, theirs=keys)
    return tuple(draw(st.lists(one, min_size=1, max_size=3)))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One transaction with both sides and its webhooks."""
    state = draw(states())
    theirs = lines_of(state, draw(DAYS))
    booked = [line for line in theirs if draw(USUALLY)]
    ours = [draw(ours_from(line, number)) for number, line in enumerate(booked)]
    loose = TheirLine(line=0, batch_id="B0", leg=draw(legs()), instrument="ISIN:INFY", trade_date=DAY)
    ours += [draw(ours_from(loose, 50))] if draw(st.integers(1, 4)) == 1 or not theirs else []
    if ours and draw(st.integers(1, 5)) == 1:
        ours = [*draw(in_parts(ours[0])), *ours[1:]]
    if ours and draw(st.integers(1, 8)) == 1:
        ours.append(draw(often(replace(ours[0], line=700, order_id="O9"), spoiled(ours[0]).map(_another))))
    unreadable = st.builds(Evidence, kind=st.sampled_from(["event", "snapshot"]), ref=st.just("1"))
    return Case(
        gateway="acme",
        transaction_id="TRX_1",
        origin=Origin.REGISTRATION,
        state=state,
        theirs=theirs,
        ours=tuple(ours),
        claims=draw(claims_from(state.answer)) if state else (),
        absent_at=tuple(draw(st.lists(MORNINGS, max_size=4))) if state is None else (),
        registered_at=NOON,
        expire_at=draw(st.none() | MINUTES),
        requested=tuple(draw(st.lists(legs(), max_size=1))),
        chain=_told_once(draw(st.lists(chains(), max_size=3))) if draw(st.booleans()) else (),
        decisions=draw(decided(ours, theirs)),
        unreadable=tuple(draw(st.lists(unreadable, max_size=1))) if draw(st.integers(1, 8)) == 1 else (),
    )


def _another(line: OurLine) -> OurLine:
    return replace(line, line=700, order_id="O9")


def _told_once(chain: list[ChainBatch]) -> tuple[ChainBatch, ...]:
    """A batch has one id."""
    return tuple({(batch.transaction_id, batch.batch_id): batch for batch in chain}.values())


POLICIES = st.sampled_from(
    [
        Policy(),
        Policy(price_slack=Decimal("0.01")),
        Policy(price_places_ours=4, amount_places=1),
        Policy(slack_ticks=Decimal(1), slack_cap=Decimal("0.1")),
        Policy(slack_bps=Decimal(1), price_places_theirs=3),
    ]
)
