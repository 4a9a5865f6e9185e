"""A database shared by a file's tests, each of which takes back what it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url

from cli import context
from store.engine import connect
from tests import settled_day
from tests.builders import EVENING, GATEWAY
from tests.gateway_stub import Stub, gateway_stub

TEMPLATE = "tieout_template"
SETTLED = "tieout_settled"


@pytest.fixture(name="shared_engine", scope="module")
def _shared_engine(postgres: str) -> Iterator[Engine]:
    """An engine on a migrated database of this file alone."""
    name = f"f{uuid4().hex[:12]}"
    admin = connect(postgres).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name} template {TEMPLATE}"))
    engine = connect(make_url(postgres).set(database=name).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
    admin.dispose()


@pytest.fixture(name="connection")
def _connection(shared_engine: Engine) -> Iterator[Connection]:
    """A connection whose database transaction is rolled back at the end: nothing of a test stays."""
    with shared_engine.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture(name="stub")
def _stub() -> Iterator[Stub]:
    """The stand-in of the Gateway."""
    with gateway_stub() as stub:
        yield stub


@pytest.fixture(name="clock")
def _clock(database_url: str, broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Settings of one gateway on the tests' own servers, and a clock that stands at 20:30 IST."""
    clock = tmp_path / "clock"
    clock.write_text(EVENING.isoformat())
    named = {
        "HOME": str(tmp_path),
        "DATABASE_URL": database_url,
        "BROKER_URL": broker_url,
        "GATEWAY_NAME": GATEWAY,
        "GATEWAY_SECRETS": "k1:a-secret-of-some-length-for-tests",
        "GATEWAY_API_SECRETS": "k1:another-secret-of-some-length",
        "SIMULATED": "true",
        "CLOCK_FILE": str(clock),
    }
    for name, value in named.items():
        monkeypatch.setenv(f"TIEOUT_{name}", value)
    context.settings.cache_clear()
    yield clock
    context.settings.cache_clear()


@pytest.fixture(name="settled", scope="session")
def _settled(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with the day of `settled_day` in it, to be copied."""
    _run(postgres, f"create database {SETTLED} template {TEMPLATE}")
    engine = connect(make_url(postgres).set(database=SETTLED).render_as_string(hide_password=False))
    settled_day.tell(engine, tmp_path_factory.mktemp("settled"))
    engine.dispose()
    return SETTLED


@pytest.fixture(name="settled_url")
def _settled_url(postgres: str, settled: str) -> Iterator[str]:
    """The address of a copy of that day, of this test alone."""
    name = f"s{uuid4().hex[:12]}"
    _run(postgres, f"create database {name} template {settled}")
    yield make_url(postgres).set(database=name).render_as_string(hide_password=False)
    _run(postgres, f"drop database {name} with (force)")


def _run(url: str, statement: str) -> None:
    admin = connect(url).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(statement))
    admin.dispose()
