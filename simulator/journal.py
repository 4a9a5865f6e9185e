"""What the simulator did, as JSON lines: every post, every question it was asked, every fault it saw."""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

LATEST = 20  #: how many are kept to be shown
_QUESTION = b'{"what":"question",'


class Journal:
    """A file of JSON lines, begun anew, and the counts of what went into it."""

    def __init__(self, path: Path) -> None:
        """Begin the file."""
        self._path = path
        self._lock = threading.Lock()
        self._file = path.open("w", encoding="utf-8", buffering=1)
        self.answers: Counter[str] = Counter()  #: HTTP statuses the service gave to posts
        self.questions: Counter[str] = Counter()  #: HTTP statuses we gave to the service
        self.retries = 0
        self.posts: deque[Mapping[str, object]] = deque(maxlen=LATEST)
        self.calls_made: deque[Mapping[str, object]] = deque(maxlen=LATEST)
        self.faults: list[Mapping[str, object]] = []

    def post(self, *, status: int, **facts: object) -> None:
        """A webhook was answered."""
        self.answers[str(status)] += 1
        self.posts.append({"status": status, **facts})
        self._write({"what": "post", "status": status, **facts})

    def withheld(self, **facts: object) -> None:
        """A webhook was due and is never sent."""
        self.posts.append({"status": "withheld", **facts})
        self._write({"what": "withheld", **facts})

    def retry(self, **facts: object) -> None:
        """A webhook met no answer, or 503, and is posted again."""
        self.retries += 1
        self._write({"what": "retry", **facts})

    def question(self, *, status: int, **facts: object) -> None:
        """The API was asked and answered with that status; 0 is a connection that was reset."""
        self.questions[str(status)] += 1
        self.calls_made.append({"status": status, **facts})
        wall = datetime.now(UTC).isoformat(timespec="microseconds")
        self._write({"what": "question", "status": status, "wall": wall, **facts})

    def step(self, **facts: object) -> None:
        """The day went on."""
        self._write({"what": "step", **facts})

    def fault(self, **facts: object) -> None:
        """The service did what it must not."""
        self.faults.append(facts)
        self._write({"what": "fault", **facts})

    def text(self) -> bytes:
        """All lines so far."""
        return self._path.read_bytes()

    def calls(self) -> bytes:
        """The lines of the API's calls alone, in the order in which they came."""
        lines = self._path.read_bytes().splitlines(keepends=True)
        return b"".join(line for line in lines if line.startswith(_QUESTION))

    def close(self) -> None:
        """End the file."""
        with self._lock:
            self._file.close()

    def _write(self, line: Mapping[str, object]) -> None:
        with self._lock:
            if not self._file.closed:
                self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
