"""What `tieout doctor` looks at on this machine: each check says what it saw and, if bad, the fix."""

from __future__ import annotations

import difflib
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import requests
from dotenv import dotenv_values
from sqlalchemy import Connection, Engine, text

from config.bounds import out_of_order
from config.clock import Clock
from config.embedded import is_free
from config.keys import Key
from config.servers import Servers, check_broker
from config.settings import PREFIX, Gateway, Settings
from store import life
from store.readiness import problem
from tieout.desk.queue import ALIVE_S, SWEEP_LATE_S

PYTHON_LEAST = (3, 11)
DISK_LEAST_BYTES = 1 << 30
SKEW_MOST = timedelta(seconds=2)
SILENT = timedelta(seconds=ALIVE_S)  #: a process not heard of for so long counts as gone
SWEEP_LATE = timedelta(seconds=SWEEP_LATE_S)
ANSWER_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at; `fix` is empty when it is well."""

    check: str
    ok: bool
    detail: str
    fix: str = ""


def machine(settings: Settings) -> Iterator[Check]:
    """The interpreter, the disk, the ports, the names of settings, the keys: nothing that needs a server."""
    version = platform.python_version()
    yield Check(check="python", ok=sys.version_info >= PYTHON_LEAST, detail=f"{version} at {sys.executable}")
    yield _names_of_settings()
    yield from _limits(settings)
    yield from _gateways_file(settings)
    yield _disk(settings.home)
    yield _port("edge", settings.edge_host, settings.edge_port)
    yield _port("console", "127.0.0.1", settings.console_port)


def keys(settings: Settings, now: datetime) -> Iterator[Check]:
    """Each gateway's secrets: some of each kind valid now, and no secret in both places."""
    gateways = settings.gateways()
    if not gateways:
        fix = "set TIEOUT_GATEWAY_NAME, TIEOUT_GATEWAY_SECRETS and TIEOUT_GATEWAY_API_SECRETS in .env"
        yield Check(check="keys", ok=True, detail=f"no gateway is set; `make run` plays a simulated day; else {fix}")
    for gateway in gateways:
        yield _keys_of(gateway, now)


def of_servers(servers: Servers, engine: Engine, *, wall: Clock) -> Iterator[Check]:
    """The database and the broker: fit, migrated, their clocks, how they keep what they hold."""
    yield _database(servers, engine)
    with engine.connect() as connection:
        yield _clock(life.database_now(connection) - wall.now())
    yield from _broker(servers)


def of_service(engine: Engine, settings: Settings) -> Iterator[Check]:
    """Whether the parts that work in the background do, when the service is up at all."""
    up = _answers(settings.edge_host, settings.edge_port)
    with engine.connect() as connection:
        yield _alive(connection, "worker", SILENT, up=up, fix="start it: `make run`, or the Procfile's worker")
        yield _alive(connection, "beat", SILENT, up=up, fix="start it: `make run`, or the Procfile's beat")
        yield _alive(
            connection, "sweep", SWEEP_LATE, up=up, fix="start a worker and beat, and look at the worker's log"
        )


def migrated(url: str) -> bool:
    """Whether the database can be asked about the service at all."""
    return problem(url) is None


def _limits(settings: Settings) -> Iterator[Check]:
    """A lease that ends before its call does makes others begin the same work again."""
    if wrong := out_of_order(settings.call_deadline_s, settings.task_limit_s, settings.lease_s):
        fix = "make the lease longer than the task, and the task longer than the call"
        yield Check(check="limits", ok=False, detail=wrong, fix=fix)


def _gateways_file(settings: Settings) -> Iterator[Check]:
    """A file that somebody named and that is not there: its gateways' webhooks would be answered 404."""
    named = "gateways_file" in settings.model_fields_set and not settings.simulated  # that day names none on purpose
    if named and not settings.gateways_file.exists():
        fix = "correct TIEOUT_GATEWAYS_FILE, or unset it if there are no further gateways"
        yield Check(check="gateways file", ok=False, detail=f"there is no {settings.gateways_file}", fix=fix)


def _names_of_settings() -> Check:
    """A setting whose name is misspelt would be ignored in silence."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    known |= {f"{name}_FILE" for name in known}
    given = {name for name in (*os.environ, *dotenv_values(".env")) if name.startswith(PREFIX)}  # noqa: TID251 names only
    strange = sorted(given - known)
    near = [match for name in strange for match in difflib.get_close_matches(name, known, n=1)]
    meant = f"; did you mean {', '.join(near)}?" if near else ""
    return Check(
        check="settings",
        ok=not strange,
        detail=f"nobody reads {', '.join(strange)}" if strange else f"{len(given)} set, all known",
        fix=f"see docs/settings.md{meant}" if strange else "",
    )


def _disk(home: Path) -> Check:
    folder = next(path for path in (home.absolute(), *home.absolute().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    writable = os.access(folder, os.W_OK)
    detail = f"{free / (1 << 30):.1f} GiB free at {folder}" + ("" if writable else ", not writable")
    ok = free >= DISK_LEAST_BYTES and writable
    return Check(check="disk", ok=ok, detail=detail, fix="" if ok else "free some space, or set TIEOUT_HOME elsewhere")


def _port(part: str, host: str, port: int) -> Check:
    name = f"port {part}"
    if is_free(port):
        return Check(check=name, ok=True, detail=f"{port} is free")
    if _answers(host, port):
        return Check(check=name, ok=True, detail=f"{port}: the {part} answers")
    fix = f"stop what listens there, or set TIEOUT_{part.upper()}_PORT to another"
    return Check(check=name, ok=False, detail=f"{port} is taken by another program", fix=fix)


def _answers(host: str, port: int) -> bool:
    address = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 compared, not bound
    try:
        return requests.get(f"http://{address}:{port}/livez", timeout=ANSWER_S).ok
    except requests.RequestException:
        return False


def _keys_of(gateway: Gateway, now: datetime) -> Check:
    name = f"keys {gateway.name}"
    tokens = [key for key in gateway.secrets if key.valid_at(now)]
    hooks = [key for key in gateway.api_secrets if key.valid_at(now)]
    told = f"JWT {_prints(tokens)}; API and webhooks {_prints(hooks)}"
    if not tokens or not hooks:
        fix = "set both TIEOUT_GATEWAY_SECRETS and TIEOUT_GATEWAY_API_SECRETS, with windows that hold today"
        return Check(check=name, ok=False, detail=f"{told}: one is missing or not valid now", fix=fix)
    if {key.secret for key in tokens} & {key.secret for key in hooks}:
        fix = "the Gateway gives two different secrets: put each in its own setting"
        return Check(check=name, ok=False, detail=f"{told}: the same secret in both places", fix=fix)
    return Check(check=name, ok=True, detail=told)


def _prints(keys_: list[Key]) -> str:
    return ", ".join(f"{key.key_id} ({key.fingerprint})" for key in keys_) or "none"


def _database(servers: Servers, engine: Engine) -> Check:
    where = "embedded" if servers.postgres else "your own"
    if wrong := problem(servers.database_url):
        return Check(check="database", ok=False, detail=wrong, fix="run `tieout db migrate`, or see docs/operating.md")
    with engine.connect() as connection:
        version = connection.execute(text("show server_version")).scalar_one()
        durable = connection.execute(text("show fsync")).scalar_one() == "on"
    fix = "" if durable else "set fsync on: without it a power cut loses what was acknowledged"
    return Check(check="database", ok=durable, detail=f"PostgreSQL {version}, {where}, schema current", fix=fix)


def _clock(skew: timedelta) -> Check:
    detail = f"the database's clock differs by {abs(skew) // timedelta(milliseconds=1)} ms"
    ok = abs(skew) <= SKEW_MOST
    return Check(check="clock", ok=ok, detail=detail, fix="" if ok else "set both clocks by NTP: leases rely on them")


def _broker(servers: Servers) -> Iterator[Check]:
    info = check_broker(servers.broker_url)
    product = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info['redis_version']}"
    where = "embedded" if servers.broker else "your own"
    yield Check(check="broker", ok=True, detail=f"{product}, {where}")
    policy = info.get("maxmemory_policy", "not told")
    kept = policy in ("noeviction", "not told")
    fix = "" if kept else "CONFIG SET maxmemory-policy noeviction: it may evict queues when it is full"
    yield Check(check="broker eviction", ok=kept, detail=policy, fix=fix)
    durable = info.get("aof_enabled") == "1"
    fix = "" if durable else "CONFIG SET appendonly yes: a restart forgets messages until the sweep sends them again"
    yield Check(check="broker durability", ok=durable, detail="AOF on" if durable else "AOF off", fix=fix)


def _alive(connection: Connection, kind: str, silent: timedelta, *, up: bool, fix: str) -> Check:
    ages: list[timedelta] = [sign.age for sign in life.signs(connection) if sign.kind == kind]
    if not ages or min(ages) > silent:
        if not up:
            return Check(check=kind, ok=True, detail="the service is not running")
        return Check(check=kind, ok=False, detail="not heard of lately, though the edge answers", fix=fix)
    return Check(check=kind, ok=True, detail=f"heard of {min(ages) // timedelta(seconds=1)} s ago")
