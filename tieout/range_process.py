"""A process of its own that pairs and judges, one task after the other, as it is told.

On Linux it is forked, which spares the second that a fresh start takes, unless its parent has threads, which
might hold a lock; it opens a connection of its own. It ends when the parent lets go of it, also when the
parent was killed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
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

    def __init__(self, engine: Engine, run: Run, *, others: Sequence[RangeProcess] = ()) -> None:
        """Start the process beside those others; it opens a connection of its own to the same database."""
        forked = sys.platform == "linux" and threading.active_count() == 1
        context = get_context("fork" if forked else "spawn")
        self.pipe, theirs = context.Pipe()
        # A forked process holds the parent's ends too; it must not, or none would see that the parent is gone.
        parents = [self.pipe, *(other.pipe for other in others)] if forked else []
        url = engine.url.render_as_string(hide_password=False)
        self._process = context.Process(  # type: ignore[attr-defined]  # of any but the base context
            target=_serve, args=(theirs, url, run, parents), daemon=True
        )
        self._process.start()
        theirs.close()

    def __call__(self, task: Task) -> Done:
        """Carry it out. Raises `RangeFailedError`."""
        try:
            self.pipe.send(task)
            done = self.pipe.recv()
        except (EOFError, OSError):
            raise RangeFailedError(
                "a process that judged has ended, its log says why;"
                " run the command again: it goes on where this one stopped"
            ) from None
        assert isinstance(done, Done)
        return done

    def close(self) -> None:
        """Let it go, and wait until it has ended."""
        self.pipe.close()
        self._process.join()


def _serve(pipe: Pipe, url: str, run: Run, parents: Sequence[Pipe]) -> None:
    for end in parents:
        end.close()
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
