"""A process of its own that pairs and judges, one task after the other, as it is told.

It is started afresh rather than forked: it shares no connection, lock or thread with its parent. It
ends when the parent lets go of it, also when the parent was killed.
"""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe

from sqlalchemy import Engine

from config.logs import configure_logging
from config.settings import load_settings
from store.engine import connect
from tieout.ranging import Done, Run, Task, carry_out


class RangeFailedError(RuntimeError):
    """A process of a run is gone; what it had not committed is still due."""


class RangeProcess:
    """The parent's side: call it with a task, from one thread at a time."""

    def __init__(self, engine: Engine, run: Run) -> None:
        """Start the process; it opens a connection of its own to the same database."""
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        url = engine.url.render_as_string(hide_password=False)
        self._process = context.Process(target=_serve, args=(theirs, url, run), daemon=True)
        self._process.start()
        theirs.close()

    def __call__(self, task: Task) -> Done:
        """Carry it out. Raises `RangeFailedError`."""
        try:
            self._pipe.send(task)
            done = self._pipe.recv()
        except (EOFError, OSError):
            raise RangeFailedError(
                "a process that judged has ended, its log says why;"
                " run the command again: it goes on where this one stopped"
            ) from None
        assert isinstance(done, Done)
        return done

    def close(self) -> None:
        """Let it go, and wait until it has ended."""
        self._pipe.close()
        self._process.join()


def _serve(pipe: Pipe, url: str, run: Run) -> None:
    configure_logging(load_settings())
    engine = connect(url, pool_size=1, application="tieout-range", ping=False)
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            break
        try:
            pipe.send(carry_out(engine, run, task))
        except OSError:  # the parent is gone
            break
    engine.dispose()
