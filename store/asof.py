"""What was known at an instant, laid over the tables of one database transaction and gone with it.

Temporary tables bear the names of the real ones, so that every statement of the service reads and writes
them instead. Nothing real is locked or written. The connection must be new: a statement planned before
would go on reading the real tables. The transaction must be rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from store import schema
from store.books import LINE
from store.days import Scope, be_patient
from store.sealed import DAY

BEYOND = 10**15  #: lines made here are numbered from here on, so that none meets a real one

#: Copied as they are, of the transactions in question; `r` is the real row.
_COPIED = {
    "transactions": "r.txn in (select txn from asked)",
    "snapshots": "r.txn in (select txn from asked) and r.known_at <= :instant",
    "batches": "r.txn in (select txn from asked)",
    "their_lines": "r.txn in (select txn from asked)",
    "our_lines": "(r.txn in (select txn from asked) or r.txn is null and r.gateway = :gateway"
    " and r.trade_date = :trade_date) and not exists (select from public.line_versions v"
    " where v.line = r.line and v.version = r.version and v.known_at > :instant)",
    "events": "(r.gateway, r.transaction_id) in (select t.gateway, t.transaction_id from public.transactions t"
    " join asked a on a.txn = t.txn) and r.received_at <= :instant",
    "decisions": "r.txn in (select txn from asked) and r.at <= :instant",
    "imports": "r.imported_at <= :instant",
    "refused_rows": "r.trade_date = :trade_date and r.import_id in (select import_id from public.imports"
    " where imported_at <= :instant)",
    "closed_days": "r.closed_at <= :instant and r.trade_date = :trade_date and r.gateway = :gateway",
    "ticks": "r.known_at <= :instant and r.valid_from <= :trade_date",
    "prices": "r.known_at <= :instant and r.valid_from = :trade_date",
    "charges": "r.known_at <= :instant",
    "notes": "r.known_at <= :instant and r.gateway = :gateway",
}
_EMPTY = ("line_verdicts", "tied_out", "unjudged", "findings", "finding_changes")

#: Later facts about a transaction may have moved its lines to another day, or away from this one.
_ASKED = f"""
create temp table asked on commit drop as
with {DAY}, later as (
  select distinct o.txn from our_lines o join line_versions v on v.line = o.line and v.version = o.version
  where v.known_at > :instant and o.txn is not null and o.gateway = :gateway
  union
  select txn from incoming_txns
)
select t.txn, exists (select from snapshots s where s.txn = t.txn and s.known_at > :instant) as answered_since
from transactions t
where t.txn in (select txn from day_txns union select txn from later)
  and t.gateway = :gateway and t.book = :book and t.registered_at <= :instant
"""
_CHAINED = """
insert into asked
select distinct t.txn, exists (select from snapshots s where s.txn = t.txn and s.known_at > :instant)
from public.batches b join public.batches m on m.iscid = b.iscid join asked a on a.txn = m.txn
join public.transactions t on t.txn = b.txn
where t.registered_at <= :instant and b.txn not in (select txn from asked)
"""
#: Lines whose present version came later, with the newest version that was known.
_OLDER = text("""
select o.line, o.gateway, v.version, v.row, v.raw
from our_lines o
join line_versions n on n.line = o.line and n.version = o.version and n.known_at > :instant
join lateral (
  select version, row, raw from line_versions where line = o.line and known_at <= :instant
  order by version desc limit 1
) v on true
where o.gateway = :gateway
""")
_OLDER_LINES = f"""
insert into our_lines (line, gateway, order_id, version, txn, {LINE}) overriding system value
select o.line, i.gateway, i.order_id, v.version, t.txn, {", ".join(f"i.{name.strip()}" for name in LINE.split(","))}
from incoming i
join public.our_lines o on o.gateway = i.gateway and o.order_id = i.order_id
join lateral (
  select version from public.line_versions where line = o.line and known_at <= :instant order by version desc limit 1
) v on true
left join public.transactions t on t.gateway = i.gateway and t.transaction_id = i.transaction_id
where t.txn in (select txn from asked)
  or i.transaction_id is null and i.trade_date = :trade_date and i.gateway = :gateway
"""
_INCOMING_TXNS = """
create temp table incoming_txns on commit drop as
select distinct t.txn from incoming i
join transactions t on t.gateway = i.gateway and t.transaction_id = i.transaction_id
"""
_AS_THEN = (
    """
    update transactions t set rev = 1, review_at = null,
      quiet = t.quiet and not a.answered_since and not exists (
        select from public.events e where e.gateway = t.gateway and e.transaction_id = t.transaction_id
          and e.received_at > :instant)
        and not exists (
          select from public.notes n where n.gateway = t.gateway and n.account = t.account
            and (n.known_at > :instant or n.replaced_at > :instant
              or exists (select from public.charges c where c.known_at > :instant)))
    from asked a where a.txn = t.txn
    """,
    *(
        f"update {table} set replaced_at = null where replaced_at > :instant"
        for table in ("ticks", "prices", "charges", "notes")
    ),
    """
    update transactions t set status = null, error_code = null, error_message = null, known = null, absent_at = '{}',
      final = false, settled = true
    from asked a where a.txn = t.txn and a.answered_since
    """,
    "update decisions set undone_at = null, undone_by = null, undone_why = null where undone_at > :instant",
    """
    update refused_rows set replaced_by = null
    where replaced_by in (select import_id from public.imports where imported_at > :instant)
    """,
    """
    update closed_days set reopened_at = null, reopened_by = null, reopened_why = null, reopened_seal = null
    where reopened_at > :instant
    """,
)
_ASKED_TXNS = text("select txn, answered_since from asked order by txn")
_STRAYS = text("select line from our_lines where txn is null order by line")
_SINCE = text("""
update findings f set opened_at = p.opened_at from public.findings p
where p.finding_id = f.finding_id and p.opened_at <= :instant
""")


def older_lines(connection: Connection, *, gateway: str, instant: datetime) -> Iterator[Row[Any]]:
    """Lines of the books that changed after the instant, with the cells they had then: line, row, raw."""
    named = {"gateway": gateway, "instant": instant}
    yield from connection.execute(_OLDER, named, execution_options={"yield_per": 2000})


def lay_over(connection: Connection, scope: Scope, *, instant: datetime) -> None:
    """Put what was known at that instant over the real tables.

    Lines that changed since must lie in the temporary table `incoming` (`store.books`).
    """
    be_patient(connection)
    named = {**scope, "instant": instant}
    for statement in (_INCOMING_TXNS, _ASKED, _CHAINED):
        connection.execute(text(statement), named)
    for table in (*_COPIED, *_EMPTY):
        connection.execute(text(f"create temp table {table} (like public.{table} including all) on commit drop"))
    for made in (f"create temp view verdicts as {schema.VERDICTS}", *schema.UNJUDGED_BY):
        connection.execute(text(made))
    for table, known in _COPIED.items():
        copied = f"insert into {table} overriding system value select r.* from public.{table} r where {known}"
        connection.execute(text(copied), named)
    for statement in (_OLDER_LINES, *_AS_THEN):
        connection.execute(text(statement), named)
    connection.execute(text(f"alter table their_lines alter column line restart with {BEYOND}"))
    for table in _COPIED:
        connection.execute(text(f"analyze {table}"))


def asked(connection: Connection) -> list[tuple[int, bool]]:
    """The transactions in question, and of each whether an answer came after the instant."""
    return [(row.txn, row.answered_since) for row in connection.execute(_ASKED_TXNS)]


def strays(connection: Connection) -> list[int]:
    """Lines of the books that named no transaction."""
    return list(connection.execute(_STRAYS).scalars())


def date_findings(connection: Connection, *, instant: datetime) -> None:
    """Let findings be as old as they were."""
    connection.execute(_SINCE, {"instant": instant})
