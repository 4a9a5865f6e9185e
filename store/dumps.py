"""Backups: the whole database into one file and back, with PostgreSQL's own programs."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, Engine, text

from config.postgres import programs

LOOK = timedelta(milliseconds=200)
_PLAIN = ("--no-owner", "--no-privileges")  #: another server has other users

_EMPTY = text("select not exists (select from pg_class where relnamespace = 'public'::regnamespace)")
_USERS = text("""
select count(*) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
""")

#: Everything of the schema goes, and what the file holds comes, or nothing changes.
_CLEAR = """
set lock_timeout = '10s';
do $$ declare drop_it text; begin
  foreach drop_it in array (
    select coalesce(array_agg(format('drop %s if exists %s cascade', kind, name)), '{}') from (
    select case relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as kind,
           oid::regclass::text as name
    from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm') and not relispartition
    union all
    select 'sequence', oid::regclass::text
    from pg_class where relnamespace = 'public'::regnamespace and relkind = 'S'
    union all
    select 'routine', oid::regprocedure::text from pg_proc where pronamespace = 'public'::regnamespace
    union all
    select 'type', oid::regtype::text
    from pg_type where typnamespace = 'public'::regnamespace and typtype in ('e', 'd')
    ) as all_of_it
  ) loop execute drop_it; end loop;
end $$;
"""


class DumpError(Exception):
    """A backup or restore that failed and changed nothing; the message says why and what to do."""


Progress = Callable[[int], None]


def is_empty(connection: Connection) -> bool:
    """Whether the database holds nothing at all."""
    return bool(connection.execute(_EMPTY).scalar_one())


def sessions(connection: Connection) -> int:
    """How many others are connected to this database."""
    count: int = connection.execute(_USERS).scalar_one()
    return count


def dump(engine: Engine, target: Path, progress: Progress) -> str:
    """Write a backup and its checksum, readable by its owner alone; the SHA-256 in hex.

    The file appears whole or not at all. Raises `DumpError`, `ServerError`.
    """
    target = target.absolute()
    fresh = target.with_name(f".{target.name}.{uuid4().hex[:8]}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh.touch(mode=0o600)
        _run(
            engine, ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={fresh}"], fresh, progress
        )
        _sync(fresh)
        digest = checksum(fresh)
        _checksum_file(target).write_text(f"{digest}  {target.name}\n")
        fresh.replace(target)
    except OSError as error:
        raise DumpError(f"cannot write {target}: {error.strerror}; name a file elsewhere") from None
    finally:
        fresh.unlink(missing_ok=True)
    return digest


def verify(source: Path) -> str | None:
    """Read a backup from end to end: its checksum, None if none was kept with it. Raises `DumpError`."""
    if not source.is_file():
        raise DumpError(f"there is no file {source}")
    kept = _checksum_file(source)
    expected = kept.read_text().split()[0] if kept.exists() else None
    if expected and checksum(source) != expected:
        raise DumpError(f"{source} is not what was written: its SHA-256 differs from {kept.name}; use another backup")
    read = _call(["pg_restore", f"--file={os.devnull}", str(source)], {})
    if read.returncode:
        raise DumpError(f"{source} is no backup that can be read: {_told(read.stderr)}")
    return expected


def restore(engine: Engine, source: Path, progress: Progress) -> None:
    """Put a backup in the place of all there is, in one transaction. Raises `DumpError`."""
    with _as_sql(source) as script:
        arguments = ["psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        _run(engine, [*arguments, f"--command={_CLEAR}", f"--file={script}", "--output", os.devnull], source, progress)


def checksum(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _as_sql(source: Path) -> Iterator[Path]:
    """The backup as the SQL that makes it again, in a private file beside it that is deleted afterwards."""
    script = source.absolute().with_name(f".{source.name}.{uuid4().hex[:8]}.sql")
    try:
        script.touch(mode=0o600)
        written = _call(["pg_restore", *_PLAIN, f"--file={script}", str(source)], {})
        if written.returncode:
            raise DumpError(f"{source} is no backup that can be read: {_told(written.stderr)}")
        yield script
    except OSError as error:
        raise DumpError(f"cannot write beside {source}: {error.strerror}; copy it elsewhere first") from None
    finally:
        script.unlink(missing_ok=True)


def _run(engine: Engine, arguments: Sequence[str], grows: Path, progress: Progress) -> None:
    """Run a program on the engine's database, telling the size of a file as it goes."""
    url = engine.url
    address = url._replace(drivername="postgresql", password=None).render_as_string()
    program, *rest = arguments
    with subprocess.Popen(  # noqa: S603 programs of the wheel, no shell
        [programs() / program, f"--dbname={address}", *rest],
        env={"LC_ALL": "C", "PATH": os.defpath, "PGPASSWORD": str(url.password or ""), "PGCONNECT_TIMEOUT": "10"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while True:
            try:
                _, told = process.communicate(timeout=LOOK.total_seconds())
                break
            except subprocess.TimeoutExpired:
                progress(grows.stat().st_size)
    if process.returncode:
        raise DumpError(f"{program} failed and nothing was changed: {_told(told)}")


def _call(arguments: Sequence[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program, *rest = arguments
    return subprocess.run(  # noqa: S603 programs of the wheel, no shell
        [programs() / program, *rest],
        env={"LC_ALL": "C", "PATH": os.defpath, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def _told(stderr: str) -> str:
    """What a program says is wrong, with the way out where we know it."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    if any("server version mismatch" in line for line in lines):
        return "the server is newer than this pg_dump: use the pg_dump that came with it"
    if any("lock timeout" in line for line in lines):
        return "the service still uses the tables: stop it first"
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it said nothing"])[0]


def _checksum_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
