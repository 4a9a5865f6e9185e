"""Whether the database can take a durable write: there, writable, at the schema this code expects."""

from __future__ import annotations

from functools import cache

import psycopg

from store.engine import driver_url
from store.migrate import head

_ASK = """
select pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
       to_regclass('alembic_version') is not null
"""


def problem(url: str) -> str | None:
    """What stands in the way of a durable write, in words for people; None when nothing does."""
    options = "-c statement_timeout=2000"
    try:
        with psycopg.connect(
            driver_url(url), connect_timeout=2, autocommit=True, options=options, application_name="tieout-readiness"
        ) as connection:
            return _look(connection)
    except psycopg.Error as error:
        return f"the database does not answer: {(str(error).strip().splitlines() or ['?'])[0]}"


def _look(connection: psycopg.Connection[tuple[object, ...]]) -> str | None:
    recovering, read_only, migrated = connection.execute(_ASK).fetchone() or (None, None, None)
    if recovering:
        return "the database is recovering or a standby"
    if read_only:
        return "the database is read-only"
    found = connection.execute("select version_num from alembic_version").fetchone() if migrated else None
    if found is None or found[0] != _head():
        return f"the schema is at {found[0] if found else 'nothing'}, not at {_head()}: run tieout db migrate"
    return None


@cache
def _head() -> str:
    return head()
