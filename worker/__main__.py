"""`python -m worker` runs a worker, `python -m worker beat` the schedule."""

from __future__ import annotations

import os
import sys

from sqlalchemy.exc import OperationalError

from config.queues import QUEUES
from config.server_errors import ServerError
from config.settings import Settings, SettingsError
from store.engine import connect
from store.migrate import require_head

WRONG_CALL, AWAY = 2, 3

#: SIGTERM begins the bounded soft shutdown. Celery reads it when it is imported, hence before that.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")  # noqa: TID251 Celery's own switch, no setting of ours


def main(arguments: list[str]) -> int:
    """Run until told to stop; 2 when a setting is wrong, 3 when the database is not at this release's schema."""
    try:
        from worker.app import app  # noqa: PLC0415 builds, and reads the switch above

        _refuse_old_schema(app.conf["tieout_settings"])
    except SettingsError as error:
        return _say(WRONG_CALL, str(error))
    except ServerError as error:
        return _say(AWAY, str(error))
    if arguments[:1] == ["beat"]:
        app.start(argv=["beat", "--pidfile=", *arguments[1:]])
    else:
        lean = ["--without-gossip", "--without-mingle"]
        app.worker_main(argv=["worker", "--queues", ",".join(QUEUES), *lean, *arguments])
    return 0


def _refuse_old_schema(settings: Settings) -> None:
    """Refuse a schema that is not this release's; a database that is away is waited for. Raises `ServerError`."""
    assert settings.database_url is not None  # the app is not built without
    engine = connect(settings.database_url.get_secret_value(), pool_size=1, application="tieout worker start")
    try:
        require_head(engine)
    except OperationalError:
        pass  # it may come yet: the worker says so until it does
    finally:
        engine.dispose()


def _say(code: int, message: str) -> int:
    sys.stderr.write(message + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
