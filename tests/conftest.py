"""Real servers for every test that needs them: one PostgreSQL and one Valkey a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import hypothesis
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from config.embedded import start
from config.postgres import Postgres
from config.servers import start_broker
from store.engine import connect
from store.migrate import migrate
from tests import desk_story

TEMPLATE = "tieout_template"
#: A database is made and dropped for nearly every test; none of them cuts the machine's power.
HASTY = {"fsync": "off", "full_page_writes": "off"}


# The same examples at every run, so that a run says something of the change; search for new ones with
# `pytest --hypothesis-profile=default --hypothesis-seed=random tests/property`.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis.settings.load_profile("steady")


@pytest.fixture(name="servers_folder", scope="session")
def _servers_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own account can enter when the tests run as root; pytest's are closed."""
    with TemporaryDirectory(prefix="tieout servers ", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(name="postgres", scope="session")
def _postgres(servers_folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL with a migrated template database."""
    server = start(Postgres(but=HASTY), servers_folder / "postgres")
    _create(server.url, TEMPLATE)
    template = connect(_database(server.url, TEMPLATE))
    migrate(template)
    template.dispose()
    yield server.url
    server.stop()


@pytest.fixture(name="broker_url", scope="session")
def _broker_url(servers_folder: Path) -> Iterator[str]:
    """The address of a Valkey."""
    server = start_broker(servers_folder / "broker")
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


@pytest.fixture(name="told_url", scope="session")
def _told_url(postgres: str) -> str:
    """The address of one database with the day of `desk_story` in it, for tests that only read."""
    _create(postgres, "told", template=TEMPLATE)
    engine = connect(_database(postgres, "told"))
    desk_story.tell(engine)
    engine.dispose()
    return _database(postgres, "told")


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
