"""What a command needs from its surroundings: settings, the clock, a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import Engine

from cli.homes import enter, latest
from cli.show import WRONG_CALL, Failure, stderr
from config.clock import Clock, clock_from
from config.servers import Servers, open_broker, open_database, open_servers
from config.settings import Gateway, Settings, load_settings
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


NO_GATEWAY = "No gateway is set: set TIEOUT_GATEWAY_NAME and its keys, or copy config/gateways.example.toml."


def wanted_gateways(name: str | None) -> list[Gateway]:
    """The gateway of that name, or all of them without one. A name that is not set is a wrong call."""
    known = settings().gateways()
    wanted = [each for each in known if name in {None, each.name}]
    if name is not None and not wanted:
        names = ", ".join(each.name for each in known) or "none"
        raise Failure(WRONG_CALL, f"no gateway is named {name!r}: there is {names}")
    return wanted


def the_gateway(name: str | None) -> Gateway:
    """The gateway of that name, or the only one. Raises `Failure` when that is not clear."""
    wanted = wanted_gateways(name)
    if len(wanted) != 1:
        names = ", ".join(each.name for each in wanted)
        choice = f"name one with --gateway: {names}" if names else "set TIEOUT_GATEWAY_NAME and its keys in .env"
        raise Failure(WRONG_CALL, f"which gateway? {choice}")
    return wanted[0]


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
    """An engine on the migrated database; the embedded one is migrated here, the user's own is not.

    The broker is not asked for: what is stored can be looked at while it is away.
    """
    with open_database(settings()) as (url, embedded):
        engine = connect(url, application="tieout-cli")
        try:
            if embedded:
                migrate(engine)
            else:
                require_head(engine)
            yield engine
        finally:
            engine.dispose()


@contextmanager
def broker() -> Iterator[str]:
    """The broker's address: one's own, unchecked, or that of the embedded one, found running or started."""
    with open_broker(settings()) as url:
        yield url
