"""The unit of work of holdings: one account of one gateway with all its open holdings webhooks.

Statements, no meaning; as in `store.units`, the account's row is locked before its events. Times are the
database's; `now`, `next_fetch_at` and `known_at` are the domain's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from store.units import FAILURES, Called

UNLINKED: Final = "unlinked"  #: the state of an account that was taken from its user: it is asked for no more

_ENSURE = text(f"""
insert into holding_accounts as a (gateway, account, book, origin, registered_at, next_fetch_at)
select :gateway, account, :book, :origin, :now, :fetch_at from unnest(cast(:accounts as text[])) as account
order by account
on conflict (gateway, account) do update
set next_fetch_at = least(a.next_fetch_at, excluded.next_fetch_at), announce_at = null, announced = 0, deaths = 0
where excluded.next_fetch_at is not null and (a.next_fetch_at is null or a.next_fetch_at > excluded.next_fetch_at)
  and a.state <> '{UNLINKED}'
""")

_IMPORTED = text(f"""
insert into holding_accounts as a (gateway, account, book, origin, registered_at, next_fetch_at)
select gateway, account, min(book), 'import', :now, :now from transactions t
where txn = any(:txns) and account is not null and not exists (
  select from events e
  where e.gateway = t.gateway and e.transaction_id = t.transaction_id and e.family = 'holdings')
group by gateway, account order by gateway, account
on conflict (gateway, account) do update
set next_fetch_at = least(a.next_fetch_at, excluded.next_fetch_at), announce_at = null, announced = 0
where a.state <> '{UNLINKED}'
""")

_CLAIM = text(f"""
with claimed as (
  update holding_accounts a
  set generation = generation + 1, announced = 0, asked_at = clock_timestamp(),
      rest_until = clock_timestamp() + cast(:pause as interval), lease_until = clock_timestamp() + :lease
  where gateway = :gateway and account = :account and lease_until is null and state <> '{UNLINKED}'
    and (rest_until is null or rest_until <= clock_timestamp())
    and (next_fetch_at <= :now or exists (
      select from events e where e.gateway = :gateway and e.account = :account and e.family = 'holdings'
      and e.state in ('received', 'waiting', 'claimed')))
    and (:probe or not exists (
      select from gateway_states g where g.gateway = :gateway
      and (g.breaker <> 'closed' or g.blocked_until > clock_timestamp())))
  returning holder, generation, asked_at, lease_until, deaths, state, pauses
), taken as (
  update events e
  set state = 'claimed', reason = null, attempts = attempts + 1, announced = 0,
      next_attempt_at = claimed.lease_until
  from claimed
  where e.gateway = :gateway and e.account = :account and e.family = 'holdings'
    and e.state in ('received', 'waiting', 'claimed')
), noted as (
  insert into holding_attempts (holder, generation, outcome, worker)
  select holder, generation, 'claimed', :worker from claimed
)
select holder, generation, asked_at, deaths, state, pauses from claimed
""")

_HINDRANCE = text("""
select clock_timestamp() as now, a.state, a.lease_until, a.rest_until, g.breaker, g.blocked_until, g.reason
from holding_accounts a left join gateway_states g on g.gateway = a.gateway
where a.gateway = :gateway and a.account = :account
""")

_DEFER = text("""
with moved as (
  update holding_accounts set announce_at = :until, waits_for = :reason
  where gateway = :gateway and account = :account and next_fetch_at is not null
)
update events set state = 'waiting', reason = :reason, next_attempt_at = :until
where gateway = :gateway and account = :account and family = 'holdings' and state in ('received', 'waiting')
""")

_PUT_OFF = text("""
with moved as (
  update holding_accounts
  set announce_at = clock_timestamp() + cast(:wait as interval), announced = 0, waits_for = :reason
  where gateway = :gateway and account = :account and lease_until is null
)
update events set state = 'waiting', reason = :reason, announced = 0,
  next_attempt_at = clock_timestamp() + cast(:wait as interval)
where gateway = :gateway and account = :account and family = 'holdings' and state in ('received', 'waiting')
""")

_FENCE = text("""
update holding_accounts set lease_until = null, deaths = 0, announce_at = null
where holder = :holder and generation = :generation and lease_until is not null
""")

_FINISH = text("""
with told as (
  update holding_accounts
  set state = :state, state_since = case when state = :state then state_since else :known_at end,
      broker = coalesce(:broker, broker), book = :book, as_at = coalesce(:as_at, as_at), known_at = :known_at,
      next_fetch_at = :next_fetch_at, pauses = :pauses, waits_for = null
  where holder = :holder
), finished as (
  update events set state = 'done', reason = null, next_attempt_at = null, done_at = clock_timestamp()
  where gateway = :gateway and account = :account and family = 'holdings' and stored_at <= :asked_at
    and state in ('received', 'waiting', 'claimed')
), later as (
  update events set state = 'waiting', reason = 'asked-before-it',
      next_attempt_at = :asked_at + cast(:pause as interval)
  where gateway = :gateway and account = :account and family = 'holdings' and stored_at > :asked_at
    and state in ('received', 'waiting', 'claimed')
)
insert into holding_attempts (holder, generation, outcome, reason, detail, http_status, took_ms, worker)
values (:holder, :generation, 'done', :state, :detail, :http_status, :took_ms, :worker)
""")

_WAIT = text("""
with mine as (
  update holding_accounts
  set lease_until = null, deaths = 0, announce_at = clock_timestamp() + :delay, waits_for = :reason,
      rest_until = clock_timestamp() + least(cast(:delay as interval), :pause)
  where holder = :holder and generation = :generation and lease_until is not null
  returning holder
), waiting as (
  update events set state = 'waiting', reason = :reason, next_attempt_at = clock_timestamp() + :delay
  from mine where gateway = :gateway and account = :account and family = 'holdings'
    and state in ('received', 'waiting', 'claimed')
), noted as (
  insert into holding_attempts (holder, generation, outcome, reason, detail, http_status, took_ms, worker)
  select holder, :generation, 'waiting', :reason, :detail, :http_status, :took_ms, :worker from mine
)
select holder from mine
""")

_PARK = text("""
with parked as (
  update events set state = 'parked', reason = :reason, next_attempt_at = null
  where gateway = :gateway and account = :account and family = 'holdings' and state = 'claimed'
), told as (
  update holding_accounts
  set state = :reason, state_since = case when state = :reason then state_since else :known_at end,
      waits_for = null, pauses = 0, next_fetch_at = :next_fetch_at
  where holder = :holder
)
insert into holding_attempts (holder, generation, outcome, reason, detail, http_status, took_ms, worker)
values (:holder, :generation, 'parked', :reason, :detail, :http_status, :took_ms, :worker)
""")

_FAILURES = text(FAILURES.format(attempts="holding_attempts", unit="holder"))

_KNOWN = text(f"""
select account from (
  select account from holding_accounts where gateway = :gateway
  union select account from accounts where gateway = :gateway
  union select account from transactions where gateway = :gateway and account is not null
) heard_of
where not exists (
  select from holding_accounts h where h.gateway = :gateway and h.account = heard_of.account and h.state = '{UNLINKED}')
order by account
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Whose claim it is: everything by which the other statements find its rows."""

    holder: int
    generation: int
    gateway: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an answer says of an account, and when to ask again."""

    state: str
    book: str
    broker: str | None
    as_at: datetime | None
    known_at: datetime
    next_fetch_at: datetime | None
    pauses: int


def ensure(
    connection: Connection,
    *,
    gateway: str,
    book: str,
    origin: str,
    accounts: Sequence[str],
    now: datetime,
    fetch_at: datetime | None,
) -> None:
    """Make the rows of these accounts that are missing; have all but unlinked ones fetched by `fetch_at`, or sooner."""
    if wanted := sorted(set(accounts)):
        named = {"gateway": gateway, "book": book, "origin": origin, "now": now, "fetch_at": fetch_at}
        connection.execute(_ENSURE, {**named, "accounts": wanted})


def fetch_imported(connection: Connection, *, txns: Sequence[int], now: datetime) -> None:
    """Have the accounts of these imports of holdings fetched now, if no webhook came that does."""
    connection.execute(_IMPORTED, {"txns": list(txns), "now": now})


def claim(
    connection: Connection,
    *,
    gateway: str,
    account: str,
    now: datetime,
    lease: timedelta,
    pause: timedelta,
    worker: str,
    probe: bool,
) -> Row[Any] | None:
    """Take the account: holder, generation, asked_at, deaths, state, pauses; None if it must not be asked now."""
    named = {"gateway": gateway, "account": account, "now": now, "lease": lease, "pause": pause}
    return connection.execute(_CLAIM, {**named, "worker": worker, "probe": probe}).one_or_none()


def hindrance(connection: Connection, *, gateway: str, account: str) -> Row[Any] | None:
    """What may have kept a claim from being given: state, lease, rest, breaker; None if there is no such row."""
    return connection.execute(_HINDRANCE, {"gateway": gateway, "account": account}).one_or_none()


def defer(connection: Connection, *, gateway: str, account: str, until: datetime, reason: str) -> None:
    """Let the account and its unclaimed events wait until then, for that reason."""
    connection.execute(_DEFER, {"gateway": gateway, "account": account, "until": until, "reason": reason})


def put_off(connection: Connection, *, gateway: str, account: str, wait: timedelta, reason: str) -> None:
    """Let an account that was not claimed, and its events, wait for that long. It is no attempt."""
    connection.execute(_PUT_OFF, {"gateway": gateway, "account": account, "wait": wait, "reason": reason})


def fence(connection: Connection, *, holder: int, generation: int) -> bool:
    """Lock the account and end the claim of that generation; False if it is no longer held."""
    return connection.execute(_FENCE, {"holder": holder, "generation": generation}).rowcount == 1


def finish(
    connection: Connection, claimed: Claimed, told: Told, called: Called, *, asked_at: datetime, pause: timedelta
) -> None:
    """Write what is known now; events stored before the question are done, later ones wait for another."""
    named = {**asdict(claimed), **asdict(told), **asdict(called)}
    connection.execute(_FINISH, {**named, "asked_at": asked_at, "pause": pause})


def wait(
    connection: Connection, claimed: Claimed, called: Called, *, delay: timedelta, pause: timedelta, reason: str
) -> bool:
    """End the claim, its events waiting; False if it is no longer ours."""
    named = {**asdict(claimed), **asdict(called), "delay": delay, "pause": pause, "reason": reason}
    return connection.execute(_WAIT, named).one_or_none() is not None


def park(
    connection: Connection,
    claimed: Claimed,
    called: Called,
    *,
    reason: str,
    known_at: datetime,
    next_fetch_at: datetime | None,
) -> None:
    """Park the events of a claim that `fence` ended just before; the account's state is the reason."""
    named = {**asdict(claimed), **asdict(called), "reason": reason, "known_at": known_at}
    connection.execute(_PARK, {**named, "next_fetch_at": next_fetch_at})


def failures(connection: Connection, *, holder: int, reason: str) -> tuple[int, timedelta]:
    """How many times in a row it failed for that reason, and how long ago the first was."""
    row = connection.execute(_FAILURES, {"unit": holder, "reason": reason}).one()
    return row.attempts, row.age


def known_accounts(connection: Connection, *, gateway: str) -> list[str]:
    """Every account of that gateway that any part of the service heard of, but those that were unlinked."""
    return list(connection.execute(_KNOWN, {"gateway": gateway}).scalars())
