"""What a command needs from its surroundings: settings, the clock, a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import Engine

from cli.homes import enter, latest
from cli.show import stderr
from config.clock import Clock, clock_from
from config.servers import Servers, open_servers
from config.settings import Settings, load_settings
from store.engine import connect
from store.migrate import migrate, require_head


@cache
def settings() -> Settings:
    """The settings, read once. Raises `SettingsError`.

    With no Gateway keys and no servers of one's own there is nothing to see but the last
    simulated day, so that one is meant.
    """
    own = load_settings()
    if own.gateways() or own.database_url or (home := latest(own)) is None:
        return own
    stderr().print(f"no Gateway keys are set: this is the simulated day in {home}", style="dim")
    return enter(home)


def clock() -> Clock:
    """The domain's clock."""
    return clock_from(settings().clock_file)


@contextmanager
def servers() -> Iterator[Servers]:
    """The user's own servers, or the embedded ones: found running, else started for this command."""
    with open_servers(settings()) as found:
        yield found


@contextmanager
def database() -> Iterator[Engine]:
    """An engine on the migrated database; the embedded one is migrated here, the user's own is not."""
    with servers() as found:
        engine = connect(found.database_url, application="tieout-cli")
        try:
            if found.postgres:
                migrate(engine)
            else:
                require_head(engine)
            yield engine
        finally:
            engine.dispose()
