"""What is known of the holdings of some accounts, read by sets, as cases for the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row

from books.cells import IST
from recon.holdings.values import (
    Action,
    HoldingsCase,
    Opening,
    OrderBreak,
    Position,
    Shown,
    ShownRow,
    Succession,
    Trade,
    Transfer,
)
from recon.values import ZERO, Calendar
from store import holding_verdicts, listings
from store.holdings import AccountHoldings, StoredHolding, latest, latest_lines
from store.instruments import Master, read_master
from tieout.rules import Rules

SETTLING = timedelta(days=10)  #: a trade that is older has settled
CREDITING = timedelta(days=25)  #: a bonus whose ex-date is longer ago is credited, or has been missing for long
READABLE = "v2"  #: an older form leaves shares out


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedAccount:
    """One account's case and the answer it rests on; None if there is none to compare with."""

    case: HoldingsCase
    snapshot_id: int | None


def load(
    connection: Connection, *, gateway: str, accounts: Sequence[str], day: date, rules: Rules
) -> dict[str, LoadedAccount]:
    """The cases of these accounts for the end of that IST date, by account."""
    named = {"gateway": gateway, "accounts": accounts, "day": day}
    positions, transfers, breaks = (
        _by_account(holding_verdicts.read(connection, what, **named))  # type: ignore[arg-type]
        for what in ("positions", "transfers", "breaks")
    )
    actions = tuple(_action(row) for row in holding_verdicts.read(connection, "actions", **named))  # type: ignore[arg-type]
    successions = tuple(Succession(**row._mapping) for row in listings.successions(connection))
    answers = {each.account: each for each in latest(connection, gateway=gateway, accounts=accounts)}
    rows: defaultdict[str, list[StoredHolding]] = defaultdict(list)
    for line in latest_lines(connection, gateway=gateway, accounts=accounts):
        rows[line.account].append(line)
    master = _master(connection, [line for lines in rows.values() for line in lines])
    openings = {account: _opening(each) for account, each in positions.items()}
    shown = {account: _shown(answers.get(account), rows[account], master) for account in accounts}
    seen = [day, *(o.as_of for o in openings.values()), *(s.day for s in shown.values() if s)]
    first = min(min(seen) - SETTLING, _bonus_since(actions, openings.values(), day))
    trades = _by_account(holding_verdicts.read(connection, "trades", **named, first=first))  # type: ignore[arg-type]
    found = {}
    for account in accounts:
        answer = answers.get(account)
        case = HoldingsCase(
            account=account,
            day=day,
            calendar=rules.calendar,
            opening=openings.get(account),
            shown=shown[account],
            trades=tuple(_trade(row, rules.calendar) for row in trades.get(account, ())),
            transfers=tuple(_transfer(row) for row in transfers.get(account, ())),
            actions=actions,
            successions=successions,
            order_breaks=tuple(_break(row) for row in breaks.get(account, ())),
            adapter=rules.holdings.brokers.adapter(answer.broker if answer else None),
            exclusive=rules.holdings.exclusive,
            books_hold=rules.holdings.books_hold,
        )
        found[account] = LoadedAccount(case=case, snapshot_id=answer.snapshot_id if answer and case.shown else None)
    return found


def _bonus_since(actions: Iterable[Action], openings: Iterable[Opening], day: date) -> date:
    """The ex-date of the first bonus that may not be credited yet on anything held: no trade since then has it."""
    held = {position.isin for opening in openings for position in opening.positions}
    mine = (a.ex_date for a in actions if a.kind == "bonus" and a.isin in held and a.ex_date >= day - CREDITING)
    return min(mine, default=day)


def _by_account(rows: Sequence[Row[Any]]) -> dict[str, list[Row[Any]]]:
    found: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.account].append(row)
    return found


def _opening(rows: Sequence[Row[Any]]) -> Opening:
    held = tuple(Position(isin=r.isin, quantity=r.quantity, average_price=r.average_price) for r in rows)
    return Opening(as_of=rows[0].as_of, positions=held)


def _action(row: Row[Any]) -> Action:
    return Action(**row._mapping)


def _transfer(row: Row[Any]) -> Transfer:
    sign = 1 if row.direction == "in" else -1
    return Transfer(ref=row.reference, isin=row.isin, quantity=sign * row.quantity, on=row.date)


def _trade(row: Row[Any], calendar: Calendar) -> Trade:
    sign = 1 if row.side == "BUY" else -1
    named_by_table = ":" not in row.instrument
    return Trade(
        ref=row.order_id,
        isin=row.instrument if named_by_table else row.isin or row.instrument,
        quantity=sign * row.filled,
        trade_date=row.trade_date,
        settles_on=calendar.session_after(row.trade_date),
        at=row.at,
        price=row.average_price,
    )


def _break(row: Row[Any]) -> OrderBreak:
    return OrderBreak(
        ref=str(row.finding_id), name=row.name, isin=row.instrument, quantity=row.quantity, waiting=row.waiting
    )


# ---------------------------------------------------------------- what the broker shows


def _shown(answer: AccountHoldings | None, lines: Sequence[StoredHolding], master: Master) -> Shown | None:
    if answer is None or answer.snapshot_id is None or answer.known_at is None or answer.version != READABLE:
        return None
    told: datetime | None = answer.snapshot_date or answer.last_update
    day = (told or answer.known_at).astimezone(IST).date()
    rows = tuple(_row(line, master, day) for line in lines)
    return Shown(ref=str(answer.snapshot_id), day=day, at=told or answer.known_at, rows=rows)


def _row(line: StoredHolding, master: Master, day: date) -> ShownRow:
    exchange, ticker = _listing(line)
    return ShownRow(
        isin=line.isin or master.isin_at(exchange, ticker, day),
        symbol=f"{exchange}:{ticker}",
        held=line.held or ZERO,
        t1=line.t1 or ZERO,
        nse=line.nse_quantity or ZERO,
        bse=line.bse_quantity or ZERO,
        pledged=line.collateral or ZERO,
        smallcase=line.smallcase or ZERO,
        average=line.held_average,
    )


def _listing(line: StoredHolding) -> tuple[str, str]:
    return ("NSE", line.nse_ticker) if line.nse_ticker else ("BSE", line.bse_ticker or line.name or "?")


def _master(connection: Connection, lines: Sequence[StoredHolding]) -> Master:
    """The instruments of rows that name no ISIN themselves."""
    return read_master(connection, listings=[_listing(line) for line in lines if not line.isin])


def stated(row: ShownRow) -> Decimal:
    """All that the row states, whatever it means: by this both sides are counted."""
    return row.held + row.t1 + row.nse + row.bse + row.pledged
