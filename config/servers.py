"""The database and the broker of a run: the user's own, checked, or the embedded ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from config.account import STATE
from config.embedded import Server, start
from config.postgres import Postgres
from config.server_errors import ServerError
from config.settings import Settings
from config.valkey import Valkey

POSTGRES_LEAST = 150_000  #: as `server_version_num` counts
BROKER_LEAST = (6, 2)
ANSWER_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where the database and the broker are, with their passwords: never log this."""

    database_url: str
    broker_url: str
    started: bool  #: whether this process started any of them
    postgres: Server | None  #: the embedded one, else None
    broker: Server | None  #: the embedded one, else None

    def restart_postgres(self) -> None:
        """Restart the embedded PostgreSQL and wait until it answers. Raises `ServerError`."""
        if self.postgres is None:
            raise ServerError("the database is your own: restart it yourself")
        self.postgres.restart()


def start_postgres(folder: Path) -> Server:
    """An embedded PostgreSQL with its state in that folder, found running or started."""
    return start(Postgres(), folder)


def start_broker(folder: Path) -> Server:
    """An embedded Valkey with its state in that folder, found running or started."""
    return start(Valkey(), folder)


@contextmanager
def open_servers(settings: Settings) -> Iterator[Servers]:
    """Hold a database and a broker that are fit for use. Raises `ServerError`.

    The user's own are used as they are set and checked first. Embedded ones are found running or
    started, and end when the last process that holds them lets go. Whether the schema is the one
    this code expects is for `store.migrate` to say.
    """
    with ExitStack() as stack:
        postgres = broker = None
        if settings.database_url is None:
            postgres = start_postgres(settings.home / "postgres")
            stack.callback(postgres.stop)
        if settings.broker_url is None:
            broker = start_broker(settings.home / "valkey")
            stack.callback(broker.stop)
        yield Servers(
            database_url=postgres.url if postgres else _checked_database(settings),
            broker_url=broker.url if broker else _checked_broker(settings),
            started=any(server.started for server in (postgres, broker) if server),
            postgres=postgres,
            broker=broker,
        )


@contextmanager
def open_database(settings: Settings) -> Iterator[tuple[str, bool]]:
    """The database alone: its address, and whether it is the embedded one. Raises `ServerError`."""
    if settings.database_url is not None:
        yield _checked_database(settings), False
        return
    server = start_postgres(settings.home / "postgres")
    try:
        yield server.url, True
    finally:
        server.stop()


@contextmanager
def open_broker(settings: Settings) -> Iterator[str]:
    """The broker alone: one's own, unchecked, or the embedded one. Raises `ServerError`."""
    if settings.broker_url is not None:
        yield settings.broker_url.get_secret_value()
        return
    server = start_broker(settings.home / "valkey")
    try:
        yield server.url
    finally:
        server.stop()


def remove_home(home: Path) -> None:
    """Delete a home folder, and the data that lies elsewhere because PostgreSQL could not reach it."""
    data = home / "postgres" / "data"
    if data.is_symlink() and data.resolve().is_relative_to(STATE):
        shutil.rmtree(data.resolve().parent, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def check_database(url: str) -> str:
    """The version of a PostgreSQL that is fit. Raises `ServerError`, with what to do."""
    try:
        with psycopg.connect(url, connect_timeout=ANSWER_S) as connection:
            version, version_text = connection.info.server_version, connection.info.parameter_status("server_version")
            row = connection.execute("select pg_is_in_recovery()").fetchone()
    except psycopg.OperationalError as error:
        lines = [line.strip() for line in str(error).splitlines()]
        said = next((line for line in lines if "failed" in line or "FATAL" in line), str(error).strip())
        raise ServerError(f"the database does not answer: {said}; start it or correct TIEOUT_DATABASE_URL") from None
    except psycopg.ProgrammingError:
        raise ServerError("TIEOUT_DATABASE_URL is not of the form postgresql://user:password@host:port/name") from None
    if version < POSTGRES_LEAST:
        raise ServerError(f"PostgreSQL {version_text} is too old: upgrade it to 15 or newer, or use the embedded one")
    if row and row[0]:
        raise ServerError("the database is a standby that takes no writes: point TIEOUT_DATABASE_URL at the primary")
    return version_text or str(version)


def check_broker(url: str) -> dict[str, str]:
    """What a broker that is fit tells of itself (its INFO). Raises `ServerError`, with what to do."""
    try:
        with redis.Redis.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S) as client:
            info = {str(name): str(value) for name, value in client.info("everything").items()}
    except ValueError:
        raise ServerError("TIEOUT_BROKER_URL is not of the form redis://:password@host:port/0") from None
    except redis.RedisError as error:
        raise ServerError(f"the broker does not answer: {error}; start it or correct TIEOUT_BROKER_URL") from None
    version, policy = info.get("redis_version", "0"), info.get("maxmemory_policy", "noeviction")
    if tuple(int(part) for part in version.split(".")[:2]) < BROKER_LEAST:
        raise ServerError(f"the broker speaks Redis {version}, too old: upgrade it to Redis 6.2, Valkey 7.2 or newer")
    if policy.startswith("allkeys-"):
        fix = "run CONFIG SET maxmemory-policy noeviction and write it to its configuration"
        raise ServerError(f"the broker evicts queues when it is full (maxmemory-policy {policy}): {fix}")
    return info


def _checked_database(settings: Settings) -> str:
    assert settings.database_url is not None  # the caller looked
    url = _plain(settings.database_url.get_secret_value())
    check_database(url)
    return url


def _checked_broker(settings: Settings) -> str:
    assert settings.broker_url is not None  # the caller looked
    url = settings.broker_url.get_secret_value()
    check_broker(url)
    return url


def _plain(url: str) -> str:
    """An address as the driver itself takes it: without the name of a Python driver in its scheme."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{mark}{rest}"
