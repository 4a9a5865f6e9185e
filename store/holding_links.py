"""Which accounts are followed for their holdings because they are somebody's, and which no more.

An account that was taken from its user is `unlinked`: nothing asks for it, whatever comes, until it is linked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from store.holding_units import UNLINKED

_FOLLOW = text(f"""
insert into holding_accounts as a (gateway, account, book, origin, registered_at, next_fetch_at)
values (:gateway, :account, :book, 'link', :now, :now)
on conflict (gateway, account) do update
set next_fetch_at = least(a.next_fetch_at, :now), announce_at = null, announced = 0, deaths = 0, rest_until = null,
    state = case a.state when '{UNLINKED}' then 'new' else a.state end,
    state_since = case a.state when '{UNLINKED}' then :now else a.state_since end
""")
_FOLLOW_HELD = text("""
insert into holding_accounts as a (gateway, account, book, origin, registered_at, next_fetch_at)
select :gateway, account, :book, 'positions', :now, :now from unnest(cast(:accounts as text[])) as account
order by account
on conflict (gateway, account) do update set next_fetch_at = :now, announce_at = null, announced = 0
where a.next_fetch_at is null and a.state = 'new'
""")
#: A claim under way is lost by it: what its worker brings is not written.
_LEAVE = text(f"""
with left_alone as (
  insert into holding_accounts as a (gateway, account, book, origin, registered_at, state, state_since)
  values (:gateway, :account, :book, 'link', :now, '{UNLINKED}', :now)
  on conflict (gateway, account) do update
  set state = '{UNLINKED}', state_since = :now, next_fetch_at = null, lease_until = null,
      generation = a.generation + 1, announce_at = null, announced = 0, waits_for = null, pauses = 0, deaths = 0
  returning holder, generation
)
insert into holding_attempts (holder, generation, outcome, reason, detail)
select holder, generation, 'done', '{UNLINKED}', :detail from left_alone
""")
_END_EVENTS = text("""
update events set state = 'done', reason = null, next_attempt_at = null, done_at = clock_timestamp()
where gateway = :gateway and account = :account and family = 'holdings'
  and state in ('received', 'waiting', 'claimed')
""")
#: Locks the account's row, so that nobody links it meanwhile.
_IS_LEFT = text(f"""
select holder from holding_accounts
where gateway = :gateway and account = :account and state = '{UNLINKED}' for no key update
""")
_NOTE = text(f"""
insert into holding_attempts (holder, generation, outcome, reason, detail)
select holder, generation, 'done', '{UNLINKED}', :detail from holding_accounts where holder = :holder
""")
_LEFT = text(f"""
select account from holding_accounts
where gateway = :gateway and account = any(:accounts) and state = '{UNLINKED}' order by account
""")


def follow(connection: Connection, *, gateway: str, account: str, book: str, now: datetime) -> None:
    """Have an account that was linked fetched now, and from now on; also one that was unlinked before."""
    named = {"gateway": gateway, "account": account, "book": book, "now": now}
    connection.execute(_FOLLOW, named)


def follow_held(connection: Connection, *, gateway: str, accounts: Sequence[str], book: str, now: datetime) -> None:
    """Have those of these accounts fetched now that never were: the books say that they hold something."""
    if wanted := sorted(set(accounts)):
        connection.execute(_FOLLOW_HELD, {"gateway": gateway, "accounts": wanted, "book": book, "now": now})


def leave(connection: Connection, *, gateway: str, account: str, book: str, now: datetime, why: str) -> None:
    """Ask for an account no more: its open webhooks are done, its claim is void. `why` is kept as an attempt."""
    named = {"gateway": gateway, "account": account}
    connection.execute(_LEAVE, {**named, "book": book, "now": now, "detail": why})
    connection.execute(_END_EVENTS, named)


def end_if_left(connection: Connection, *, gateway: str, account: str) -> bool:
    """End the open webhooks of an account that is not asked for, and say so; False if it is followed."""
    named = {"gateway": gateway, "account": account}
    holder = connection.execute(_IS_LEFT, named).scalar_one_or_none()
    if holder is None:
        return False
    if ended := connection.execute(_END_EVENTS, named).rowcount:
        detail = f"{ended} webhooks came: not asked for, since the account is linked to nobody any more"
        connection.execute(_NOTE, {"holder": holder, "detail": detail})
    return True


def left(connection: Connection, *, gateway: str, accounts: Sequence[str]) -> list[str]:
    """Those of these accounts that are not asked for."""
    return list(connection.execute(_LEFT, {"gateway": gateway, "accounts": list(accounts)}).scalars())
