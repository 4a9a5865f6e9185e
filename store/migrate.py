"""Bring a database to the schema this code expects, and tell whether it is there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from config.server_errors import ServerError

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_130_816  #: any number, the same for all: one migration at a time
PARTITIONED = ("deliveries", "snapshots", "attempts")
MONTHS_AHEAD = 3


def head() -> str:
    """The newest revision that this code knows."""
    return str(_scripts().get_current_head())


def current(connection: Connection) -> str | None:
    """The revision the database is at; None if it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def require_head(engine: Engine) -> None:
    """Pass only when the database is at the schema this code expects. Raises `ServerError`."""
    with engine.connect() as connection:
        found = current(connection)
    if found != head():
        known = found is None or found in {script.revision for script in _scripts().walk_revisions()}
        fix = "run `tieout db migrate`" if known else "run the newer release that migrated it"
        raise ServerError(f"the database is at schema {found or 'none'}, this release needs {head()}: {fix}")


def migrate(engine: Engine) -> None:
    """Bring the database to the newest revision and make the coming months' partitions."""
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        add_partitions(connection, datetime.now(UTC))


def add_partitions(connection: Connection, now: datetime) -> None:
    """Make each partitioned table's partitions from this month to some months ahead.

    Rows of any other month lie in the default partition: nothing is ever refused for its date.
    """
    first = now.year * 12 + now.month - 1
    for table in PARTITIONED:
        for month in range(first, first + MONTHS_AHEAD + 1):
            connection.execute(text(_partition(table, month)))


def _partition(table: str, month: int) -> str:
    start, end = (f"{m // 12:04}-{m % 12 + 1:02}-01 00:00:00+00" for m in (month, month + 1))
    name = f"{table}_{month // 12:04}_{month % 12 + 1:02}"
    return f"create table if not exists {name} partition of {table} for values from ('{start}') to ('{end}')"


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config
