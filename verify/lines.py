"""Every line of a day, derived anew: the books from their cells, the legs from the answers, the verdicts from both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from verify.answers import Leg
from verify.books import disagreements
from verify.report import Report
from verify.told import Record, Told, place, stored_leg
from verify.words import end_of

MATCHED, IN_TOLERANCE, PENDING, EXCLUDED = "matched", "matched-in-tolerance", "pending", "excluded"
NO_BREAK = frozenset({MATCHED, IN_TOLERANCE, PENDING, EXCLUDED})
HALF = Decimal("0.5")
DECIDED = 0  #: the rung of a pair that a person put together


@dataclass(frozen=True, slots=True)
class Bound:
    """How far two prices may lie apart, in rupees a share."""

    fixed: Decimal  #: what rounding alone can do, and the slack of the rule set
    share: Decimal = Decimal(0)  #: slack as a part of the Gateway's price
    known: bool = True  #: False where slack counts ticks, which only the service looks up

    @classmethod
    def of(cls, rules: Mapping[str, Any]) -> Bound:
        """The bound of a recorded rule set."""
        places = (int(rules["price_places_ours"]), int(rules["price_places_theirs"]))
        fixed = sum((HALF.scaleb(-each) for each in places), Decimal(str(rules["price_slack"])))
        share = Decimal(str(rules.get("slack_bps") or 0)) / 10_000
        return cls(fixed, share, known=not Decimal(str(rules.get("slack_ticks") or 0)))

    def holds(self, apart: Decimal, price: Decimal) -> bool:
        """Whether prices that far apart may be called equal but for rounding and slack."""
        return bool(apart) and (not self.known or abs(apart) <= self.fixed + self.share * price)


def check_lines(told: Told, bound: Bound, report: Report) -> None:
    """All that can be said anew about one transaction."""
    _books(told, report)
    if told.transaction_id:
        _answers(told, report)
    _once(told, report)
    for verdict in told.verdicts:
        for words in _verdict(told, verdict, bound, report):
            report.differs("verdicts", "verdicts", name_of(told, verdict), words)


def name_of(told: Told, verdict: Record) -> str:
    """What people call the line or pair of a verdict."""
    if verdict.ours in told.ours:
        return str(told.ours[verdict.ours].order_id)
    if verdict.theirs in told.theirs:
        return their_name(told, told.theirs[verdict.theirs])
    return f"verdict {verdict.ours or verdict.theirs}"


def their_name(told: Told, row: Record) -> str:
    """What people call a leg."""
    batch, placed, position = place(row)
    return f"{told.transaction_id}/{batch}/{'placed' if placed else 'unplaced'}/{position}"


def _books(told: Told, report: Report) -> None:
    for row in told.ours.values():
        if row.raw is None:
            report.counts["lines of the books taken as stored"] += 1
            continue
        report.counts["lines of the books read anew"] += 1
        wrong = disagreements(row.raw, row._asdict())
        if wrong:
            report.differs("books", "our_lines", row.order_id, f"its cells say another {', '.join(wrong)}")


def _answers(told: Told, report: Report) -> None:
    if told.answer is None:
        report.counts["legs taken as stored"] += len(told.theirs)
        return
    stored = {place(row): row for row in told.theirs.values()}
    report.counts["legs read anew"] += len(told.legs)
    for missing in told.legs.keys() - stored.keys():
        report.differs(
            "answers", "their_lines", f"{told.transaction_id}/{missing[0]}", "a leg of its answer is missing"
        )
    for where, row in stored.items():
        said = told.legs.get(where)
        if said is None or _facts(said) != _facts(stored_leg(row)):
            report.differs("answers", "their_lines", their_name(told, row), "is not what the answer says")


def _facts(leg: Leg) -> tuple[object, ...]:
    figures = (leg.quantity, leg.filled, leg.price)
    return (leg.place, leg.exchange, leg.symbol, leg.side, *figures, leg.status, leg.exchange_id)


def _once(told: Told, report: Report) -> None:
    """Every line lies in one bucket."""
    for side, table, lines in (("ours", "our_lines", told.ours), ("theirs", "their_lines", told.theirs)):
        counted = Counter(getattr(verdict, side) for verdict in told.verdicts)
        for line, row in lines.items():
            if not counted[line]:
                key = row.order_id if side == "ours" else their_name(told, row)
                report.differs("verdicts", table, key, "lies in no bucket")


# ---------------------------------------------------------------- verdicts


def _verdict(told: Told, verdict: Record, bound: Bound, report: Report) -> Iterator[str]:
    """What is wrong with a verdict."""
    ours, theirs = told.ours.get(verdict.ours), told.theirs.get(verdict.theirs)
    if (ours is None) != (verdict.ours is None) or (theirs is None) != (verdict.theirs is None):
        yield "names a line of another transaction, or none"
        return
    if verdict.trade_date not in {row.trade_date for row in (ours or theirs,) if row}:
        yield "lies on another trade date than its line"
    if verdict.bucket not in NO_BREAK and verdict.bucket not in _named(told, verdict):
        yield f"lies in {verdict.bucket}, and no open break of it has that name"
    report.counts["verdicts checked"] += 1
    if verdict.members:  # an order told in parts
        report.counts["verdicts left to the rules"] += 1
    elif ours is not None and theirs is not None:
        yield from _pair(told, verdict, ours, told.leg(verdict.theirs), bound, report)
    else:
        yield from _alone(told, verdict, ours, theirs)


def _named(told: Told, verdict: Record) -> set[str]:
    """The open breaks of a verdict's lines; of an order told in parts, of all its lines."""
    parts = [v for v in told.verdicts if v.members == verdict.members] if verdict.members else [verdict]
    lines = {(part.ours, part.theirs) for part in parts}
    mine = (f for f in told.findings if f.level == "line" and (f.ours_line, f.theirs_line) in lines)
    return {finding.name for finding in mine if finding.kind == "break"}


def _notes(told: Told, line: int) -> set[str]:
    return {finding.name for finding in told.findings if finding.ours_line == line and finding.kind == "note"}


def _pair(told: Told, verdict: Record, ours: Record, leg: Leg, bound: Bound, report: Report) -> Iterator[str]:
    if not leg.reached:
        report.counts["verdicts left to the rules"] += 1
        return
    apart = [*_apart(told, ours, leg, told.theirs[verdict.theirs])]
    if verdict.rung == DECIDED and "exchange_order_id" in apart:
        apart.remove("exchange_order_id")
    price = (ours.average_price or Decimal(0)) - (leg.price or Decimal(0)) if leg.filled else Decimal(0)
    if verdict.bucket == MATCHED and (apart or price):
        yield f"lies in matched, and the two sides state another {', '.join([*apart, *(['price'] if price else [])])}"
    elif verdict.bucket == IN_TOLERANCE and (apart or not bound.holds(price, leg.price or Decimal(0))):
        yield f"lies in {IN_TOLERANCE}, and the two sides are {price:f} rupees a share apart"
    elif verdict.bucket not in (MATCHED, IN_TOLERANCE):
        ended = end_of(ours.status, ours.filled or Decimal(0), ours.quantity)
        plainly = not apart and not price and ended and ended == end_of(leg.status, leg.filled, leg.quantity)
        if plainly and verdict.bucket not in _named(told, verdict) and told.answer:
            yield f"lies in {verdict.bucket}, and both sides say the same"
        report.counts["verdicts left to the rules"] += 1
    else:
        report.counts["verdicts derived anew"] += 1


def _apart(told: Told, ours: Record, leg: Leg, stored: Record) -> Iterator[str]:
    """The fields in which the two sides differ, the price left out."""
    filled = ours.filled or Decimal(0)
    if ours.exchange_order_id and leg.exchange_id and ours.exchange_order_id != leg.exchange_id:
        yield "exchange_order_id"
    if ours.instrument != stored.instrument and (ours.exchange, ours.symbol) != (leg.exchange, leg.symbol):
        yield "instrument"
    for name, mine, other in (
        ("side", ours.side, leg.side),
        ("quantity", ours.quantity, leg.quantity),
        ("filled", filled, leg.filled),
    ):
        if mine != other:
            yield name
    ends = {end_of(ours.status, filled, ours.quantity), end_of(leg.status, leg.filled, leg.quantity)} - {None}
    if ours.status is not None and len(ends) > 1:
        yield "end"
    if told.answer is not None:
        broker = told.answer.brokers.get(leg.place[0]) or told.answer.broker
        for name, said, stated in (("account", ours.account, told.answer.account), ("broker", ours.broker, broker)):
            if said and stated and said.lower() != stated.lower():
                yield name


def _alone(told: Told, verdict: Record, ours: Record | None, theirs: Record | None) -> Iterator[str]:
    unplaced = theirs is not None and not told.leg(theirs.line).reached
    nothing_owed = ours is not None and "never-triggered" in _notes(told, ours.line)
    if verdict.bucket == IN_TOLERANCE or (verdict.bucket == MATCHED and not unplaced and not nothing_owed):
        yield f"lies in {verdict.bucket} without another side"
    if ours is not None and told.transaction_id is None and verdict.bucket != EXCLUDED:
        yield f"lies in {verdict.bucket}, and it names no transaction"
    if ours is not None and verdict.bucket == "missing-external" and ours.exchange_order_id:
        same = [leg for leg in map(stored_leg, told.theirs.values()) if leg.exchange_id == ours.exchange_order_id]
        if any(leg.exchange == ours.exchange for leg in same):
            yield "lies in missing-external, and the Gateway names its exchange order id"
    if theirs is not None and verdict.bucket == "missing-internal" and theirs.exchange_order_id:
        wanted = (theirs.exchange, theirs.exchange_order_id)
        if any((row.exchange, row.exchange_order_id) == wanted for row in told.ours.values()):
            yield "lies in missing-internal, and the books name its exchange order id"
