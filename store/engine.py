"""Connections to PostgreSQL, the same options everywhere."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

STATEMENT_TIMEOUT_MS = 30_000


def sqlalchemy_url(url: str) -> str:
    """Any PostgreSQL address as one for SQLAlchemy with psycopg 3."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def driver_url(url: str) -> str:
    """Any PostgreSQL address as one for psycopg itself."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def connect(url: str, *, pool_size: int = 5, application: str = "tieout", ping: bool = True) -> Engine:
    """An engine whose sessions run in UTC and never wait for ever.

    With `ping` a connection is tried before it is used; who repeats what failed can do without.
    """
    options = f"-c timezone=UTC -c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout=10000"
    return create_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=ping,
        connect_args={"options": options, "connect_timeout": 5, "application_name": application},
    )
