"""Closing a day: it must add up, be judged, and wait for nothing that policy does not allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import Connection, Engine

from books.cells import IST
from recon.lines import books_due_at
from recon.names import BLOCKING, PENDING
from store import closed_days, closing
from store.closed_days import Close
from store.days import Scope
from store.seals import seal_rows
from tieout.desk.day import Day, day, scope_of, totals_json
from tieout.desk.equation import SIDES
from tieout.rules import Rules

NAME_MOST = 200
WORDS_MOST = 2000
#: Of holdings: in words, what is not there, with the number of accounts.
HELD_BACK = {
    closing.HOLDINGS_MISSING: "the holdings of {} accounts were not reconciled for the day as they stand",
    closing.HOLDINGS_PENDING: "the holdings of {} accounts are pending: broker or books have not said what they hold",
    closing.HOLDINGS_STALE: "the holdings of {} accounts are stale: the broker's answer is older than the close",
}
NEVER_ALLOWED = BLOCKING | {"books"}  #: what only a reason makes good, whatever number policy allows


class CannotCloseError(Exception):
    """The day stays as it is; every reason says what to do. `forgivable`: a reason given would do."""

    def __init__(self, reasons: Sequence[str], *, forgivable: bool = False) -> None:
        """Take the reasons."""
        super().__init__("\n".join(reasons))
        self.reasons = tuple(reasons)
        self.forgivable = forgivable


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Something of the day that is not there yet."""

    name: str
    count: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who closes or reopens a day, when by the domain's clock, and why."""

    by: str
    now: datetime
    why: str | None = None
    despite: str | None = None  #: why it may be closed though something is pending


def close_day(
    engine: Engine,
    *,
    gateway: str,
    trade_date: date,
    signature: Signature,
    rules: Rules,
    allowed: int = 0,
    each: Callable[[str], None] | None = None,
) -> Close:
    """Close the day as it stands at one instant of the database. Raises `CannotCloseError`.

    `allowed` lines or events may be pending without a reason. `each` hears of every step.
    What is due should have been judged just before.
    """
    _named(signature)
    tell = each or (lambda _step: None)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        closed_days.hold_closing(connection)
        scope = scope_of(connection, gateway=gateway, trade_date=trade_date)
        tell("the day")
        found = day(connection, gateway=gateway, trade_date=trade_date, as_of=signature.now, book=scope["book"])
        pending = tuple(_pending(connection, scope, found, signature.now, rules))
        _refuse(connection, scope, found, signature.now, rules)
        _refuse_pending(pending, signature, allowed)
        return _seal(connection, scope, found, pending, signature, rules, tell)


def reopen_day(engine: Engine, *, gateway: str, trade_date: date, signature: Signature) -> Close:
    """Say that the close no longer stands, and why. Raises `CannotCloseError`."""
    _named(signature)
    if not (signature.why or "").strip():
        raise CannotCloseError(["say why with --why: whoever relied on the close will ask"])
    with engine.begin() as connection:
        closed_days.hold_closing(connection)
        scope = scope_of(connection, gateway=gateway, trade_date=trade_date)
        close = closed_days.standing(connection, scope)
        if close is None:
            raise CannotCloseError([f"{trade_date} is not closed: there is nothing to reopen"])
        return closed_days.reopen(connection, close, by=signature.by, why=signature.why or "", now=signature.now)


def rules_json(rules: Rules) -> dict[str, object]:
    """The rule set with every value, as text."""
    return {name: _shown(value) for name, value in asdict(rules.policy).items()}


def _seal(
    connection: Connection,
    scope: Scope,
    found: Day,
    pending: Sequence[Pending],
    signature: Signature,
    rules: Rules,
    tell: Callable[[str], None],
) -> Close:
    close_id = closed_days.begin_close(
        connection,
        scope,
        closed_at=signature.now,
        closed_by=signature.by.strip(),
        why=signature.why,
        despite=signature.despite if pending else None,
        pending=[asdict(each) for each in pending],
        rules=rules_json(rules),
        totals=totals_json(found),
        digest=bytes.fromhex(found.digest or ""),
    )
    rows = seal_rows(connection, close_id=close_id, scope=scope, each=tell)
    tell("the root")
    return closed_days.finish_close(connection, close_id, rows=rows)


# ---------------------------------------------------------------- what stands in the way


def _refuse(connection: Connection, scope: Scope, found: Day, now: datetime, rules: Rules) -> None:
    """Refuse what no reason given can make good."""
    reasons = []
    if found.close is not None:
        who, when = found.close.closed_by, f"{found.close.closed_at.astimezone(IST):%d %b %Y %H:%M} IST"
        reasons.append(f"it is closed already, by {who} at {when}: reopen it first with `tieout reopen`")
    if now < rules.calendar.closes_at(scope["trade_date"]):
        reasons.append("the day is not over: close it after its session has ended")
    if not found.ties_out:
        lost = found.orders.unaccounted
        reasons.append(
            f"{lost.count} lines, {lost.quantity} shares, {lost.amount} rupees are unaccounted for:"
            " run `tieout reconcile --again`, then look at the alerts"
        )
    if unjudged := closing.unjudged(connection, scope, now=now):
        reasons.append(f"{unjudged} transactions are not judged as they stand now: run `tieout reconcile`")
    if reasons:
        raise CannotCloseError(reasons)


def _refuse_pending(pending: Sequence[Pending], signature: Signature, allowed: int) -> None:
    """Refuse what waits, unless policy allows it or somebody says why it may."""
    if (signature.despite or "").strip():
        return
    lines = sum(each.count for each in pending)
    if lines > allowed or any(each.name in NEVER_ALLOWED for each in pending):
        raise CannotCloseError([each.words for each in pending], forgivable=True)


def _pending(connection: Connection, scope: Scope, found: Day, now: datetime, rules: Rules) -> Iterator[Pending]:
    due = books_due_at(scope["trade_date"], rules.policy)
    if now < due and not closing.declared_complete(connection, scope):
        words = f"the books are not all in: they are due at {due:%H:%M} IST, or import them with --complete"
        yield Pending(name="books", count=1, words=words)
    waiting = {side: found.orders.bucket(PENDING, side).count for side in SIDES}
    if lines := sum(waiting.values()):
        words = f"{waiting['ours']} of our lines and {waiting['theirs']} of theirs are pending"
        yield Pending(name="lines", count=lines, words=f"{words}: see `tieout breaks --all --date`")
    for name, count in closing.pending_findings(connection, scope).items():
        yield Pending(name=name, count=count, words=f"{count} findings are {name}: wait until they are settled")
    for each in found.findings:
        if each.name in BLOCKING:
            words = f"{each.count} findings are {each.name}: `tieout import instruments`, then run `tieout reconcile`"
            yield Pending(name=each.name, count=each.count, words=words)
    if events := closing.unsettled_events(connection, scope):
        words = f"{events} webhooks of the day are not settled: see `tieout events`"
        yield Pending(name="events", count=events, words=words)
    yield from _held_back(connection, scope, rules)


def _held_back(connection: Connection, scope: Scope, rules: Rules) -> Iterator[Pending]:
    day = scope["trade_date"]
    ends = datetime.combine(day + timedelta(days=1), time(0), IST)
    for name, count in closing.held_back(connection, scope, closes=rules.calendar.closes_at(day), ends=ends).items():
        yield Pending(name=name, count=count, words=f"{HELD_BACK[name].format(count)}: see `tieout holdings`")


def _named(signature: Signature) -> None:
    if not 0 < len(signature.by.strip()) <= NAME_MOST or not signature.by.isprintable():
        raise CannotCloseError([f"say who closes it with --by: a name of at most {NAME_MOST} characters"])
    for words in (signature.why, signature.despite):
        if words is not None and (len(words) > WORDS_MOST or "\0" in words):
            raise CannotCloseError([f"give a reason of at most {WORDS_MOST} characters"])


def _shown(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, timedelta | time):
        return str(value)
    return value
