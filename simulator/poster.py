"""Posts webhooks over one connection."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

ANSWER_S = 15.0  #: longest wait for one answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service answered to a post, and how long that took."""

    status: int
    text: str
    ack_ms: float


class Poster:
    """One persistent connection to the service's edge."""

    def __init__(self, url: str) -> None:
        """Post to that address."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{url} is no http address of an edge")
        self._path = parts.path or "/"
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=ANSWER_S)

    def post(self, body: bytes) -> Answer:
        """Post once. Raises `OSError` or `http.client.HTTPException` when there is no answer."""
        start = time.perf_counter()
        try:
            self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return Answer(status=response.status, text=text, ack_ms=round(1000 * (time.perf_counter() - start), 3))

    def close(self) -> None:
        """End the connection; the next post opens another."""
        self._connection.close()
