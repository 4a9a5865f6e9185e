"""Save a group of arrivals: one prepared statement, one commit, one character back for each row.

The driver's own layer is used: arrays go out in binary, packed here, because dumping them value by
value takes longer than everything else an arrival costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final, NamedTuple

import psycopg
from psycopg import pq

ACCEPTED, DUPLICATE, REUSED = "a", "d", "r"

CONNECT_S: Final = 3
STATEMENT_MS: Final = 10_000
_OPTIONS: Final = (
    f"-c timezone=UTC -c statement_timeout={STATEMENT_MS} -c lock_timeout=5000 -c synchronous_commit=on"
    " -c jit=off -c plan_cache_mode=force_generic_plan"
    " -c enable_seqscan=off"  # the plan is made once, perhaps while the tables are still empty
)


class Arrival(NamedTuple):
    """One verified webhook as it is stored; ids it does not name are None."""

    event_id: bytes  #: 16 bytes
    gateway: str
    book: str
    family: str
    transaction_id: str | None
    batch_id: str | None
    account: str | None
    key_id: str
    received_at: datetime
    body: bytes
    headers: bytes  #: a JSON object
    signature: bytes
    marks: str  #: separated by commas
    parked: str | None  #: why nothing will be asked for it


class CannotSaveError(Exception):
    """Nothing can be saved durably now; `again` when the same may succeed on another connection."""

    def __init__(self, message: str, *, again: bool = False) -> None:
        """Take what the database said."""
        super().__init__(message)
        self.again = again


class BadRowError(Exception):
    """The database refuses the content of at least one row of the group."""


_STATEMENT: Final = """
with input as materialized (
  select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                       $9::timestamptz[], $10::bytea[], $11::text[], $12::bytea[], $13::text[], $14::text[])
    with ordinality as t(event_id, gateway, book, family, transaction_id, batch_id, account, key_id,
                         received_at, body, headers, signature, marks, parked, n)
), carried as (
  select input.*,
         exists (select from signatures s where s.signature = input.signature and s.event_id = input.event_id) as known,
         (select count(*) from signatures s where s.signature = input.signature) as bodies
  from input
), counted as materialized (
  select *, bodies + dense_rank() over (partition by signature, known order by event_id) as place from carried
), kept as materialized (
  select * from counted where known or place <= $15::int
), stored as (
  insert into events (event_id, gateway, book, family, transaction_id, batch_id, account, key_id, received_at,
                      state, reason, next_attempt_at)
  select event_id, gateway, book, family, transaction_id, batch_id, account, key_id, received_at,
         case when parked is null then 'received' else 'parked' end, parked,
         case when parked is null then clock_timestamp() + $16::int * interval '1 second' end
  from kept order by event_id
  on conflict (event_id) do nothing returning event_id
), drained as materialized (
  select array_agg(event_id) as ids from stored
), signed as (
  insert into signatures (signature, event_id)
  select distinct signature, event_id from kept, drained where not known order by 1, 2
  on conflict do nothing
), delivered as (
  insert into deliveries (event_id, received_at, body, headers, signature, key_id, verdict, marks)
  select event_id, received_at, body, headers::jsonb, signature, key_id, 'verified',
         string_to_array(marks, ',')
           || case when not known and place > 1 then '{signature-reused}'::text[] else '{}' end
  from kept, drained order by n
), alerted as (
  insert into alerts (name, gateway, subject, detail)
  select parked, gateway, event_id::text, 'a verified webhook that nothing can be asked for'
  from kept, drained where parked is not null order by event_id
  on conflict do nothing
)
select string_agg(case when not (known or place <= $15::int) then 'r'
                       when event_id = any (drained.ids) then 'a' else 'd' end, '' order by n)
from counted, drained
"""

_PROBE: Final = """
insert into signs_of_life (kind, name, seen_at) values ('edge', 'probe', clock_timestamp())
on conflict (kind, name) do update set seen_at = excluded.seen_at
"""

_AGAIN: Final = ("08", "57P", "40")  #: connection gone, server stopping, deadlock
_NAME: Final = b"arrivals"
_TEXT, _BYTES, _UUID, _INSTANT = 25, 17, 2950, 1184
_COLUMNS: Final = (_UUID, *(_TEXT,) * 7, _INSTANT, _BYTES, _TEXT, _BYTES, _TEXT, _TEXT)
_HEAD, _LENGTH, _LONG = Struct("!iiIii"), Struct("!i"), Struct("!q")
_NULL: Final = _LENGTH.pack(-1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_BINARY: Final = [1] * (len(_COLUMNS) + 2)


class Saver:
    """One connection that saves groups. Used by one thread."""

    def __init__(self, url: str, *, reuse_max: int, first_announce_s: int) -> None:
        """Connect and prepare. Raises `CannotSaveError`.

        `reuse_max` is how many bodies a signature may carry; the sweep takes an event up after
        `first_announce_s` seconds.
        """
        try:
            self._connection = psycopg.connect(
                url,
                autocommit=True,
                connect_timeout=CONNECT_S,
                application_name="tieout-edge",
                options=_OPTIONS,
                tcp_user_timeout=15_000,
            )
        except psycopg.Error as error:
            raise CannotSaveError(f"no connection: {_first_line(str(error))}", again=True) from None
        self._limits = [_LENGTH.pack(reuse_max), _LENGTH.pack(first_announce_s)]
        try:
            self._checked(self._connection.pgconn.prepare(_NAME, _STATEMENT.encode()))
        except CannotSaveError:
            self._connection.close()
            raise

    def save(self, group: Sequence[Arrival]) -> str:
        """Save a group in one statement and commit; one character a row says what became of it.

        `a`: its event is new; `d`: known; `r`: not saved, its signature was used up.
        Raises `CannotSaveError`, or `BadRowError` when a row's content is refused.
        """
        values = [_array(kind, column) for kind, column in zip(_COLUMNS, zip(*group, strict=True), strict=True)]
        result = self._connection.pgconn.exec_prepared(_NAME, values + self._limits, _BINARY, 1)
        return (self._checked(result).get_value(0, 0) or b"").decode()

    def probe(self) -> None:
        """Commit something small, to know whether anything can be. Raises `CannotSaveError`."""
        self._checked(self._connection.pgconn.exec_(_PROBE.encode()))

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _checked(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            return result
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        message = f"{state} {_first_line(result.error_message.decode('utf-8', 'replace'))}"
        if self._connection.pgconn.status != pq.ConnStatus.OK or not state or state.startswith(_AGAIN):
            raise CannotSaveError(f"connection lost: {message}", again=True)
        if state.startswith(("22", "23", "54")):
            raise BadRowError(message)
        raise CannotSaveError(message)


def _array(kind: int, items: Sequence[object]) -> bytes:
    """One column as PostgreSQL's binary array."""
    parts = [_HEAD.pack(1, 1, kind, len(items), 1)]
    for item in _instants(items) if kind == _INSTANT else _texts(items) if kind == _TEXT else items:
        parts += (_NULL,) if item is None else (_LENGTH.pack(len(item)), item)  # type: ignore[arg-type]
    return b"".join(parts)


def _texts(items: Sequence[object]) -> Iterable[bytes | None]:
    return (item.encode() if isinstance(item, str) else item for item in items)  # type: ignore[misc]


def _instants(items: Sequence[object]) -> Iterable[bytes]:
    return (_LONG.pack((item - _EPOCH) // _MICROSECOND) for item in items)  # type: ignore[operator]


def _first_line(message: str) -> str:
    return (message.strip().splitlines() or ["no message"])[0]
