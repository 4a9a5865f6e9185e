"""How much memory of its own each process of a run takes: what it shares with others is not counted twice."""

from __future__ import annotations

import threading
from contextlib import suppress

import psutil
import psycopg

EVERY_S = 0.05
MB = 1 << 20


class Watch:
    """Looks at a process, its children and the database's sessions until it is stopped; keeps the most seen, in MB."""

    def __init__(self, pid: int, url: str) -> None:
        """Begin at once."""
        self.most_mb: dict[str, float] = {"run": 0.0, "workers": 0.0, "sessions": 0.0}
        with psycopg.connect(url) as connection:
            self._database = psutil.Process(connection.info.backend_pid).parent()
        self._run, self._stopped = psutil.Process(pid), threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> dict[str, float]:
        """The most that one process of each kind took."""
        self._stopped.set()
        self._thread.join()
        return {name: round(most, 1) for name, most in self.most_mb.items()}

    def _look(self) -> None:
        while not self._stopped.wait(EVERY_S):
            with suppress(psutil.Error):
                self._note("run", self._run)
                for child in self._run.children(recursive=True):
                    self._note("workers", child)
            with suppress(psutil.Error):
                for session in self._database.children() if self._database else []:
                    if _serves_a_session(session):
                        self._note("sessions", session)

    def _note(self, kind: str, process: psutil.Process) -> None:
        with suppress(psutil.NoSuchProcess):
            self.most_mb[kind] = max(self.most_mb[kind], process.memory_full_info().uss / MB)


def _serves_a_session(process: psutil.Process) -> bool:
    """Whether it is a session of ours or a part of its query, and no process of the server's own."""
    with suppress(psutil.NoSuchProcess):
        title = " ".join(process.cmdline())
        return title.startswith(("postgres: tieout ", "postgres: parallel worker"))
    return False
