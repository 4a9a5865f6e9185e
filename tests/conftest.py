"""Real servers for every test that needs them: one PostgreSQL and one Valkey a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from config.servers import start_broker, start_postgres
from store.engine import connect
from store.migrate import migrate

TEMPLATE = "tieout_template"


@pytest.fixture(name="postgres", scope="session")
def _postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL with a migrated template database."""
    server = start_postgres(_reachable(tmp_path_factory) / "postgres")
    _create(server.url, TEMPLATE)
    template = connect(_database(server.url, TEMPLATE))
    migrate(template)
    template.dispose()
    yield server.url
    server.stop()


@pytest.fixture(name="broker_url", scope="session")
def _broker_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Valkey."""
    server = start_broker(_reachable(tmp_path_factory) / "broker")
    yield server.url
    server.stop()


@pytest.fixture(name="database_url")
def _database_url(postgres: str) -> Iterator[str]:
    """The address of a fresh, migrated database of this test alone."""
    name = f"t{uuid4().hex[:12]}"
    _create(postgres, name, template=TEMPLATE)
    yield _database(postgres, name)
    with _admin(postgres) as engine, engine.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))


@pytest.fixture(name="engine")
def _engine(database_url: str) -> Iterator[Engine]:
    """An engine on this test's database."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


class _admin:  # noqa: N801
    def __init__(self, url: str) -> None:
        self._engine = connect(url).execution_options(isolation_level="AUTOCOMMIT")

    def __enter__(self) -> Engine:
        return self._engine

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()


def _create(url: str, name: str, *, template: str = "template1") -> None:
    with _admin(url) as engine, engine.connect() as connection:
        connection.execute(text(f"create database {name} template {template}"))


def _database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _reachable(factory: pytest.TempPathFactory) -> Path:
    """A folder that PostgreSQL's own user can reach when the tests run as root."""
    folder = factory.mktemp("servers")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o011)
    return folder
