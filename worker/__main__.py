"""`python -m worker` runs a worker, `python -m worker beat` the schedule."""

from __future__ import annotations

import os
import sys

from config.queues import QUEUES
from config.settings import SettingsError

#: SIGTERM begins the bounded soft shutdown. Celery reads it when it is imported, hence before that.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")  # noqa: TID251 Celery's own switch, no setting of ours


def main(arguments: list[str]) -> int:
    """Run until told to stop. 2: the settings do not do."""
    try:
        from worker.app import app  # noqa: PLC0415 builds, and reads the switch above
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if arguments[:1] == ["beat"]:
        app.start(argv=["beat", "--pidfile=", *arguments[1:]])
    else:
        lean = ["--without-gossip", "--without-mingle"]
        app.worker_main(argv=["worker", "--queues", ",".join(QUEUES), *lean, *arguments])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
