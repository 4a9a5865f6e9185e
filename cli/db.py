"""`tieout db`: look after the database. The embedded one is backed up by nobody else."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
from sqlalchemy import Engine, text

from cli.context import servers, settings
from cli.show import FOUND, WRONG_CALL, Failure, stderr
from cli.show import as_json as json_of
from store import dumps, migrate
from store.engine import connect

_SIZE = text("select pg_database_size(current_database()), current_setting('server_version'), current_database()")
_MIB = 1 << 20

T = TypeVar("T")


EPILOG = """
\b
Examples:
  tieout db status                      where it is, at which schema, how large
  tieout db migrate                     bring your own database to this release's schema
  tieout db backup before-upgrade.dump  everything in one file
  tieout db restore before-upgrade.dump --replace
"""


@click.group(epilog=EPILOG)
def db() -> None:
    """Status, migration, backup and restore of the database."""


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(*, as_json: bool) -> None:
    """Say where the database is, at which schema, and how large. Exit 1 if it is not migrated."""
    with _engine() as (engine, embedded), engine.connect() as connection:
        size, version, name = connection.execute(_SIZE).one()
        found, head = migrate.current(connection), migrate.head()
        row = {
            "database": name,
            "server": "embedded" if embedded else "your own",
            "version": version,
            "schema": found,
            "head": head,
            "size_bytes": size,
            "disk_free_bytes": shutil.disk_usage(settings().home).free if embedded else None,
        }
    if as_json:
        click.echo(json_of(row))
    else:
        _print(row)
    if found != head:
        raise Failure(FOUND, f"the database is at schema {found or 'none'}, not at {head}: run tieout db migrate")


@db.command("migrate")
def migrate_() -> None:
    """Bring the database to the schema of this release; doing it twice does no harm."""
    with _engine() as (engine, _):
        with engine.connect() as connection:
            before = migrate.current(connection)
        migrate.migrate(engine)
        after = migrate.head()
    click.echo(f"already at schema {after}" if before == after else f"migrated from {before or 'nothing'} to {after}")


@db.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def backup(*, file: Path | None) -> None:
    """Write everything into FILE, by default one in the home folder; its SHA-256 lies beside it."""
    target = file or settings().home / "backups" / f"tieout-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"
    with _engine() as (engine, _), _progress("backing up") as progress:
        migrate.require_head(engine)
        digest = _done(lambda: dumps.dump(engine, target, progress))
    click.echo(f"{target}  {target.stat().st_size / _MIB:.1f} MiB  sha256 {digest}")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in the place of what the database holds now.")
def restore(*, file: Path, replace: bool) -> None:
    """Verify FILE, then put it into an empty database; with --replace into any, all or nothing."""
    stderr().print(f"verifying {file}")
    checked = _done(lambda: dumps.verify(file))
    if checked is None:
        stderr().print(f"no {file.name}.sha256 lies beside it: read whole, but its checksum could not be compared")
    with _engine() as (engine, _):
        _refuse_if_in_use(engine, replace=replace)
        with _progress("restoring from") as progress:
            _done(lambda: dumps.restore(engine, file, progress))
        with engine.connect() as connection:
            found = migrate.current(connection)
    click.echo(f"restored, at schema {found}")
    if found != migrate.head():
        click.echo("now run: tieout db migrate", err=True)


def _refuse_if_in_use(engine: Engine, *, replace: bool) -> None:
    """Pass only when restoring destroys nothing that is not meant to go. Raises `Failure`."""
    with engine.connect() as connection:
        if not (replace or dumps.is_empty(connection)):
            fix = "back it up first (tieout db backup), then restore with --replace"
            raise Failure(WRONG_CALL, f"the database is not empty: {fix}")
        if others := dumps.sessions(connection):
            raise Failure(WRONG_CALL, f"{others} sessions use the database: stop the service first, then restore")


@contextmanager
def _engine() -> Iterator[tuple[Engine, bool]]:
    """An engine on the database as it is, migrated or not, and whether it is the embedded one."""
    with servers() as found:
        engine = connect(found.database_url, application="tieout-db")
        try:
            yield engine, found.postgres is not None
        finally:
            engine.dispose()


@contextmanager
def _progress(doing: str) -> Iterator[dumps.Progress]:
    with stderr().status(doing) as shown:
        yield lambda size: shown.update(f"{doing} {size / _MIB:.1f} MiB")


def _done(work: Callable[[], T]) -> T:
    try:
        return work()
    except dumps.DumpError as error:
        raise Failure(FOUND, str(error)) from None


def _print(row: dict[str, object]) -> None:
    for name, value in row.items():
        shown = f"{value / _MIB:,.0f} MiB" if name.endswith("_bytes") and isinstance(value, int) else value
        if value is not None or name == "schema":
            click.echo(f"{name.removesuffix('_bytes').replace('_', ' '):10} {shown or 'none'}")
