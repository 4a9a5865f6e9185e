"""The chapter of holdings: every cause alone and several in one account, by the rules alone and through the tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from bench.corpus.held_cases import BROKERS, actions_of, case_of, rows_of
from bench.corpus.held_plots import DAY, NOTES, OPENING, PENDINGS, Plot, plots
from bench.corpus.score import Score
from bench.corpus.stored import DECLARED, OPEN, RULES, bring, write
from bench.corpus.story import Found
from gateway.holdings import read_holdings
from recon.holdings.judge import judge_holdings
from recon.holdings.values import ShownRow
from recon.names import class_of
from recon.values import Finding
from store.days import Scope
from store.holdings import KeptHoldings, keep
from tieout.desk.day import day as day_of
from tieout.holding_rules import HoldingRules
from tieout.holdings_recon import reconcile_holdings

EVERYTHING = 10**9
SEEDS_APART = 500  #: between those by the rules alone and those through the tables
NOW = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
POSITIONS = ("gateway", "account", "broker", "as_of", "isin", "quantity", "average_price")
ORDERS = (
    *("order_id", "transaction_id", "account", "trade_date", "exchange", "symbol", "side", "quantity", "gateway"),
    *("isin", "filled_quantity", "status"),
)
ACTIONS = ("kind", "isin", "ex_date", "ratio_from", "ratio_to", "new_isin", "temporary_isin", "credited_by")
TRANSFERS = ("gateway", "reference", "account", "date", "isin", "direction", "quantity")


def judged(seed: int, repeats: int, batches: int) -> Score:
    """Every plot by the rules alone."""
    score = Score()
    for plot in plots(seed, repeats, batches):
        verdicts = judge_holdings(case_of(plot))
        said = [_found(finding) for verdict in verdicts for finding in verdict.findings]
        score.lines += len(verdicts)
        score.count(plot.title, truth(plot), said)
    return score


def stored(engine: Engine, folder: Path, seed: int, repeats: int, batches: int) -> Score:
    """Every plot that the Gateway's answer can tell through the tables: imported, answered, reconciled, read."""
    told = [plot for plot in plots(seed + SEEDS_APART, repeats, batches) if plot.stored]
    _import(engine, folder, told)
    with engine.begin() as connection:
        for plot in told:
            _tell(connection, plot)
    for exclusive, gateway in ((True, OPEN), (False, DECLARED)):
        holdings = HoldingRules(brokers=BROKERS, exclusive=exclusive)
        rules = replace(RULES, holdings=holdings)
        reconcile_holdings(engine, now=NOW, rules=rules, limit=EVERYTHING, gateway=gateway)
    score = Score(unaccounted=_unaccounted(engine))
    said = _said(engine)
    for plot in told:
        score.lines += len(plot.lines)
        score.count(plot.title, truth(plot), said.get(plot.account, []))
    return score


def truth(plot: Plot) -> list[Found]:
    """What must be found, each part with its shares."""
    parts = [_true(name, f"{isin} {count:+}") for isin, mine in plot.lines.items() for name, count in mine.items()]
    line = next(iter(plot.lines))
    return parts + [_true(name, line) for name in plot.others]


def _true(name: str, line: str) -> Found:
    return Found(name, line, "note" if name in NOTES else "pending" if name in PENDINGS else "break")


def _found(finding: Finding) -> Found:
    return _said_of(finding.name, finding.subject, class_of(finding).value, finding.difference, finding.field)


def _said_of(name: str, isin: str, state: str, difference: Decimal | None, field: str) -> Found:
    part = field == "quantity" and difference is not None
    return Found(name, f"{isin} {-int(difference or 0):+}" if part else isin, state)


# ---------------------------------------------------------------- for the tables


def _gateway(plot: Plot) -> str:
    return OPEN if plot.exclusive else DECLARED


def _import(engine: Engine, folder: Path, told: Sequence[Plot]) -> None:
    """What the books say, each kind in one file."""
    positions: list[list[object]] = []
    for plot in told:
        positions.append([_gateway(plot), plot.account, plot.broker, OPENING, plot.isin, plot.base, plot.cost])
        if plot.elsewhere:
            positions.append([_gateway(plot), _sibling(plot), plot.broker, OPENING, plot.isin, 1000, 400])
    orders: list[list[object]] = [
        [
            *(f"{plot.account}-{ref}", None, plot.account, on, "NSE", plot.isin, "BUY" if n > 0 else "SELL", abs(n)),
            *(_gateway(plot), plot.isin, abs(n), "COMPLETE"),
        ]
        for plot in told
        for ref, n, on in plot.trades
    ]
    actions: list[list[object]] = [
        [getattr(each, name) for name in ACTIONS] for plot in told for each in actions_of(plot)
    ]
    transfers: list[list[object]] = [
        [_gateway(plot), f"{plot.account}-{ref}", plot.account, on, plot.isin, "in" if n > 0 else "out", abs(n)]
        for plot in told
        for ref, n, on in plot.transfers
    ]
    for kind, head, rows in (
        ("positions", POSITIONS, positions),
        ("orders", ORDERS, orders),
        ("corporate-actions", ACTIONS, actions),
        ("transfers", TRANSFERS, transfers),
    ):
        bring(engine, kind, write(folder / f"held-{kind}.csv", head, rows), NOW)


def _sibling(plot: Plot) -> str:
    return f"f{plot.account[1:]}"


def _tell(connection: Connection, plot: Plot) -> None:
    """The broker's answer, the user's other account, and the break of an order."""
    _answer(connection, plot, plot.account, plot.broker, list(rows_of(plot)))
    if plot.elsewhere:
        held = ShownRow(isin=plot.isin, symbol=f"NSE:{plot.isin}", held=Decimal(1000 + plot.elsewhere))
        _answer(connection, plot, _sibling(plot), plot.broker, [replace(held, average=Decimal(400))])
        for account in (plot.account, _sibling(plot)):
            connection.execute(text(_LINKED), {"gateway": _gateway(plot), "account": account, "user": plot.account})
    if plot.order_break:
        named = {"gateway": _gateway(plot), "account": plot.account, "isin": plot.isin, "count": plot.order_break}
        for statement in _ORDER_BREAK:
            connection.execute(text(statement), {**named, "id": f"TRX_{plot.account:0>32}", "now": NOW})


def _answer(connection: Connection, plot: Plot, account: str, broker: str, rows: Sequence[ShownRow]) -> None:
    at = f"{plot.seen}T11:00:00Z"
    data = {
        "broker": broker,
        "smallcaseAuthId": account,
        "updating": False,
        "snapshotDate": at,
        "lastUpdate": at,
        "securities": [_security(row) for row in rows],
        "smallcases": {"public": [], "private": []},
    }
    body = json.dumps({"success": True, "data": data}).encode()
    said = read_holdings(body)
    kept = KeptHoldings(
        gateway=_gateway(plot),
        account=account,
        book="test",
        kind="equity",
        state="ok",
        known_at=NOW,
        body=body,
        version=said.version,
        snapshot_date=said.snapshot_date,
        broker=said.broker,
        refused=said.refused,
        rows=(said.lines, said.funds, said.smallcases),
    )
    keep(connection, kept)


def _security(row: ShownRow) -> dict[str, object]:
    quiet = {"quantity": int(row.bse), "averagePrice": 0}
    return {
        "name": "X",
        "isin": row.isin,
        "nseTicker": row.symbol.removeprefix("NSE:"),
        "bseTicker": None,
        "holdings": {"quantity": int(row.held), "averagePrice": 400},
        "positions": {"nse": {"quantity": int(row.nse), "averagePrice": 0}, "bse": quiet},
        "transactableQuantity": int(row.held),
        "smallcaseQuantity": int(row.smallcase),
        "collateralQuantity": int(row.pledged),
        "isSuspendedOrDelistedOnNSE": False,
        "isSuspendedOrDelistedOnBSE": False,
    }


_LINKED = """
insert into accounts (gateway, account, book, user_ref, first_seen_at, linked_at)
values (:gateway, :account, 'test', :user, now(), now())
"""
_ORDER_BREAK = (
    """
insert into transactions (gateway, transaction_id, book, origin, registered_at, account)
values (:gateway, :id, 'test', 'webhook', :now, :account)
""",
    "delete from unjudged",
    """
insert into their_lines (txn, trade_date, plain, facts, book, batch_id, placed, position, exchange, symbol, instrument,
  side, quantity, filled, status)
select txn, '2026-01-12', false, '\\x00', 'test', 'B', true, 0, 'NSE', :isin, :isin, 'BUY', :count, :count, 'COMPLETE'
from transactions where gateway = :gateway and transaction_id = :id
""",
    """
insert into findings (finding_id, txn, gateway, book, transaction_id, name, class, level, subject, field, impact_inr,
  critical, rule, rule_set, evidence, theirs_line, trade_date, rev, opened_at)
select gen_random_uuid(), e.txn, :gateway, 'test', :id, 'missing-internal', 'break', 'line', 'x', 'line', 4000, false,
  'r', 'default', '[]', e.line, '2026-01-12', 1, :now
from their_lines e join transactions t on t.txn = e.txn where t.gateway = :gateway and t.transaction_id = :id
""",
)
_FINDINGS = """
select account, name, isin, class, difference, field from findings where account is not null and closed_at is null
"""


def _said(engine: Engine) -> dict[str, list[Found]]:
    """What is said, by account."""
    found: dict[str, list[Found]] = {}
    with engine.connect() as connection:
        for row in connection.execute(text(_FINDINGS)).mappings():
            said = _said_of(row["name"], row["isin"], row["class"], row["difference"], row["field"])
            found.setdefault(row["account"], []).append(said)
    return found


def _unaccounted(engine: Engine) -> int:
    """Rows of either side that lie in no bucket."""
    total = 0
    with engine.connect() as connection:
        for gateway in (OPEN, DECLARED):
            scope = Scope(gateway=gateway, trade_date=DAY, book="test")
            found = day_of(connection, **scope, as_of=NOW, with_digest=False)
            total += found.holdings.unaccounted.count if found.holdings else 0
    return total
