"""Reconciling holdings: the accounts that are due, range by range, their verdicts and findings stored."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, Engine, Row
from sqlalchemy.exc import OperationalError

from books.cells import IST
from recon.holdings.judge import judge_holdings, left_over
from recon.holdings.values import Elsewhere, HoldingVerdict
from recon.names import class_of
from recon.values import ZERO, Finding
from store import holding_verdicts
from store.findings import held_findings_said
from store.together import together
from tieout.holding_cases import LoadedAccount, load, stated
from tieout.rules import Rules
from tieout.shop import repeat

RANGE = 100  #: accounts a database transaction

#: Columns of a finding that its verdict has, too, or that move on.
_OF_ACCOUNT = frozenset({"gateway", "book", "account", "isin", "trade_date", "rev"})

Values = dict[str, object]
_log = structlog.get_logger()


def reconcile_holdings(
    engine: Engine,
    *,
    now: datetime,
    rules: Rules,
    limit: int,
    gateway: str | None = None,
    each: Callable[[int], None] | None = None,
) -> int:
    """Reconcile at most `limit` accounts that changed, or were not judged for this IST date yet; how many.

    Range by range, each committed by itself; one that cannot be judged is logged and left.
    """
    day = now.astimezone(IST).date()
    done, after = 0, 0
    while done < limit:
        with engine.connect() as connection:
            wanted = min(RANGE, limit - done)
            found = holding_verdicts.due(connection, day=day, after=after, limit=wanted, gateway=gateway)
        if not found:
            break
        after = found[-1]
        done += _range(engine, found, day=day, now=now, rules=rules)
        if each:
            each(len(found))
    return done


def _range(engine: Engine, holders: Sequence[int], *, day: date, now: datetime, rules: Rules) -> int:
    """In one database transaction; when that fails, each account by itself."""
    try:
        return repeat(engine.begin, partial(_judge, holders=holders, day=day, now=now, rules=rules))
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 whatever one of them holds, the others must still be judged
        if len(holders) == 1:
            _log.error("recon.holdings.failed", holder=holders[0], error=type(error).__name__, exc_info=error)
            return 0
    return sum(_range(engine, [holder], day=day, now=now, rules=rules) for holder in holders)


def _judge(connection: Connection, holders: Sequence[int], *, day: date, now: datetime, rules: Rules) -> int:
    taken = holding_verdicts.take(connection, holders)
    by_gateway: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in taken:
        by_gateway[row.gateway].append(row)
    for gateway, rows in by_gateway.items():
        _of_gateway(connection, gateway, rows, day=day, now=now, rules=rules)
    holding_verdicts.judged(connection, [row.holder for row in taken], day=day, now=now)
    return len(taken)


def _of_gateway(
    connection: Connection, gateway: str, rows: Sequence[Row[Any]], *, day: date, now: datetime, rules: Rules
) -> None:
    accounts = [row.account for row in rows]
    loaded = load(connection, gateway=gateway, accounts=accounts, day=day, rules=rules)
    beside = _elsewhere(rows, loaded)
    said: list[Values] = []
    verdicts: list[Values] = []
    for row in rows:
        each = loaded[row.account]
        judged = judge_holdings(replace(each.case, elsewhere=beside.get(row.account, {})))
        for verdict in judged:
            found = [_finding_row(row, finding, day, rules) for finding in verdict.findings]
            verdicts.append(_verdict_row(row, each, verdict, now) | {"findings": [_as_said(one) for one in found]})
            said += found
    holding_verdicts.write(connection, verdicts, gateway=gateway, accounts=accounts, day=day)
    together(connection, held_findings_said(gateway, accounts, said, now=now))


def _elsewhere(
    rows: Sequence[Row[Any]], loaded: Mapping[str, LoadedAccount]
) -> dict[str, dict[str, tuple[Elsewhere, ...]]]:
    """By account and line of descent: what is left over under the other accounts of the same user."""
    of_user: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.user_ref is not None:
            of_user[row.user_ref].append(row.account)
    found: dict[str, dict[str, tuple[Elsewhere, ...]]] = {}
    for accounts in of_user.values():
        if len(accounts) > 1:
            left = {account: left_over(loaded[account].case) for account in accounts}
            found |= {account: _others(account, left) for account in accounts}
    return found


def _others(account: str, left: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[Elsewhere, ...]]:
    lines: defaultdict[str, list[Elsewhere]] = defaultdict(list)
    for other, rests in left.items():
        for isin, quantity in rests.items():
            if other != account:
                lines[isin].append(Elsewhere(account=other, quantity=quantity))
    return {isin: tuple(each) for isin, each in lines.items()}


# ---------------------------------------------------------------- as rows


def _verdict_row(row: Row[Any], each: LoadedAccount, verdict: HoldingVerdict, now: datetime) -> Values:
    opening = each.case.opening
    return {
        "gateway": row.gateway,
        "account": row.account,
        "trade_date": each.case.day,
        "isin": verdict.isin,
        "book": row.book,
        "bucket": verdict.bucket,
        "rule": verdict.rule,
        "snapshot_id": each.snapshot_id,
        "opening_as_of": opening.as_of if opening else None,
        "internal": verdict.internal,
        "shown": verdict.shown,
        "steps": [{"what": step.what, "quantity": str(step.quantity)} for step in verdict.steps],
        "parts": [{"name": p.name, "quantity": str(p.quantity), "words": p.words} for p in verdict.parts],
        "ours_count": len(verdict.positions),
        "ours_quantity": sum((p.quantity for p in verdict.positions), ZERO),
        "ours_amount": sum((p.quantity * (p.average_price or ZERO) for p in verdict.positions), ZERO),
        "theirs_count": len(verdict.rows),
        "theirs_quantity": sum((stated(r) for r in verdict.rows), ZERO),
        "theirs_amount": sum((stated(r) * (r.average or ZERO) for r in verdict.rows), ZERO),
        "judged_at": now,
    }


def finding_id(gateway: str, account: str, finding: Finding) -> UUID:
    """The id under which the same difference is found again, whatever the day."""
    about = (gateway, "holdings", account, finding.subject, finding.name, finding.field)
    return UUID(bytes=sha256(json.dumps(about, ensure_ascii=True).encode()).digest()[:16])


def _as_said(row: Values) -> Values:
    """A finding as its verdict keeps it: it lives on from day to day, and this is what it said on that day."""
    return {name: _plain(value) for name, value in row.items() if name not in _OF_ACCOUNT}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, UUID) else value


def _finding_row(row: Row[Any], finding: Finding, day: date, rules: Rules) -> Values:
    values = ("name", "subject", "line", "field", "ours", "theirs", "difference", "tolerance", "impact_inr")
    return {
        **{name: getattr(finding, name) for name in (*values, "slack_inr", "critical", "rule", "cause", "root")},
        "finding_id": finding_id(row.gateway, row.account, finding),
        "gateway": row.gateway,
        "book": row.book,
        "account": row.account,
        "isin": finding.subject,
        "class": class_of(finding).value,
        "level": finding.level.value,
        "rule_set": rules.policy.name,
        "evidence": [{"kind": e.kind, "ref": e.ref, "says": e.says} for e in finding.evidence],
        "trade_date": day,
        "rev": row.rev,
    }
