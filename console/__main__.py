"""`python -m console`: the console on the loopback, at the port of the settings."""

from __future__ import annotations

import os
import sys

from granian import Granian
from granian.constants import Interfaces

from config.servers import open_servers
from config.settings import Settings, SettingsError, load_settings

THREADS = 4
WRONG_CALL = 2


def main() -> int:
    """Serve until told to stop; the exit code says whether the settings were right."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_CALL
    with open_servers(settings) as servers:
        os.environ["TIEOUT_DATABASE_URL"] = servers.database_url
        os.environ["TIEOUT_BROKER_URL"] = servers.broker_url
        serve(settings)
    return 0


def serve(settings: Settings) -> None:
    """Run granian with one process; a few people look at a console, not thousands."""
    Granian(
        "console.wsgi:app",
        address="127.0.0.1",
        port=settings.console_port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        websockets=False,
        log_access=False,
    ).serve()


if __name__ == "__main__":
    sys.exit(main())
