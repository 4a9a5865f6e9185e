"""Signs of life, and which periodic work was done: rows that anybody may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

_SEEN = text("""
insert into signs_of_life as s (kind, name, sent_at, seen_at, detail)
values (:kind, :name, :sent_at, clock_timestamp(), :detail)
on conflict (kind, name) do update
set sent_at = excluded.sent_at, seen_at = clock_timestamp(), detail = excluded.detail
""").bindparams(bindparam("detail", type_=JSONB(none_as_null=True)))

_ONCE = text("""
with gone as (
  delete from periods where job = :job and period_start < clock_timestamp() - greatest(:every * 100, interval '1 hour')
)
insert into periods (job, period_start)
values (:job, date_bin(:every, clock_timestamp(), timestamptz '2020-01-01 00:00:00+00'))
on conflict do nothing
""")

_SIGNS = text("""
select kind, name, sent_at, seen_at, detail, clock_timestamp() - seen_at as age from signs_of_life order by kind, name
""")

_GONE = text("delete from signs_of_life where kind = :kind and name = :name")

_FORGET = text("delete from signs_of_life where seen_at < clock_timestamp() - cast(:age as interval)")

_DB_NOW = text("select clock_timestamp()")


def seen(
    connection: Connection,
    *,
    kind: str,
    name: str,
    sent_at: datetime | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write that it lives, by the database's clock."""
    connection.execute(_SEEN, {"kind": kind, "name": name, "sent_at": sent_at, "detail": detail})


def gone(connection: Connection, *, kind: str, name: str) -> None:
    """Forget one that ended as it should: its silence is nothing to look at."""
    connection.execute(_GONE, {"kind": kind, "name": name})


def begin_period(connection: Connection, *, job: str, every: timedelta) -> bool:
    """Whether nobody has begun that job in this period; if so it is ours to do."""
    return connection.execute(_ONCE, {"job": job, "every": every}).rowcount == 1


def signs(connection: Connection) -> Sequence[Row[Any]]:
    """Every sign of life with its age."""
    return connection.execute(_SIGNS).all()


def forget_signs(connection: Connection, *, age: timedelta) -> int:
    """Forget who has not been seen for that long; how many."""
    return connection.execute(_FORGET, {"age": age}).rowcount


def database_now(connection: Connection) -> datetime:
    """The database's clock."""
    now: datetime = connection.execute(_DB_NOW).scalar_one()
    return now
