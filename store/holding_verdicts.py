"""Reconciled holdings: which accounts are due, what both sides say of them, and where each line ended up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from recon.holdings.descent import EARLY
from store import schema
from store.holding_units import UNLINKED
from store.recordset import as_parameter, records

_COLUMNS = tuple(column.name for column in schema.holding_verdicts.c)
_NAMES = ", ".join(_COLUMNS)
_SAID = tuple(name for name in _COLUMNS if name != "judged_at")

#: Open findings of orders that move what is held, and those of them by which each side moves something else.
APART = ("side", "instrument", "account")
MOVING = (
    *("qty-filled", "missing-internal", "missing-external", "awaiting-books", "books-behind", "dup-internal"),
    *("unplaced", "ambiguous", *APART),
)
RECENT = 20_000  #: changes of findings that are looked at for accounts to reconcile again

#: Accounts with something to judge: it changed, a finding of an order did, or it is another day. Not one that is
#: asked for no more: its last answer grows old, and what was found by it stays as it stood.
_DUE = text(f"""
with recent as materialized (
  select t.gateway, whose.account, max(c.change_id) as change_id
  from finding_changes c
  join findings f on f.finding_id = c.finding_id and f.name = any(:moving)
  join transactions t on t.txn = f.txn
  left join our_lines o on o.line = f.ours_line
  cross join lateral (values (t.account), (o.account)) whose (account)
  where c.change_id > (select coalesce(max(change_id), 0) - :recent from finding_changes)
    and exists (select from positions)
  group by t.gateway, whose.account
)
select h.holder from holding_accounts h
left join recent r on r.gateway = h.gateway and r.account = h.account
where h.holder > :after and (cast(:gateway as text) is null or h.gateway = :gateway)
  and (h.judged_rev < h.rev or h.judged_for is distinct from :day or r.change_id > h.seen_change)
  and h.state <> '{UNLINKED}' and exists (select from positions p where p.gateway = h.gateway)
order by h.holder limit :limit
""")
#: Those, and the other accounts of their users, which are held against each other.
_TAKE = text("""
with named as (
  select h.gateway, h.account, a.user_ref from holding_accounts h
  left join accounts a on a.gateway = h.gateway and a.account = h.account where h.holder = any(:holders)
)
select h.holder, h.gateway, h.account, h.book, h.broker, h.rev,
  (select a.user_ref from accounts a where a.gateway = h.gateway and a.account = h.account) as user_ref
from holding_accounts h
where h.holder = any(:holders) or exists (
  select from named n join accounts a on a.gateway = n.gateway and a.user_ref = n.user_ref
  where a.gateway = h.gateway and a.account = h.account)
order by h.holder for no key update of h
""")
_POSITIONS = text("""
select distinct on (p.account, p.isin) p.account, p.as_of, p.isin, p.quantity, p.average_price
from positions p
join (
  select account, max(as_of) as as_of from positions
  where gateway = :gateway and account = any(:accounts) and as_of <= :day group by account
) newest on newest.account = p.account and newest.as_of = p.as_of
where p.gateway = :gateway
order by p.account, p.isin, p.version desc
""")
_TRANSFERS = text("""
select * from (
  select distinct on (reference) reference, account, date, isin, direction, quantity from transfers
  where gateway = :gateway order by reference, version desc
) newest
where account = any(:accounts) and date <= :day order by reference
""")
_ACTIONS = text("""
select distinct on (kind, isin, ex_date)
  kind, isin, ex_date, new_isin, temporary_isin, ratio_from, ratio_to, credited_by
from corporate_actions where ex_date <= :until order by kind, isin, ex_date, version desc
""")
_TRADES = text("""
select o.account, o.order_id, o.instrument, o.isin, o.side, o.filled, o.average_price, o.trade_date,
  coalesce(o.executed_at, e.completed_at) as at
from our_lines o
left join lateral (select theirs from verdicts where txn = o.txn and ours = o.line offset 0) v on true
left join their_lines e on e.line = v.theirs
where o.gateway = :gateway and o.account = any(:accounts) and o.trade_date between :first and :day and o.filled > 0
order by o.account, o.order_id
""")
#: One of each pair of lines: what it moves is the same, whatever its names.
_ORDER_BREAKS = text("""
with moved as (
  select distinct on (f.ours_line, f.theirs_line) f.finding_id, f.name, f.class = 'pending' as waiting,
    f.name = any(:apart) as apart, t.account as their_account, coalesce(o.account, t.account) as our_account,
    e.instrument as their_instrument, o.instrument as our_instrument,
    case e.side when 'SELL' then -1 else 1 end * coalesce(e.filled, 0) as theirs,
    case o.side when 'SELL' then -1 else 1 end * coalesce(o.filled, 0) as ours
  from findings f
  join transactions t on t.txn = f.txn
  left join our_lines o on o.line = f.ours_line
  left join their_lines e on e.line = f.theirs_line
  where f.closed_at is null and f.gateway = :gateway and f.name = any(:moving) and f.trade_date <= :day
    and (o.line is not null or e.line is not null)
    and (t.account = any(:accounts) or o.account = any(:accounts))
  order by f.ours_line, f.theirs_line, f.name = any(:apart) desc, f.class, f.finding_id
)
select finding_id, name, waiting, moves.account, moves.instrument, moves.quantity
from moved cross join lateral (
  select our_account as account, coalesce(their_instrument, our_instrument) as instrument, theirs - ours as quantity
  where not apart
  union all select their_account, their_instrument, theirs where apart
  union all select our_account, our_instrument, -ours where apart
) moves
where moves.account = any(:accounts)
order by finding_id, moves.quantity
""")
#: What says the same as it did stands as it was judged.
_WRITE = text(f"""
with given as materialized (
  select {_NAMES} from {records(schema.holding_verdicts, *_COLUMNS)}
), gone as (
  delete from holding_verdicts v where gateway = :gateway and account = any(:accounts) and trade_date = :day
    and not exists (select from given g where g.account = v.account and g.isin = v.isin)
)
insert into holding_verdicts as v ({_NAMES}) select {_NAMES} from given
on conflict (gateway, account, trade_date, isin) do update
set ({_NAMES}) = row({", ".join(f"excluded.{name}" for name in _COLUMNS)})
where ({", ".join(f"v.{name}" for name in _SAID)}) is distinct from
  ({", ".join(f"excluded.{name}" for name in _SAID)})
""")
_JUDGED = text("""
update holding_accounts h set judged_rev = h.rev, judged_for = :day, judged_at = :now,
  seen_change = (select coalesce(max(change_id), 0) from finding_changes)
where holder = any(:holders)
""")
_MARK = text("update holding_accounts set rev = rev + 1 where holder = :holder")
_MARK_ALL = text("update holding_accounts set rev = rev + 1 where cast(:gateway as text) is null or gateway = :gateway")
_MARK_TRADED = text("""
update holding_accounts h set rev = h.rev + 1
from (
  select distinct o.gateway, o.account from line_versions v join our_lines o on o.line = v.line
  where v.import_id = :import_id
) traded
where h.gateway = traded.gateway and h.account = traded.account and exists (select from positions)
""")


def due(connection: Connection, *, day: date, after: int, limit: int, gateway: str | None) -> list[int]:
    """The first accounts beyond `after` that are due to be reconciled for that day; none before there are positions."""
    named = {"day": day, "after": after, "limit": limit, "gateway": gateway}
    return list(connection.execute(_DUE, {**named, "moving": list(MOVING), "recent": RECENT}).scalars())


def take(connection: Connection, holders: Sequence[int]) -> list[Row[Any]]:
    """Lock these accounts and the other accounts of their users, in one order for all."""
    return list(connection.execute(_TAKE, {"holders": list(holders)}))


def read(
    connection: Connection, what: str, *, gateway: str, accounts: Sequence[str], day: date, first: date | None = None
) -> list[Row[Any]]:
    """What the books say of these accounts up to that day: `positions`, `transfers`, `actions`, `trades`, `breaks`."""
    statement = {
        "positions": _POSITIONS,
        "transfers": _TRANSFERS,
        "actions": _ACTIONS,
        "trades": _TRADES,
        "breaks": _ORDER_BREAKS,
    }[what]
    named = {"gateway": gateway, "accounts": list(accounts), "day": day, "first": first}
    named |= {"until": day + EARLY, "moving": list(MOVING), "apart": list(APART)}
    return list(connection.execute(statement, {name: named[name] for name in statement.compile().params}))


def write(
    connection: Connection, rows: Sequence[Mapping[str, object]], *, gateway: str, accounts: Sequence[str], day: date
) -> None:
    """Store the verdicts of these accounts for that day, over what was stored."""
    named = {"gateway": gateway, "accounts": list(accounts), "day": day, "rows": as_parameter(rows)}
    connection.execute(_WRITE, named)


def judged(connection: Connection, holders: Sequence[int], *, day: date, now: datetime) -> None:
    """Mark these accounts, which the caller has locked, as reconciled for that day."""
    connection.execute(_JUDGED, {"holders": list(holders), "day": day, "now": now})


def mark(connection: Connection, *, holder: int) -> None:
    """Have one account reconciled again."""
    connection.execute(_MARK, {"holder": holder})


def mark_all(connection: Connection, *, gateway: str | None) -> None:
    """Have every account reconciled again, of one gateway or of all."""
    connection.execute(_MARK_ALL, {"gateway": gateway})


def mark_traded(connection: Connection, *, import_id: int) -> None:
    """Have the accounts reconciled again whose orders an import brought or changed."""
    connection.execute(_MARK_TRADED, {"import_id": import_id})
