"""Transactions as the company registered them: missing facts are filled, none is overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from store import schema
from store.recordset import as_parameter, records

FACTS = ("account", "user_ref", "created_at", "expire_at", "intent", "requested")
FIRST_LOOK = timedelta(minutes=1)  #: after its creation; before, there is nothing to hear
LIFESPAN = "interval '5 minutes'"  #: of a transaction whose expiry nobody says
_FOUND = f"""
given as (
  select r.* from {records(schema.transactions, "gateway", "transaction_id", *FACTS)}
)"""
_EXPIRES = f"coalesce(t.expire_at, g.expire_at, coalesce(t.created_at, g.created_at) + {LIFESPAN})"
_NEWS = ", ".join(_EXPIRES if c == "expire_at" else f"coalesce(t.{c}, g.{c})" for c in FACTS)
_OLD = ", ".join(f"t.{c}" for c in FACTS)
#: What was asked for, in rupees: an order's own price, else what the share last cost.
_VALUE = """(
    select sum((leg->>'quantity')::numeric * coalesce((leg->>'price')::numeric, p.price))
    from jsonb_array_elements(case jsonb_typeof(coalesce(t.requested, g.requested))
                              when 'array' then coalesce(t.requested, g.requested) end) leg
    left join guide_prices p on p.exchange = coalesce(leg->>'exchange', 'NSE') and p.symbol = leg->>'symbol')"""
_OTHER = " or ".join(f"t.{c} <> g.{c}" for c in ("account", "user_ref", "created_at", "expire_at", "intent"))

_STATED = text(f"""
with {_FOUND}
select t.transaction_id, ({_NEWS}) is distinct from ({_OLD}) as fills, coalesce({_OTHER}, false) as differs
from given g join transactions t on t.gateway = g.gateway and t.transaction_id = g.transaction_id
order by t.txn for no key update of t
""")
_FILL = text(f"""
with {_FOUND}
update transactions t set ({", ".join(FACTS)}) = ({_NEWS}), rev = t.rev + 1, value = coalesce({_VALUE}, t.value),
  ask_at = case when t.final then t.ask_at
                when t.asks = 0 then greatest(:now, coalesce(t.created_at, g.created_at) + cast(:first as interval))
                else coalesce(t.ask_at, :now) end, given_up = null, given_up_at = null,
  followed_from = case when t.given_up is null then t.followed_from else :now end
from given g
where t.gateway = g.gateway and t.transaction_id = g.transaction_id and ({_NEWS}) is distinct from ({_OLD})
""")
_KNOWN = text("select transaction_id from transactions where gateway = :gateway and transaction_id = any(:ids)")


def known_ids(connection: Connection, *, gateway: str, ids: Sequence[str]) -> frozenset[str]:
    """Those of the transactionIds that have a row already."""
    return frozenset(connection.execute(_KNOWN, {"gateway": gateway, "ids": list(ids)}).scalars())


def fill(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, now: datetime
) -> tuple[frozenset[str], frozenset[str]]:
    """Fill what these registered transactions do not say yet, and raise their rev.

    Returns the ids that were filled, and those that say otherwise and were left as they are.
    """
    named = {"rows": as_parameter(rows)}
    stated = connection.execute(_STATED, named).all()
    connection.execute(_FILL, {**named, "now": now, "first": FIRST_LOOK})
    return (
        frozenset(row.transaction_id for row in stated if row.fills),
        frozenset(row.transaction_id for row in stated if row.differs),
    )
