"""Holdings of the day: every verdict's sums, the rows of both sides behind them, and the totals that were signed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal, localcontext
from itertools import groupby
from typing import Any

from verify.closes import Close
from verify.database import Reader
from verify.report import Report
from verify.texts import PRECISION, exact, plain

Figures = tuple[int, Decimal, Decimal]  #: rows, shares, rupees
Buckets = dict[tuple[str, str], Figures]
Record = Any
SIDES = ("ours", "theirs")
ZERO = Decimal(0)
NOTHING: Figures = (0, ZERO, ZERO)

_VERDICTS = """
select account, isin, bucket, rule, internal, shown, steps, parts, findings, ours_count, ours_quantity, ours_amount,
  theirs_count, theirs_quantity, theirs_amount
from holding_verdicts where (gateway, book, trade_date) = (%(gateway)s, %(book)s, %(day)s)
order by account collate "C", isin collate "C"
"""
#: What either side states of each account: the positions as they were known when it was judged, and the answer.
_ROWS = """
with each as (
  select account, max(opening_as_of) as as_of, max(snapshot_id) as snapshot_id, max(judged_at) as judged_at
  from holding_verdicts where (gateway, book, trade_date) = (%(gateway)s, %(book)s, %(day)s) group by account
), said as (
  select p.*, row_number() over (partition by p.account, p.isin order by p.version desc) as back
  from positions p join each on each.account = p.account and each.as_of = p.as_of
  where p.gateway = %(gateway)s and p.known_at <= each.judged_at
), counted as (
  select account, 'ours' as side, quantity, average_price from said where back = 1
  union all
  select each.account, 'theirs', coalesce(l.held, 0) + coalesce(l.t1, 0) + coalesce(l.nse_quantity, 0)
    + coalesce(l.bse_quantity, 0) + coalesce(l.collateral, 0), l.held_average
  from each join holding_snapshots s on s.snapshot_id = each.snapshot_id
  join holding_lines l on l.snapshot_id = s.lines_in
)
select account, side, count(*) as number, sum(quantity) as quantity,
  coalesce(sum(quantity * average_price), 0) as amount
from counted group by account, side order by account collate "C", side
"""
#: Findings that still stand as of that day, and are not what their verdict keeps.
_LIVING = """
select f.finding_id::text as key, f.name, f.class as kind, f.field, f.ours, f.theirs, f.difference, v.findings
from findings f
left join holding_verdicts v
  on (v.gateway, v.account, v.trade_date, v.isin) = (f.gateway, f.account, f.trade_date, f.isin)
where f.txn is null and (f.gateway, f.book, f.trade_date) = (%(gateway)s, %(book)s, %(day)s) and f.closed_at is null
order by f.finding_id
"""


def check_holdings(reader: Reader, close: Close, report: Report) -> None:
    """Every verdict, every account's rows, and the totals."""
    if "holding_verdicts" not in close.layout:
        return
    buckets: Buckets = defaultdict(lambda: NOTHING)
    whole = dict.fromkeys(SIDES, NOTHING)
    sources = _Sources(reader, close)
    verdicts = reader.records(_VERDICTS, **close.scope)
    for account, rows in groupby(verdicts, key=lambda row: str(row.account)):
        counted = _check_account(account, rows, buckets, report)
        for side, found in sources.of(account).items():
            whole[side] = _plus(whole[side], found)
            if found != counted[side]:
                words = f"its verdicts account for {_shown(counted[side])} of {side}, and its rows are {_shown(found)}"
                report.differs("holdings", "holding_verdicts", account, words)
    _check_totals(close, buckets, whole, report)
    for row in reader.records(_LIVING, **close.scope):
        if not _kept(row):
            report.differs("holdings", "findings", row.key, f"{row.name} is not what its verdict of that day keeps")


def _check_account(account: str, rows: Iterator[Record], buckets: Buckets, report: Report) -> dict[str, Figures]:
    """Each verdict of the account, counted into its bucket; what they account for together."""
    counted = dict.fromkeys(SIDES, NOTHING)
    for row in rows:
        report.counts["verdicts of holdings derived anew"] += 1
        for words in _told(row):
            report.differs("holdings", "holding_verdicts", f"{account}/{row.isin}", words)
        for side in SIDES:
            counted[side] = _plus(counted[side], stated := _stated(row, side))
            if stated[0]:
                buckets[row.bucket, side] = _plus(buckets[row.bucket, side], stated)
    return counted


class _Sources:
    """What both sides state, account by account in order."""

    def __init__(self, reader: Reader, close: Close) -> None:
        self._rows = reader.records(_ROWS, **close.scope)
        self._next = next(self._rows, None)

    def of(self, account: str) -> dict[str, Figures]:
        """The rows of that account; those of earlier ones are passed over."""
        found = dict.fromkeys(SIDES, NOTHING)
        while self._next is not None and self._next.account.encode() <= account.encode():
            if self._next.account == account:
                found[self._next.side] = (self._next.number, self._next.quantity, self._next.amount)
            self._next = next(self._rows, None)
        return found


def _check_totals(close: Close, buckets: Buckets, whole: dict[str, Figures], report: Report) -> None:
    signed: dict[str, Any] | None = close.totals.get("holdings")
    listed = signed["buckets"] if signed else []
    stated = {(b["name"], b["side"]): (b["count"], b["quantity"], b["amount"]) for b in listed}
    found = {place: _shown(figures) for place, figures in buckets.items()}
    for side in SIDES:
        found["total", side] = _shown(whole[side])
        of = (signed or {}).get(side) or {"count": 0, "quantity": "0", "amount": "0"}
        stated["total", side] = (of["count"], of["quantity"], of["amount"])
    for name, side in sorted(found.keys() | stated.keys()):
        if found.get((name, side)) != stated.get((name, side)):
            words = f"{stated.get((name, side))} was signed for holdings, {name}, {side}: {found.get((name, side))}"
            report.differs("totals", "closed_days", close.name, words)
    report.counts["buckets of holdings counted anew"] += len(buckets)


# ---------------------------------------------------------------- one verdict


def _told(row: Record) -> list[str]:
    try:
        return list(_wrong(row))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        return ["its steps, parts or findings cannot be read"]


def _kept(row: Record) -> bool:
    """Whether a finding that still stands as of that day says what its verdict keeps."""
    said = (row.key, row.name, row.kind, row.field, row.ours, row.theirs, exact(row.difference))
    names = ("finding_id", "name", "class", "field", "ours", "theirs")
    kept = [each for each in row.findings or () if isinstance(each, dict)]
    return any((*map(each.get, names), exact(each.get("difference"))) == said for each in kept)


def _wrong(row: Record) -> Iterator[str]:
    parts = [(part["name"], Decimal(part["quantity"])) for part in row.parts]
    if row.internal is not None and exact(_sum(Decimal(step["quantity"]) for step in row.steps)) != row.internal:
        yield f"its steps do not lead to {plain(row.internal)}"
    apart = None if row.internal is None or row.shown is None else row.shown - row.internal
    if exact(_sum(quantity for _, quantity in parts)) != (apart or ZERO) and not (apart is None and not parts):
        yield f"its parts do not add up to {plain(apart)}"
    by_name: dict[str, Decimal] = defaultdict(Decimal)
    for name, quantity in parts:
        by_name[name] += quantity
    for finding in row.findings:
        yield from _wrong_finding(row, finding, by_name)
    if missing := by_name.keys() - {finding["name"] for finding in row.findings}:
        yield f"no finding has the name of its part {min(missing)}"
    if words := _bucket(row, apart):
        yield words


def _wrong_finding(row: Record, finding: dict[str, Any], by_name: dict[str, Decimal]) -> Iterator[str]:
    if finding["field"] != "quantity" or finding["name"] not in by_name:
        return
    if (finding["ours"], finding["theirs"]) != (plain(row.internal), plain(row.shown)):
        yield f"{finding['name']} states {finding['ours']} and {finding['theirs']}, and it is judged by other figures"
    if exact(finding["difference"]) != exact(-by_name[finding["name"]]):
        yield f"{finding['name']} states {finding['difference']} as the difference, and its parts say otherwise"


def _bucket(row: Record, apart: Decimal | None) -> str | None:
    """What is wrong about where it lies. Which of several breaks is the severest is taken as stored."""
    named = {kind: {f["name"] for f in row.findings if f["class"] == kind} for kind in ("break", "pending")}
    explained = {f["name"] for f in row.findings if f["field"] == "quantity"}
    waits = bool(named["pending"]) or (row.rule is not None and apart is None)
    if row.bucket == "matched" and (apart or named["break"] or waits or explained):
        return "lies in matched, and something differs"
    if row.bucket == "pending" and (named["break"] or not waits):
        return "lies in pending, and nothing is awaited" if not waits else "lies in pending, and has an open break"
    if row.bucket not in ("matched", "pending") and row.bucket not in (named["break"] or explained):
        return f"lies in {row.bucket}, and nothing of that name was found"
    return None


def _stated(row: Record, side: str) -> Figures:
    return tuple(getattr(row, f"{side}_{name}") for name in ("count", "quantity", "amount"))


def _plus(one: Figures, other: Figures) -> Figures:
    with localcontext(prec=PRECISION):
        return (one[0] + other[0], one[1] + other[1], one[2] + other[2])


def _sum(numbers: Iterator[Decimal]) -> Decimal:
    with localcontext(prec=PRECISION):
        return sum(numbers, ZERO)


def _shown(figures: Figures) -> tuple[int, str | None, str | None]:
    return (figures[0], plain(figures[1]), plain(figures[2]))
