"""Servers of the user's own: taken as they are, refused with the way out when they do not do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr
from sqlalchemy import text

from config import servers
from config.server_errors import ServerError
from config.servers import check_broker, check_database, open_servers
from config.settings import Settings
from store.engine import connect
from store.migrate import require_head


@pytest.fixture(name="policy")
def _policy(broker_url: str) -> Iterator[redis.Redis]:
    """The broker, whose eviction policy is put back afterwards."""
    with redis.Redis.from_url(broker_url) as client:
        yield client
        client.config_set("maxmemory-policy", "noeviction")


def test_own_servers_are_used_and_not_started(database_url: str, broker_url: str, tmp_path: Path) -> None:
    """With both addresses set nothing is started, and nothing is written."""
    own = Settings.model_construct(
        home=tmp_path / "home",
        database_url=SecretStr(database_url.replace("postgresql://", "postgresql+psycopg://")),
        broker_url=SecretStr(broker_url),
    )
    with open_servers(own) as found:
        assert (found.database_url, found.broker_url, found.started) == (database_url, broker_url, False)

    assert not (tmp_path / "home").exists()


def test_a_database_that_is_too_old_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which version is needed."""
    monkeypatch.setattr(servers, "POSTGRES_LEAST", 990_000)

    with pytest.raises(ServerError, match="too old: upgrade it to 15"):
        check_database(database_url)


def test_a_broker_that_is_too_old_is_refused(broker_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which versions do."""
    monkeypatch.setattr(servers, "BROKER_LEAST", (99, 0))

    with pytest.raises(ServerError, match=r"too old: upgrade it to Redis 6\.2"):
        check_broker(broker_url)


def test_a_broker_that_evicts_queues_is_refused(policy: redis.Redis, broker_url: str) -> None:
    """Under allkeys-* a full broker drops messages in silence."""
    policy.config_set("maxmemory-policy", "allkeys-lru")

    with pytest.raises(ServerError, match="CONFIG SET maxmemory-policy noeviction"):
        check_broker(broker_url)


@pytest.mark.parametrize("url", ["postgresql://nobody:x@127.0.0.1:1/none", "not an address"])
def test_a_database_that_is_away_is_named_without_its_password(url: str) -> None:
    """One line, with the setting to look at."""
    with pytest.raises(ServerError, match="TIEOUT_DATABASE_URL") as raised:
        check_database(url)

    assert "\n" not in str(raised.value)
    assert ":x@" not in str(raised.value)


@pytest.mark.parametrize("url", ["redis://:secret@127.0.0.1:1/0", "not an address"])
def test_a_broker_that_is_away_is_named_without_its_password(url: str) -> None:
    """One line, with the setting to look at."""
    with pytest.raises(ServerError, match="TIEOUT_BROKER_URL") as raised:
        check_broker(url)

    assert "secret" not in str(raised.value)


def test_a_database_that_was_never_migrated_is_refused(database_url: str) -> None:
    """The message names the command that migrates it."""
    engine = connect(database_url)
    with engine.begin() as connection:
        connection.execute(text("drop table alembic_version"))
    with pytest.raises(ServerError, match="tieout db migrate"):
        require_head(engine)
    engine.dispose()


def test_a_database_of_a_newer_release_is_refused(database_url: str) -> None:
    """An older release does not touch what it does not know."""
    engine = connect(database_url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(ServerError, match="newer release"):
        require_head(engine)
    engine.dispose()
