"""`python -m webhook`: the edge with its settings; SIGTERM ends it after the open group is saved."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from config.logs import configure_logging
from config.server_errors import ServerError
from config.servers import open_servers
from config.serving import refuse_taken, server
from config.settings import Settings, SettingsError, adopt, load_settings
from gateway.checks import checks_from


def main() -> int:
    """Serve until a signal comes; 2 when a setting is wrong, 3 when its port is taken or an embedded server away."""
    try:
        settings = load_settings()
        checks_from(settings)
        refuse_taken(settings.edge_host, settings.edge_port, setting="TIEOUT_EDGE_PORT or TIEOUT_EDGE_HOST")
        with _servers(settings):
            _serve(settings)
    except SettingsError as error:
        return _say(2, str(error))
    except ServerError as error:
        return _say(3, str(error))
    return 0


@contextmanager
def _servers(settings: Settings) -> Iterator[None]:
    """The user's own servers unchecked: an edge starts while they are away, and says so by /readyz."""
    if settings.database_url and settings.broker_url:
        yield
        return
    with open_servers(settings) as servers:
        adopt({"TIEOUT_DATABASE_URL": servers.database_url, "TIEOUT_BROKER_URL": servers.broker_url})
        yield


def _serve(settings: Settings) -> None:
    configure_logging(settings)
    server(
        app="webhook.wsgi:app",
        host=settings.edge_host,
        port=settings.edge_port,
        processes=settings.edge_processes,
        threads=settings.edge_threads,
        header_read_s=settings.edge_read_s,
        own_logs=False,
    ).serve()


def _say(code: int, message: str) -> int:
    sys.stderr.write(message + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
