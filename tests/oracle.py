"""A second, deliberately naive judge of one transaction, written from the documents alone.

It shares nothing with `recon` but the values, is slow, and says everything twice if that is plainer.
Each line's bucket and all findings as (name, line, field) must agree with `recon.judge`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product
from typing import Any

from msgspec.structs import replace

from recon.values import Batch, Calendar, Case, Claim, Leg, OurLine, Policy, TheirLine

D = Decimal
SAME = {"OPEN": "PLACED", "PENDING": "PLACED", "EXPIRED": "CANCELLED"}
LEGS = ["CREATED", "PLACED", "PARTIAL", "COMPLETE", "CANCELLED", "REJECTED", "ERROR", "CANCELLED AMO"]
LEG_ENDS = LEGS[3:]
FINAL = ["COMPLETED", "PARTIALLYFILLED", "UNFILLED", "UNPLACED", "ERROR", "CANCELLED", "FIXED", "MARKEDCOMPLETE"]
BATCHES = ["PLACED", "PARTIALLYPLACED", *FINAL]
TRANSACTIONS = ["INITIALIZED", "USED", "PROCESSING", "ACTION_REQUIRED", "ERRORED", "COMPLETED", "EXPIRED", "PENDING"]
NO_ORDER = ["user_cancelled", "transaction_expired", "no_broker", "consent_denied", "market_closed"]
NO_ORDER += ["insufficient_holdings"]
NO_PROOF = ["timed_out", "order_in_queue", "order_pending", "transaction_in_process"]
PENDING = ["open-order", "webhook-late", "awaiting-books"]
NOTES = ["out-of-order", "never-triggered", "partial-residual", "price-in-tol", "alias", "repair-chain", "waived"]
TABLE = ["open-order", "webhook-late", "webhook-missed", "books-behind", "awaiting-books", "stale-open"]
TABLE += ["out-of-order", "missing-internal", "missing-external", "never-triggered", "dup-external"]
TABLE += ["dup-internal", "dup-execution", "unplaced", "qty-requested"]
TABLE += ["qty-filled", "partial-residual", "overfill", "batch-sum", "price-in-tol", "price-out", "price-absent"]
TABLE += [
    "price-implausible",
    "amount-sum",
    "side",
    "instrument",
    "alias",
    "exchange",
    "unmapped",
    "account",
    "status-conflict",
    "webhook-differs",
    "ambiguous",
]
TABLE += ["unknown-enum", "regression", "batch-vs-lines", "trade-date", "zone-shift"]
LOW, MEDIUM, HIGH, CRITICAL = 1, 2, 3, 4
AT_LEAST = {
    "webhook-missed": MEDIUM, "books-behind": MEDIUM, "stale-open": MEDIUM, "missing-internal": HIGH,
    "missing-external": HIGH, "unplaced": LOW, "qty-requested": HIGH, "qty-filled": HIGH, "overfill": CRITICAL,
    "price-out": LOW, "price-absent": HIGH, "side": CRITICAL, "instrument": CRITICAL, "account": CRITICAL,
    "status-conflict": HIGH, "ambiguous": HIGH, "unknown-enum": HIGH, "regression": CRITICAL,
    "dup-external": HIGH, "dup-internal": HIGH, "price-implausible": HIGH, "exchange": LOW, "unmapped": HIGH,
    "trade-date": HIGH, "zone-shift": MEDIUM,
}  # fmt: skip


@dataclass
class Said:
    """What is said of one line or pair."""

    ours: OurLine | None
    theirs: TheirLine | None
    found: list[tuple[str, str, D, str]] = field(default_factory=list)  #: name, field, impact, remark
    bucket: str = ""
    mine: list[OurLine] = field(default_factory=list)  #: every line of ours in it
    other: list[TheirLine] = field(default_factory=list)
    copy: bool = False
    again: bool = False  #: booked again for a leg that another line names

    def __post_init__(self) -> None:
        """One line a side, unless parts are given."""
        self.mine = self.mine or ([self.ours] if self.ours else [])
        self.other = self.other or ([self.theirs] if self.theirs else [])

    @property
    def line(self) -> str | None:
        """Our order id, else the exchange's."""
        if self.ours:
            return self.ours.order_id
        return (self.theirs.leg.exchange_order_id or None) if self.theirs else None


@dataclass
class Opinion:
    """All that the oracle says."""

    buckets: dict[tuple[str, int], str]
    findings: set[tuple[str, str | None, str, bool]]  #: name, line, field, waiting
    together: set[frozenset[tuple[str, int]]]


@dataclass
class Oracle:
    """One transaction at one instant."""

    case: Case
    as_of: datetime
    policy: Policy
    calendar: Calendar
    books_in: Callable[[date], bool]
    market: Any = None

    def opinion(self) -> Opinion:
        """Judge it."""
        said = [*self.pairs(), *self.left]
        general: list[tuple[str, str, bool]] = []
        if self.case.state and not self.case.state.settled:
            for each in said:
                each.bucket, each.found = "pending", []
        else:
            for each in said:
                self.line(each)
                each.bucket = bucket(each)
            plain = [*self.of_batches(), *self.of_claims(), *self.of_transaction()]
            general = [*((name, f, False) for name, f in plain), *self.of_chains()]
        findings = {(n, each.line, f, r == "waiting") for each in said for n, f, _, r in each.found}
        findings |= {(name, None, f, waiting) for name, f, waiting in general}
        buckets = {("ours", o.line): each.bucket for each in said for o in each.mine}
        buckets |= {("theirs", t.line): each.bucket for each in said for t in each.other}
        lines = [[*(("ours", o.line) for o in each.mine), *(("theirs", t.line) for t in each.other)] for each in said]
        return Opinion(buckets, findings, {frozenset(each) for each in lines})

    # ------------------------------------------------------------ what the answer says

    @property
    def answer(self) -> Any:
        """E's transaction, or None."""
        return self.case.state.answer if self.case.state else None

    @property
    def status(self) -> str:
        """E's word for the transaction."""
        return self.answer.status.upper() if self.answer else ""

    def batch(self, line: TheirLine) -> Batch:
        """The batch of a leg."""
        batches: tuple[Batch, ...] = self.answer.batches
        return next(b for b in batches if b.batch_id == line.batch_id)

    def final_leg(self, leg: Leg, batch: Batch, status: str) -> bool:
        """Its own word is final, or its transaction is COMPLETED and its batch is not PLACED."""
        own = unplaced(leg, batch) or word(leg.status) in LEG_ENDS
        return own or (status == "COMPLETED" and word(batch.status) != "PLACED")

    def final_batch(self, batch: Batch, status: str) -> bool:
        """A final word, or PARTIALLYPLACED with all legs final."""
        if word(batch.status) == "PARTIALLYPLACED":
            return bool(batch.legs) and all(self.final_leg(leg, batch, status) for leg in batch.legs)
        return word(batch.status) in FINAL

    def no_order(self) -> bool:
        """ERRORED with a message that excludes an order."""
        message = (self.answer.error_message or "").lower().replace(" ", "_").replace("-", "_")
        proof = any(w in message for w in NO_ORDER) and not any(w in message for w in NO_PROOF)
        return self.status == "ERRORED" and proof and self.answer.error_code != "1012"

    # ------------------------------------------------------------ pairing

    def pairs(self) -> list[Said]:
        """Climb the rungs; what is left lies in `self.left`."""
        self.said: list[Said] = []
        self.unclear: list[Said] = []
        self.again: list[Said] = []
        ordered = sorted(self.case.theirs, key=lambda t: (t.batch_id, repr(t.leg), t.line))
        earlier = [[(x.batch_id, x.leg) for x in ordered[:i]] for i in range(len(ordered))]
        copies = [
            t for t, before in zip(ordered, earlier, strict=True)
            if t.leg.exchange_order_id and (t.batch_id, t.leg) in before
        ]  # fmt: skip
        self.ours, self.theirs = list(self.case.ours), [t for t in self.case.theirs if t not in copies]
        self.decided(ordered)
        self.rung(lambda o, t: bool(o.exchange_order_id) and id_of(o) == id_of(t.leg), told_twice=True, confuse=True)
        self.rung(lambda o, t: bool(o.batch_id) and self.equal_facts(o, t), many=True)
        self.rung(self.equal_facts, many=True)
        self.rung(lambda o, t: bool(o.batch_id) and self.equal_order(o, t), many=True)
        self.rung(self.equal_order, many=True)
        self.rung(lambda o, t: compatible(o, t) and bool(o.batch_id) and stock(o) == stock(t), parts=True)
        self.rung(lambda o, t: compatible(o, t) and stock(o) == stock(t), parts=True, confuse=True)
        if len(self.ours) == len(self.theirs) == 1 and not self.unclear:
            self.rung(lambda o, t: compatible(o, t) and two_of_three(o, t))
        alone = [*(Said(o, None) for o in self.ours), *(Said(None, t) for t in self.theirs)]
        self.left = [*self.unclear, *self.again, *alone, *(Said(None, t, copy=True) for t in copies)]
        return self.said

    def decided(self, ordered: list[TheirLine]) -> None:
        """What a person said: these are one, those are not."""
        names: dict[str, TheirLine] = {}
        for t in ordered:
            leg = t.leg
            name = leg.exchange_order_id or f"{t.batch_id}/{leg.exchange}:{leg.symbol}/{leg.side}"
            times = 1 + sum(1 for x in names if x == name or x.startswith(name + "/"))
            names[name if times == 1 else f"{name}/{times}"] = t
        pairs = [(d.ruling, o, t) for d in self.case.decisions for o in self.ours if o.order_id == d.ours
                 for name, t in names.items() if name == d.theirs and t in self.theirs]  # fmt: skip
        self.apart = [(o, t) for ruling, o, t in pairs if ruling == "apart"]
        wanted = [(o, t) for ruling, o, t in pairs if ruling == "together" and (o, t) not in self.apart]
        for o, t in sorted(wanted, key=lambda p: (p[0].order_id, next(n for n, x in names.items() if x is p[1]))):
            if o in self.ours and t in self.theirs:
                self.said.append(Said(o, t))
                self.take([o], [t])

    def rung(
        self,
        same: Callable[[OurLine, TheirLine], bool],
        *,
        many: bool = False,
        parts: bool = False,
        told_twice: bool = False,
        confuse: bool = False,
    ) -> None:
        """Pair what is alone on both sides.

        `many`: also equals among equals; `parts`: also one and its parts; `told_twice`: several of ours name one leg;
        `confuse`: the rest is ambiguous.
        """
        edges = [(o, t) for o, t in product(self.ours, self.theirs) if same(o, t) and (o, t) not in self.apart]
        while edges:
            ours, theirs = [edges[0][0]], [edges[0][1]]
            for _ in edges:
                for o, t in edges:
                    if o in ours and t not in theirs:
                        theirs.append(t)
                    if t in theirs and o not in ours:
                        ours.append(o)
            ours.sort(key=lambda o: (o.order_id, repr(o)))
            theirs.sort(key=lambda t: (t.batch_id, repr(t.leg), t.line))
            each_with_each = all((o, t) in edges for o in ours for t in theirs)
            if len(ours) == len(theirs) == 1 or (many and each_with_each and len(ours) == len(theirs)):
                self.said += [Said(o, t) for o, t in zip(ours, theirs, strict=True)]
                self.take(ours, theirs)
            elif (parts or told_twice) and self.made_up(ours, theirs):
                self.take(ours, theirs)
            elif told_twice and len(theirs) == 1:
                self.booked_again(ours, theirs[0])
                self.take(ours, theirs)
            elif confuse:
                self.confuse(ours, theirs)
                self.take(ours, theirs)
            edges = [(o, t) for o, t in edges if o not in ours]

    def confuse(self, ours: list[OurLine], theirs: list[TheirLine]) -> None:
        """Nobody can tell which is which."""
        self.unclear += [Said(o, None, [("ambiguous", "line", amount(o), "")]) for o in ours]
        self.unclear += [Said(None, t, [("ambiguous", "line", amount(t.leg), "")]) for t in theirs]

    def booked_again(self, ours: list[OurLine], t: TheirLine) -> None:
        """Several of ours name one leg: which of them is it?"""
        right = [o for o in ours if self.equal_facts(o, t, named=True) or self.equal_order(o, t, named=True)]
        said = [(stock(o), o.quantity, o.filled or D(0), o.average_price if o.filled else None,
                 told(o.status, o.filled or D(0), o.quantity)) for o in ours]  # fmt: skip
        right = right or (ours if all(x == said[0] for x in said) else [])
        if not right:
            before = len(self.unclear)
            self.confuse(ours, [t])
            for each in self.unclear[before:]:
                each.again = each.ours is not None
            return
        self.said.append(Said(right[0], t))
        self.again += [Said(o, None, again=True) for o in ours if o is not right[0]]

    def made_up(self, ours: list[OurLine], theirs: list[TheirLine]) -> bool:
        """One line and its parts: they add up exactly and name one order."""
        if (len(ours) == 1) == (len(theirs) == 1) or not all(compatible(o, t) for o in ours for t in theirs):
            return False
        if any((o, t) in self.apart for o in ours for t in theirs):
            return False
        one_ours = {(o.account, o.broker, o.trade_date, o.exchange, o.symbol, stock(o)) for o in ours}
        one_theirs = {(t.batch_id, t.leg.exchange, t.leg.symbol, stock(t), t.trade_date) for t in theirs}
        if len(one_ours) > 1 or len(one_theirs) > 1:
            return False
        if any(unplaced(t.leg, self.batch(t)) for t in theirs) or any(x.quantity <= 0 for x in parts_of(ours, theirs)):
            return False
        mine = whole([(o.quantity, o.filled or D(0), o.average_price, o.status) for o in ours])
        other = whole([(t.leg.quantity, t.leg.filled, t.leg.average_price, t.leg.status) for t in theirs])
        if mine is None or other is None or mine[:2] != other[:2]:
            return False
        times = {o.executed_at for o in ours}
        o = replace(ours[0], quantity=mine[0], filled=mine[1], average_price=mine[2], status=mine[3],
                    executed_at=ours[0].executed_at if len(times) == 1 else None)  # fmt: skip
        leg = replace(theirs[0].leg, quantity=other[0], filled=other[1], average_price=other[2], status=other[3])
        self.said.append(Said(o, replace(theirs[0], leg=leg), mine=ours, other=theirs))
        return True

    def take(self, ours: list[OurLine], theirs: list[TheirLine]) -> None:
        """They are no longer left."""
        self.ours = [o for o in self.ours if o not in ours]
        self.theirs = [t for t in self.theirs if t not in theirs]

    def equal_facts(self, o: OurLine, t: TheirLine, *, named: bool = False) -> bool:
        """A placed leg: instrument, side, quantity, filled, price if filled, and word."""
        leg, filled = t.leg, o.filled or D(0)
        if unplaced(leg, self.batch(t)) or stock(o) != stock(t) or not (named or compatible(o, t)):
            return False
        mine = (o.quantity, filled, o.average_price if filled else None, told(o.status, filled, o.quantity))
        price = leg.average_price if leg.filled else None
        return mine == (leg.quantity, leg.filled, price, told(leg.status, leg.filled, leg.quantity))

    def equal_order(self, o: OurLine, t: TheirLine, *, named: bool = False) -> bool:
        """An unplaced leg: instrument, side and quantity."""
        same = (named or compatible(o, t)) and stock(o) == stock(t) and o.quantity == t.leg.quantity
        return same and unplaced(t.leg, self.batch(t))

    # ------------------------------------------------------------ findings of a line

    def line(self, said: Said) -> None:
        """All findings of a pair or a line alone."""
        o, t = said.ours, said.theirs
        lost = t is not None and unplaced(t.leg, self.batch(t))
        ambiguous = bool(said.found)
        self.told_again(said)
        for each in said.other:
            self.fallen(said, each)
        if said.copy:
            return
        self.named(said)
        if o and t:
            self.identity(said, o, t)
        if o and t and lost:
            if word(o.status) == "UNPLACED" and not o.filled:
                return
            said.found.append(("unplaced", "status", amount(o), "critical" if o.filled else ""))
        elif not lost:
            if o and t:
                self.pair(said, o, t)
                self.spelled_and_dated(said, o, t)
            elif not ambiguous:
                self.alone(said)
            if t and not self.final_leg(t.leg, self.batch(t), self.status):
                self.open(said, t.trade_date)
            self.by_itself(said)
            self.impossible(said)

    def told_again(self, said: Said) -> None:
        """One exchange order named by two legs, or by two lines of ours."""
        for t in said.other:
            named = [x for x in self.case.theirs if x.leg.exchange_order_id and id_of(x.leg) == id_of(t.leg)]
            twins = [x for x in named if (x.batch_id, x.leg) != (t.batch_id, t.leg)]
            if said.theirs and (said.copy or twins):
                impact = amount(said.theirs.leg)
                said.found.append(("dup-external", "exchange_order_id", impact, "harmless" if said.copy else ""))
                break
        if said.again and said.ours:
            said.found.append(("dup-internal", "exchange_order_id", amount(said.ours), ""))

    def named(self, said: Said) -> None:
        """A symbol that the table does not know although it knows the exchange."""
        both = ((said.ours, said.ours), (said.theirs, said.theirs and said.theirs.leg))
        sides = [(x.instrument, y.exchange, y.symbol, x.trade_date, amount(y)) for x, y in both if x and y]
        unknown = [self.market and i == f"{e}:{s}" and self.market.lists(e, s, d) is False for i, e, s, d, _ in sides]
        if any(unknown):
            said.found.append(("unmapped", "symbol", max(each[4] for each in sides), ""))

    def spelled_and_dated(self, said: Said, o: OurLine, t: TheirLine) -> None:
        """One security under two names, on two exchanges, on two days, in two zones."""
        if o.instrument == t.instrument:
            if o.symbol.upper() != t.leg.symbol.upper():
                said.found.append(("alias", "symbol", D(0), ""))
            if {o.exchange, t.leg.exchange} == {"NSE", "BSE"}:
                priced = o.average_price and t.leg.average_price
                apart = abs(o.average_price - t.leg.average_price) if priced else D(0)  # type: ignore[operator]
                said.found.append(("exchange", "exchange", apart * min(o.filled or D(0), t.leg.filled), ""))
        b = self.batch(t)
        if o.executed_at and b.completed_at:
            seconds = abs((o.executed_at - b.completed_at).total_seconds())
            if 19799 < seconds < 19801:
                said.found.append(("zone-shift", "executed_at", D(0), ""))
                return
        told_when = b.completed_at or b.created_at or self.answer.created_at
        next_session = [self.calendar.session_on_or_after(o.trade_date), self.calendar.session_after(o.trade_date)]
        amo = (b.variety or "").lower() == "amo" and t.trade_date in next_session
        if told_when and o.trade_date != t.trade_date and not amo:
            said.found.append(("trade-date", "trade_date", D(0), ""))

    def impossible(self, said: Said) -> None:
        """A price beyond the day, or one fill off the grid."""
        if not self.market:
            return
        places = (self.policy.price_places_ours, self.policy.price_places_theirs)
        kept_in_parts = len(said.mine) > 1
        mine = [(o, o.filled or D(0), o.average_price, places[0], kept_in_parts) for o in said.mine]
        other = [(t, t.leg.filled, t.leg.average_price, places[1], False) for t in said.other]
        off = [self.off(*each) * each[1] for each in (*mine, *other) if each[1] and each[2]]
        if any(off):
            said.found.append(("price-implausible", "average_price", max(off), ""))

    def off(self, line: Any, filled: D, price: Any, places: int, part: bool) -> D:  # noqa: FBT001
        """How far the price lies off what can be."""
        unit = D(1).scaleb(-places)
        where = line.leg.exchange if hasattr(line, "leg") else line.exchange
        low_high = self.market.low_high(line.instrument, line.trade_date, where)
        tick = self.market.tick(line.instrument, line.trade_date, where)
        if low_high and price > low_high[1] + unit / 2:
            return D(price - low_high[1])
        if low_high and price < low_high[0] - unit / 2:
            return D(low_high[0] - price)
        if tick and (filled == 1 or part):
            below = price // tick * tick
            nearest = min(price - below, below + tick - price)
            if nearest > (0 if tick / unit == tick // unit else unit / 2):
                return D(nearest)
        return D(0)

    def identity(self, said: Said, o: OurLine, t: TheirLine) -> None:
        """Side, instrument, account, broker: no tolerance."""
        if {o.side, t.leg.side} == {"BUY", "SELL"}:
            said.found.append(("side", "side", D(0), "critical"))
        odd = o.exchange not in ("NSE", "BSE") or t.leg.exchange not in ("NSE", "BSE")
        if o.instrument != t.instrument and not (odd and o.symbol == t.leg.symbol):
            said.found.append(("instrument", "instrument", D(0), "critical"))
        broker = self.batch(t).broker or self.answer.broker
        if self.answer.account and o.account != self.answer.account:
            said.found.append(("account", "account", D(0), "critical"))
        if o.broker and broker and o.broker.lower() != broker.lower():
            said.found.append(("account", "broker", D(0), "critical"))

    def fallen(self, said: Said, t: TheirLine) -> None:
        """E took back what it had said of the leg; of several equal legs, the first."""
        equals = [x.line for x in self.case.theirs if (x.batch_id, x.leg) == (t.batch_id, t.leg)]
        falls = [r for r in self.case.state.regressions if (r.batch_id, r.leg) == (t.batch_id, t.leg)]  # type: ignore[union-attr]
        mine = [r for i, r in enumerate(falls) if sorted(equals)[i % len(equals)] == t.line]
        said.found += [("regression", r.field, D(0), "critical") for r in mine]

    def pair(self, said: Said, o: OurLine, t: TheirLine) -> None:
        """Quantities, prices and words of a placed pair."""
        leg, filled = t.leg, o.filled or D(0)
        price = leg.average_price or o.average_price or D(0)
        gateway_ends = self.final_leg(leg, self.batch(t), self.status)
        books_end = ours_ends(o, leg.filled)
        if o.quantity != leg.quantity:
            basket = [*self.answer.requested, *self.case.requested]
            edited = any((r.symbol, r.quantity) == (leg.symbol, o.quantity) for r in basket)
            impact = abs(o.quantity - leg.quantity) * price
            said.found.append(("qty-requested", "quantity", impact, "harmless" if edited else ""))
        if gateway_ends and books_end is False:
            completed = self.batch(t).completed_at or self.close(t.trade_date)
            waiting = self.as_of <= completed + self.policy.webhook_grace
            impact = abs(filled - leg.filled) * price
            said.found.append(("books-behind", "status", impact, "waiting" if waiting else ""))
        if gateway_ends and books_end:
            self.ended(said, o, leg, price)
        if (gateway_ends and books_end) or filled == leg.filled:
            self.prices(said, o, t)

    def ended(self, said: Said, o: OurLine, leg: Leg, price: D) -> None:
        """Both are at their end."""
        filled = o.filled or D(0)
        if filled != leg.filled:
            said.found.append(("qty-filled", "filled_quantity", abs(filled - leg.filled) * price, ""))
        elif o.quantity == leg.quantity and 0 < leg.filled < leg.quantity:
            said.found.append(("partial-residual", "filled_quantity", D(0), ""))
        if o.status is not None:
            mine, other = told(o.status, filled, o.quantity), told(leg.status, leg.filled, leg.quantity)
            ends = [*LEG_ENDS, "UNPLACED", "PARTIAL"]
            if mine in ends and other in ends and mine != other:
                harmless = filled == leg.filled == 0
                said.found.append(("status-conflict", "status", D(0), "harmless" if harmless else ""))

    def prices(self, said: Said, o: OurLine, t: TheirLine) -> None:
        """Half a unit of each side's declared place, plus the slack."""
        if not (o.filled and t.leg.filled and o.average_price and t.leg.average_price) or o.instrument != t.instrument:
            return
        apart = abs(o.average_price - t.leg.average_price)
        units = D(1).scaleb(-self.policy.price_places_ours) + D(1).scaleb(-self.policy.price_places_theirs)
        if apart:
            filled = min(o.filled, t.leg.filled)
            tick = self.market.tick(t.instrument, t.trade_date, t.leg.exchange) if self.market else None
            slack = self.policy.price_slack + self.policy.slack_bps * t.leg.average_price / 10000
            slack += self.policy.slack_ticks * tick if tick else 0
            cap = self.policy.slack_cap
            out = apart > units / 2 + (slack if cap is None else min(slack, cap / filled))
            impact = apart * filled
            said.found.append(("price-out" if out else "price-in-tol", "average_price", impact, ""))

    def alone(self, said: Said) -> None:
        """A line without a counterpart."""
        o, t = said.ours, said.theirs
        if said.again:
            return
        if t:
            name = "missing-internal" if self.books_in(t.trade_date) else "awaiting-books"
            said.found.append((name, "line", amount(t.leg), ""))
        if not o:
            return
        filled = o.filled or D(0)
        placed = filled > 0 or (word(o.status) in LEGS and word(o.status) != "CREATED")
        missing = ("missing-external", "line", amount(o), "critical" if filled > 0 else "")
        if self.dead():
            said.found.append(missing if filled > 0 else ("never-triggered", "status", D(0), ""))
        elif not self.spoken():
            self.open(said, o.trade_date)
        else:
            said.found.append(missing if placed else ("open-order", "status", D(0), ""))

    def dead(self) -> bool:
        """No order ever came of it."""
        if not self.answer or self.answer.batches:
            return False
        until = self.answer.expire_at or self.case.expire_at
        expired = self.status == "INITIALIZED" and until is not None and self.as_of > until
        return expired or self.status == "EXPIRED" or self.no_order()

    def spoken(self) -> bool:
        """A final answer with batches, or absent three times over at least the grace."""
        if not self.answer:
            times = [t for t in self.case.absent_at if t <= self.as_of]
            return len(times) >= 3 and max(times) - min(times) >= self.policy.webhook_grace
        ended = self.status == "COMPLETED" or self.no_order()
        return ended and bool(self.answer.batches) and all(word(b.status) != "PLACED" for b in self.answer.batches)

    def open(self, said: Said, day: date) -> None:
        """Not at its end: open, and stale past its validity and the grace."""
        stale = self.as_of > self.close(day) + self.policy.open_grace
        said.found.append(("stale-open" if stale else "open-order", "status", D(0), ""))

    def by_itself(self, said: Said) -> None:
        """What is wrong with a side whatever the other says."""
        o, leg = said.ours, said.theirs.leg if said.theirs else None
        sides = [(x.quantity, x.filled or D(0), x.average_price) for x in (o, leg) if x]
        price = next((p for _, _, p in reversed(sides) if p), D(0))
        over = max(filled - quantity for quantity, filled, _ in sides)
        if over > 0:
            said.found.append(("overfill", "filled_quantity", over * price, ""))
        if any(filled > 0 and not p for _, filled, p in sides):
            said.found.append(("price-absent", "average_price", D(0), ""))
        ours_odd = o and o.status is not None and word(o.status) not in [*LEGS, "UNPLACED"]
        if ours_odd or (leg and word(leg.status) not in LEGS):
            said.found.append(("unknown-enum", "status", D(0), ""))
        if any(x.side not in ("BUY", "SELL") for x in (o, leg) if x):
            said.found.append(("unknown-enum", "side", D(0), ""))
        if any(x.exchange not in ("NSE", "BSE") for x in (o, leg) if x):
            said.found.append(("unknown-enum", "exchange", D(0), ""))

    def close(self, day: date) -> datetime:
        """The close of the session of that date."""
        return self.calendar.closes_at(self.calendar.session_on_or_after(day))

    # ------------------------------------------------------------ batches, claims, the transaction

    def of_batches(self) -> list[tuple[str, str]]:
        """Sums, amounts, words, regressions and awaited webhooks."""
        found = []
        for b in self.answer.batches if self.answer else ():
            if b.filled is not None and b.filled != sum(leg.filled for leg in once(b)):
                found.append(("batch-sum", "filled"))
            if b.quantity is not None and b.quantity != sum(leg.quantity for leg in once(b)):
                found.append(("batch-sum", "quantity"))
            found += [("amount-sum", f) for f in self.wrong_amounts(b)]
            if word(b.status) not in BATCHES:
                found.append(("unknown-enum", "status"))
            if b.variety is not None and b.variety.lower() not in ("regular", "amo"):
                found.append(("unknown-enum", "variety"))
            if self.contradicts(b):
                found.append(("batch-vs-lines", "status"))
            falls = self.case.state.regressions if self.case.state else ()
            found += [("regression", r.field) for r in falls if r.batch_id == b.batch_id and r.leg is None]
            found += self.awaited(b)
        return found

    def wrong_amounts(self, b: Batch) -> list[str]:
        """Per side of the market; not where a filled leg has no price or no known side."""
        if any(leg.filled and (not leg.average_price or leg.side not in ("BUY", "SELL")) for leg in b.legs):
            return []
        wrong = []
        for name, side, stated in (("buy_amount", "BUY", b.buy_amount), ("sell_amount", "SELL", b.sell_amount)):
            legs = [leg for leg in once(b) if leg.side == side]
            total = sum((leg.filled * (leg.average_price or 0) for leg in legs), D(0))
            unit = D(1).scaleb(-self.policy.price_places_theirs)
            bound = sum(leg.filled for leg in legs) * unit / 2 + D(1).scaleb(-self.policy.amount_places) / 2
            if stated is not None and abs(total - stated) > bound:
                wrong.append(name)
        return wrong

    def contradicts(self, b: Batch) -> bool:
        """The word is none that the legs allow."""
        sent = [leg for leg in b.legs if leg.filled or not unplaced(leg, b)]
        known = word(b.status) in BATCHES and all(word(leg.status) in LEGS for leg in sent)
        if not known or not b.legs or word(b.status) in ("FIXED", "MARKEDCOMPLETE"):
            return False
        words = [word(leg.status) for leg in sent]
        if not sent:
            fits = ["UNPLACED"]
        elif not all(self.final_leg(leg, b, self.status) for leg in sent):
            fits = ["PLACED"]
        elif all(w == "COMPLETE" for w in words):
            fits = ["COMPLETED"] if len(sent) == len(b.legs) else ["COMPLETED", "PARTIALLYFILLED"]
        elif any(leg.filled for leg in sent):
            fits = ["PARTIALLYFILLED"]
        else:
            fits = ["UNFILLED"]
            fits += ["CANCELLED"] if all(w in ("CANCELLED", "CANCELLED AMO") for w in words) else []
            fits += ["ERROR"] if all(w == "ERROR" for w in words) else []
        if sent and len(sent) < len(b.legs):
            fits.append("PARTIALLYPLACED")
        return word(b.status) not in fits

    def awaited(self, b: Batch) -> list[tuple[str, str]]:
        """E final, and no verified W of a final status by then."""
        came = any(c.batch.batch_id == b.batch_id and self.final_batch(c.batch, "") for c in self.claims())
        if came or not self.final_batch(b, self.status):
            return []
        days = [t.trade_date for t in self.case.theirs if t.batch_id == b.batch_id]
        days = days or [t.trade_date for t in self.case.theirs] or [o.trade_date for o in self.case.ours]
        completed = b.completed_at or self.close(min(days))
        late = self.as_of <= completed + self.policy.webhook_grace
        return [("webhook-late" if late else "webhook-missed", "webhook")]

    def claims(self) -> list[Claim]:
        """Those that had come, as they came."""
        return sorted((c for c in self.case.claims if c.received_at <= self.as_of), key=lambda c: c.order)

    def of_claims(self) -> list[tuple[str, str]]:
        """Webhooks out of order, and webhooks that no answer confirms."""
        found = []
        claims = self.claims()
        for batch_id in {c.batch.batch_id for c in claims}:
            mine = [c.batch for c in claims if c.batch.batch_id == batch_id]
            for i, later in enumerate(mine):
                ranked = rank(later.status) is not None
                lower = ranked and any((rank(x.status) or 0) > rank(later.status) for x in mine[:i])  # type: ignore[operator]
                filled = [x.filled for x in mine[:i] if x.filled is not None]
                less = later.filled is not None and any(f > later.filled for f in filled)
                if lower or less:
                    found.append(("out-of-order", "status" if lower else "filled"))
                    break
        if self.answer:
            denied = {(c.batch.batch_id, f) for c in claims if c.asked_after for f in self.denied(c)}
            found += [("webhook-differs", f) for _, f in denied]
        return found

    def denied(self, claim: Claim) -> set[str]:
        """The fields of a webhook that the answer does not confirm."""
        said, final = claim.batch, self.final_batch(claim.batch, "")
        stands = next((b for b in self.answer.batches if b.batch_id == said.batch_id), None)
        if stands is None:
            return {"batch"} if final or (said.filled or 0) > 0 else set()
        filled = sum(leg.filled for leg in once(stands)) if stands.filled is None else stands.filled
        if not final and not (said.filled is not None and said.filled > filled):
            return set()
        taken_back = any(r.batch_id == said.batch_id for r in self.case.state.regressions)  # type: ignore[union-attr]
        if taken_back and (said.filled or 0) <= filled:
            return set()
        quantity = sum(leg.quantity for leg in once(stands)) if stands.quantity is None else stands.quantity
        wrong = set()
        if final and word(stands.status) in BATCHES and word(stands.status) not in ("FIXED", "MARKEDCOMPLETE"):
            wrong |= {"status"} if word(said.status) != word(stands.status) else set()
        if claim.account and self.answer.account and claim.account != self.answer.account:
            wrong.add("account")
        wrong |= {"quantity"} if said.quantity is not None and said.quantity != quantity else set()
        wrong |= {"filled"} if said.filled is not None and said.filled != filled else set()
        unit = D(1).scaleb(-self.policy.amount_places)
        for name in ("buy_amount", "sell_amount"):
            mine, other = getattr(said, name), getattr(stands, name)
            wrong |= {name} if None not in (mine, other) and abs(mine - other) > unit else set()
        if not all(any(self.same_leg(a, b) for b in stands.legs) for a in said.legs):
            wrong.add("legs")
        return wrong

    def same_leg(self, a: Leg, b: Leg) -> bool:
        """One leg said twice."""
        if (a.placed, a.exchange, a.symbol, a.side) != (b.placed, b.exchange, b.symbol, b.side):
            return False
        if a.exchange_order_id and b.exchange_order_id and a.exchange_order_id != b.exchange_order_id:
            return False
        if (a.quantity, a.filled) != (b.quantity, b.filled):
            return False
        both_end = word(a.status) in LEG_ENDS and word(b.status) in LEG_ENDS
        if both_end and word(a.status) != word(b.status):
            return False
        unit = D(1).scaleb(-self.policy.price_places_theirs)
        return not (a.filled and a.average_price and b.average_price and abs(a.average_price - b.average_price) > unit)

    def of_transaction(self) -> list[tuple[str, str]]:
        """The transaction's own word, and whether it was taken back."""
        falls = self.case.state.regressions if self.case.state else ()
        found = [("regression", r.field) for r in falls if not r.batch_id]
        found += [("payload-invalid", kind) for kind in ("event", "snapshot") if any(
            each.kind == kind for each in self.case.unreadable)]  # fmt: skip
        if self.answer:
            executed = [b for b in self.answer.batches if not self.repairs(b) and any(leg.filled for leg in b.legs)]
            found += [("dup-execution", "filled")] if len(executed) > 1 else []
        return [*found, ("unknown-enum", "status")] if self.answer and self.status not in TRANSACTIONS else found

    # ------------------------------------------------------------ chains of repairs

    def repairs(self, b: Batch) -> bool:
        """By its label, else by what was asked for."""
        return (b.label or self.answer.purpose or "").upper() in ("FIX", "REPAIR")

    def of_chains(self) -> list[tuple[str, str, bool]]:
        """What is said of each batch of ours as part of its chain."""
        found: list[tuple[str, str, bool]] = []
        for b in self.answer.batches if self.answer else ():
            chain = self.chain(b.iscid or self.answer.iscid)
            place = next(i for i, x in enumerate(chain) if x[2:4] == (self.case.transaction_id, b.batch_id))
            begun = [i for i, x in enumerate(chain) if i <= place and not x[1]]
            ended = [i for i, x in enumerate(chain) if i > place and not x[1]]
            link = chain[max(begun, default=0) : min(ended, default=len(chain))]
            if all(x[6] for x in link):
                found += self.of_link(b, link, chain[place], rooted=bool(begun))
        return found

    def chain(self, iscid: str | None) -> list[Any]:
        """All batches of the invested smallcase: when, repair, transaction, batch, word, final, settled, legs."""
        rows: list[Any] = []
        for b in self.answer.batches:
            if (b.iscid or self.answer.iscid) == iscid:
                of = {x.leg: x.instrument for x in self.case.theirs if x.batch_id == b.batch_id}
                legs = [(of.get(x, f"{x.exchange}:{x.symbol}"), x.side, x.quantity, x.filled) for x in once(b)]
                at = b.created_at or b.completed_at
                final = self.final_batch(b, self.status)
                rows.append((at, self.repairs(b), self.case.transaction_id, b.batch_id, b.status, final, True, legs))
        for c in self.case.chain if iscid is not None else ():
            if c.iscid == iscid:
                legs = [(x.instrument, x.side, x.quantity, x.filled) for x in c.legs]
                rows.append((c.at, c.repair, c.transaction_id, c.batch_id, c.status, c.final, c.settled, legs))
        early, late = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
        return sorted(rows, key=lambda x: (x[0] or (late if x[1] else early), x[1], x[2], x[3]))

    def of_link(self, b: Batch, link: list[Any], this: Any, *, rooted: bool) -> list[tuple[str, str, bool]]:
        """Conserved: what a link filled is at most what its first batch ordered."""
        named = (b.iscid or self.answer.iscid) is not None
        last, words = link[-1] is this, [word(x[4]) for x in link]
        ordered = totals(link[:1] if rooted else [], 2)
        filled = totals(link, 3)
        over = [k for k in filled if filled[k] > ordered.get(k, 0)]
        rest = [k for k in ordered if ordered[k] > filled.get(k, 0)]
        days = [t.trade_date for t in self.case.theirs if t.batch_id == b.batch_id]
        days = days or [t.trade_date for t in self.case.theirs] or [o.trade_date for o in self.case.ours]
        waiting = self.as_of <= (b.completed_at or self.close(min(days))) + self.policy.webhook_grace if (
            b.completed_at or days) else False  # fmt: skip
        found: list[tuple[str, str, bool]] = []
        if this[1] and not rooted:
            found.append(("orphan-repair", "parent", waiting))
        if this[1] and rooted and not over:
            found.append(("repair-chain", "filled", False))
        for k in over if this[1] and rooted else ():
            fillers = [x for x in link if x[1] and any(leg[:2] == k and leg[3] for leg in x[7])]
            if fillers[-1:] and fillers[-1] is this:
                found.append(("over-repair", "filled", False))
        if last and named and word(b.status) == "FIXED":
            found.append(("orphan-repair", "child", waiting))
        elif last and named and rooted and rest and all(x[5] for x in link) and "MARKEDCOMPLETE" not in words:
            found.append(("repair-pending", "filled", False))
        if word(b.status) == "MARKEDCOMPLETE" and rooted and rest:
            found.append(("waived", "filled", False))
        return found


# ---------------------------------------------------------------- small words


def word(text: str | None) -> str:
    """In capitals, mapped."""
    return SAME.get((text or "").upper(), (text or "").upper())


def told(status: str | None, filled: D, quantity: D) -> str | None:
    """PARTIAL that went no further was cancelled for the rest."""
    if status is None:
        return None
    return "CANCELLED" if word(status) == "PARTIAL" and 0 < filled < quantity else word(status)


def rank(status: str) -> int | None:
    """How far a batch is."""
    if word(status) not in BATCHES:
        return None
    return {"PLACED": 1, "PARTIALLYPLACED": 2}.get(word(status), 3)


def unplaced(leg: Leg, batch: Batch) -> bool:
    """In `unplaced`, or any line of a batch UNPLACED."""
    return not leg.placed or word(batch.status) == "UNPLACED"


def ours_ends(o: OurLine, theirs_filled: D) -> bool | None:
    """The books hold the end; None when their word is unknown."""
    filled = o.filled or D(0)
    if o.status is None:
        return filled > 0 or (o.filled is not None and theirs_filled == 0)
    if word(o.status) not in [*LEGS, "UNPLACED"]:
        return None
    return word(o.status) in [*LEG_ENDS, "UNPLACED"] or (word(o.status) == "PARTIAL" and filled == theirs_filled)


def id_of(x: OurLine | Leg) -> tuple[str, str | None]:
    """Exchange and exchange order id."""
    return (x.exchange, x.exchange_order_id)


def stock(x: OurLine | TheirLine) -> tuple[str, str]:
    """Instrument and side."""
    return (x.instrument, x.side if isinstance(x, OurLine) else x.leg.side)


def compatible(o: OurLine, t: TheirLine) -> bool:
    """They do not name different orders or batches."""
    same_id = not (o.exchange_order_id and t.leg.exchange_order_id) or o.exchange_order_id == t.leg.exchange_order_id
    return same_id and (not o.batch_id or o.batch_id == t.batch_id)


def two_of_three(o: OurLine, t: TheirLine) -> bool:
    """Two of instrument, side and quantity agree."""
    return [o.instrument == t.instrument, o.side == t.leg.side, o.quantity == t.leg.quantity].count(True) >= 2


def once(b: Batch) -> list[Leg]:
    """Its legs, without those told again word for word under one exchange order id."""
    return [leg for i, leg in enumerate(b.legs) if not leg.exchange_order_id or leg not in b.legs[:i]]


def totals(link: list[Any], figure: int) -> dict[Any, D]:
    """Sums by instrument and side of a chain's rows."""
    found: dict[Any, D] = {}
    for row in link:
        for leg in row[7]:
            found[leg[:2]] = found.get(leg[:2], D(0)) + leg[figure]
    return found


def parts_of(ours: list[OurLine], theirs: list[TheirLine]) -> list[OurLine | Leg]:
    """All of them, as things with a quantity."""
    return [*ours, *(t.leg for t in theirs)]


def whole(parts: list[Any]) -> Any:
    """Quantity, filled, average price and word of parts taken as one; None if their words cannot be one."""
    quantity, filled = sum(p[0] for p in parts), sum(p[1] for p in parts)
    words = {p[3] for p in parts}
    if len(words) > 1 and not (0 < filled < quantity and all(word(w) in [*LEG_ENDS, "PARTIAL"] for w in words)):
        return None
    priced = filled and all(p[2] for p in parts if p[1])
    price = sum(p[1] * (p[2] or 0) for p in parts) / filled if priced else None
    return quantity, filled, price, parts[0][3] if len(words) == 1 else "PARTIAL"


def amount(x: OurLine | Leg) -> D:
    """Filled x average price."""
    return (x.filled or D(0)) * (x.average_price or D(0))


def bucket(said: Said) -> str:
    """The severest break, ties by the table; else pending; else how it matched."""
    breaks = [f for f in said.found if f[0] not in (*PENDING, *NOTES) and f[3] != "waiting"]
    if breaks:
        return min(breaks, key=lambda f: (-severity(*f), TABLE.index(f[0])))[0]
    if any(f[0] in PENDING or f[3] == "waiting" for f in said.found):
        return "pending"
    return "matched-in-tolerance" if any(f[0] == "price-in-tol" for f in said.found) else "matched"


def severity(name: str, _field: str, impact: D, remark: str) -> int:
    """The higher of what the name is at least and of its rupees."""
    if remark == "critical":
        return CRITICAL
    if remark == "harmless":
        return LOW
    band = LOW if impact < 1000 else MEDIUM if impact < 10000 else HIGH if impact < 100000 else CRITICAL
    return max(AT_LEAST[name], band)
