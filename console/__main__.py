"""`python -m console`: the console on the loopback, at the port of the settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from config.logs import configure_logging
from config.server_errors import ServerError
from config.servers import open_servers
from config.serving import refuse_taken, server
from config.settings import Settings, SettingsError, load_settings

THREADS = 16  #: a few people look at pages; the company's backend may wait for the Gateway in most of them
HEADER_READ_S = 10
LOOPBACK = "127.0.0.1"
WRONG_CALL, AWAY = 2, 3


def main() -> int:
    """Serve until a signal comes; 2 when a setting is wrong, 3 when its port is taken or an embedded server away."""
    try:
        settings = load_settings()
        refuse_taken(LOOPBACK, settings.console_port, setting="TIEOUT_CONSOLE_PORT")
        with _servers(settings):
            _serve(settings)
    except SettingsError as error:
        return _say(WRONG_CALL, str(error))
    except ServerError as error:
        return _say(AWAY, str(error))
    return 0


@contextmanager
def _servers(settings: Settings) -> Iterator[None]:
    """The user's own servers unchecked: a console starts while they are away, and its pages say so."""
    if settings.database_url and settings.broker_url:
        yield
        return
    with open_servers(settings) as servers:
        # The server's processes are started anew and read their settings themselves.
        os.environ["TIEOUT_DATABASE_URL"] = servers.database_url  # noqa: TID251 written, not read
        os.environ["TIEOUT_BROKER_URL"] = servers.broker_url  # noqa: TID251 written, not read
        yield


def _serve(settings: Settings) -> None:
    configure_logging(settings)
    server(
        app="console.wsgi:app",
        host=LOOPBACK,
        port=settings.console_port,
        processes=1,
        threads=THREADS,
        header_read_s=HEADER_READ_S,
        own_logs=False,
    ).serve()


def _say(code: int, message: str) -> int:
    sys.stderr.write(message + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
