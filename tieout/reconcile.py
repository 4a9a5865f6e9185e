"""Reconciling a scope of transactions: verdicts and findings of the lines as they stand now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from uuid import UUID

from sqlalchemy import Connection

from recon.judge import judge
from recon.lines import IST, books_due_at
from recon.market import Market
from recon.names import class_of
from recon.values import Finding, Judgement
from store.findings import findings_said
from store.matching import match_plain
from store.prices import read_prices
from store.states import locked
from store.together import Record, rows_of, together
from store.verdicts import exclude, verdicts_over
from tieout.answers import Reading
from tieout.cases import Loaded, load_cases
from tieout.market import market_of
from tieout.rules import Rules

OFF_PLATFORM = "off-platform"

Values = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What reconciling a scope did."""

    judged: int  #: transactions
    by_statement: int  #: of those, matched whole by the one statement
    changes: Mapping[str, int]  #: findings opened, changed, closed, reopened


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One transaction with what was judged of it."""

    loaded: Loaded
    judgement: Judgement
    market: Market  #: what was known of reference data


def reconcile(
    connection: Connection,
    *,
    txns: Sequence[int],
    now: datetime,
    rules: Rules,
    readings: Mapping[int, Reading] | None = None,
    left: bool = False,
) -> Outcome:
    """Judge these transactions as they stand and store what that says, replacing what was said of them.

    Their rows are locked until the database transaction ends, so nothing newer is ever overwritten.
    `now` is the domain's instant; `readings` are answers a refresh read just before; `left` says that the
    statement of a large run has left them to the rules.
    """
    rows = rows_of(connection, locked(txns))
    covered = frozenset[int]() if left else _match(connection, rows, rules)
    others = [row for row in rows if row.txn not in covered]
    judged = judge_all(connection, others, now=now, rules=rules, readings=readings)
    changes = _write(connection, rows, judged, now, rules)
    return Outcome(judged=len(rows), by_statement=len(covered), changes=changes)


def _write(
    connection: Connection,
    rows: Sequence[Record],
    judged: Sequence[Judged],
    now: datetime,
    rules: Rules,
) -> dict[str, int]:
    """Store what was judged; how many findings opened, changed, closed and reopened."""
    verdicts = verdicts_over(_marks(judged), rows=[v for each in judged for v in _verdict_rows(each, rules)])
    said = [f for each in judged for f in finding_rows(each, rules)]
    _, changes = together(connection, verdicts, findings_said([row.txn for row in rows], said, now=now))
    return {row.change: row.number for row in changes}


def exclude_off_platform(connection: Connection, lines: Sequence[int], *, rules: Rules | None = None) -> None:
    """Put lines of the books that name no transaction into the bucket `excluded`, with that rule."""
    rule_set = rules.policy.name if rules else "default"
    exclude(connection, lines=lines, rule=OFF_PLATFORM, rule_set=rule_set)


def judge_all(
    connection: Connection,
    rows: Sequence[Record],
    *,
    now: datetime,
    rules: Rules,
    readings: Mapping[int, Reading] | None = None,
) -> list[Judged]:
    """Judge each of these transactions by the pure rules; nothing is written."""
    loaded_cases = load_cases(connection, rows, readings=readings)
    prices = read_prices(row for loaded in loaded_cases for row in loaded.prices)
    market = market_of(connection, (loaded.case for loaded in loaded_cases), rules.market, prices)
    return [
        Judged(
            loaded=loaded,
            judgement=judge(
                loaded.case,
                as_of=now,
                policy=rules.policy,
                calendar=rules.calendar,
                books_in=_books_in(frozenset(loaded.row.complete_days), now, rules),
                market=market,
            ),
            market=market,
        )
        for loaded in loaded_cases
    ]


def _books_in(complete: frozenset[date], now: datetime, rules: Rules) -> Callable[[date], bool]:
    """Whether the books of a day must be there: it is past their hour, or an import said so."""
    return lambda day: day in complete or now >= books_due_at(day, rules.policy)


def _match(connection: Connection, rows: Sequence[Record], rules: Rules) -> frozenset[int]:
    """Pair by one statement what it can; a single transaction is cheaper judged at once."""
    quiet = [row.txn for row in rows if row.quiet]
    if len(rows) == 1 or not quiet:
        return frozenset()
    return match_plain(connection, txns=quiet, rule_set=rules.policy.name)


# ---------------------------------------------------------------- as rows


def _verdict_rows(each: Judged, rules: Rules) -> list[Values]:
    row = each.loaded.row
    return [
        {
            "txn": row.txn,
            "ours": verdict.ours,
            "theirs": verdict.theirs,
            "rev": row.rev,
            "bucket": verdict.bucket,
            "rung": verdict.rung,
            "rule": None,
            "trade_date": verdict.trade_date,
            "book": row.book,
            "rule_set": rules.policy.name,
            "members": list(verdict.members) or None,
        }
        for verdict in each.judgement.verdicts
    ]


def finding_rows(each: Judged, rules: Rules) -> list[Values]:
    """Every finding of a judgement as a row, each under its stable id."""
    judgement, row = each.judgement, each.loaded.row
    day = judgement.trade_date or _heard_on(row)
    dated = [(f, verdict.trade_date) for verdict in judgement.verdicts for f in verdict.findings]
    dated += [(finding, day) for finding in judgement.findings]
    seen: dict[UUID, int] = {}
    return [_finding_row(row, f, on, _distinct(finding_id(row, f), seen), rules) for f, on in dated]


def finding_id(row: Record, finding: Finding) -> UUID:
    """The id under which the same difference is found again: the beginning of a hash of what it is about."""
    about = (row.gateway, row.transaction_id, finding.level, finding.subject, finding.name, finding.field)
    return _hashed(*about)


def _distinct(found: UUID, seen: dict[UUID, int]) -> UUID:
    """Another id for the second of two differences that are told apart by nothing but their order."""
    seen[found] = seen.get(found, 0) + 1
    return found if seen[found] == 1 else _hashed(str(found), str(seen[found]))


def _hashed(*parts: str) -> UUID:
    # As JSON writes a list of texts, without what it does for lists of anything.
    listed = f"[{', '.join(map(encode_basestring_ascii, parts))}]"
    return UUID(bytes=sha256(listed.encode()).digest()[:16])


def _finding_row(row: Record, finding: Finding, day: date, identity: UUID, rules: Rules) -> Values:
    return {
        "finding_id": identity,
        "txn": row.txn,
        "gateway": row.gateway,
        "book": row.book,
        "transaction_id": row.transaction_id,
        "name": finding.name,
        "class": class_of(finding).value,
        "level": finding.level.value,
        "subject": finding.subject,
        "line": finding.line,
        "batch_id": finding.batch_id,
        "field": finding.field,
        "ours": finding.ours,
        "theirs": finding.theirs,
        "difference": finding.difference,
        "tolerance": finding.tolerance,
        "impact_inr": finding.impact_inr,
        "slack_inr": finding.slack_inr,
        "critical": finding.critical,
        "rule": finding.rule,
        "rule_set": rules.policy.name,
        "cause": finding.cause,
        "evidence": [{"kind": e.kind, "ref": e.ref, "says": e.says} for e in finding.evidence],
        "ours_line": finding.ours_line,
        "theirs_line": finding.theirs_line,
        "trade_date": day,
        "rev": row.rev,
    }


def _heard_on(row: Record) -> date:
    day: date = row.registered_at.astimezone(IST).date()
    return day


def _marks(judged: Sequence[Judged]) -> list[Values]:
    return [
        {
            "txn": each.loaded.row.txn,
            "review_at": each.judgement.review_at,
            "quiet": is_quiet(each),
        }
        for each in judged
    ]


def is_quiet(each: Judged) -> bool:
    """Whether nothing is left to say or to wait for but about its lines, whatever the books say.

    What a person decided about its lines is known to the judge alone, so such a transaction is never quiet.
    """
    state = each.loaded.case.state
    decided = bool(each.loaded.case.decisions)
    return state is not None and state.settled and not each.judgement.findings and not decided
