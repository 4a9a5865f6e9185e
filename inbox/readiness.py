"""Whether a webhook could be saved durably now; the broker has no part in it."""

from __future__ import annotations

import threading
import time
from typing import Final

from store.readiness import problem

FRESH_S: Final = 1.0  #: an answer is good for so long, so that asking often costs nothing


class Readiness:
    """Asks the database at most once a second, whoever wants to know."""

    def __init__(self, url: str) -> None:
        """Take the database's address; nothing is connected yet."""
        self._url = url
        self._lock = threading.Lock()
        self._asked_at = -FRESH_S
        self._problem: str | None = None

    def problem(self) -> str | None:
        """Why nothing can be saved, in words for people; None when all is well."""
        with self._lock:
            if time.monotonic() - self._asked_at >= FRESH_S:
                self._problem = problem(self._url)
                self._asked_at = time.monotonic()
            return self._problem
