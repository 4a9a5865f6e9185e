"""Cases that tie out but for one to three twists, so that the rarer rules are met as often as the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from recon.chained import ChainBatch, ChainLeg
from recon.decided import Decision, Ruling
from recon.values import Answer, Batch, Case, Claim, Leg, Origin, OurLine, State, TheirLine
from tests.recon_cases import ACCOUNT, DAY, NOON, PRICE_STEPS, SHIFTS

Draw = st.DrawFn
Twist = Callable[[Draw, Case], Case]
ONE, TEN = Decimal(1), Decimal(10)
NEARLY = st.sampled_from([0, 0, 0, 1, -1])  #: mostly exact


@st.composite
def clean(draw: Draw) -> Case:
    """One completed batch of up to three legs, each with its line in the books, and its webhook."""
    symbols = draw(st.lists(st.sampled_from(["INFY", "TCS", "WIPRO"]), min_size=1, max_size=3))
    named = draw(st.booleans())
    legs = tuple(
        Leg(
            placed=True, exchange="NSE", symbol=symbol, side="BUY", quantity=TEN + place, filled=TEN + place,
            average_price=Decimal(100), status="COMPLETE", exchange_order_id=str(11 + place),
        )
        for place, symbol in enumerate(symbols)
    )  # fmt: skip
    batch = Batch(
        batch_id="B1", status="COMPLETED", variety="regular", created_at=NOON, completed_at=NOON, broker="kite",
        iscid="I1", label="BUY", legs=legs,
    )  # fmt: skip
    bare = Case(gateway="acme", transaction_id="TRX_1", origin=Origin.REGISTRATION, state=None, registered_at=NOON)
    case = with_legs(replace(bare, state=State(answer=Answer(
        transaction_id="TRX_1", status="COMPLETED", account=ACCOUNT, broker="kite", batches=(batch,)
    ))), legs)  # fmt: skip
    return replace(case, ours=tuple(_booked(line, named=named) for line in case.theirs))


def with_legs(case: Case, legs: tuple[Leg, ...], **of_batch: object) -> Case:
    """The case with these legs in its one batch, and that batch in its webhook."""
    assert case.state is not None
    batch = replace(case.state.answer.batches[0], legs=legs, **of_batch)
    claim = Claim(event_id="E1", received_at=NOON, asked_after=True, account=ACCOUNT, batch=batch)
    return replace(
        case,
        state=replace(case.state, answer=replace(case.state.answer, batches=(batch,))),
        claims=(claim,),
        theirs=tuple(
            TheirLine(line=place, batch_id="B1", leg=leg, instrument=f"ISIN:{leg.symbol}", trade_date=DAY)
            for place, leg in enumerate(legs)
        ),
    )


def _booked(line: TheirLine, *, named: bool) -> OurLine:
    leg = line.leg
    return OurLine(
        line=100 + line.line, order_id=f"O{line.line}", account=ACCOUNT, trade_date=DAY, exchange="NSE",
        symbol=leg.symbol, instrument=line.instrument, side=leg.side, quantity=leg.quantity, filled=leg.filled,
        average_price=leg.average_price, status=leg.status, broker="kite",
        exchange_order_id=leg.exchange_order_id if named else None,
    )  # fmt: skip


def legs_of(case: Case) -> tuple[Leg, ...]:
    """The legs of its one batch."""
    assert case.state is not None
    return case.state.answer.batches[0].legs


def _first(case: Case, **changes: object) -> Case:
    """The case with its first line of ours changed."""
    return replace(case, ours=(replace(case.ours[0], **changes), *case.ours[1:]))


def our_fills(draw: Draw, case: Case) -> Case:
    """The first order kept as two fills in the books, adding up or nearly."""
    line, first = case.ours[0], Decimal(4)
    rest = line.quantity - first + draw(NEARLY)
    price = draw(st.sampled_from([Decimal(100), Decimal("100.03"), Decimal("99.98"), None]))
    parts = (
        replace(line, quantity=first, filled=first),
        replace(line, line=500 + len(case.ours), order_id=f"{line.order_id}-{len(case.ours)}",
                quantity=rest, filled=rest, average_price=price, executed_at=draw(st.sampled_from([None, NOON]))),
    )  # fmt: skip
    return replace(case, ours=(*parts, *case.ours[1:]))


def their_fills(draw: Draw, case: Case) -> Case:
    """The first leg told as two of the same batch, adding up or nearly; ours names no exchange order."""
    legs = legs_of(case)
    first, rest = Decimal(3), legs[0].quantity - 3 + draw(NEARLY)
    word = draw(st.sampled_from(["COMPLETE", "COMPLETE", "CANCELLED"]))
    filled = rest if word == "COMPLETE" else draw(st.sampled_from([Decimal(0), rest - 1]))
    price = draw(st.sampled_from([Decimal(100), Decimal("100.01"), Decimal("100.04")]))
    split = (
        replace(legs[0], quantity=first, filled=first),
        replace(legs[0], quantity=rest, filled=filled, status=word, average_price=price, exchange_order_id="99"),
    )
    told = with_legs(case, (*split, *legs[1:]), status=draw(st.sampled_from(["COMPLETED", "PARTIALLYFILLED"])))
    total = first + filled
    wanted = {"filled": total, "status": "COMPLETE" if total == case.ours[0].quantity else "CANCELLED"}
    return _first(told, exchange_order_id=None, **(wanted if draw(st.booleans()) else {}))


def repaired(draw: Draw, case: Case) -> Case:
    """The batch is a repair of, or repaired by, batches of other transactions; sums exact, too many or too few."""
    legs = legs_of(case)
    repair = draw(st.booleans())
    words = st.sampled_from(["COMPLETED", "PARTIALLYFILLED", "FIXED", "MARKEDCOMPLETE"])
    others = []
    for place in range(draw(st.integers(1, 2))):
        filled = {leg: draw(st.sampled_from([Decimal(0), ONE, leg.quantity])) for leg in legs}
        own = {leg: leg.filled if repair else Decimal(0) for leg in legs}
        figures = {leg: (filled[leg] + own[leg] + draw(NEARLY), filled[leg]) for leg in legs}
        again = bool(place or not repair) and draw(st.booleans())
        others.append(
            ChainBatch(
                transaction_id=f"TRX_{draw(st.sampled_from([0, 2]))}", batch_id=f"C{place}", status=draw(words),
                repair=again, final=draw(st.sampled_from([True, True, False])), iscid="I1",
                at=NOON + draw(st.sampled_from([-1, 0, 1])) * timedelta(hours=1),
                legs=tuple(
                    ChainLeg(instrument=f"ISIN:{leg.symbol}", side="BUY", quantity=q, filled=f)
                    for leg, (q, f) in figures.items()
                ),
            )
        )  # fmt: skip
    status = draw(st.sampled_from(["COMPLETED", "COMPLETED", "FIXED", "MARKEDCOMPLETE"]))
    told = with_legs(case, legs, label="FIX" if repair else "BUY", status=status)
    return replace(told, chain=tuple(others))


def unfilled(draw: Draw, case: Case) -> Case:
    """The first order filled only in part, both sides agreeing."""
    legs = legs_of(case)
    filled = draw(st.sampled_from([Decimal(0), Decimal(6)]))
    told = with_legs(case, (replace(legs[0], filled=filled, status="CANCELLED"), *legs[1:]), status="PARTIALLYFILLED")
    return _first(told, filled=filled, status="CANCELLED")


def renamed(draw: Draw, case: Case) -> Case:
    """Another spelling, the other exchange, or a symbol that nobody lists."""
    change = draw(st.sampled_from(["symbol", "exchange", "unmapped"]))
    if change == "symbol":
        return _first(case, symbol=f"{case.ours[0].symbol}-EQ")
    if change == "exchange":
        step = draw(st.sampled_from([Decimal(0), *PRICE_STEPS]))
        return _first(case, exchange="BSE", exchange_order_id=None, average_price=Decimal(100) + step)
    name = f"NSE:{case.ours[0].symbol}"
    theirs = (replace(case.theirs[0], instrument=name), *case.theirs[1:])
    return _first(replace(case, theirs=theirs) if draw(st.booleans()) else case, instrument=name)


def dated(draw: Draw, case: Case) -> Case:
    """Another day, or an instant some hours away; now and then after-market."""
    told = with_legs(case, legs_of(case), variety=draw(st.sampled_from(["regular", "amo"])))
    day = DAY + timedelta(days=draw(st.sampled_from([-3, -1, 0, 1])))
    return _first(told, trade_date=day, executed_at=draw(st.none() | SHIFTS.map(lambda shift: NOON + shift)))


def priced(draw: Draw, case: Case) -> Case:
    """Ours a step away, or both somewhere no trade can have been; now and then of a single share."""
    legs = legs_of(case)
    price = draw(st.sampled_from([Decimal(100), Decimal("99.52"), Decimal("100.03"), Decimal("100.02"), Decimal(99)]))
    size: dict[str, Any] = {"quantity": ONE, "filled": ONE} if draw(st.booleans()) else {}
    told = with_legs(case, (replace(legs[0], average_price=price, **size), *legs[1:]))
    return _first(told, average_price=price + draw(st.sampled_from([Decimal(0), *PRICE_STEPS])), **size)


def doubled(draw: Draw, case: Case) -> Case:
    """The first line booked again, or the first leg told again, as it is or otherwise."""
    changed: dict[str, Any] = draw(st.sampled_from([{}, {"filled": Decimal(9)}, {"average_price": Decimal("100.5")}]))
    if draw(st.booleans()):
        legs = legs_of(case)
        return with_legs(case, (*legs, replace(legs[0], **changed)))
    again = replace(
        case.ours[0], line=700 + len(case.ours), order_id=f"{draw(st.sampled_from('NP'))}{len(case.ours)}", **changed
    )
    named = replace(case, ours=(*case.ours, again))
    wrong = {"filled": Decimal(8)} if draw(st.booleans()) else {}
    return _first(named, **wrong)


def decided(draw: Draw, case: Case) -> Case:
    """A person pairs, or parts, any two."""
    one = st.builds(
        Decision, ruling=st.sampled_from(Ruling), ours=st.sampled_from([line.order_id for line in case.ours]),
        theirs=st.sampled_from(["11", "12", "13"]),
    )  # fmt: skip
    return replace(case, decisions=tuple(draw(st.lists(one, min_size=1, max_size=2))))


TWISTS: list[Twist] = [
    our_fills, their_fills, repaired, unfilled, renamed, dated, priced, doubled, decided,
]  # fmt: skip


@st.composite
def twisted(draw: Draw) -> Case:
    """A clean case with one to three twists; a batch's own sums are left unsaid."""
    case = draw(clean())
    for twist in draw(st.lists(st.sampled_from(TWISTS), min_size=1, max_size=3)):
        case = twist(draw, case)
    return case
