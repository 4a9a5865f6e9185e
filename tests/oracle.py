"""A second, deliberately naive judge of one transaction, written from the documents alone.

It shares nothing with `recon` but the values, is slow, and says everything twice if that is plainer.
Each line's bucket and all findings as (name, line, field) must agree with `recon.judge`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from typing import Any

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
NOTES = ["out-of-order", "never-triggered", "partial-residual", "price-in-tol"]
TABLE = ["open-order", "webhook-late", "webhook-missed", "books-behind", "awaiting-books", "stale-open"]
TABLE += ["out-of-order", "missing-internal", "missing-external", "never-triggered", "unplaced", "qty-requested"]
TABLE += ["qty-filled", "partial-residual", "overfill", "batch-sum", "price-in-tol", "price-out", "price-absent"]
TABLE += ["amount-sum", "side", "instrument", "account", "status-conflict", "webhook-differs", "ambiguous"]
TABLE += ["unknown-enum", "regression", "batch-vs-lines"]
LOW, MEDIUM, HIGH, CRITICAL = 1, 2, 3, 4
AT_LEAST = {
    "webhook-missed": MEDIUM, "books-behind": MEDIUM, "stale-open": MEDIUM, "missing-internal": HIGH,
    "missing-external": HIGH, "unplaced": LOW, "qty-requested": HIGH, "qty-filled": HIGH, "overfill": CRITICAL,
    "price-out": LOW, "price-absent": HIGH, "side": CRITICAL, "instrument": CRITICAL, "account": CRITICAL,
    "status-conflict": HIGH, "ambiguous": HIGH, "unknown-enum": HIGH, "regression": CRITICAL,
}  # fmt: skip


@dataclass
class Said:
    """What is said of one line or pair."""

    ours: OurLine | None
    theirs: TheirLine | None
    found: list[tuple[str, str, D, str]] = field(default_factory=list)  #: name, field, impact, remark
    bucket: str = ""

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
    together: set[tuple[int | None, int | None]]


@dataclass
class Oracle:
    """One transaction at one instant."""

    case: Case
    as_of: datetime
    policy: Policy
    calendar: Calendar
    books_in: Callable[[date], bool]

    def opinion(self) -> Opinion:
        """Judge it."""
        said = [*self.pairs(), *self.left]
        general: list[tuple[str, str]] = []
        if self.case.state and not self.case.state.settled:
            for each in said:
                each.bucket, each.found = "pending", []
        else:
            for each in said:
                self.line(each)
                each.bucket = bucket(each)
            general = [*self.of_batches(), *self.of_claims(), *self.of_transaction()]
        findings = {(n, each.line, f, r == "waiting") for each in said for n, f, _, r in each.found}
        findings |= {(name, None, f, False) for name, f in general}
        buckets = {("ours", each.ours.line): each.bucket for each in said if each.ours}
        buckets |= {("theirs", each.theirs.line): each.bucket for each in said if each.theirs}
        together = {(each.ours.line if each.ours else None, each.theirs.line if each.theirs else None) for each in said}
        return Opinion(buckets, findings, together)

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
        self.ours, self.theirs = list(self.case.ours), list(self.case.theirs)
        self.said: list[Said] = []
        self.unclear: list[Said] = []
        self.rung(lambda o, t: bool(o.exchange_order_id) and id_of(o) == id_of(t.leg), confuse=True)
        self.rung(lambda o, t: bool(o.batch_id) and self.equal_facts(o, t), many=True)
        self.rung(self.equal_facts, many=True)
        self.rung(lambda o, t: bool(o.batch_id) and self.equal_order(o, t), many=True)
        self.rung(self.equal_order, many=True)
        self.rung(lambda o, t: compatible(o, t) and bool(o.batch_id) and stock(o) == stock(t))
        self.rung(lambda o, t: compatible(o, t) and stock(o) == stock(t), confuse=True)
        if len(self.ours) == len(self.theirs) == 1 and not self.unclear:
            self.rung(lambda o, t: compatible(o, t) and two_of_three(o, t))
        self.left = [*self.unclear, *(Said(o, None) for o in self.ours), *(Said(None, t) for t in self.theirs)]
        return self.said

    def rung(self, same: Callable[[OurLine, TheirLine], bool], *, many: bool = False, confuse: bool = False) -> None:
        """Pair what is alone on both sides; `many`: also equals among equals; `confuse`: the rest is ambiguous."""
        edges = [(o, t) for o, t in product(self.ours, self.theirs) if same(o, t)]
        while edges:
            ours, theirs = [edges[0][0]], [edges[0][1]]
            for _ in edges:
                for o, t in edges:
                    if o in ours and t not in theirs:
                        theirs.append(t)
                    if t in theirs and o not in ours:
                        ours.append(o)
            each_with_each = all((o, t) in edges for o in ours for t in theirs)
            if len(ours) == len(theirs) == 1 or (many and each_with_each and len(ours) == len(theirs)):
                ours.sort(key=lambda o: (o.order_id, repr(o)))
                theirs.sort(key=lambda t: (t.batch_id, repr(t.leg), t.line))
                self.said += [Said(o, t) for o, t in zip(ours, theirs, strict=True)]
                self.take(ours, theirs)
            elif confuse:
                self.unclear += [Said(o, None, [("ambiguous", "line", amount(o), "")]) for o in ours]
                self.unclear += [Said(None, t, [("ambiguous", "line", amount(t.leg), "")]) for t in theirs]
                self.take(ours, theirs)
            edges = [(o, t) for o, t in edges if o not in ours]

    def take(self, ours: list[OurLine], theirs: list[TheirLine]) -> None:
        """They are no longer left."""
        self.ours = [o for o in self.ours if o not in ours]
        self.theirs = [t for t in self.theirs if t not in theirs]

    def equal_facts(self, o: OurLine, t: TheirLine) -> bool:
        """A placed leg: instrument, side, quantity, filled, price if filled, and word."""
        leg, filled = t.leg, o.filled or D(0)
        if unplaced(leg, self.batch(t)) or stock(o) != stock(t) or not compatible(o, t):
            return False
        mine = (o.quantity, filled, o.average_price if filled else None, told(o.status, filled, o.quantity))
        price = leg.average_price if leg.filled else None
        return mine == (leg.quantity, leg.filled, price, told(leg.status, leg.filled, leg.quantity))

    def equal_order(self, o: OurLine, t: TheirLine) -> bool:
        """An unplaced leg: instrument, side and quantity."""
        same = compatible(o, t) and stock(o) == stock(t) and o.quantity == t.leg.quantity
        return same and unplaced(t.leg, self.batch(t))

    # ------------------------------------------------------------ findings of a line

    def line(self, said: Said) -> None:
        """All findings of a pair or a line alone."""
        o, t = said.ours, said.theirs
        lost = t is not None and unplaced(t.leg, self.batch(t))
        ambiguous = bool(said.found)
        if o and t:
            self.identity(said, o, t)
        if t:
            self.fallen(said, t)
        if o and t and lost:
            if word(o.status) == "UNPLACED" and not o.filled:
                return
            said.found.append(("unplaced", "status", amount(o), "critical" if o.filled else ""))
        elif not lost:
            if o and t:
                self.pair(said, o, t)
            elif not ambiguous:
                self.alone(said)
            if t and not self.final_leg(t.leg, self.batch(t), self.status):
                self.open(said, t.trade_date)
            self.by_itself(said)

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
            out = apart > units / 2 + self.policy.price_slack
            impact = apart * min(o.filled, t.leg.filled)
            said.found.append(("price-out" if out else "price-in-tol", "average_price", impact, ""))

    def alone(self, said: Said) -> None:
        """A line without a counterpart."""
        o, t = said.ours, said.theirs
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
            if b.filled is not None and b.filled != sum(leg.filled for leg in b.legs):
                found.append(("batch-sum", "filled"))
            if b.quantity is not None and b.quantity != sum(leg.quantity for leg in b.legs):
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
            legs = [leg for leg in b.legs if leg.side == side]
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
        filled = sum(leg.filled for leg in stands.legs) if stands.filled is None else stands.filled
        if not final and not (said.filled is not None and said.filled > filled):
            return set()
        taken_back = any(r.batch_id == said.batch_id for r in self.case.state.regressions)  # type: ignore[union-attr]
        if taken_back and (said.filled or 0) <= filled:
            return set()
        quantity = sum(leg.quantity for leg in stands.legs) if stands.quantity is None else stands.quantity
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
        return [*found, ("unknown-enum", "status")] if self.answer and self.status not in TRANSACTIONS else found


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
